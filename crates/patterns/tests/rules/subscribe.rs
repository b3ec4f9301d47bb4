//! SUB and the receiving side of XSUB (RFC 29).

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{DropReason, PatternOptions, Receiver, Upstream, Verdict};

use crate::support::{Socket, message, pipes};

fn verdict(socket: &mut Socket, first: &[u8]) -> Verdict {
    let [pipe] = pipes();
    socket.receiver.handle(pipe, &mut message(&[first, b"body"]), &mut socket.dialogue)
}

const FILTERED: Verdict = Verdict::Discard(DropReason::NotSubscribed);

#[test]
fn subscriptions_add_up() {
    let mut socket = Socket::new(SocketType::Sub);
    assert_eq!(verdict(&mut socket, b"abc"), FILTERED);
    assert!(socket.receiver.subscribe(b"ab"));
    assert!(!socket.receiver.subscribe(b"ab"));
    assert_eq!(verdict(&mut socket, b"abc"), Verdict::Deliver);
    assert_eq!(verdict(&mut socket, b"ab"), Verdict::Deliver);
    assert_eq!(verdict(&mut socket, b"a"), FILTERED);
    assert_eq!(socket.receiver.unsubscribe(b"ab"), Some(false));
    assert_eq!(verdict(&mut socket, b"abc"), Verdict::Deliver);
    assert_eq!(socket.receiver.unsubscribe(b"ab"), Some(true));
    assert_eq!(verdict(&mut socket, b"abc"), FILTERED);
    assert_eq!(socket.receiver.unsubscribe(b"ab"), None);
    assert!(socket.receiver.subscribe(b""));
    assert_eq!(verdict(&mut socket, b""), Verdict::Deliver);
}

#[test]
fn inverted_it_gets_what_it_did_not_ask_for() {
    let mut socket =
        Socket::with(SocketType::Sub, &PatternOptions { invert_matching: true, ..PatternOptions::default() });
    socket.receiver.subscribe(b"a");
    assert_eq!(verdict(&mut socket, b"ab"), FILTERED);
    assert_eq!(verdict(&mut socket, b"b"), Verdict::Deliver);
}

#[test]
fn xsub_asks_for_others_and_filters_nothing() {
    let mut socket = Socket::new(SocketType::Xsub);
    assert!(socket.receiver.subscribe(b"a"));
    assert_eq!(verdict(&mut socket, b"b"), Verdict::Deliver);
    assert_eq!(socket.receiver.subscriptions().collect::<Vec<_>>(), [b"a"]);
}

#[test]
fn who_does_not_subscribe_has_no_subscriptions() {
    let mut socket = Socket::new(SocketType::Pull);
    assert!(!socket.receiver.subscribe(b"a"));
    assert_eq!(socket.receiver.unsubscribe(b"a"), None);
    assert_eq!(socket.receiver.subscriptions().count(), 0);
    assert_eq!(socket.receiver.subscription_count(), 0);
}

#[test]
fn messages_of_an_xsub_application() {
    let cases: [(&[u8], Upstream<'_>); 5] = [
        (b"\x01", Upstream::Subscribe(b"")),
        (b"\x01topic", Upstream::Subscribe(b"topic")),
        (b"\x00topic", Upstream::Cancel(b"topic")),
        (b"", Upstream::Message),
        (b"\x02topic", Upstream::Message),
    ];
    for (body, expected) in cases {
        assert_eq!(Receiver::classify_upstream(body), expected, "{body:?}");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Subscribe(Vec<u8>),
    Unsubscribe(Vec<u8>),
    Receive(Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    let topic = || prop::collection::vec(0..3u8, 0..5);
    prop_oneof![
        topic().prop_map(Op::Subscribe),
        topic().prop_map(Op::Unsubscribe),
        topic().prop_map(Op::Receive)
    ]
}

proptest! {
    /// The model: a list of topics, as often as they were asked for.
    #[test]
    fn follows_the_model(invert_matching: bool, ops in prop::collection::vec(op(), 0..150)) {
        let options = PatternOptions { invert_matching, ..PatternOptions::default() };
        let mut socket = Socket::with(SocketType::Sub, &options);
        let mut model: Vec<Vec<u8>> = Vec::new();
        for op in ops {
            match op {
                Op::Subscribe(topic) => {
                    prop_assert_eq!(socket.receiver.subscribe(&topic), !model.contains(&topic));
                    model.push(topic);
                }
                Op::Unsubscribe(topic) => {
                    let place = model.iter().position(|held| *held == topic);
                    let expected = place.map(|place| {
                        model.remove(place);
                        !model.contains(&topic)
                    });
                    prop_assert_eq!(socket.receiver.unsubscribe(&topic), expected);
                }
                Op::Receive(first) => {
                    let is_match = model.iter().any(|topic| first.starts_with(topic));
                    let expected = if is_match != invert_matching { Verdict::Deliver } else { FILTERED };
                    prop_assert_eq!(verdict(&mut socket, &first), expected);
                }
            }
            let mut held = model.clone();
            held.sort();
            held.dedup();
            let mut told: Vec<_> = socket.receiver.subscriptions().collect();
            told.sort();
            prop_assert_eq!(socket.receiver.subscription_count(), told.len());
            prop_assert_eq!(told, held);
        }
    }
}
