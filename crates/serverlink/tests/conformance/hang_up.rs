//! The application ends its connection with one peer: ROUTER, SERVER and PEER. STREAM has rules of its own.

use std::time::Duration;

use serverlink::{Error, Linger, Message, Part, Socket, SocketType::*};

use crate::{
    everywhere, over_streams, over_transports,
    world::{World, answer, connect, eventually, peers, recv, recv_text, send, text, until_peers_left},
};

everywhere! {
    what_is_queued_is_written_and_what_is_unread_is_counted
    hanging_up_on_one_client_leaves_the_others
    a_dialed_peer_that_is_hung_up_on_is_gone_for_good
    hanging_up_before_a_peer_is_there_ends_the_attempts
    a_name_is_free_when_its_peer_is_hung_up_on
    a_router_is_told_of_whom_it_hung_up_on
    others_have_nobody_to_hang_up_on
    room_is_told_for_each_peer
}

over_streams! {
    a_client_that_was_hung_up_on_comes_back_as_another
    hanging_up_again_and_again_leaves_nothing_behind
}

over_transports! {
    a_blocked_send_ends_when_its_peer_is_hung_up_on
}

fn assert_nobody(socket: &Socket, id: &Part) {
    let message = Message::from_parts([id.clone(), "late".into()]);
    let refused = socket.try_send(message.clone()).expect_err("nobody has it");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert_eq!(refused.message, message);
    assert!(matches!(socket.has_room_for(id), Err(Error::Unroutable { .. })));
    assert!(matches!(socket.hang_up(id), Err(Error::Unroutable { .. })));
}

/// A client that has said something, and its number.
fn known_client(world: &World, server: &Socket, endpoint: &str) -> (Socket, Part) {
    let client = world.connected(Client, endpoint);
    send(&client, ["who am I?"]);
    let number = recv(server)[0].clone();
    (client, number)
}

fn what_is_queued_is_written_and_what_is_unread_is_counted(world: &World) {
    let (server, endpoint) = world.bound(Server);
    let (client, number) = known_client(world, &server, &endpoint);
    (0..3).for_each(|_| send(&client, ["unheard"]));
    // They are here: what is received of one says so.
    assert_eq!(text(&recv(&server))[1], "unheard");
    eventually("all are here", || server.stats().receive_queue == 2);
    let body = "l".repeat(60_000);
    (0..10).for_each(|_| answer(&server, &number, &body));
    server.hang_up(&number).expect("it is there");
    assert_nobody(&server, &number);
    assert!(matches!(server.try_recv(), Err(Error::WouldBlock)), "what was unread is dropped");
    for _ in 0..10 {
        assert_eq!(recv_text(&client), [&body[..]]);
    }
    let stats = server.stats();
    assert_eq!((stats.discarded, stats.dropped_with_peer, stats.receive_queue), (2, 0, 0));
}

fn hanging_up_on_one_client_leaves_the_others(world: &World) {
    let (server, endpoint) = world.bound(Server);
    let (gone, number) = known_client(world, &server, &endpoint);
    let (stays, other) = known_client(world, &server, &endpoint);
    server.hang_up(&number).expect("it is there");
    drop(gone);
    send(&stays, ["still here"]);
    let question = recv(&server);
    assert_eq!((&question[0], &text(&question)[1][..]), (&other, "still here"));
    answer(&server, &other, "and we");
    assert_eq!(recv_text(&stays), ["and we"]);
    until_peers_left(&server, 1);
}

fn a_client_that_was_hung_up_on_comes_back_as_another(world: &World) {
    let (server, endpoint) = world.bound(Server);
    let client = world.socket_with(Client, |options| options.reconnect_interval = Duration::from_millis(5));
    connect(&client, &endpoint);
    send(&client, ["first"]);
    let number = recv(&server)[0].clone();
    server.hang_up(&number).expect("it is there");
    eventually("it is back", || client.stats().reconnects == 1 && server.stats().connections == 2);
    send(&client, ["second"]);
    let second = recv(&server);
    assert_eq!(text(&second)[1], "second");
    assert_ne!(second[0], number);
}

fn a_dialed_peer_that_is_hung_up_on_is_gone_for_good(world: &World) {
    let (bound, endpoint) = world.bound(Peer);
    let dialing = world.socket_with(Peer, |options| options.reconnect_interval = Duration::from_millis(5));
    let number = dialing.connect_peer(&endpoint).expect("connecting");
    answer(&dialing, &number, "hello");
    let hello = recv(&bound);
    answer(&dialing, &number, "and goodbye");
    dialing.hang_up(&number).expect("it is there");
    assert_nobody(&dialing, &number);
    assert_eq!(text(&recv(&bound))[1], "and goodbye");
    until_peers_left(&bound, 0);
    assert_nobody(&bound, &hello[0]);
    eventually("nothing is left of it", || {
        dialing.connections().is_empty() && dialing.peer_stats().is_empty()
    });
    assert!(matches!(dialing.disconnect(&endpoint), Err(Error::NoSuchEndpoint { .. })));
    assert!(dialing.stats().connection_attempts <= 1, "and it is not dialed again");
}

fn hanging_up_before_a_peer_is_there_ends_the_attempts(world: &World) {
    let endpoint = world.deserted_endpoint();
    let early = world.socket(Peer);
    let number = early.connect_peer(&endpoint).expect("connecting");
    answer(&early, &number, "first");
    answer(&early, &number, "second");
    early.hang_up(&number).expect("it has the number");
    assert_nobody(&early, &number);
    eventually("nothing is left of it", || early.connections().is_empty() && early.peer_stats().is_empty());
    assert_eq!(early.stats().dropped_with_peer, 2);
    let late = world.socket(Peer);
    late.bind(&endpoint).expect("binding");
    let other = world.connected(Peer, &endpoint);
    peers(&late, 1);
    drop(other);
    until_peers_left(&late, 0);
}

fn a_name_is_free_when_its_peer_is_hung_up_on(world: &World) {
    let router = world.socket_with(Router, |options| {
        (options.router_mandatory, options.linger) = (true, Linger::For(Duration::ZERO));
    });
    let endpoint = world.bind(&router);
    let named = |_| {
        let dealer = world.socket_with(Dealer, |options| options.routing_id = b"worker".to_vec());
        connect(&dealer, &endpoint);
        dealer
    };
    let first = named(1);
    send(&first, ["first"]);
    assert_eq!(recv_text(&router), ["worker", "first"]);
    router.hang_up(b"worker").expect("it is there");
    drop(first);
    let second = named(2);
    send(&second, ["second"]);
    assert_eq!(recv_text(&router), ["worker", "second"]);
    send(&router, ["worker", "welcome"]);
    assert_eq!(recv_text(&second), ["welcome"]);
}

fn a_router_is_told_of_whom_it_hung_up_on(world: &World) {
    let router = world.socket_with(Router, |options| {
        (options.router_notify_connect, options.router_notify_disconnect) = (true, true);
        options.disconnect_message = b"lost".to_vec();
    });
    let endpoint = world.bind(&router);
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"worker".to_vec());
    connect(&dealer, &endpoint);
    assert_eq!(recv_text(&router), ["worker", ""]);
    router.hang_up(b"worker").expect("it is there");
    drop(dealer);
    assert_eq!(recv_text(&router), ["worker", ""], "once, and nothing was lost");
    until_peers_left(&router, 0);
    assert!(matches!(router.try_recv(), Err(Error::WouldBlock)));
}

fn others_have_nobody_to_hang_up_on(world: &World) {
    for kind in [Pair, Push, Pull, Pub, Sub, Req, Rep, Dealer, Client, Channel, Radio, Dish, Gather, Scatter]
    {
        let socket = world.socket(kind);
        assert!(matches!(socket.hang_up(b"who"), Err(Error::NotSupported { .. })), "{kind}");
        assert!(matches!(socket.has_room_for(b"who"), Err(Error::NotSupported { .. })), "{kind}");
    }
    for kind in [Router, Server, Peer] {
        let socket = world.socket(kind);
        for id in [&b""[..], b"who", b"\0\0\0\0", &[7; 300]] {
            assert!(matches!(socket.hang_up(id), Err(Error::Unroutable { .. })), "{kind}");
            assert!(matches!(socket.has_room_for(id), Err(Error::Unroutable { .. })), "{kind}");
        }
    }
}

fn room_is_told_for_each_peer(world: &World) {
    let router = world.socket_with(Router, |options| (options.send_hwm, options.recv_hwm) = (2, 2));
    let endpoint = world.bind(&router);
    let dealers = ["full", "other"].map(|name| {
        let dealer = world.socket_with(Dealer, |options| {
            (options.send_hwm, options.recv_hwm) = (2, 2);
            options.routing_id = name.into();
        });
        connect(&dealer, &endpoint);
        send(&dealer, ["here"]);
        assert_eq!(recv_text(&router), [name, "here"]);
        dealer
    });
    let body = Part::copy_from(&vec![b'f'; 60_000]);
    let mut taken = 0;
    while router.has_room_for(b"full").expect("it is there") {
        router.try_send(Message::from_parts(["full".into(), body.clone()])).expect("there is room");
        taken += 1;
    }
    assert!(taken > 0);
    assert!(router.has_room_for(b"other").expect("it is there"));
    for _ in 0..taken {
        assert_eq!(recv(&dealers[0])[0], body);
    }
    eventually("there is room again", || router.has_room_for(b"full").expect("it is there"));
    assert_eq!(router.stats().dropped_at_high_water_mark, 0, "who asks loses nothing");
}

fn hanging_up_again_and_again_leaves_nothing_behind(world: &World) {
    let (bound, endpoint) = world.bound(Peer);
    let dialing = world.socket(Peer);
    for round in 0..50 {
        let number = dialing.connect_peer(&endpoint).expect("connecting");
        answer(&dialing, &number, "one");
        (0..round % 7).for_each(|_| drop(dialing.try_recv()));
        dialing.hang_up(&number).expect("it has the number");
        assert_nobody(&dialing, &number);
    }
    for socket in [&dialing, &bound] {
        eventually("nothing is left of them", || {
            while socket.try_recv().is_ok() {}
            socket.connections().is_empty() && socket.peer_stats().is_empty()
        });
        assert_eq!((socket.stats().send_queue, socket.stats().receive_queue), (0, 0));
    }
}

fn a_blocked_send_ends_when_its_peer_is_hung_up_on(world: &World) {
    let server = world
        .socket_with(Server, |options| (options.send_hwm, options.linger) = (2, Linger::For(Duration::ZERO)));
    let endpoint = world.bind(&server);
    let client = world.socket_with(Client, |options| options.recv_hwm = 2);
    connect(&client, &endpoint);
    send(&client, ["who"]);
    let number = recv(&server)[0].clone();
    let whole = || Message::from_parts([number.clone(), Part::copy_from(&vec![b'f'; 100_000])]);
    while server.try_send(whole()).is_ok() {}
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| server.send(whole()).map_err(Error::from));
        server.hang_up(&number).expect("it is there");
        let refused = blocked.join().expect("no panic").expect_err("nobody is there");
        assert!(matches!(refused, Error::Unroutable { .. }), "{refused}");
    });
}
