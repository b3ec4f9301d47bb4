//! Binding, connecting, and undoing both.

use serverlink::{Endpoint, Error, SocketType::*};

use crate::{
    everywhere, over_wires,
    world::{PATIENCE, Transport, World, connect, peers, recv_text, send, until_peers_left},
};

everywhere! {
    connecting_before_binding
    bind_tells_where_it_listens
    an_endpoint_has_one_owner
    unbinding_frees_the_endpoint_and_keeps_peers
    disconnecting_ends_the_link
    what_is_not_there_cannot_be_undone
    one_socket_on_many_endpoints
}

over_wires! {
    a_peer_that_restarted_is_found_again
}

fn connecting_before_binding(world: &World) {
    let endpoint = world.deserted_endpoint();
    let push = world.socket(Push);
    push.connect(&endpoint).expect("nobody need be there");
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding later");
    send(&push, ["early"]);
    assert_eq!(recv_text(&pull), ["early"]);
}

fn bind_tells_where_it_listens(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    assert_eq!(pull.last_endpoint().expect("it is bound").to_string(), endpoint);
    assert!(!endpoint.contains('*'), "{endpoint} cannot be connected to");
    let push = world.connected(Push, &endpoint);
    assert_eq!(push.last_endpoint().expect("it is connected").to_string(), endpoint);
}

fn an_endpoint_has_one_owner(world: &World) {
    let (owner, endpoint) = world.bound(Pull);
    let refused = world.socket(Pull).bind(&endpoint).expect_err("it has an owner");
    match &refused {
        Error::AddressInUse { endpoint: named } => assert_eq!(named.to_string(), endpoint),
        other => panic!("{other}"),
    }
    // The owner did not notice.
    let push = world.connected(Push, &endpoint);
    send(&push, ["still here"]);
    assert_eq!(recv_text(&owner), ["still here"]);
}

fn unbinding_frees_the_endpoint_and_keeps_peers(world: &World) {
    let (old, endpoint) = world.bound(Pull);
    let push = world.connected(Push, &endpoint);
    peers(&old, 1);
    old.unbind(&endpoint).expect("it is bound");
    let new = world.socket(Pull);
    new.bind(&endpoint).expect("the endpoint is free");
    send(&push, ["to the old"]);
    assert_eq!(recv_text(&old), ["to the old"]);
    let push = world.connected(Push, &endpoint);
    send(&push, ["to the new"]);
    assert_eq!(recv_text(&new), ["to the new"]);
}

fn disconnecting_ends_the_link(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    let push = world.connected(Push, &endpoint);
    peers(&pull, 1);
    push.disconnect(&endpoint).expect("it is connected");
    until_peers_left(&pull, 0);
    let refused = push.try_send("nobody").expect_err("there is no peer any more");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    connect(&push, &endpoint);
    send(&push, ["again"]);
    assert_eq!(recv_text(&pull), ["again"]);
}

fn what_is_not_there_cannot_be_undone(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    let push = world.connected(Push, &endpoint);
    for result in [push.unbind(&endpoint), pull.disconnect(&endpoint)] {
        match result {
            Err(Error::NoSuchEndpoint { endpoint: named }) => assert_eq!(named.to_string(), endpoint),
            other => panic!("{other:?}"),
        }
    }
    pull.unbind(&endpoint).expect("it is bound");
    let again = pull.unbind(&endpoint);
    assert!(matches!(again, Err(Error::NoSuchEndpoint { .. })), "{again:?}");
}

fn one_socket_on_many_endpoints(world: &World) {
    let pull = world.socket(Pull);
    let endpoints: Vec<_> = (0..3).map(|_| world.bind(&pull)).collect();
    for endpoint in &endpoints {
        let push = world.connected(Push, endpoint);
        send(&push, [endpoint]);
        assert_eq!(recv_text(&pull), [endpoint.as_str()]);
    }
}

fn a_peer_that_restarted_is_found_again(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let subscriber = world.socket(Sub);
    subscriber.subscribe("news").expect("subscribing");
    connect(&subscriber, &endpoint);
    for publisher in [publisher, world.socket(Pub)] {
        if publisher.last_endpoint().is_none() {
            publisher.bind(&endpoint).expect("the endpoint is free again");
        }
        publisher.wait_for_subscribers(1, PATIENCE).expect("the subscription came by itself");
        send(&publisher, ["news"]);
        assert_eq!(recv_text(&subscriber), ["news"]);
        publisher.close(PATIENCE);
        until_peers_left(&subscriber, 0);
    }
}

#[test]
fn unusable_endpoints_tell_why() {
    let world = World::new(Transport::Tcp);
    let socket = world.socket(Pull);
    for wrong in [
        "",
        "tcp",
        "127.0.0.1:5555",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:port",
        "tcp://[::1:5555",
        "udp://127.0.0.1",
        "ipc://",
        "inproc://",
    ] {
        for result in [socket.bind(wrong).map(drop), socket.connect(wrong)] {
            match result {
                Err(Error::InvalidEndpoint { endpoint, why }) => {
                    assert_eq!(endpoint, wrong);
                    assert!(why.len() > 5, "{wrong:?}: {why:?} helps nobody");
                }
                other => panic!("{wrong:?}: {other:?}"),
            }
        }
    }
    for wildcard in ["tcp://*:5555", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0"] {
        let result = socket.connect(wildcard);
        assert!(matches!(result, Err(Error::InvalidEndpoint { .. })), "{wildcard}: {result:?}");
    }
    assert_eq!(socket.last_endpoint(), None);
}

#[test]
fn a_foreign_address_is_not_available() {
    let world = World::new(Transport::Tcp);
    // From the range for documentation: no machine has it.
    let result = world.socket(Pull).bind("tcp://192.0.2.1:5555");
    assert!(matches!(result, Err(Error::AddressNotAvailable { .. })), "{result:?}");
}

#[test]
fn names_and_wildcards_work() {
    let world = World::new(Transport::Tcp);
    let pull = world.socket(Pull);
    let Endpoint::Tcp { port, .. } = pull.bind("tcp://*:*").expect("binding everywhere") else {
        panic!("a tcp endpoint was bound");
    };
    let push = world.connected(Push, &format!("tcp://localhost:{port}"));
    send(&push, ["by name"]);
    assert_eq!(recv_text(&pull), ["by name"]);
}
