//! Topics travel up, matching messages travel down.

use std::time::Instant;

use serverlink::SocketType::{Pub, Sub, Xpub};

use crate::foreign::{Foreign, Library, PATIENCE, parts};
use crate::links::{Binder, Wire};
use crate::ours::Ours;
use crate::pairs::each_link;
use crate::with_each_peer;

with_each_peer! {
    /// We see what they want, and when they do not want it any more.
    our_xpub_sees_their_subscriptions => our_xpub_sees_their_subscriptions;
    they_subscribe_before_they_connect => they_subscribe_before_they_connect;
    we_subscribe_before_we_connect => we_subscribe_before_we_connect;
    we_unsubscribe => we_unsubscribe;
}

fn our_xpub_sees_their_subscriptions(library: Library, wire: Wire) {
    each_link(library, wire, Xpub, Sub, |ours, theirs| {
        theirs.subscribe(b"ab");
        assert_eq!(ours.recv(), parts([b"\x01ab"]));
        theirs.subscribe(b"abc");
        assert_eq!(ours.recv(), parts([b"\x01abc"]));
        theirs.unsubscribe(b"ab");
        assert_eq!(ours.recv(), parts([b"\x00ab"]));
        for sent in [parts(["ab"]), parts(["other", "abc"]), parts(["abc", "", "body"]), parts(["abcd"])] {
            ours.send(&sent);
        }
        assert_eq!(theirs.recv(), parts(["abc", "", "body"]));
        assert_eq!(theirs.recv(), parts(["abcd"]));
    });
}

fn they_subscribe_before_they_connect(library: Library, wire: Wire) {
    for binder in Binder::BOTH {
        let ours = Ours::open(Pub);
        let mut theirs = library.open(Sub);
        theirs.subscribe(b"news");
        let mut link = wire.link_ends(ours, theirs, binder);
        link.ours.0.wait_for_subscribers(1, PATIENCE).expect("their subscription");
        link.ours.send(&parts(["weather"]));
        link.ours.send(&parts(["news: done"]));
        assert_eq!(link.theirs.recv(), parts(["news: done"]));
    }
}

fn we_subscribe_before_we_connect(library: Library, wire: Wire) {
    for binder in Binder::BOTH {
        let ours = Ours::open(Sub);
        ours.0.subscribe("news").expect("subscribing");
        let mut link = wire.link_ends(ours, library.open(Pub), binder);
        until_subscribed(&mut *link.theirs, &link.ours, b"news");
        link.theirs.send(&parts(["weather"]));
        link.theirs.send(&parts(["news", "", "done"]));
        assert_eq!(link.ours.recv(), parts(["news", "", "done"]));
    }
}

/// That one topic is gone is known when the next one, which was subscribed behind it, is there.
fn we_unsubscribe(library: Library, wire: Wire) {
    each_link(library, wire, Sub, Pub, |ours, theirs| {
        ours.0.subscribe("a").expect("subscribing");
        until_subscribed(theirs, ours, b"a");
        ours.0.unsubscribe("a").expect("unsubscribing");
        ours.0.subscribe("b").expect("subscribing");
        until_subscribed(theirs, ours, b"b");
        theirs.send(&parts(["a1"]));
        theirs.send(&parts(["b1"]));
        assert_eq!(ours.recv(), parts(["b1"]));
    });
}

/// Returns when their publisher serves the topic. It tells nobody when a subscription arrived, so one message after another is
/// tried on it until the first comes through.
pub(crate) fn until_subscribed(publisher: &mut dyn Foreign, subscriber: &Ours, topic: &[u8]) {
    let deadline = Instant::now() + PATIENCE;
    let trial = |number: u32| vec![[topic, b"trial ", number.to_string().as_bytes()].concat()];
    for number in 0.. {
        assert!(Instant::now() < deadline, "the subscription never arrived");
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
