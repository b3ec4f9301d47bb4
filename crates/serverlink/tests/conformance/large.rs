//! Large messages: written from their caller's memory where that can be, read into one piece.

use std::{sync::Arc, thread};

use serverlink::{Error, Message, Part, Socket, SocketType::*};

use crate::{
    everywhere, over_transports,
    world::{PATIENCE, World, fill, peers, recv},
};

everywhere! {
    large_messages_of_any_length_arrive
    one_thread_may_send_much_and_then_receive_it
    large_parts_keep_their_order_and_shape
    large_requests_are_answered
    peers_with_large_messages_do_not_mix_them
}

over_transports! {
    a_fast_sender_loses_nothing
    both_directions_at_once
    threads_share_a_socket
    the_mark_holds_for_large_messages
    a_slow_receiver_gets_all
}

const KIB: usize = 1024;

/// Around every size at which something changes: what is lent, what is large, segments, chunks, pieces.
const LENGTHS: [usize; 22] = [
    0,
    255,
    256,
    8 * KIB,
    16 * KIB - 1,
    16 * KIB,
    16 * KIB + 1,
    64 * KIB - 9,
    64 * KIB,
    100 * KIB,
    256 * KIB - 9,
    256 * KIB,
    256 * KIB + 1,
    500 * KIB,
    512 * KIB,
    1024 * KIB,
    1024 * KIB + 1,
    3000 * KIB,
    17 * KIB,
    5000 * KIB,
    3,
    300 * KIB,
];

/// Unlike every other body, at every offset.
fn body(seed: usize, len: usize) -> Vec<u8> {
    let mut word = seed as u32 ^ 0x9e37_79b9;
    (0..len)
        .map(|_| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        })
        .collect()
}

/// On a simulated network nobody may block.
fn put(socket: &Socket, message: impl Into<Message>) {
    socket.try_send(message.into()).expect("room below the mark");
}

fn expect(socket: &Socket, seed: usize, len: usize) {
    let message = recv(socket);
    assert!(message.first().as_bytes() == body(seed, len), "body {seed} of {len} bytes came differently");
}

fn large_messages_of_any_length_arrive(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for (seed, &len) in LENGTHS.iter().enumerate() {
        push.try_send(&body(seed, len)[..]).expect("room below the mark");
        expect(&pull, seed, len);
    }
    // The same owned, and all of them queued before the first is taken.
    for (seed, &len) in LENGTHS.iter().enumerate() {
        push.try_send(body(seed, len)).expect("room below the mark");
    }
    for (seed, &len) in LENGTHS.iter().enumerate() {
        expect(&pull, seed, len);
    }
}

/// More than any kernel buffer holds: a sender that is alone with itself does not wait for ever.
fn one_thread_may_send_much_and_then_receive_it(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let lens = [16 * KIB, 700 * KIB, 40, 2000 * KIB, 64 * KIB];
    for round in 0..4 {
        for seed in 0..20 {
            let bytes = body(seed, lens[seed % lens.len()]);
            match (seed + round) % 3 {
                0 => push.try_send(&bytes).expect("room below the mark"),
                1 => push.try_send(bytes).expect("room below the mark"),
                // It may stay for a moment while the kernel is full, and no longer. On a simulated network nobody may.
                _ if world.transport.is_real() => push.send(&bytes).expect("room below the mark"),
                _ => push.try_send(&bytes).expect("room below the mark"),
            }
        }
        (0..20).for_each(|seed| expect(&pull, seed, lens[seed % lens.len()]));
    }
}

fn large_parts_keep_their_order_and_shape(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let shapes: [&[usize]; 6] = [
        &[0, 100 * KIB],
        &[100 * KIB, 0],
        &[20 * KIB, 20 * KIB, 20 * KIB],
        &[5, 1024 * KIB, 3, 300 * KIB],
        &[300 * KIB, 7, 9],
        &[1],
    ];
    let message = |shape: &[usize]| -> Vec<Part> {
        shape.iter().enumerate().map(|(seed, &len)| Part::from(body(seed, len))).collect()
    };
    for _ in 0..3 {
        shapes.iter().for_each(|shape| put(&push, Message::from_parts(message(shape))));
        for shape in shapes {
            assert!(recv(&pull) == Message::from_parts(message(shape)), "{shape:?} came differently");
        }
    }
}

/// The envelope of a reply and the address of a ROUTER stand before a large body.
fn large_requests_are_answered(world: &World) {
    let (rep, req) = world.linked(Rep, Req);
    let (router, dealer) = world.linked(Router, Dealer);
    for (seed, &len) in LENGTHS.iter().enumerate() {
        req.try_send(&body(seed, len)).expect("room for a request");
        expect(&rep, seed, len);
        rep.try_send(&body(seed + 1, len)).expect("room for a reply");
        expect(&req, seed + 1, len);

        put(&dealer, body(seed, len));
        let asked = recv(&router);
        assert!(asked.part(1).expect("a body").as_bytes() == body(seed, len));
        put(&router, asked);
        expect(&dealer, seed, len);
    }
}

/// Their reads take turns in one reactor.
fn peers_with_large_messages_do_not_mix_them(world: &World) {
    const PEERS: usize = 4;
    let (pull, endpoint) = world.bound(Pull);
    let pushes: Vec<_> = (0..PEERS).map(|_| world.connected(Push, &endpoint)).collect();
    let len =
        |peer: usize, round: usize| [20 * KIB, 90 * KIB, 600 * KIB, 1500 * KIB][(peer + round) % 4] + peer;
    for round in 0..5 {
        for (peer, push) in pushes.iter().enumerate() {
            put(push, Message::from_parts([vec![peer as u8], body(peer + round, len(peer, round))]));
        }
    }
    let mut next = [0; PEERS];
    for _ in 0..5 * PEERS {
        let message = recv(&pull);
        let peer = usize::from(message.first()[0]);
        let round = next[peer];
        next[peer] += 1;
        let came = message.part(1).expect("a body");
        assert!(
            came.as_bytes() == body(peer + round, len(peer, round)),
            "{round} of {peer} came differently"
        );
    }
}

fn stream(push: &Socket, count: usize) {
    for seed in 0..count {
        let bytes = body(seed, length(seed));
        let sent = if seed % 2 == 0 {
            push.send(&bytes).map_err(Error::from)
        } else {
            push.send(bytes).map_err(Error::from)
        };
        sent.expect("a peer that takes");
    }
}

/// Of all kinds, mostly large.
fn length(seed: usize) -> usize {
    [64 * KIB, 1024 * KIB, 10, 17 * KIB, 250 * KIB, 70 * KIB][seed % 6] + seed
}

fn drain(pull: &Socket, count: usize) {
    (0..count).for_each(|seed| expect(pull, seed, length(seed)));
}

fn a_fast_sender_loses_nothing(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let sending = thread::spawn(move || stream(&push, 200));
    drain(&pull, 200);
    sending.join().expect("no panic");
}

fn both_directions_at_once(world: &World) {
    let (one, other) = world.linked(Pair, Pair);
    let (one, other) = (Arc::new(one), Arc::new(other));
    let senders = [Arc::clone(&one), Arc::clone(&other)].map(|pair| thread::spawn(move || stream(&pair, 60)));
    let far = thread::spawn(move || drain(&other, 60));
    drain(&one, 60);
    far.join().expect("no panic");
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
}

/// Small messages of other threads pass a large one that waits for the kernel, and break nothing.
fn threads_share_a_socket(world: &World) {
    const EACH: usize = 60;
    let (pull, push) = world.linked(Pull, Push);
    let push = Arc::new(push);
    let threads: Vec<_> = (0..3usize)
        .map(|name| {
            let push = Arc::clone(&push);
            thread::spawn(move || {
                for seed in 0..EACH {
                    let len = [30, 100 * KIB, 900 * KIB][name];
                    let parts = [vec![name as u8], body(seed, len)];
                    push.send(Message::from_parts(parts)).expect("a peer that takes");
                    push.send(&[name as u8][..]).expect("a peer that takes");
                }
            })
        })
        .collect();
    let mut next = [0; 3];
    while next.iter().sum::<usize>() < 2 * 3 * EACH {
        let message = recv(&pull);
        let name = usize::from(message.first()[0]);
        let turn = next[name];
        next[name] += 1;
        assert_eq!(message.is_multipart(), turn % 2 == 0, "out of order from {name}");
        if let Some(bytes) = message.part(1) {
            assert!(bytes.as_bytes() == body(turn / 2, bytes.len()), "{turn} of {name} came differently");
        }
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// So many fit as the mark and the kernel allow, and what was taken comes.
fn the_mark_holds_for_large_messages(world: &World) {
    const BYTES: usize = 4000 * KIB;
    let (pull, push) = world.linked_with(Pull, Push, |options| (options.recv_hwm, options.send_hwm) = (1, 3));
    let sent = fill(&push, BYTES);
    assert!(sent >= 3, "{sent} messages were taken");
    assert!(sent < 20, "{sent} messages are more than the marks and the kernel hold");
    (0..sent).for_each(|_| assert_eq!(recv(&pull).first().len(), BYTES));
    let bytes = body(1, BYTES);
    let sending = thread::spawn(move || (0..5).try_for_each(|_| push.send(&bytes)).map_err(Error::from));
    (0..5).for_each(|_| expect(&pull, 1, BYTES));
    sending.join().expect("no panic").expect("a peer that takes");
}

/// The kernel is full nearly always.
fn a_slow_receiver_gets_all(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    peers(&push, 1);
    let sending = thread::spawn(move || {
        stream(&push, 60);
        push.close(PATIENCE)
    });
    for seed in 0..60 {
        // As long as it takes to make sure of what came.
        (0..4).for_each(|_| drop(body(seed, 300 * KIB)));
        expect(&pull, seed, length(seed));
    }
    assert_eq!(sending.join().expect("no panic").undelivered, 0);
}
