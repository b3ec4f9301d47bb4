//! PUSH and PULL: RFC 30.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serverlink::{Error, SocketType::*};

use crate::{
    everywhere, over_transports, over_wires,
    world::{
        PATIENCE, Transport, World, assert_nothing_waits, connect, fill, peers, promptly, recv, recv_text,
        send, until_peers_left,
    },
};

everywhere! {
    push_deals_in_turn
    pull_takes_from_everybody
    push_without_peer_would_block
    push_blocks_at_the_high_water_mark
    push_blocks_at_the_mark_in_bytes
    push_leaves_out_a_peer_that_left
    directions_are_one_way
}

over_transports! {
    pull_starves_nobody
    a_blocked_push_goes_on_when_there_is_room
    push_leaves_out_a_full_peer
    messages_keep_their_order_and_shape
}

over_wires! {
    a_mark_holds_whoever_sends_at_the_same_time
}

fn push_deals_in_turn(world: &World) {
    let (push, endpoint) = world.bound(Push);
    let pulls: Vec<_> = (0..3).map(|_| world.connected(Pull, &endpoint)).collect();
    peers(&push, 3);
    for number in 0..9 {
        send(&push, [&number.to_string()]);
    }
    let mut seen: Vec<u32> = Vec::new();
    for pull in &pulls {
        let mine: Vec<u32> = (0..3).map(|_| recv_text(pull)[0].parse().expect("a number")).collect();
        assert!(mine.is_sorted(), "{mine:?}");
        assert!(mine.windows(2).all(|pair| pair[1] - pair[0] == 3), "not every third: {mine:?}");
        seen.extend(mine);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..9).collect::<Vec<_>>());
}

fn pull_takes_from_everybody(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    let pushes: Vec<_> = (0..3).map(|_| world.connected(Push, &endpoint)).collect();
    for round in 0..10 {
        for (name, push) in pushes.iter().enumerate() {
            send(push, [&name.to_string(), &round.to_string()]);
        }
    }
    let mut next = [0; 3];
    for _ in 0..30 {
        let message = recv_text(&pull);
        let name: usize = message[0].parse().expect("a name");
        assert_eq!(message[1], next[name].to_string(), "out of order from {name}");
        next[name] += 1;
    }
    assert_eq!(next, [10; 3]);
    if world.transport == Transport::Inproc {
        pull_alternates(&pull, &pushes);
    }
}

/// What already waits is taken in turns. Only inproc knows for certain that it waits.
fn pull_alternates(pull: &serverlink::Socket, pushes: &[serverlink::Socket]) {
    for (name, push) in pushes.iter().enumerate() {
        for _ in 0..4 {
            send(push, [&name.to_string()]);
        }
    }
    let order: Vec<String> = (0..12).map(|_| recv_text(pull).concat()).collect();
    for turn in order.chunks(3) {
        let mut turn = turn.to_vec();
        turn.sort_unstable();
        assert_eq!(turn, ["0", "1", "2"], "in {order:?}");
    }
}

/// Each message that reaches the mark is written by its sender, and nothing gets behind it before that.
fn a_mark_holds_whoever_sends_at_the_same_time(world: &World) {
    const SENDERS: usize = 4;
    const EACH: usize = 10_000;
    let (push, pull) = world.linked_with(Push, Pull, |options| options.send_hwm = 2);
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    push.send("one of many").expect("it is taken");
                    let queued = push.stats().send_queue;
                    assert!(queued <= 2, "{queued} wait");
                }
            });
        }
        (0..SENDERS * EACH).for_each(|_| assert_eq!(recv(&pull).first(), "one of many"));
    });
}

/// One peer that never stops sending does not keep another's single message away.
fn pull_starves_nobody(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    let loud = world.connected(Push, &endpoint);
    let quiet = world.connected(Push, &endpoint);
    let enough = Arc::new(AtomicBool::new(false));
    let flood = {
        let enough = Arc::clone(&enough);
        thread::spawn(move || {
            while !enough.load(Ordering::Relaxed) {
                // At the high-water mark the receiver has work enough.
                let _ = loud.try_send("noise");
            }
        })
    };
    for _ in 0..100 {
        assert_eq!(recv(&pull).first(), "noise");
    }
    send(&quiet, ["signal"]);
    let deadline = std::time::Instant::now() + PATIENCE;
    while recv(&pull).first() != "signal" {
        assert!(std::time::Instant::now() < deadline, "the quiet peer was starved");
    }
    enough.store(true, Ordering::Relaxed);
    flood.join().expect("the flood ends");
}

fn push_without_peer_would_block(world: &World) {
    let (push, endpoint) = world.bound(Push);
    let refused = push.try_send(String::from("precious")).expect_err("nobody could take it");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    assert_eq!(refused.into_message(), "precious");
    let pull = world.connected(Pull, &endpoint);
    send(&push, ["now"]);
    assert_eq!(recv_text(&pull), ["now"]);
}

fn push_blocks_at_the_high_water_mark(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 5;
        options.recv_hwm = 3;
    });
    let taken = fill(&push, 60_000);
    if world.transport == Transport::Inproc {
        assert_eq!(taken, 8, "inside a process both marks add up");
    }
    for _ in 0..taken {
        assert_eq!(recv(&pull).len_bytes(), 60_000);
    }
    assert_nothing_waits(&pull);
    assert_eq!(push.stats().sent, taken as u64);
    assert_eq!(push.stats().dropped_at_high_water_mark, 0);
}

fn a_blocked_push_goes_on_when_there_is_room(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 2;
        options.recv_hwm = 2;
    });
    let taken = fill(&push, 60_000);
    let sender = thread::spawn(move || {
        for number in 0..20 {
            send(&push, [&number.to_string()]);
        }
        push
    });
    for _ in 0..taken {
        recv(&pull);
    }
    for number in 0..20 {
        assert_eq!(recv_text(&pull), [number.to_string()]);
    }
    sender.join().expect("the sender was let go on");
}

/// What the full peer's connection still holds is a few messages; everything else goes to the other.
fn push_leaves_out_a_full_peer(world: &World) {
    let push = world.socket_with(Push, |options| options.send_hwm = 2);
    let endpoint = world.bind(&push);
    let full = world.socket_with(Pull, |options| options.recv_hwm = 2);
    connect(&full, &endpoint);
    peers(&push, 1);
    fill(&push, 60_000);
    let open = world.connected(Pull, &endpoint);
    peers(&push, 2);
    let reader = thread::spawn(move || {
        (0..200).for_each(|_| assert_eq!(recv(&open).len_bytes(), 60_000));
        open
    });
    let body = "x".repeat(60_000);
    for _ in 0..300 {
        send(&push, [&body]);
    }
    reader.join().expect("the open peer was served");
}

fn push_blocks_at_the_mark_in_bytes(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm_bytes = 200_000;
        options.recv_hwm_bytes = 100_000;
    });
    let taken = fill(&push, 60_000);
    if world.transport == Transport::Inproc {
        assert_eq!(taken, 5, "inside a process both marks add up, and the last message is taken whole");
    }
    for _ in 0..taken {
        assert_eq!(recv(&pull).len_bytes(), 60_000);
    }
    assert_nothing_waits(&pull);
    assert_eq!(push.stats().dropped_at_high_water_mark, 0);
    // One that is larger than both marks goes through an empty queue, again and again.
    for _ in 0..3 {
        send(&push, [&"x".repeat(400_000)]);
        assert_eq!(recv(&pull).len_bytes(), 400_000);
    }
}

fn push_leaves_out_a_peer_that_left(world: &World) {
    let (push, endpoint) = world.bound(Push);
    let staying = world.connected(Pull, &endpoint);
    let leaving = world.connected(Pull, &endpoint);
    peers(&push, 2);
    drop(leaving);
    until_peers_left(&push, 1);
    for number in 0..6 {
        send(&push, [&number.to_string()]);
        assert_eq!(recv_text(&staying), [number.to_string()]);
    }
}

fn directions_are_one_way(world: &World) {
    let (push, pull) = world.linked(Push, Pull);
    let received = push.try_recv();
    assert!(matches!(received, Err(Error::NotSupported { .. })), "{received:?}");
    let sent = pull.try_send("wrong way").expect_err("a PULL does not send");
    assert!(matches!(sent.error, Error::NotSupported { .. }), "{}", sent.error);
    assert_eq!(sent.message, "wrong way");
}

fn messages_keep_their_order_and_shape(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let sender = thread::spawn(move || {
        for number in 0..5_000_u32 {
            push.send(shaped(number)).expect("sending");
        }
        push
    });
    promptly("receiving a stream", move || {
        for number in 0..5_000 {
            assert_eq!(recv(&pull), shaped(number), "message {number}");
        }
    });
    sender.join().expect("the sender was done");
}

/// One to three parts of every length around the edges of inline, short frame and arena.
fn shaped(number: u32) -> serverlink::Message {
    const LENGTHS: [usize; 10] = [0, 1, 45, 46, 47, 255, 256, 4_000, 8_192, 70_000];
    let body = vec![number as u8; LENGTHS[number as usize % LENGTHS.len()]];
    let mut message = serverlink::Message::from(number.to_be_bytes().to_vec());
    for _ in 0..number % 3 {
        message.push_back(body.clone());
    }
    message
}
