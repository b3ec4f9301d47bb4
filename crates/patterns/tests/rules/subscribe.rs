//! SUB and the receiving side of XSUB (RFC 29).

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{
    DropReason, Glob, Passage, PatternOptions, PipeId, Subject, Tell, Upstream, Verdict,
};

use crate::support::{Socket, message, pipes};

fn verdict(socket: &mut Socket, first: &[u8]) -> Verdict {
    let [pipe] = pipes();
    verdict_of(socket, pipe, first)
}

fn verdict_of(socket: &mut Socket, pipe: PipeId, first: &[u8]) -> Verdict {
    socket.receiver.handle(pipe, &mut message(&[first, b"body"]), &mut socket.dialogue)
}

/// What is said of each message of one part, if that is the same.
fn passage(socket: &mut Socket) -> Option<Passage> {
    let [pipe] = pipes();
    socket.attach(pipe);
    socket.receiver.set_readable(pipe, true);
    let sole = socket.receiver.sole_source();
    socket.detach(pipe);
    sole.map(|(_, passage)| passage)
}

const FILTERED: Verdict = Verdict::Discard(DropReason::NotSubscribed);

fn topic(topic: &[u8]) -> Subject<'_> {
    Subject::Topic(topic)
}

fn glob(glob: &[u8]) -> Subject<'_> {
    Subject::Glob(glob)
}

fn subscribe(socket: &mut Socket, subject: Subject<'_>) -> Tell {
    socket.receiver.subscribe(subject).expect("a topic or a pattern")
}

fn tell(exactly: u32, plainly: Option<&[u8]>) -> Tell {
    Tell { exactly, plainly: plainly.map(<[u8]>::to_vec) }
}

#[test]
fn one_topic_alone_or_the_empty_one_is_all_that_is_asked_for() {
    let mut socket = Socket::new(SocketType::Sub);
    assert_eq!(passage(&mut socket), None);
    let _ = subscribe(&mut socket, topic(b"abc"));
    assert_eq!(passage(&mut socket), Some(Passage::IfItBegins("abc".into())));
    let _ = subscribe(&mut socket, topic(b"b"));
    assert_eq!(passage(&mut socket), None);
    let _ = subscribe(&mut socket, topic(b""));
    assert_eq!(passage(&mut socket), Some(Passage::AsItCame));
    let _ = subscribe(&mut socket, glob(b"*"));
    assert_eq!(passage(&mut socket), None);
    let _ = socket.receiver.unsubscribe(glob(b"*"));
    let _ = socket.receiver.unsubscribe(topic(b""));
    let _ = socket.receiver.unsubscribe(topic(b"abc"));
    assert_eq!(passage(&mut socket), Some(Passage::IfItBegins("b".into())));
    assert_eq!(passage(&mut Socket::new(SocketType::Xsub)), Some(Passage::AsItCame));
}

#[test]
fn subscriptions_add_up() {
    let mut socket = Socket::new(SocketType::Sub);
    assert_eq!(verdict(&mut socket, b"abc"), FILTERED);
    for _ in 0..2 {
        assert_eq!(subscribe(&mut socket, topic(b"ab")), tell(1, Some(b"ab")));
    }
    assert_eq!(verdict(&mut socket, b"abc"), Verdict::Deliver);
    assert_eq!(verdict(&mut socket, b"ab"), Verdict::Deliver);
    assert_eq!(verdict(&mut socket, b"a"), FILTERED);
    assert_eq!(socket.receiver.unsubscribe(topic(b"ab")), tell(0, None));
    assert_eq!(verdict(&mut socket, b"abc"), Verdict::Deliver);
    assert_eq!(socket.receiver.unsubscribe(topic(b"ab")), tell(2, Some(b"ab")), "it was told twice");
    assert_eq!(verdict(&mut socket, b"abc"), FILTERED);
    assert_eq!(socket.receiver.unsubscribe(topic(b"ab")), tell(0, None));
    let _ = subscribe(&mut socket, topic(b""));
    assert_eq!(verdict(&mut socket, b""), Verdict::Deliver);
}

#[test]
fn globs_are_subscriptions_too() {
    let mut socket = Socket::new(SocketType::Sub);
    assert_eq!(subscribe(&mut socket, glob(b"a*z")), tell(1, Some(b"a")));
    assert_eq!(subscribe(&mut socket, glob(b"a*z")), tell(1, None));
    assert_eq!(verdict(&mut socket, b"abcz"), Verdict::Deliver);
    assert_eq!(verdict(&mut socket, b"abc"), FILTERED);
    assert!(socket.receiver.subscribe(glob(b"a[")).is_err());
    assert_eq!(socket.receiver.subscription_count(), 1);
    assert_eq!(socket.receiver.unsubscribe(glob(b"a*z")), tell(0, None));
    assert_eq!(socket.receiver.unsubscribe(glob(b"a*z")), tell(2, Some(b"a")));
    assert_eq!(verdict(&mut socket, b"abcz"), FILTERED);
    assert_eq!(socket.receiver.unsubscribe(glob(b"a[")), tell(0, None));
}

#[test]
fn a_covering_topic_stays_for_as_long_as_it_is_needed() {
    let mut socket = Socket::new(SocketType::Sub);
    assert_eq!(subscribe(&mut socket, glob(b"a*z")), tell(1, Some(b"a")));
    assert_eq!(subscribe(&mut socket, glob(b"a*y")), tell(1, None));
    assert_eq!(subscribe(&mut socket, topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(socket.receiver.plain_subscriptions().collect::<Vec<_>>(), [b"a"]);
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), tell(1, None));
    assert_eq!(socket.receiver.unsubscribe(glob(b"a*z")), tell(1, None));
    assert_eq!(socket.receiver.unsubscribe(glob(b"a*y")), tell(1, Some(b"a")));
    assert_eq!(socket.receiver.plain_subscriptions().count(), 0);
}

#[test]
fn inverted_no_topic_stands_in_for_a_glob() {
    let options = PatternOptions { invert_matching: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Sub, &options);
    assert_eq!(subscribe(&mut socket, glob(b"a*z")), tell(1, None));
    assert_eq!(subscribe(&mut socket, topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(verdict(&mut socket, b"az"), FILTERED);
    assert_eq!(verdict(&mut socket, b"ab"), Verdict::Deliver);
    assert_eq!(socket.receiver.plain_subscriptions().count(), 0);
}

#[test]
fn xsub_takes_out_what_came_for_a_covering_topic_alone() {
    let [plain, other] = pipes();
    let mut socket = Socket::new(SocketType::Xsub);
    socket.attach_all(&[plain, other]);
    socket.receiver.set_plain(plain, true);
    let _ = subscribe(&mut socket, glob(b"a*z"));
    assert_eq!(verdict_of(&mut socket, plain, b"ab"), FILTERED);
    assert_eq!(verdict_of(&mut socket, plain, b"az"), Verdict::Deliver);
    assert_eq!(verdict_of(&mut socket, plain, b"b"), Verdict::Deliver, "it did not come for that");
    assert_eq!(verdict_of(&mut socket, other, b"ab"), Verdict::Deliver, "that publisher knows what it does");
    let _ = subscribe(&mut socket, topic(b"a"));
    assert_eq!(verdict_of(&mut socket, plain, b"ab"), Verdict::Deliver);
}

#[test]
fn xsub_tells_each_cancellation_if_asked() {
    let options = PatternOptions { xsub_verbose_unsubscribe: true, ..PatternOptions::default() };
    let mut socket = Socket::with(SocketType::Xsub, &options);
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), tell(1, Some(b"a")));
    let _ = subscribe(&mut socket, topic(b"a"));
    let _ = subscribe(&mut socket, topic(b"a"));
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(socket.receiver.subscription_count(), 0);
}

#[test]
fn inverted_it_gets_what_it_did_not_ask_for() {
    let mut socket =
        Socket::with(SocketType::Sub, &PatternOptions { invert_matching: true, ..PatternOptions::default() });
    let _ = subscribe(&mut socket, topic(b"a"));
    assert_eq!(verdict(&mut socket, b"ab"), FILTERED);
    assert_eq!(verdict(&mut socket, b"b"), Verdict::Deliver);
}

#[test]
fn xsub_asks_for_others_and_filters_nothing() {
    let mut socket = Socket::new(SocketType::Xsub);
    assert_eq!(subscribe(&mut socket, topic(b"a")), tell(1, Some(b"a")));
    assert_eq!(verdict(&mut socket, b"b"), Verdict::Deliver);
    assert_eq!(socket.receiver.subscriptions().collect::<Vec<_>>(), [b"a"]);
}

#[test]
fn who_does_not_subscribe_has_no_subscriptions() {
    let mut socket = Socket::new(SocketType::Pull);
    assert_eq!(subscribe(&mut socket, topic(b"a")), Tell::default());
    assert_eq!(socket.receiver.unsubscribe(topic(b"a")), Tell::default());
    assert_eq!(socket.receiver.subscriptions().count(), 0);
    assert_eq!(socket.receiver.subscription_count(), 0);
}

#[test]
fn messages_of_an_xsub_application() {
    let cases: [(&[u8], Upstream<'_>, Upstream<'_>); 6] = [
        (b"\x01", Upstream::Subscribe(topic(b"")), Upstream::Subscribe(topic(b""))),
        (b"\x01topic", Upstream::Subscribe(topic(b"topic")), Upstream::Subscribe(topic(b"topic"))),
        (b"\x00topic", Upstream::Cancel(topic(b"topic")), Upstream::Cancel(topic(b"topic"))),
        (b"", Upstream::Message, Upstream::Message),
        (b"\x02a*", Upstream::Message, Upstream::Subscribe(glob(b"a*"))),
        (b"\x03a*", Upstream::Message, Upstream::Cancel(glob(b"a*"))),
    ];
    for (body, without, with) in cases {
        assert_eq!(Upstream::of(body, false), without, "{body:?}");
        assert_eq!(Upstream::of(body, true), with, "{body:?}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Subscribe(bool, Vec<u8>),
    Unsubscribe(bool, Vec<u8>),
    Receive(Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    let topic = || prop::collection::vec(prop::sample::select(b"ab*?".to_vec()), 0..4);
    prop_oneof![
        (any::<bool>(), topic()).prop_map(|(is_glob, topic)| Op::Subscribe(is_glob, topic)),
        (any::<bool>(), topic()).prop_map(|(is_glob, topic)| Op::Unsubscribe(is_glob, topic)),
        topic().prop_map(Op::Receive)
    ]
}

fn subject((is_glob, name): &(bool, Vec<u8>)) -> Subject<'_> {
    if *is_glob { Subject::Glob(name) } else { Subject::Topic(name) }
}

/// What a publisher of each kind has been told, and what it should have been.
#[derive(Default)]
struct Model {
    held: Vec<(bool, Vec<u8>)>,
    /// As a publisher that counts holds them.
    exact: Vec<(bool, Vec<u8>)>,
    /// As a publisher that knows no globs and does not count.
    plain: Vec<Vec<u8>>,
}

impl Model {
    fn needed(&self, invert: bool) -> Vec<Vec<u8>> {
        let covering = |held: &(bool, Vec<u8>)| match held {
            (false, topic) => Some(topic.clone()),
            (true, glob) => (!invert).then(|| Glob::parse(glob).expect("a pattern").literal_prefix()),
        };
        sorted(self.held.iter().filter_map(covering).collect())
    }

    fn fits(&self, first: &[u8]) -> bool {
        self.held.iter().any(|(is_glob, name)| match is_glob {
            true => Glob::parse(name).expect("a pattern").matches(first),
            false => first.starts_with(name),
        })
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all.dedup();
    all
}

proptest! {
    /// Publishers of either kind always know what they have to, and no more than that once it is cancelled.
    #[test]
    fn follows_the_model(invert_matching: bool, ops in prop::collection::vec(op(), 0..150)) {
        let options = PatternOptions { invert_matching, ..PatternOptions::default() };
        let mut socket = Socket::with(SocketType::Sub, &options);
        let mut model = Model::default();
        for op in ops {
            match op {
                Op::Subscribe(is_glob, name) => {
                    let held = (is_glob, name);
                    let told = subscribe(&mut socket, subject(&held));
                    prop_assert_eq!(told.exactly, 1);
                    model.exact.push(held.clone());
                    model.plain.extend(told.plainly);
                    model.held.push(held);
                }
                Op::Unsubscribe(is_glob, name) => {
                    let held = (is_glob, name);
                    let told = socket.receiver.unsubscribe(subject(&held));
                    for _ in 0..told.exactly {
                        let place = model.exact.iter().position(|exact| *exact == held);
                        model.exact.swap_remove(place.expect("it was told before"));
                    }
                    model.plain.retain(|topic| told.plainly.as_ref() != Some(topic));
                    model.held.iter().position(|other| *other == held).map(|place| model.held.remove(place));
                }
                Op::Receive(first) => {
                    let expected =
                        if model.fits(&first) != invert_matching { Verdict::Deliver } else { FILTERED };
                    prop_assert_eq!(verdict(&mut socket, &first), expected);
                    match passage(&mut socket) {
                        Some(Passage::IfItBegins(topic)) => {
                            prop_assert_eq!(first.starts_with(&topic), expected == Verdict::Deliver);
                        }
                        Some(passage) => prop_assert_eq!((passage, expected), (Passage::AsItCame, Verdict::Deliver)),
                        None => {}
                    }
                }
            }
            prop_assert_eq!(sorted(model.exact.clone()), sorted(model.held.clone()));
            prop_assert_eq!(sorted(model.plain.clone()), model.needed(invert_matching));
            prop_assert_eq!(sorted(socket.receiver.plain_subscriptions().collect()), model.needed(invert_matching));
            let topics = socket.receiver.subscriptions().map(|topic| (false, topic));
            let told: Vec<_> = topics.chain(socket.receiver.glob_subscriptions().map(|glob| (true, glob))).collect();
            prop_assert_eq!(socket.receiver.subscription_count(), told.len());
            prop_assert_eq!(sorted(told), sorted(model.held.clone()));
        }
    }
}
