//! `immediate`: whether a peer that is not there yet gets messages.

use serverlink::{Error, SocketType::*};

use crate::{
    everywhere,
    world::{World, peers, recv_text, send},
};

everywhere! {
    messages_wait_for_a_peer_to_come
    immediate_waits_for_nobody
    immediate_uses_who_is_there
}

fn messages_wait_for_a_peer_to_come(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket_with(Push, |options| options.send_hwm = 3);
    push.connect(&endpoint).expect("nobody need be there");
    for number in 0..3 {
        push.try_send(number.to_string()).expect("there is room for three");
    }
    let refused = push.try_send("four").expect_err("the high-water mark holds before the peer is there");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding later");
    for number in 0..3 {
        assert_eq!(recv_text(&pull), [number.to_string()]);
    }
}

fn immediate_waits_for_nobody(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket_with(Push, |options| options.immediate = true);
    push.connect(&endpoint).expect("nobody need be there");
    let refused = push.try_send("now").expect_err("nobody is there");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding later");
    peers(&push, 1);
    send(&push, ["later"]);
    assert_eq!(recv_text(&pull), ["later"]);
}

fn immediate_uses_who_is_there(world: &World) {
    let push = world.socket_with(Push, |options| options.immediate = true);
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    let (pull, endpoint) = world.bound(Pull);
    push.connect(&endpoint).expect("connecting");
    peers(&push, 1);
    for number in 0..10 {
        send(&push, [&number.to_string()]);
        assert_eq!(recv_text(&pull), [number.to_string()]);
    }
}
