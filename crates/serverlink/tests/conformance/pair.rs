//! PAIR: RFC 31.

use serverlink::{Error, SocketType::*};

use crate::{
    everywhere,
    raw::{RawPeer, command, greeting, property, ready},
    world::{Transport, World, fill, peers, recv, recv_text, send, until_peers_left},
};

everywhere! {
    both_directions
    only_one_peer
    without_peer_would_block
    blocks_at_the_high_water_mark
    a_new_peer_after_the_first_left
}

fn both_directions(world: &World) {
    let (one, other) = world.linked(Pair, Pair);
    for round in 0..10 {
        send(&one, ["to", &round.to_string()]);
        assert_eq!(recv_text(&other), ["to", &round.to_string()]);
        send(&other, ["fro"]);
        send(&other, [""]);
        assert_eq!(recv_text(&one), ["fro"]);
        assert_eq!(recv_text(&one), [""]);
    }
}

fn only_one_peer(world: &World) {
    let (bound, endpoint) = world.bound(Pair);
    let first = world.connected(Pair, &endpoint);
    peers(&bound, 1);
    let second = world.socket(Pair);
    second.connect(&endpoint).expect("connecting is not refused");
    // Whether it may queue something for a peer that never takes it is not the question.
    let _ = second.try_send("intruder");
    for round in 0..100 {
        send(&first, [&round.to_string()]);
        assert_eq!(recv_text(&bound), [round.to_string()]);
        send(&bound, ["for the first"]);
        assert_eq!(recv_text(&first), ["for the first"]);
    }
    assert_eq!(bound.stats().peers, 1);
}

/// Over a wire the second peer is told why its connection ends, if it announced that it comes back nevertheless. A libzmq peer does not, and
/// would stay away for ever.
#[test]
fn a_second_connection_is_refused() {
    let world = World::new(Transport::Tcp);
    let (bound, endpoint) = world.bound(Pair);
    let first = world.connected(Pair, &endpoint);
    peers(&bound, 1);
    let refused = |ready: &[u8]| {
        let mut second = RawPeer::connect(&endpoint);
        second.send(&greeting(1));
        second.send(ready);
        second.read_greeting();
        second
    };
    let comes_back = [property("Socket-Type", b"PAIR"), property("X-ServerLink-Refusals", b"1")].concat();
    let mut told = refused(&command("READY", &comes_back));
    assert_eq!(told.read_frame().1, b"\x05ERROR\x14this-PAIR-has-a-peer");
    told.assert_closed();
    assert!(refused(&ready("PAIR")).rest().is_empty(), "the connection ends without a word");
    send(&first, ["still here"]);
    assert_eq!(recv_text(&bound), ["still here"]);
}

fn without_peer_would_block(world: &World) {
    let (pair, _endpoint) = world.bound(Pair);
    let refused = pair.try_send("nobody").expect_err("nobody could take it");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    assert!(matches!(pair.try_recv(), Err(Error::WouldBlock)));
}

fn blocks_at_the_high_water_mark(world: &World) {
    let (one, other) = world.linked_with(Pair, Pair, |options| {
        options.send_hwm = 4;
        options.recv_hwm = 4;
    });
    let taken = fill(&one, 60_000);
    for _ in 0..taken {
        recv(&other);
    }
    send(&one, ["room again"]);
    assert_eq!(recv_text(&other), ["room again"]);
}

fn a_new_peer_after_the_first_left(world: &World) {
    let (bound, endpoint) = world.bound(Pair);
    let first = world.connected(Pair, &endpoint);
    peers(&bound, 1);
    drop(first);
    until_peers_left(&bound, 0);
    let second = world.connected(Pair, &endpoint);
    peers(&bound, 1);
    send(&second, ["second"]);
    assert_eq!(recv_text(&bound), ["second"]);
    send(&bound, ["welcome"]);
    assert_eq!(recv_text(&second), ["welcome"]);
}
