//! Counters of sockets and of their peers.

use std::time::Duration;

use serverlink::{PeerStats, Socket, SocketType::*};

use crate::{
    everywhere, over_wires,
    world::{World, connect, eventually, peers, recv, recv_text, send, subscribers, until_peers_left},
};

everywhere! {
    messages_and_bytes_are_counted_on_both_sides
    what_waits_is_counted_and_taken_off
    peers_have_their_names
    the_peer_that_misses_messages_is_named
}
over_wires! {
    reconnects_and_attempts_are_counted
    heartbeats_measure_the_round_trip
}

fn only_peer(socket: &Socket) -> PeerStats {
    let mut peers = socket.peer_stats();
    assert_eq!(peers.len(), 1, "{peers:?}");
    peers.remove(0)
}

fn messages_and_bytes_are_counted_on_both_sides(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for _ in 0..10 {
        send(&push, ["twelve bytes", "and eight"]);
    }
    for _ in 0..10 {
        recv(&pull);
    }
    let least = 10 * ("twelve bytes".len() + "and eight".len()) as u64;
    assert_eq!((push.stats().sent, pull.stats().received), (10, 10));
    eventually("the writer has heard that all was written", || only_peer(&push).sent == 10);
    let (sender, receiver) = (only_peer(&push), only_peer(&pull));
    assert_eq!(receiver.received, 10);
    assert!(sender.sent_bytes >= least, "{sender:?}");
    assert_eq!(sender.sent_bytes, receiver.received_bytes);
    assert_eq!(
        (push.stats().sent_bytes, pull.stats().received_bytes),
        (sender.sent_bytes, sender.sent_bytes)
    );
    assert_eq!((sender.received, receiver.sent, pull.stats().sent_bytes), (0, 0, 0));
    // What a peer that leaves has moved still counts for the socket.
    drop(push);
    until_peers_left(&pull, 0);
    assert_eq!((pull.stats().received, pull.stats().received_bytes), (10, sender.sent_bytes));
    assert_eq!((pull.stats().connections, pull.stats().reconnects), (1, 0));
}

fn what_waits_is_counted_and_taken_off(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    for _ in 0..5 {
        send(&push, ["seven b"]);
    }
    eventually("all of it has come", || pull.stats().receive_queue == 5);
    let waiting = pull.stats();
    assert!(waiting.receive_queue_bytes >= 35, "{waiting:?}");
    assert_eq!(only_peer(&pull).receive_queue, 5);
    assert_eq!(only_peer(&pull).receive_queue_bytes, waiting.receive_queue_bytes);
    eventually("nothing waits at the sender", || push.stats().send_queue_bytes == 0);
    for _ in 0..5 {
        assert_eq!(recv_text(&pull), ["seven b"]);
    }
    let after = pull.stats();
    assert_eq!((after.receive_queue, after.receive_queue_bytes, after.received), (0, 0, 5));
}

fn peers_have_their_names(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"guest".to_vec());
    connect(&dealer, &endpoint);
    peers(&router, 1);
    let (guest, host) = (only_peer(&router), only_peer(&dealer));
    assert_eq!((guest.routing_id.as_slice(), guest.socket_type), (&b"guest"[..], Some(Dealer)));
    assert_eq!((host.socket_type, host.endpoint.to_string()), (Some(Router), endpoint));
    assert!(guest.connected_for.is_some() && host.connected_for.is_some());
    assert_eq!((guest.connections, guest.connection_attempts), (1, 0));
}

fn the_peer_that_misses_messages_is_named(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.send_hwm = 2);
    let endpoint = world.bind(&publisher);
    // They take nothing, and stay until the end.
    let _subscribers = ["few", "many"].map(|topic| {
        let subscriber = world.socket_with(Sub, |options| options.recv_hwm = 2);
        subscriber.subscribe(topic).expect("a SUB");
        connect(&subscriber, &endpoint);
        subscriber
    });
    subscribers(&publisher, 2);
    let body = "x".repeat(64 * 1024);
    eventually("one of them is full", || {
        send(&publisher, ["many", &body]);
        publisher.stats().dropped_at_high_water_mark >= 10
    });
    send(&publisher, ["few", "once"]);
    let mut dropped: Vec<u64> = publisher.peer_stats().iter().map(|peer| peer.dropped).collect();
    dropped.sort_unstable();
    assert_eq!(dropped, [0, publisher.stats().dropped_at_high_water_mark]);
}

fn reconnects_and_attempts_are_counted(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket_with(Push, |options| {
        options.reconnect_interval = Duration::from_millis(5);
        options.reconnect_interval_max = Duration::from_millis(10);
    });
    push.connect(&endpoint).expect("nobody need be there");
    eventually("it tries again", || push.stats().connection_attempts >= 2);
    assert_eq!((push.stats().connections, only_peer(&push).connected_for), (0, None));
    for round in 1..=3 {
        let pull = world.socket(Pull);
        pull.bind(&endpoint).expect("the endpoint is free");
        peers(&push, 1);
        let stats = push.stats();
        assert_eq!((stats.connections, stats.reconnects), (round, round - 1));
        assert_eq!(only_peer(&push).connections, round);
        pull.close(Duration::ZERO);
        until_peers_left(&push, 0);
    }
    assert_eq!(push.stats().connection_attempts, only_peer(&push).connection_attempts);
}

fn heartbeats_measure_the_round_trip(world: &World) {
    let (pull, push) = world.linked_with(Pull, Push, |options| {
        options.heartbeat_interval = Duration::from_millis(5);
    });
    for socket in [&pull, &push] {
        eventually("a PING has come back", || only_peer(socket).round_trip.is_some());
        let trip = only_peer(socket).round_trip.expect("it was there");
        assert!(!trip.last.is_zero() && !trip.smoothed.is_zero(), "{trip:?}");
    }
    let (quiet, other) = world.linked(Pull, Push);
    assert_eq!((only_peer(&quiet).round_trip, only_peer(&other).round_trip), (None, None));
}
