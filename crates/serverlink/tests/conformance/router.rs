//! ROUTER: addresses, and what happens to messages that have nowhere to go.

use serverlink::{Error, Message, Part, SocketType::*};

use crate::{
    everywhere, over_transports,
    world::{
        World, assert_nothing_waits, connect, peers, recv, recv_text, send, send_once_there_is_room,
        until_peers_left,
    },
};

everywhere! {
    the_address_is_the_first_part
    peers_without_name_get_one
    an_unknown_address_is_dropped_and_counted
    mandatory_refuses_an_unknown_address
    mandatory_waits_for_a_full_peer
    without_mandatory_a_full_peer_loses_messages
    takes_from_everybody
    probing_makes_the_name_known
}

over_transports! {
    notifies_of_comings_and_goings
}

fn the_address_is_the_first_part(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let named = |name: &str| {
        let dealer = world.socket_with(Dealer, |options| options.routing_id = name.into());
        connect(&dealer, &endpoint);
        dealer
    };
    let (ann, bob) = (named("ann"), named("bob"));
    send(&ann, ["from", "ann"]);
    assert_eq!(recv_text(&router), ["ann", "from", "ann"]);
    send(&bob, [""]);
    assert_eq!(recv_text(&router), ["bob", ""]);
    send(&router, ["bob", "for", "bob"]);
    send(&router, ["ann", ""]);
    assert_eq!(recv_text(&bob), ["for", "bob"]);
    assert_eq!(recv_text(&ann), [""]);
}

fn peers_without_name_get_one(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let dealers: Vec<_> = (0..3).map(|_| world.connected(Dealer, &endpoint)).collect();
    let mut names: Vec<Part> = Vec::new();
    for dealer in &dealers {
        send(dealer, ["hello"]);
        let message = recv(&router);
        let name = message[0].clone();
        assert_eq!((name.len(), name[0]), (5, 0), "{name:?}");
        assert!(!names.contains(&name), "{name:?} twice");
        names.push(name);
    }
    for (name, dealer) in names.iter().zip(&dealers) {
        router.send(Message::from_parts([name.clone(), Part::from("back")])).expect("replying");
        assert_eq!(recv_text(dealer), ["back"]);
    }
}

fn an_unknown_address_is_dropped_and_counted(world: &World) {
    let (router, dealer) = world.linked(Router, Dealer);
    send(&router, ["nobody", "lost"]);
    assert_eq!(router.stats().dropped_without_receiver, 1);
    send(&dealer, ["hello"]);
    let name = recv(&router)[0].clone();
    router.send(Message::from_parts([name, Part::from("kept")])).expect("replying");
    assert_eq!(recv_text(&dealer), ["kept"]);
}

fn mandatory_refuses_an_unknown_address(world: &World) {
    let router = world.socket_with(Router, |options| options.router_mandatory = true);
    let endpoint = world.bind(&router);
    let sent = Message::from_parts(["nobody", "precious"]);
    let refused = router.send(sent.clone()).expect_err("nobody has that name");
    match &refused.error {
        Error::Unroutable { routing_id } => assert_eq!(routing_id, b"nobody"),
        other => panic!("{other}"),
    }
    assert_eq!(refused.into_message(), sent);

    let leaving = world.socket_with(Dealer, |options| options.routing_id = b"nobody".to_vec());
    connect(&leaving, &endpoint);
    peers(&router, 1);
    router.send(sent.clone()).expect("now somebody has it");
    assert_eq!(recv_text(&leaving), ["precious"]);
    drop(leaving);
    until_peers_left(&router, 0);
    let refused = router.send(sent).expect_err("it left");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
}

fn mandatory_waits_for_a_full_peer(world: &World) {
    let router = world.socket_with(Router, |options| {
        options.router_mandatory = true;
        options.send_hwm = 2;
    });
    let dealer = world.socket_with(Dealer, |options| {
        options.routing_id = b"slow".to_vec();
        options.recv_hwm = 2;
    });
    connect(&dealer, &world.bind(&router));
    peers(&router, 1);
    let taken = fill_to(&router, "slow");
    for _ in 0..taken {
        recv(&dealer);
    }
    send(&router, ["slow", "room again"]);
    assert_eq!(recv_text(&dealer), ["room again"]);
}

/// Fills the peer of one address until the socket would block; returns how many it took.
fn fill_to(router: &serverlink::Socket, name: &str) -> usize {
    let message = Message::from_parts([Part::from(name), Part::from(vec![b'f'; 60_000])]);
    for taken in 0..1_000_000 {
        match router.try_send(message.clone()) {
            Ok(()) => {}
            Err(failed) if matches!(failed.error, Error::WouldBlock) => return taken,
            Err(failed) => panic!("filling: {}", failed.error),
        }
    }
    panic!("the socket has no high-water mark");
}

fn without_mandatory_a_full_peer_loses_messages(world: &World) {
    let router = world.socket_with(Router, |options| options.send_hwm = 2);
    let dealer = world.socket_with(Dealer, |options| {
        options.routing_id = b"slow".to_vec();
        options.recv_hwm = 2;
    });
    connect(&dealer, &world.bind(&router));
    peers(&router, 1);
    let mut sent = 0_u64;
    while router.stats().dropped_at_high_water_mark == 0 {
        let body = Part::from(vec![b'f'; 60_000]);
        router.try_send(Message::from_parts([Part::from("slow"), body])).expect("never blocks");
        sent += 1;
        assert!(sent < 1_000_000, "nothing was dropped");
    }
    for _ in 0..sent - router.stats().dropped_at_high_water_mark {
        recv(&dealer);
    }
    send_once_there_is_room(&router, ["slow", "marker"]);
    assert_eq!(recv_text(&dealer), ["marker"]);
}

fn takes_from_everybody(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let dealers: Vec<_> = (0..3).map(|_| world.connected(Dealer, &endpoint)).collect();
    for (name, dealer) in dealers.iter().enumerate() {
        for round in 0..5 {
            send(dealer, [&name.to_string(), &round.to_string()]);
        }
    }
    let mut next = [0; 3];
    for _ in 0..15 {
        let message = recv_text(&router);
        let name: usize = message[1].parse().expect("a name");
        assert_eq!(message[2], next[name].to_string());
        next[name] += 1;
    }
    assert_nothing_waits(&router);
    assert_eq!(next, [5; 3]);
}

fn notifies_of_comings_and_goings(world: &World) {
    let router = world.socket_with(Router, |options| {
        options.router_notify_connect = true;
        options.router_notify_disconnect = true;
    });
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"guest".to_vec());
    connect(&dealer, &world.bind(&router));
    assert_eq!(recv_text(&router), ["guest", ""]);
    send(&dealer, ["hello"]);
    assert_eq!(recv_text(&router), ["guest", "hello"]);
    dealer.close(crate::world::PATIENCE);
    assert_eq!(recv_text(&router), ["guest", ""]);
}

fn probing_makes_the_name_known(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let dealer = world.socket_with(Dealer, |options| {
        options.routing_id = b"prober".to_vec();
        options.probe_router = true;
    });
    connect(&dealer, &endpoint);
    assert_eq!(recv_text(&router), ["prober", ""]);
    send(&router, ["prober", "found you"]);
    assert_eq!(recv_text(&dealer), ["found you"]);
}
