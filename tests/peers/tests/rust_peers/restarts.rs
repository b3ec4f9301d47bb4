//! A peer that went away and came back is found again.

use std::time::Instant;

use serverlink::SocketType::{Pub, Pull, Push, Rep, Req, Sub};

use crate::foreign::{GLANCE, Library, PATIENCE, parts};
use crate::links::Wire;
use crate::ours::Ours;
use crate::subscriptions::until_subscribed;
use crate::with_each_peer;

with_each_peer! {
    our_push_finds_their_pull_again => our_push_finds_their_pull_again;
    our_req_finds_their_rep_again => our_req_finds_their_rep_again;
    our_subscriptions_are_restored => our_subscriptions_are_restored;
    their_subscriptions_are_restored => their_subscriptions_are_restored;
}

fn our_push_finds_their_pull_again(library: Library, wire: Wire) {
    let push = Ours::open(Push);
    let (fresh, _directory) = wire.fresh_endpoint();
    let mut pull = library.open(Pull);
    let endpoint = pull.bind(&fresh);
    push.connect(&endpoint);
    push.send(&parts(["before"]));
    assert_eq!(pull.recv(), parts(["before"]));
    drop(pull);
    push.wait_until_alone();

    push.send(&parts(["meanwhile"]));
    let mut pull = library.open(Pull);
    pull.bind(&endpoint);
    assert_eq!(pull.recv(), parts(["meanwhile"]));
}

fn our_req_finds_their_rep_again(library: Library, wire: Wire) {
    let req = Ours::open(Req);
    let (fresh, _directory) = wire.fresh_endpoint();
    let mut endpoint = fresh;
    for life in ["first", "second", "third"] {
        let mut rep = library.open(Rep);
        let bound = rep.bind(&endpoint);
        if life == "first" {
            endpoint = bound;
            req.connect(&endpoint);
        }
        req.send(&parts([life]));
        assert_eq!(rep.recv(), parts([life]));
        rep.send(&parts(["answer", life]));
        assert_eq!(req.recv(), parts(["answer", life]));
        drop(rep);
        req.wait_until_alone();
    }
}

fn our_subscriptions_are_restored(library: Library, wire: Wire) {
    let subscriber = Ours::open(Sub);
    subscriber.0.subscribe("news").expect("subscribing");
    let (fresh, _directory) = wire.fresh_endpoint();
    let mut publisher = library.open(Pub);
    let endpoint = publisher.bind(&fresh);
    subscriber.connect(&endpoint);
    until_subscribed(&mut *publisher, &subscriber, b"news");
    drop(publisher);
    subscriber.wait_until_alone();

    let mut publisher = library.open(Pub);
    publisher.bind(&endpoint);
    until_subscribed(&mut *publisher, &subscriber, b"news");
}

/// A SUB of zmq.rs notices only inside `recv` that its peer is gone.
fn their_subscriptions_are_restored(library: Library, wire: Wire) {
    let mut subscriber = library.open(Sub);
    subscriber.subscribe(b"news");
    let (fresh, _directory) = wire.fresh_endpoint();
    let mut endpoint = fresh;
    for life in ["news: one", "news: two", "news: three"] {
        let publisher = Ours::open(Pub);
        let bound = publisher.bind(&endpoint);
        if life == "news: one" {
            endpoint = bound;
            subscriber.connect(&endpoint);
        }
        let deadline = Instant::now() + PATIENCE;
        while publisher.0.wait_for_subscribers(1, GLANCE).is_err() {
            assert!(Instant::now() < deadline, "their subscription did not come");
            assert_eq!(subscriber.glance(), None);
        }
        publisher.send(&parts([life]));
        assert_eq!(subscriber.recv(), parts([life]));
        publisher.close();
    }
}

/// omq alone: a REQ of zmq.rs does not connect again, and sends to the peer that is gone.
#[test]
fn omqs_req_asks_our_restarted_rep() {
    for wire in [Wire::Tcp, Wire::Ipc] {
        let mut req = Library::Omq.open(Req);
        let (fresh, _directory) = wire.fresh_endpoint();
        let mut endpoint = fresh;
        for life in ["first", "second", "third"] {
            let rep = Ours::open(Rep);
            let bound = rep.bind(&endpoint);
            if life == "first" {
                endpoint = bound;
                req.connect(&endpoint);
            }
            rep.wait_for_peer();
            req.send(&parts([life]));
            assert_eq!(rep.recv(), parts([life]));
            rep.send(&parts(["answer", life]));
            assert_eq!(req.recv(), parts(["answer", life]));
            rep.close();
        }
    }
}
