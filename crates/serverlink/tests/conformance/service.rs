//! CLIENT and SERVER (RFC 41), and PEER (RFC 51).

use serverlink::{Error, Message, Part, SocketType::*};

use crate::{
    everywhere, over_streams,
    world::{
        World, answer, assert_nothing_waits, connect, eventually, peers, recv, recv_text, send, text,
        until_peers_left,
    },
};

everywhere! {
    each_client_is_answered_by_its_number
    a_client_deals_in_turn
    a_number_is_nobodys_when_its_client_is_gone
    a_full_client_holds_its_own_messages_up_alone
    peers_talk_by_number_in_both_directions
    a_peer_is_sent_to_before_it_is_there
    the_typed_sockets_speak_of_numbers
}

over_streams! {
    a_dialed_peer_keeps_its_number
}

fn each_client_is_answered_by_its_number(world: &World) {
    let (server, endpoint) = world.bound(Server);
    let clients: Vec<_> = (0..3).map(|_| world.connected(Client, &endpoint)).collect();
    for (index, client) in clients.iter().enumerate() {
        send(client, [&index.to_string()]);
    }
    let mut numbers = Vec::new();
    for _ in &clients {
        let question = recv(&server);
        assert_eq!((question.part_count(), question[0].len()), (2, 4));
        assert_ne!(question[0], [0; 4], "no number is 0");
        numbers.push(question[0].clone());
        // As often as it likes.
        answer(&server, &question[0], &format!("answer to {}", text(&question)[1]));
        answer(&server, &question[0], "");
    }
    for (index, client) in clients.iter().enumerate() {
        assert_eq!(recv_text(client), [format!("answer to {index}")]);
        assert_eq!(recv_text(client), [""]);
    }
    numbers.sort_by_key(|number| number.to_vec());
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
}

fn a_client_deals_in_turn(world: &World) {
    let client = world.socket(Client);
    let servers: Vec<_> = (0..2).map(|_| world.bound(Server)).collect();
    servers.iter().for_each(|(_, endpoint)| connect(&client, endpoint));
    for _ in 0..2 {
        send(&client, ["work"]);
    }
    for (server, _) in &servers {
        let question = recv(server);
        answer(server, &question[0], "done");
        assert_eq!(recv_text(&client), ["done"]);
    }
}

fn a_number_is_nobodys_when_its_client_is_gone(world: &World) {
    let (server, endpoint) = world.bound(Server);
    let client = world.connected(Client, &endpoint);
    send(&client, ["here"]);
    let old = recv(&server)[0].clone();
    drop(client);
    until_peers_left(&server, 0);
    let message = Message::from_parts([old.clone(), "late".into()]);
    let refused = server.try_send(message.clone()).expect_err("nobody has the number");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert_eq!(refused.message, message);
    let newcomer = world.connected(Client, &endpoint);
    send(&newcomer, ["new"]);
    assert_ne!(recv(&server)[0], old);
    assert_eq!(server.stats().dropped_without_receiver, 0);
}

fn a_full_client_holds_its_own_messages_up_alone(world: &World) {
    let server = world.socket_with(Server, |options| (options.send_hwm, options.recv_hwm) = (4, 4));
    let endpoint = world.bind(&server);
    let numbers: Vec<_> = (0..2)
        .map(|_| {
            let client = world.socket_with(Client, |options| (options.send_hwm, options.recv_hwm) = (4, 4));
            connect(&client, &endpoint);
            send(&client, ["who am I?"]);
            let number = recv(&server)[0].clone();
            (client, number)
        })
        .collect();
    let [(full, its), (other, others)] = &numbers[..] else { panic!("two clients") };
    let body = Part::copy_from(&vec![b'f'; 60_000]);
    let mut taken = 0;
    loop {
        match server.try_send(Message::from_parts([its.clone(), body.clone()])) {
            Ok(()) => taken += 1,
            Err(refused) => {
                assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
                break;
            }
        }
    }
    answer(&server, others, "you are not");
    assert_eq!(recv_text(other), ["you are not"]);
    for _ in 0..taken {
        assert_eq!(recv(full)[0], body);
    }
    eventually("there is room again", || {
        server.try_send(Message::from_parts([its.clone(), "room again".into()])).is_ok()
    });
    assert_eq!(recv_text(full), ["room again"]);
}

fn peers_talk_by_number_in_both_directions(world: &World) {
    let (bound, endpoint) = world.bound(Peer);
    let dialing = world.socket(Peer);
    let number = dialing.connect_peer(&endpoint).expect("connecting");
    assert_eq!(number.len(), 4);
    answer(&dialing, &number, "hello");
    let hello = recv(&bound);
    assert_eq!(text(&hello)[1], "hello");
    for round in 0..5 {
        answer(&bound, &hello[0], &round.to_string());
        let back = recv(&dialing);
        assert_eq!((&back[0], &text(&back)[1]), (&number, &round.to_string()));
    }
    assert_nothing_waits(&bound);
}

fn a_peer_is_sent_to_before_it_is_there(world: &World) {
    let endpoint = world.deserted_endpoint();
    let early = world.socket(Peer);
    let number = early.connect_peer(&endpoint).expect("connecting");
    answer(&early, &number, "first");
    answer(&early, &number, "second");
    let late = world.socket(Peer);
    late.bind(&endpoint).expect("binding");
    assert_eq!(text(&recv(&late))[1], "first");
    let second = recv(&late);
    assert_eq!(text(&second)[1], "second");
    answer(&late, &second[0], "found");
    assert_eq!(recv(&early)[0], number);
}

fn a_dialed_peer_keeps_its_number(world: &World) {
    let (first, endpoint) = world.bound(Peer);
    let dialing = world.socket_with(Peer, |options| {
        options.reconnect_interval = std::time::Duration::from_millis(5);
    });
    let number = dialing.connect_peer(&endpoint).expect("connecting");
    answer(&dialing, &number, "one");
    recv(&first);
    drop(first);
    until_peers_left(&dialing, 0);
    answer(&dialing, &number, "two");
    let second = world.socket(Peer);
    eventually("the endpoint is free", || second.bind(&endpoint).is_ok());
    peers(&second, 1);
    let two = recv(&second);
    assert_eq!(text(&two)[1], "two");
    answer(&second, &two[0], "back");
    assert_eq!(recv(&dialing)[0], number);
}

fn the_typed_sockets_speak_of_numbers(world: &World) {
    let server = world.context.server().open().expect("a SERVER");
    let endpoint = server.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let client = world.context.client().send_hwm(5).open().expect("a CLIENT");
    client.connect(&endpoint).expect("connecting");
    peers(client.as_socket(), 1);
    client.try_send("question").expect("room");
    let question = recv(server.as_socket());
    let number = u32::from_be_bytes(question[0].as_bytes().try_into().expect("four octets"));
    server.try_send_to(number, "answer").expect("room");
    assert_eq!(recv_text(client.as_socket()), ["answer"]);
    let refused = server.try_send_to(number.wrapping_add(1), "precious").expect_err("nobody has it");
    assert_eq!(refused.message, "precious");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);

    let refused = client.as_socket().connect_peer(&endpoint).expect_err("a CLIENT has no numbers");
    assert!(matches!(refused, Error::NotSupported { .. }), "{refused}");
    let waiting = world.context.peer().immediate(true).open().expect("a PEER");
    let refused = waiting.connect_peer(&endpoint).expect_err("no number before somebody is there");
    assert!(matches!(refused, Error::InvalidOption { option: "immediate", .. }), "{refused}");
}

/// One that waits for a peer's room is woken by that peer's.
#[test]
fn a_blocked_answer_goes_on_when_there_is_room() {
    let world = World::new(crate::world::Transport::Tcp);
    let server = world.socket_with(Server, |options| options.send_hwm = 2);
    let endpoint = world.bind(&server);
    let client = world.socket_with(Client, |options| options.recv_hwm = 2);
    connect(&client, &endpoint);
    send(&client, ["who"]);
    let number = recv(&server)[0].clone();
    let body = Part::copy_from(&vec![b'f'; 100_000]);
    let whole = move || Message::from_parts([number.clone(), body.clone()]);
    let mut sent = 0;
    while server.try_send(whole()).is_ok() {
        sent += 1;
    }
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| server.send(whole()).map_err(Error::from));
        for _ in 0..=sent {
            recv(&client);
        }
        blocked.join().expect("no panic").expect("room in the end");
    });
}
