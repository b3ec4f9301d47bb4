//! `conflate`: only the newest message counts.

use serverlink::{SocketType, SocketType::*};

use crate::{
    everywhere,
    world::{Transport, World, assert_nothing_waits, connect, peers, recv_text, send, subscribers},
};

everywhere! {
    pull_keeps_the_newest
    sub_keeps_the_newest
    push_keeps_the_newest_for_a_peer_to_come
}

const LAST: u32 = 500;

/// Sends `0..=LAST` and takes what comes until the last: never backwards, and nothing after it.
fn newest_wins(world: &World, sender: SocketType, receiver: SocketType) {
    let receiver = world.socket_with(receiver, |options| options.conflate = true);
    let endpoint = world.bind(&receiver);
    let sender = world.socket(sender);
    if receiver.socket_type() == Sub {
        receiver.subscribe("").expect("subscribing");
    }
    connect(&sender, &endpoint);
    if receiver.socket_type() == Sub {
        subscribers(&sender, 1);
    }
    for number in 0..=LAST {
        send(&sender, [&number.to_string()]);
    }
    let mut seen: Vec<u32> = Vec::new();
    while seen.last() != Some(&LAST) {
        seen.push(recv_text(&receiver)[0].parse().expect("a number"));
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    assert_nothing_waits(&receiver);
    if world.transport == Transport::Inproc {
        assert_eq!(seen, [LAST], "inside a process nothing is on its way");
    }
}

fn pull_keeps_the_newest(world: &World) {
    newest_wins(world, Push, Pull);
}

fn sub_keeps_the_newest(world: &World) {
    newest_wins(world, Pub, Sub);
}

fn push_keeps_the_newest_for_a_peer_to_come(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket_with(Push, |options| options.conflate = true);
    push.connect(&endpoint).expect("nobody need be there");
    for number in 0..10 {
        send(&push, [&number.to_string()]);
    }
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding later");
    assert_eq!(recv_text(&pull), ["9"]);
    peers(&pull, 1);
    send(&push, ["after"]);
    assert_eq!(recv_text(&pull), ["after"]);
}
