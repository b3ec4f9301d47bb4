//! DEALER: RFC 28.

use serverlink::{Error, SocketType::*};

use crate::{
    everywhere,
    world::{World, connect, fill, peers, recv, recv_text, send},
};

everywhere! {
    deals_in_turn
    takes_from_everybody
    adds_nothing
    blocks_at_the_high_water_mark
    without_peer_would_block
}

fn deals_in_turn(world: &World) {
    let (dealer, endpoint) = world.bound(Dealer);
    let others: Vec<_> = (0..3).map(|_| world.connected(Dealer, &endpoint)).collect();
    peers(&dealer, 3);
    for number in 0..6 {
        send(&dealer, [&number.to_string()]);
    }
    for other in &others {
        let mine: Vec<u32> = (0..2).map(|_| recv_text(other)[0].parse().expect("a number")).collect();
        assert_eq!(mine[1] - mine[0], 3, "{mine:?}");
    }
}

fn takes_from_everybody(world: &World) {
    let (dealer, endpoint) = world.bound(Dealer);
    let others: Vec<_> = (0..3).map(|_| world.connected(Dealer, &endpoint)).collect();
    for (name, other) in others.iter().enumerate() {
        for _ in 0..5 {
            send(other, [&name.to_string()]);
        }
    }
    let mut counts = [0; 3];
    for _ in 0..15 {
        let name: usize = recv_text(&dealer)[0].parse().expect("a name");
        counts[name] += 1;
    }
    assert_eq!(counts, [5; 3]);
}

fn adds_nothing(world: &World) {
    let (one, other) = world.linked(Dealer, Dealer);
    send(&one, ["", "body", ""]);
    assert_eq!(recv_text(&other), ["", "body", ""]);
}

fn blocks_at_the_high_water_mark(world: &World) {
    let one = world.socket_with(Dealer, |options| options.send_hwm = 3);
    let other = world.socket_with(Dealer, |options| options.recv_hwm = 3);
    connect(&other, &world.bind(&one));
    peers(&one, 1);
    let taken = fill(&one, 60_000);
    for _ in 0..taken {
        recv(&other);
    }
    send(&one, ["room again"]);
    assert_eq!(recv_text(&other), ["room again"]);
}

fn without_peer_would_block(world: &World) {
    let (dealer, _endpoint) = world.bound(Dealer);
    let refused = dealer.try_send(vec![1, 2, 3]).expect_err("nobody could take it");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    assert_eq!(refused.into_message(), [1, 2, 3]);
}
