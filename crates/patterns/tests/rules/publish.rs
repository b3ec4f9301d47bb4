//! PUB, XPUB and the sending side of XSUB (RFC 29).

use proptest::prelude::*;
use serverlink_message::{Message, SocketType};
use serverlink_patterns::{DropReason, PatternOptions, PipeId, Reserve, TargetSet};

use crate::support::{Socket, message, parts, pipes};

fn inverted() -> PatternOptions {
    PatternOptions { invert_matching: true, ..PatternOptions::default() }
}

fn publish(socket: &mut Socket, first: &[u8]) -> Vec<PipeId> {
    match socket.reserve(first) {
        Reserve::Many => {
            let mut targets = socket.sender.targets().to_vec();
            targets.sort();
            socket.commit();
            targets
        }
        Reserve::Nobody(_) => Vec::new(),
        other => panic!("a publisher never waits or refuses: {other:?}"),
    }
}

#[test]
fn goes_to_each_subscriber_once() {
    let [a, b, c] = pipes();
    let mut socket = Socket::new(SocketType::Pub);
    socket.attach_all(&[a, b, c]);
    for (pipe, topic) in [(a, &b""[..]), (a, b"news"), (a, b"news.eu"), (b, b"news")] {
        assert_eq!(socket.asks(pipe, topic), None, "a PUB's application hears nothing");
    }
    assert_eq!(publish(&mut socket, b"news.eu.de"), [a, b]);
    assert_eq!(publish(&mut socket, b"new"), [a]);
    assert_eq!(publish(&mut socket, b""), [a]);
    assert_eq!((socket.sender.subscriber_count(), socket.sender.subscription_count()), (2, 3));
    assert_eq!(socket.sender.dropped(), 0);
}

#[test]
fn nobody_asked_or_nobody_has_room() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Pub);
    socket.attach(a);
    socket.attach(b);
    assert_eq!(socket.reserve(b"x"), Reserve::Nobody(DropReason::NoSubscriber));
    assert_eq!(socket.sender.dropped(), 0);
    for pipe in [a, b] {
        let _ = socket.asks(pipe, b"x");
    }
    socket.sender.set_writable(a, false);
    assert_eq!(socket.reserve(b"x"), Reserve::Many);
    assert_eq!(socket.sender.targets(), [b]);
    socket.rollback();
    assert_eq!(socket.sender.dropped(), 0, "what was not sent was not dropped");
    assert_eq!(publish(&mut socket, b"x"), [b]);
    assert_eq!(socket.sender.dropped(), 1);
    socket.sender.set_writable(b, false);
    assert_eq!(socket.reserve(b"x"), Reserve::Nobody(DropReason::HighWaterMark));
    assert_eq!(socket.sender.dropped(), 3);
    socket.commit();
    assert_eq!(socket.sender.dropped(), 3, "counted already");
    socket.sender.set_writable(a, true);
    assert_eq!(publish(&mut socket, b"x"), [a]);
}

#[test]
fn subscriptions_add_up() {
    let [a] = pipes();
    let mut socket = Socket::new(SocketType::Xpub);
    socket.attach(a);
    assert_eq!(socket.asks(a, b"t"), Some(message(&[b"\x01t"])));
    assert_eq!(socket.asks(a, b"t"), None);
    assert_eq!(socket.cancels(a, b"t"), None);
    assert_eq!(publish(&mut socket, b"t"), [a]);
    assert_eq!(socket.cancels(a, b"t"), Some(message(&[b"\x00t"])));
    assert_eq!(publish(&mut socket, b"t"), []);
    assert_eq!(socket.cancels(a, b"t"), None, "it was never made");
}

#[test]
fn the_application_hears_the_first_and_the_last() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Xpub);
    socket.attach(a);
    socket.attach(b);
    assert_eq!(socket.asks(a, b""), Some(message(&[b"\x01"])));
    assert_eq!(socket.asks(b, b""), None);
    assert_eq!(socket.asks(b, b"only b"), Some(message(&[b"\x01only b"])));
    assert_eq!(socket.cancels(a, b""), None);
    let mut upstream = socket.sender.detach(b).upstream;
    upstream.sort_by_key(Message::len_bytes);
    assert_eq!(upstream, [message(&[b"\x00"]), message(&[b"\x00only b"])]);
    assert_eq!(socket.sender.subscriber_count(), 0);
}

#[test]
fn a_lost_connection_voids_what_was_asked_and_keeps_the_pipe() {
    let [a] = pipes();
    let mut socket = Socket::new(SocketType::Xpub);
    socket.attach(a);
    let _ = socket.asks(a, b"t");
    assert_eq!(socket.sender.subscription_load(a).topics, 1);
    assert_eq!(socket.sender.cancel_all(a), [message(&[b"\x00t"])]);
    assert_eq!(socket.sender.subscription_load(a).bytes, 0);
    assert_eq!(socket.asks(a, b"t"), Some(message(&[b"\x01t"])));
    assert_eq!(publish(&mut socket, b"t"), [a]);
}

#[test]
fn strangers_subscribe_to_nothing() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Xpub);
    socket.attach(a);
    assert_eq!(socket.asks(b, b"t"), None);
    assert_eq!(socket.sender.subscription_count(), 0);
    let mut push = Socket::new(SocketType::Push);
    push.attach(a);
    assert_eq!(push.asks(a, b"t"), None);
}

#[test]
fn inverted_it_goes_to_those_who_did_not_ask() {
    let [a, b, c] = pipes();
    let mut socket = Socket::with(SocketType::Pub, &inverted());
    socket.attach_all(&[a, b, c]);
    let _ = socket.asks(a, b"x");
    let _ = socket.asks(b, b"y");
    assert_eq!(publish(&mut socket, b"xx"), [b, c]);
    assert_eq!(publish(&mut socket, b"z"), [a, b, c]);
}

#[test]
fn a_target_that_left_is_no_target() {
    for socket_type in [SocketType::Pub, SocketType::Xsub] {
        let [a, b] = pipes();
        let mut socket = Socket::new(socket_type);
        socket.attach(a);
        socket.attach(b);
        for pipe in [a, b] {
            let _ = socket.asks(pipe, b"");
        }
        assert_eq!(socket.reserve(b"x"), Reserve::Many);
        socket.detach(a);
        assert_eq!(socket.sender.targets(), [b]);
    }
}

#[test]
fn xsub_tells_every_publisher_that_has_room() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Xsub);
    assert_eq!(socket.reserve(b"x"), Reserve::Nobody(DropReason::NoPeer));
    socket.attach(a);
    socket.attach(b);
    assert_eq!(publish(&mut socket, b"x"), [a, b]);
    socket.sender.set_writable(b, false);
    assert_eq!(publish(&mut socket, b"x"), [a]);
    assert_eq!(socket.sender.dropped(), 1);
    socket.sender.set_writable(a, false);
    assert_eq!(socket.reserve(b"x"), Reserve::Nobody(DropReason::HighWaterMark));
    assert_eq!(socket.sender.dropped(), 3);
}

#[derive(Debug, Clone)]
enum Op {
    Attach(usize),
    Detach(usize),
    Writable(usize, bool),
    Subscribe(usize, Vec<u8>),
    Cancel(usize, Vec<u8>),
    CancelAll(usize),
    Send { first: Vec<u8>, written: bool },
}

fn op() -> impl Strategy<Value = Op> {
    let pipe = 0..4usize;
    let topic = || prop::collection::vec(0..2u8, 0..4);
    prop_oneof![
        2 => pipe.clone().prop_map(Op::Attach),
        1 => pipe.clone().prop_map(Op::Detach),
        2 => (pipe.clone(), any::<bool>()).prop_map(|(pipe, writable)| Op::Writable(pipe, writable)),
        6 => (pipe.clone(), topic()).prop_map(|(pipe, topic)| Op::Subscribe(pipe, topic)),
        4 => (pipe.clone(), topic()).prop_map(|(pipe, topic)| Op::Cancel(pipe, topic)),
        1 => pipe.prop_map(Op::CancelAll),
        6 => (topic(), prop::bool::weighted(0.8)).prop_map(|(first, written)| Op::Send { first, written }),
    ]
}

/// The model: for each pipe whether it has room, and a list of topics as often as they were asked for.
#[derive(Default)]
struct Model {
    pipes: [Option<(bool, Vec<Vec<u8>>)>; 4],
    dropped: u64,
}

impl Model {
    fn wanted(&self, topic: &[u8]) -> bool {
        self.pipes.iter().flatten().any(|(_, topics)| topics.iter().any(|held| held == topic))
    }

    fn topics(&self) -> Vec<Vec<u8>> {
        let mut topics: Vec<_> = self.pipes.iter().flatten().flat_map(|(_, topics)| topics.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    fn cancel(&mut self, pipe: usize, topic: &[u8]) -> bool {
        let Some((_, topics)) = &mut self.pipes[pipe] else { return false };
        let Some(place) = topics.iter().position(|held| held == topic) else { return false };
        topics.swap_remove(place);
        !self.wanted(topic)
    }

    /// The topics nobody wants any more when `change` was made, as the application hears of them.
    fn lost(&mut self, change: impl FnOnce(&mut Model)) -> Vec<Vec<Vec<u8>>> {
        let before = self.topics();
        change(self);
        let after = self.topics();
        before
            .into_iter()
            .filter(|topic| !after.contains(topic))
            .map(|topic| vec![[&[0], &*topic].concat()])
            .collect()
    }

    fn matching(&self, first: &[u8], inverted: bool) -> (Vec<usize>, u64) {
        let is_match = |topics: &[Vec<u8>]| topics.iter().any(|topic| first.starts_with(topic)) != inverted;
        let (mut targets, mut left_out) = (Vec::new(), 0);
        for (pipe, known) in self.pipes.iter().enumerate() {
            match known {
                Some((true, topics)) if is_match(topics) => targets.push(pipe),
                Some((false, topics)) if is_match(topics) => left_out += 1,
                _ => {}
            }
        }
        (targets, left_out)
    }
}

/// What the names of sets of targets stood for.
#[derive(Default)]
pub(crate) struct Names(std::collections::BTreeMap<TargetSet, Vec<PipeId>>);

impl Names {
    /// False if a name has another meaning than it had.
    pub(crate) fn are_kept(&mut self, socket: &Socket) -> bool {
        let Some(name) = socket.sender.target_set() else { return true };
        let targets = socket.sender.targets().to_vec();
        *self.0.entry(name).or_insert_with(|| targets.clone()) == targets
    }
}

#[test]
fn who_got_a_message_is_known_again_until_something_changes() {
    let all: [PipeId; 5] = pipes();
    let mut socket = Socket::new(SocketType::Pub);
    for pipe in all {
        socket.attach(pipe);
        socket.asks(pipe, b"a");
    }
    socket.asks(all[0], b"ab");
    let name_of = |socket: &mut Socket, first: &[u8]| {
        assert_eq!(socket.reserve(first), Reserve::Many);
        let name = socket.sender.target_set().expect("five are remembered");
        socket.commit();
        name
    };
    let name = name_of(&mut socket, b"a1");
    assert_eq!(name_of(&mut socket, b"a2"), name);
    assert_ne!(name_of(&mut socket, b"ab"), name, "another topic is met on the way");
    assert_eq!(name_of(&mut socket, b"ac"), name);
    socket.sender.set_writable(all[1], true);
    assert_eq!(name_of(&mut socket, b"a"), name, "it could be written to before");
    socket.sender.set_writable(all[1], false);
    let without = name_of(&mut socket, b"a");
    assert_ne!(without, name);
    socket.sender.set_writable(all[1], true);
    assert_ne!(name_of(&mut socket, b"a"), without);
    let before = name_of(&mut socket, b"a");
    socket.asks(all[2], b"elsewhere");
    assert_ne!(name_of(&mut socket, b"a"), before, "no name comes back");
    let _ = socket.sender.detach(all[0]);
    assert_eq!(publish(&mut socket, b"a"), all[1..]);
}

fn sorted(messages: &[Message]) -> Vec<Vec<Vec<u8>>> {
    let mut all: Vec<_> = messages.iter().map(parts).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn follows_the_model(invert_matching: bool, ops in prop::collection::vec(op(), 0..150)) {
        let ids = pipes::<4>();
        let options = PatternOptions { invert_matching, ..PatternOptions::default() };
        let mut socket = Socket::with(SocketType::Xpub, &options);
        let mut model = Model::default();
        let mut names = Names::default();
        for op in ops {
            match op {
                Op::Attach(pipe) => {
                    socket.attach(ids[pipe]);
                    model.pipes[pipe].get_or_insert((true, Vec::new()));
                }
                Op::Detach(pipe) => {
                    let lost = model.lost(|model| model.pipes[pipe] = None);
                    prop_assert_eq!(sorted(&socket.sender.detach(ids[pipe]).upstream), lost);
                }
                Op::CancelAll(pipe) => {
                    let lost = model.lost(|model| {
                        if let Some((_, topics)) = &mut model.pipes[pipe] {
                            topics.clear();
                        }
                    });
                    prop_assert_eq!(sorted(&socket.sender.cancel_all(ids[pipe])), lost);
                }
                Op::Writable(pipe, writable) => {
                    socket.sender.set_writable(ids[pipe], writable);
                    if let Some(known) = &mut model.pipes[pipe] {
                        known.0 = writable;
                    }
                }
                Op::Subscribe(pipe, topic) => {
                    let is_first = model.pipes[pipe].is_some() && !model.wanted(&topic);
                    let expected = is_first.then(|| message(&[&[&[1], &*topic].concat()]));
                    prop_assert_eq!(socket.asks(ids[pipe], &topic), expected);
                    if let Some((_, topics)) = &mut model.pipes[pipe] {
                        topics.push(topic);
                    }
                }
                Op::Cancel(pipe, topic) => {
                    let expected = model.cancel(pipe, &topic).then(|| message(&[&[&[0], &*topic].concat()]));
                    prop_assert_eq!(socket.cancels(ids[pipe], &topic), expected);
                }
                Op::Send { first, written } => {
                    let (targets, left_out) = model.matching(&first, invert_matching);
                    let targets: Vec<_> = targets.into_iter().map(|pipe| ids[pipe]).collect();
                    let reserve = socket.reserve(&first);
                    let mut found = socket.sender.targets().to_vec();
                    found.sort();
                    prop_assert_eq!(&found, &targets);
                    prop_assert!(names.are_kept(&socket));
                    prop_assert_eq!(reserve == Reserve::Many, !targets.is_empty());
                    if written { socket.commit() } else { socket.rollback() }
                    if written || targets.is_empty() {
                        model.dropped += left_out;
                    }
                }
            }
            prop_assert_eq!(socket.sender.dropped(), model.dropped);
            prop_assert_eq!(socket.sender.subscription_count(), model.topics().len());
            let subscribers = model.pipes.iter().flatten().filter(|(_, topics)| !topics.is_empty()).count();
            prop_assert_eq!(socket.sender.subscriber_count(), subscribers);
        }
    }
}
