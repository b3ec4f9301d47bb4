//! Peers that leave and come back under their name before all that they left was read.

use serverlink::{Context, Socket};

use crate::old_owner::{assert_owned_by, discarded_at_the_handover, until_taken_in};
use crate::place::{Place, eventually, over_raw_wires};
use crate::raw_link::RawLink;
use crate::raw_peer::frame;
use crate::{connected_twin, recv, router, send};

over_raw_wires! {
    three_lives_are_heard_in_order
    a_life_without_a_word_stands_in_nobodys_way
    a_returned_peer_that_floods_is_heard_in_full
    each_life_is_announced_and_ended_in_order
    who_takes_over_from_a_returned_peer_is_heard_alone
}

/// Says `count` messages, waits until they are here, and leaves.
fn live(router: &Socket, endpoint: &str, life: &str, count: usize) {
    let mut peer = RawLink::shaken(endpoint, "DEALER", b"twin");
    for number in 0..count {
        peer.send(&frame(0, format!("{life} {number}").as_bytes()));
    }
    until_taken_in(&mut peer);
    drop(peer);
    eventually("its end is noticed", || router.stats().peers == 0);
}

fn assert_hears(router: &Socket, life: &str, count: usize) {
    for number in 0..count {
        assert_eq!(recv(router), ["twin".to_owned(), format!("{life} {number}")]);
    }
}

fn three_lives_are_heard_in_order(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.router_handover = false);
    live(&router, &endpoint, "first", 5);
    live(&router, &endpoint, "second", 5);
    live(&router, &endpoint, "third", 5);
    let last = connected_twin(&context, &endpoint);
    send(&last, &["last 0"]);
    assert_hears(&router, "first", 5);
    assert_hears(&router, "second", 5);
    assert_hears(&router, "third", 5);
    assert_hears(&router, "last", 1);
    assert_owned_by(&router, &last);
}

fn a_life_without_a_word_stands_in_nobodys_way(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.router_handover = false);
    live(&router, &endpoint, "first", 5);
    live(&router, &endpoint, "silent", 0);
    live(&router, &endpoint, "third", 5);
    let last = connected_twin(&context, &endpoint);
    assert_hears(&router, "first", 5);
    assert_hears(&router, "third", 5);
    assert_owned_by(&router, &last);
}

/// While it waits behind what was left before, its reader stops at the mark like any other, and goes on when its turn has come.
fn a_returned_peer_that_floods_is_heard_in_full(place: &Place) {
    const FLOOD: usize = 20_000;
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| {
        options.router_handover = false;
        options.recv_hwm = 10;
    });
    live(&router, &endpoint, "first", 5);
    let mut returned = RawLink::shaken(&endpoint, "DEALER", b"twin");
    let flood = std::thread::spawn(move || {
        for number in 0..FLOOD {
            returned.send(&frame(0, format!("flood {number}").as_bytes()));
        }
        returned
    });
    assert_hears(&router, "first", 5);
    assert_hears(&router, "flood", FLOOD);
    flood.join().expect("all of it was read");
}

fn each_life_is_announced_and_ended_in_order(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| {
        options.router_handover = false;
        options.router_notify_connect = true;
        options.router_notify_disconnect = true;
    });
    live(&router, &endpoint, "first", 2);
    live(&router, &endpoint, "second", 2);
    let last = connected_twin(&context, &endpoint);
    send(&last, &["last 0"]);
    for life in ["first", "second"] {
        assert_eq!(recv(&router), ["twin", ""], "before the {life}");
        assert_hears(&router, life, 2);
        assert_eq!(recv(&router), ["twin", ""], "behind the {life}");
    }
    assert_eq!(recv(&router), ["twin", ""], "before the last");
    assert_hears(&router, "last", 1);
    assert_owned_by(&router, &last);
}

/// With handover: what was left before is older still than what the displaced one said, so it goes as well, and counts.
fn who_takes_over_from_a_returned_peer_is_heard_alone(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let monitor = router.monitor();
    live(&router, &endpoint, "first", 5);
    let mut returned = RawLink::shaken(&endpoint, "DEALER", b"twin");
    for number in 0..3 {
        returned.send(&frame(0, format!("second {number}").as_bytes()));
    }
    until_taken_in(&mut returned);
    let newcomer = connected_twin(&context, &endpoint);
    assert_eq!(discarded_at_the_handover(&monitor), 8);
    assert_eq!(router.stats().discarded_at_handover, 8);
    assert_owned_by(&router, &newcomer);
}
