//! ROUTER: who has which name.

use serverlink::{EventKind, Socket, SocketType::*};

use crate::{
    everywhere,
    monitor::wait_for,
    over_streams,
    world::{World, assert_nothing_waits, connect, peers, recv_text, send, until_peers_left},
};

over_streams! {
    the_first_keeps_a_name
}

everywhere! {
    handover_gives_the_name_to_the_last
    a_name_is_free_again_when_its_peer_left
    the_connecting_side_may_choose_the_name
    routers_reach_each_other_by_name
}

fn named(world: &World, name: &str, endpoint: &str) -> Socket {
    let dealer = world.socket_with(Dealer, |options| options.routing_id = name.into());
    connect(&dealer, endpoint);
    dealer
}

fn the_first_keeps_a_name(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let first = named(world, "twin", &endpoint);
    send(&first, ["mine"]);
    assert_eq!(recv_text(&router), ["twin", "mine"]);
    let monitor = router.monitor();
    let second = world.socket_with(Dealer, |options| options.routing_id = b"twin".to_vec());
    second.connect(&endpoint).expect("connecting is not refused");
    let refused = wait_for(&monitor, |event| match event {
        EventKind::RoutingIdRefused { routing_id, .. } => Some(routing_id),
        _ => None,
    });
    assert_eq!(refused, b"twin");
    for round in 0..20 {
        send(&router, ["twin", &round.to_string()]);
        assert_eq!(recv_text(&first), [round.to_string()]);
    }
    assert_nothing_waits(&second);
}

fn handover_gives_the_name_to_the_last(world: &World) {
    let router = world.socket_with(Router, |options| options.router_handover = true);
    let endpoint = world.bind(&router);
    let first = named(world, "twin", &endpoint);
    send(&first, ["first"]);
    assert_eq!(recv_text(&router), ["twin", "first"]);
    let second = named(world, "twin", &endpoint);
    send(&second, ["second"]);
    assert_eq!(recv_text(&router), ["twin", "second"]);
    send(&router, ["twin", "for the second"]);
    assert_eq!(recv_text(&second), ["for the second"]);
}

fn a_name_is_free_again_when_its_peer_left(world: &World) {
    let (router, endpoint) = world.bound(Router);
    let first = named(world, "name", &endpoint);
    peers(&router, 1);
    drop(first);
    until_peers_left(&router, 0);
    let second = named(world, "name", &endpoint);
    send(&second, ["mine now"]);
    assert_eq!(recv_text(&router), ["name", "mine now"]);
    send(&router, ["name", "yours now"]);
    assert_eq!(recv_text(&second), ["yours now"]);
}

fn the_connecting_side_may_choose_the_name(world: &World) {
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"own name".to_vec());
    let endpoint = world.bind(&dealer);
    let router = world.socket(Router);
    router.connect_as(&endpoint, b"chosen").expect("connecting");
    peers(&router, 1);
    send(&router, ["chosen", "hello"]);
    assert_eq!(recv_text(&dealer), ["hello"]);
    send(&dealer, ["back"]);
    assert_eq!(recv_text(&router), ["chosen", "back"]);
}

fn routers_reach_each_other_by_name(world: &World) {
    let router = |name: &str| world.socket_with(Router, |options| options.routing_id = name.into());
    let (east, west) = (router("east"), router("west"));
    connect(&west, &world.bind(&east));
    peers(&east, 1);
    send(&west, ["east", "from the west"]);
    assert_eq!(recv_text(&east), ["west", "from the west"]);
    send(&east, ["west", "from the east"]);
    assert_eq!(recv_text(&west), ["east", "from the east"]);
}
