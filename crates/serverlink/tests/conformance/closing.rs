//! What becomes of messages when their socket goes.

use std::time::Duration;

use serverlink::{Linger, SocketType::*};

use crate::{
    over_transports, over_wires,
    world::{MOMENT, PATIENCE, World, peers, promptly, recv, recv_text, send},
};

over_transports! {
    close_waits_for_what_is_sent
    close_reports_what_nobody_took
    close_without_linger_is_prompt
    dropping_never_blocks
    what_a_dropped_socket_had_to_say_arrives
    a_peer_reads_to_the_end_after_a_close
}

over_wires! {
    a_closed_endpoint_is_free
}

fn close_waits_for_what_is_sent(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for number in 0..500 {
        send(&push, [&number.to_string()]);
    }
    assert_eq!(push.close(PATIENCE).undelivered, 0);
    for number in 0..500 {
        assert_eq!(recv_text(&pull), [number.to_string()]);
    }
}

fn close_reports_what_nobody_took(world: &World) {
    let push = world.socket(Push);
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    for _ in 0..7 {
        send(&push, ["undeliverable"]);
    }
    let report = promptly("closing with a short linger", move || push.close(MOMENT));
    assert_eq!(report.undelivered, 7);
}

fn close_without_linger_is_prompt(world: &World) {
    let push = world.socket_with(Push, |options| options.linger = Linger::Forever);
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    send(&push, ["undeliverable"]);
    let report = promptly("closing without linger", move || push.close(Duration::ZERO));
    assert_eq!(report.undelivered, 1);
}

fn dropping_never_blocks(world: &World) {
    let push = world.socket_with(Push, |options| options.linger = Linger::Forever);
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    send(&push, ["undeliverable"]);
    promptly("dropping a socket with unsent messages", move || drop(push));
}

fn what_a_dropped_socket_had_to_say_arrives(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket(Push);
    push.connect(&endpoint).expect("nobody need be there");
    for number in 0..10 {
        send(&push, [&number.to_string()]);
    }
    drop(push);
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding later");
    for number in 0..10 {
        assert_eq!(recv_text(&pull), [number.to_string()]);
    }
}

/// A peer that still sends to us does not make us destroy what we sent to it.
fn a_peer_reads_to_the_end_after_a_close(world: &World) {
    let (one, other) = world.linked(Pair, Pair);
    let body = "x".repeat(50_000);
    for _ in 0..20 {
        send(&one, [&body]);
        send(&other, ["never read"]);
    }
    let reader = std::thread::spawn(move || {
        for _ in 0..20 {
            assert_eq!(recv(&other).len_bytes(), 50_000);
        }
    });
    assert_eq!(one.close(PATIENCE).undelivered, 0);
    reader.join().expect("everything arrived");
}

fn a_closed_endpoint_is_free(world: &World) {
    let (first, endpoint) = world.bound(Pull);
    let push = world.connected(Push, &endpoint);
    peers(&first, 1);
    first.close(Duration::ZERO);
    let second = world.socket(Pull);
    second.bind(&endpoint).expect("the endpoint is free");
    // The one link comes again by itself.
    peers(&second, 1);
    send(&push, ["found again"]);
    assert_eq!(recv_text(&second), ["found again"]);
}
