//! Topics travel up, matching messages travel down.

use std::time::Instant;

use serverlink::SocketType::{Pub, Sub, Xpub, Xsub};

use crate::{
    ends::{End, GLANCE, PATIENCE, parts},
    links::Wire,
    over_wires,
};

over_wires! {
    /// An XPUB sees what its subscribers want, and when nobody wants it any more.
    xpub_sees_subscriptions => xpub_sees_subscriptions;
    /// Lengths around the edge between the wire's two size fields.
    topics_of_every_length => topics_of_every_length;
    /// What was unsubscribed does not come any more; what overlaps it does.
    unsubscribing => unsubscribing;
    /// A message of several parts is matched by its first and arrives whole.
    multipart_is_matched_by_its_first_part => multipart_is_matched_by_its_first_part;
}

/// The case of every publishing pair: only what matches the topic arrives, in order.
pub(crate) fn publish_and_filter(publisher: &dyn End, subscriber: &dyn End) {
    subscriber.subscribe(b"a");
    until_subscribed(publisher, subscriber, b"a");
    for sent in ["b1", "a1", "", "c", "a2"] {
        publisher.send(&parts([sent]));
    }
    assert_eq!(subscriber.recv(), parts(["a1"]));
    assert_eq!(subscriber.recv(), parts(["a2"]));
}

/// Returns when the publisher serves the topic. A libzmq PUB tells nobody when a subscription
/// arrived, so one message after another is tried on it until the first comes through.
pub(crate) fn until_subscribed(publisher: &dyn End, subscriber: &dyn End, topic: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    let trial = |number: u32| vec![[topic, b"trial ", number.to_string().as_bytes()].concat()];
    for number in 0.. {
        assert!(Instant::now() < deadline, "the subscription never arrived");
        // libzmq sends the subscriptions of a bound socket only from inside a call.
        subscriber.nudge();
        match publisher.has_subscriptions(1) {
            Some(true) => return,
            Some(false) => {}
            None => {
                publisher.send(&trial(number));
                if let Some(mut received) = subscriber.glance() {
                    // Later trials may have come through behind the first: take them all.
                    while received != trial(number) {
                        received = subscriber.recv();
                    }
                    return;
                }
            }
        }
    }
}

fn xpub_sees_subscriptions(wire: Wire) {
    for link in wire.links(Xpub, Sub) {
        println!("{}", link.name);
        let (publisher, subscriber) = (&*link.one, &*link.other);
        subscriber.subscribe(b"weather");
        subscriber.subscribe(b"sport");
        // A libzmq SUB that is bound sends what it has by the alphabet.
        let mut told = [next_notice(publisher, subscriber), next_notice(publisher, subscriber)];
        told.sort();
        assert_eq!(told, [&b"\x01sport"[..], b"\x01weather"]);
        subscriber.unsubscribe(b"weather");
        assert_eq!(next_notice(publisher, subscriber), b"\x00weather");
    }
}

/// The next notice of a subscription. libzmq sends the subscriptions of a bound socket only from inside a call.
pub(crate) fn next_notice(publisher: &dyn End, subscriber: &dyn End) -> Vec<u8> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "no notice of a subscription came");
        subscriber.nudge();
        if let Some(notice) = publisher.glance() {
            return notice.concat();
        }
    }
}

/// libzmq sends a topic of 255 bytes wrongly to peers of ZMTP 3.0; ours is one of 3.1.
fn topics_of_every_length(wire: Wire) {
    for link in wire.links(Xpub, Xsub) {
        println!("{}", link.name);
        let (publisher, subscriber) = (&*link.one, &*link.other);
        for length in [0, 1, 46, 244, 245, 246, 254, 255, 256, 1000] {
            let topic = vec![b't'; length];
            subscriber.subscribe(&topic);
            assert_eq!(next_notice(publisher, subscriber), [&[1], &*topic].concat());
            publisher.send(&parts([&topic]));
            assert_eq!(subscriber.recv(), parts([&topic]));
            subscriber.unsubscribe(&topic);
            assert_eq!(next_notice(publisher, subscriber), [&[0], &*topic].concat());
        }
    }
}

fn unsubscribing(wire: Wire) {
    for link in wire.links(Xpub, Sub) {
        println!("{}", link.name);
        let (publisher, subscriber) = (&*link.one, &*link.other);
        for topic in [&b"ab"[..], b"abc"] {
            subscriber.subscribe(topic);
            next_notice(publisher, subscriber);
        }
        subscriber.unsubscribe(b"ab");
        assert_eq!(next_notice(publisher, subscriber), b"\x00ab");
        for sent in ["ab", "abd", "abc", "abcd"] {
            publisher.send(&parts([sent]));
        }
        assert_eq!(subscriber.recv(), parts(["abc"]));
        assert_eq!(subscriber.recv(), parts(["abcd"]));
        assert_eq!(subscriber.glance(), None, "nothing else within {GLANCE:?}");
    }
}

fn multipart_is_matched_by_its_first_part(wire: Wire) {
    for link in wire.links(Pub, Sub) {
        println!("{}", link.name);
        let (publisher, subscriber) = (&*link.one, &*link.other);
        subscriber.subscribe(b"topic");
        until_subscribed(publisher, subscriber, b"topic");
        publisher.send(&parts(["other", "topic", "x"]));
        publisher.send(&parts(["topic", "", "body", "tail"]));
        assert_eq!(subscriber.recv(), parts(["topic", "", "body", "tail"]));
    }
}
