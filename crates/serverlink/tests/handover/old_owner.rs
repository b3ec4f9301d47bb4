//! In what state the old owner's connection may be when its name goes to a newer one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serverlink::{Context, Error, EventKind, Message, Monitor, Socket};

use crate::place::{Place, eventually, in_time, over_raw_wires, wait_for};
use crate::raw_link::RawLink;
use crate::raw_peer::{command, frame};
use crate::{connected_twin, recv, router, send};

over_raw_wires! {
    cut_within_a_frame
    cut_between_two_parts
    unread_messages_are_dropped_and_counted
    what_was_taken_before_is_not_counted
    messages_queued_for_the_old_owner_go_with_it
    a_send_that_waits_for_the_old_owner_goes_to_the_new_one
    an_owner_whose_reader_is_paused_gives_way
    a_half_closed_owner_gets_nothing_of_what_follows

    what_a_half_closed_owner_left_comes_before_the_new_owner

    an_owner_that_left_and_came_back_keeps_its_order
}

const MORE: u8 = 1;

/// Waits until everything that this peer sent has been taken in: the answer to a PING comes behind it.
pub(crate) fn until_taken_in(peer: &mut RawLink) {
    peer.send(&command("PING", &[0, 0, b'?']));
    loop {
        let (flags, body) = peer.read_frame();
        if flags == 4 && body == b"\x04PONG?" {
            return;
        }
    }
}

pub(crate) fn discarded_at_the_handover(monitor: &Monitor) -> usize {
    wait_for(monitor, "the handover", |event| match event {
        EventKind::HandedOver { discarded, .. } => Some(discarded),
        _ => None,
    })
}

/// The name is the newcomer's alone: whole messages in both directions, in order.
pub(crate) fn assert_owned_by(router: &Socket, newcomer: &Socket) {
    for round in 0..20 {
        let text = round.to_string();
        send(newcomer, &["asks", &text]);
        assert_eq!(recv(router), ["twin", "asks", text.as_str()]);
        send(router, &["twin", "hears", &text]);
        assert_eq!(recv(newcomer), ["hears", text.as_str()]);
    }
}

/// The old owner stops in a message that never gets whole: `cut` is its beginning.
fn cut_at(place: &Place, cut: &[u8]) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let monitor = router.monitor();
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    old.send(&frame(0, b"whole"));
    until_taken_in(&mut old);
    old.send(cut);
    let newcomer = connected_twin(&context, &endpoint);
    assert_eq!(discarded_at_the_handover(&monitor), 1, "the whole message that nobody read");
    assert_owned_by(&router, &newcomer);
    old.read_to_the_end();
    assert_owned_by(&router, &newcomer);
}

fn cut_within_a_frame(place: &Place) {
    cut_at(place, &[0, 200, b'h', b'a', b'l', b'f']);
}

fn cut_between_two_parts(place: &Place) {
    cut_at(place, &frame(MORE, b"the first of two parts"));
}

fn unread_messages_are_dropped_and_counted(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let monitor = router.monitor();
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    for number in 0..10 {
        old.send(&frame(0, format!("old {number}").as_bytes()));
    }
    until_taken_in(&mut old);
    let newcomer = connected_twin(&context, &endpoint);
    assert_eq!(discarded_at_the_handover(&monitor), 10);
    assert_eq!(router.stats().discarded_at_handover, 10);
    assert_owned_by(&router, &newcomer);
}

fn what_was_taken_before_is_not_counted(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let monitor = router.monitor();
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    for number in 0..10 {
        old.send(&frame(0, format!("old {number}").as_bytes()));
    }
    for number in 0..3 {
        assert_eq!(recv(&router), ["twin".to_owned(), format!("old {number}")]);
    }
    until_taken_in(&mut old);
    let newcomer = connected_twin(&context, &endpoint);
    assert_eq!(discarded_at_the_handover(&monitor), 7);
    assert_owned_by(&router, &newcomer);
}

/// Each message is either with the system, and then its old owner can still read it, or dropped and counted. None goes to the new
/// owner, for whom it was not meant.
fn messages_queued_for_the_old_owner_go_with_it(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| {
        options.router_mandatory = true;
        options.send_hwm = 50;
        options.send_buffer_bytes = Some(64 * 1024);
    });
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    router.wait_for_peers(1, crate::place::PATIENCE).expect("the old owner");
    let sent = fill(&router, 20_000);
    let newcomer = connected_twin(&context, &endpoint);
    let reader = std::thread::spawn(move || {
        let mut whole = 0;
        while let Ok((_, body)) = old.try_read_frame() {
            assert_eq!(body.len(), 20_000);
            whole += 1;
        }
        whole
    });
    assert_owned_by(&router, &newcomer);
    let read_by_the_old_owner: u64 = reader.join().expect("whole frames of the right length");
    let stats = router.stats();
    assert_eq!(stats.send_queue, 0, "{stats:?}");
    if cfg!(windows) {
        // A write that was under way belongs to the system. Nobody knows how much of it went out, so all of it counts as dropped.
        assert!(read_by_the_old_owner + stats.dropped_with_peer >= sent, "{stats:?}");
        assert!(read_by_the_old_owner <= sent, "{stats:?}");
    } else {
        assert_eq!(read_by_the_old_owner + stats.dropped_with_peer, sent, "{stats:?}");
    }
}

/// Sends to the owner of the name, who does not read, until there is no room.
fn fill(router: &Socket, bytes: usize) -> u64 {
    for sent in 0..1_000_000 {
        let message = Message::from_parts([b"twin".to_vec(), vec![b'q'; bytes]]);
        match router.try_send(message) {
            Ok(()) => {}
            Err(failed) if matches!(failed.error, Error::WouldBlock) => return sent,
            Err(failed) => panic!("filling: {}", failed.error),
        }
    }
    panic!("the socket has no high-water mark");
}

fn a_send_that_waits_for_the_old_owner_goes_to_the_new_one(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| {
        options.router_mandatory = true;
        options.send_hwm = 5;
        options.send_buffer_bytes = Some(16 * 1024);
    });
    let router = Arc::new(router);
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    router.wait_for_peers(1, crate::place::PATIENCE).expect("the old owner");
    fill(&router, 50_000);
    let arrived = Arc::new(AtomicBool::new(false));
    let sender = {
        let (router, arrived) = (Arc::clone(&router), Arc::clone(&arrived));
        // The system may still take some for the old owner, who reads nothing: then a later one waits.
        std::thread::spawn(move || {
            while !arrived.load(Ordering::Relaxed) {
                send(&router, &["twin", "for whoever has the name"]);
            }
            send(&router, &["twin", "the last"]);
        })
    };
    let newcomer = connected_twin(&context, &endpoint);
    while recv(&newcomer) != ["the last"] {
        arrived.store(true, Ordering::Relaxed);
    }
    sender.join().expect("every send ends well");
    old.read_to_the_end();
}

/// It sends more than the receive mark allows to wait, so its connection is not read when the newcomer comes.
fn an_owner_whose_reader_is_paused_gives_way(place: &Place) {
    const MARK: usize = 10;
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.recv_hwm = MARK as u32);
    let monitor = router.monitor();
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    let flood = std::thread::spawn(move || {
        // Until it is closed: nobody reads so much.
        let message = frame(0, b"flood").repeat(1000);
        while std::io::Write::write_all(&mut old, &message).is_ok() {}
    });
    eventually("something waits", || router.readiness().readable);
    let newcomer = connected_twin(&context, &endpoint);
    assert!(discarded_at_the_handover(&monitor) >= MARK - 1, "what waited, up to one that was looked at");
    flood.join().expect("its connection is closed");
    // The one that `readiness` found is kept for the next receive, from before the handover.
    let first = recv(&router);
    assert_eq!(first, ["twin", "flood"]);
    assert_owned_by(&router, &newcomer);
}

fn a_half_closed_owner_gets_nothing_of_what_follows(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    router.wait_for_peers(1, crate::place::PATIENCE).expect("the old owner");
    old.stop_sending();
    // Whether its end was noticed before or after the newcomer came makes no difference.
    let newcomer = connected_twin(&context, &endpoint);
    assert_owned_by(&router, &newcomer);
    assert_eq!(old.read_to_the_end(), b"", "what was for the newcomer");
}

/// What the old owner sent before it closed its side, and was read or not, and what the newcomer sends behind it.
fn what_a_half_closed_owner_left_comes_before_the_new_owner(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |_| {});
    let mut old = RawLink::shaken(&endpoint, "DEALER", b"twin");
    for number in 0..10 {
        old.send(&frame(0, format!("old {number}").as_bytes()));
    }
    until_taken_in(&mut old);
    old.stop_sending();
    eventually("the end of the old owner is noticed", || router.stats().peers == 0);
    let newcomer = connected_twin(&context, &endpoint);
    send_and_flush(&newcomer, &router, 10);
    assert_old_before_new(&router, 10, 10);
}

/// The same without a second peer: one DEALER whose connection broke. Its messages stay in their order.
fn an_owner_that_left_and_came_back_keeps_its_order(place: &Place) {
    let context = Context::new().expect("a context");
    let (router, endpoint) = router(&context, place, |options| options.router_handover = false);
    let mut before = RawLink::shaken(&endpoint, "DEALER", b"twin");
    for number in 0..10 {
        before.send(&frame(0, format!("old {number}").as_bytes()));
    }
    until_taken_in(&mut before);
    drop(before);
    eventually("the end is noticed", || router.stats().peers == 0);
    let after = connected_twin(&context, &endpoint);
    send_and_flush(&after, &router, 10);
    assert_old_before_new(&router, 10, 10);
}

/// Sends, and waits until all of it has come in unread: an answer to the last, which comes over the other direction, would need a
/// receive, so the counter of what was sent has to do, and a connection that comes behind.
fn send_and_flush(newcomer: &Socket, router: &Socket, count: usize) {
    for number in 0..count {
        send(newcomer, &["new", &number.to_string()]);
    }
    eventually("the newcomer's messages are with the system", || newcomer.stats().send_queue == 0);
    eventually("something can be read", || router.readiness().readable);
}

fn assert_old_before_new(router: &Socket, old: usize, new: usize) {
    let (mut seen, mut old_seen) = (Vec::new(), 0);
    while seen.len() - old_seen < new {
        let message = router.recv_deadline(in_time()).expect("every message of the newcomer");
        assert_eq!(message[0], "twin");
        let is_old = message[1].starts_with(b"old");
        seen.push(
            message.iter().skip(1).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<String>(),
        );
        if is_old {
            assert_eq!(seen.len(), old_seen + 1, "of the old owner behind the new one's first: {seen:?}");
            old_seen += 1;
        }
    }
    let dropped = router.stats().discarded_at_handover as usize;
    assert_eq!(old_seen + dropped, old, "each message is given or counted: {seen:?}");
}
