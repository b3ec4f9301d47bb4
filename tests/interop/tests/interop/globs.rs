//! Patterns beside a library that has none: it sees plain subscriptions, and what does not fit is dropped on our side.

use serverlink::SocketType::{Pub, Sub, Xpub, Xsub};

use crate::{
    ends::{End, PATIENCE, parts},
    links::Wire,
    ours::Ours,
    over_wires,
    theirs::Theirs,
};

over_wires! {
    /// A libzmq XPUB sees the topic that covers the patterns, for as long as one of them needs it.
    a_publisher_without_patterns => |wire| covered(wire, false);
    /// The same from an XSUB, which filters nothing else.
    of_an_xsub => |wire| covered(wire, true);
    /// The publisher is ours, then theirs, then ours again.
    a_publisher_that_changes_its_library => changed;
    /// A libzmq SUB beside one with patterns gets what it asked for.
    a_subscriber_without_patterns => beside;
}

fn covered(wire: Wire, is_xsub: bool) {
    let publisher = Theirs::open(Xpub);
    let (fresh, _directory) = wire.fresh_endpoint();
    let endpoint = publisher.bind(&fresh);
    let subscriber = Ours::open(if is_xsub { Xsub } else { Sub });
    subscriber.connect(&endpoint);
    subscriber.wait_for_peer();
    let psubscribe = |pattern| subscriber.socket().psubscribe(pattern).expect("a pattern");
    let punsubscribe = |pattern| subscriber.socket().punsubscribe(pattern).expect("a pattern");
    psubscribe("ab*[xy]");
    assert_eq!(publisher.recv(), parts([b"\x01ab"]));
    psubscribe("ab?");
    for sent in ["abc.z", "abc.x", "ab", "ab.", "abc.y"] {
        publisher.send(&parts([sent, "body"]));
    }
    for expected in ["abc.x", "ab.", "abc.y"] {
        assert_eq!(subscriber.recv(), parts([expected, "body"]));
    }
    punsubscribe("ab*[xy]");
    psubscribe("*end");
    assert_eq!(publisher.recv(), parts([b"\x01"]), "the other pattern still needs its topic");
    punsubscribe("ab?");
    assert_eq!(publisher.recv(), parts([b"\x00ab"]));
    publisher.send(&parts(["abc"]));
    publisher.send(&parts(["the end"]));
    assert_eq!(subscriber.recv(), parts(["the end"]));
}

fn changed(wire: Wire) {
    let (fresh, _directory) = wire.fresh_endpoint();
    let reserved = Ours::open(Pub);
    let endpoint = reserved.bind(&fresh);
    Box::new(reserved).close();
    let subscriber = Ours::open_with(Sub, |options| {
        options.reconnect_interval = std::time::Duration::from_millis(5);
        options.reconnect_interval_max = std::time::Duration::ZERO;
    });
    subscriber.socket().psubscribe("n*s").expect("a pattern");
    subscriber.connect(&endpoint);
    for round in 0..4 {
        let publisher: Box<dyn End> = match round % 2 {
            0 => Box::new(Ours::open(Xpub)),
            _ => Box::new(Theirs::open(Xpub)),
        };
        publisher.bind(&endpoint);
        assert_eq!(publisher.recv(), parts([b"\x01n"]), "round {round}");
        publisher.send(&parts(["new"]));
        publisher.send(&parts(["news"]));
        assert_eq!(subscriber.recv(), parts(["news"]), "round {round}");
        publisher.close();
        subscriber.wait_until_alone();
    }
}

fn beside(wire: Wire) {
    let publisher = Ours::open(Pub);
    let (fresh, _directory) = wire.fresh_endpoint();
    let endpoint = publisher.bind(&fresh);
    let (plain, fitting) = (Theirs::open(Sub), Ours::open(Sub));
    plain.connect(&endpoint);
    plain.subscribe(b"a");
    fitting.connect(&endpoint);
    fitting.socket().psubscribe("a*z").expect("a pattern");
    publisher.socket().wait_for_subscribers(2, PATIENCE).expect("both subscribe");
    for sent in ["ab", "xz", "az"] {
        publisher.send(&parts([sent]));
    }
    assert_eq!((plain.recv(), plain.recv()), (parts(["ab"]), parts(["az"])));
    assert_eq!(fitting.recv(), parts(["az"]));
}
