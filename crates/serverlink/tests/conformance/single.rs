//! SCATTER and GATHER (RFC 49), CHANNEL (RFC 52), and what all types with messages of one part have in common.

use serverlink::{
    Error, Message, Part, Socket,
    SocketType::{self, *},
};

use crate::{
    everywhere, over_wires,
    raw::{RawPeer, frame, greeting, ready},
    world::{
        Transport, World, assert_nothing_waits, eventually, peers, recv, recv_text, send, until_peers_left,
    },
};

everywhere! {
    scatter_deals_in_turn
    gather_takes_from_everybody
    directions_are_one_way
    a_channel_has_one_peer
    several_parts_are_refused_and_come_back
    several_parts_are_refused_before_anybody_is_there
    types_do_not_mix
}

over_wires! {
    several_parts_of_a_peer_are_dropped
}

fn scatter_deals_in_turn(world: &World) {
    let (scatter, endpoint) = world.bound(Scatter);
    let gathers: Vec<_> = (0..3).map(|_| world.connected(Gather, &endpoint)).collect();
    peers(&scatter, 3);
    for number in 0..9 {
        send(&scatter, [&number.to_string()]);
    }
    let mut seen: Vec<u32> = Vec::new();
    for gather in &gathers {
        let mine: Vec<u32> = (0..3).map(|_| recv_text(gather)[0].parse().expect("a number")).collect();
        assert!(mine.windows(2).all(|pair| pair[1] == pair[0] + 3), "not every third: {mine:?}");
        seen.extend(mine);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..9).collect::<Vec<_>>());
}

fn gather_takes_from_everybody(world: &World) {
    let (gather, endpoint) = world.bound(Gather);
    let scatters: Vec<_> = (0..3).map(|_| world.connected(Scatter, &endpoint)).collect();
    for round in 0..10 {
        for (name, scatter) in scatters.iter().enumerate() {
            send(scatter, [&format!("{name} {round}")]);
        }
    }
    let mut next = [0; 3];
    for _ in 0..30 {
        let text = recv_text(&gather).remove(0);
        let (name, round) = text.split_once(' ').expect("two words");
        let name: usize = name.parse().expect("a name");
        assert_eq!(round, next[name].to_string(), "out of order from {name}");
        next[name] += 1;
    }
}

fn directions_are_one_way(world: &World) {
    let (scatter, gather) = world.linked(Scatter, Gather);
    let refused = gather.try_send("up").expect_err("a GATHER does not send");
    assert!(matches!(refused.error, Error::NotSupported { .. }), "{}", refused.error);
    assert!(matches!(scatter.try_recv(), Err(Error::NotSupported { .. })));
}

fn a_channel_has_one_peer(world: &World) {
    let (bound, endpoint) = world.bound(Channel);
    let first = world.connected(Channel, &endpoint);
    peers(&bound, 1);
    let second = world.socket(Channel);
    second.connect(&endpoint).expect("connecting is not refused");
    for round in 0..20 {
        send(&first, [&round.to_string()]);
        assert_eq!(recv_text(&bound), [round.to_string()]);
        send(&bound, ["for the first"]);
        assert_eq!(recv_text(&first), ["for the first"]);
    }
    assert_eq!(bound.stats().peers, 1);
    drop((first, second));
    until_peers_left(&bound, 0);
    let third = world.connected(Channel, &endpoint);
    send(&third, ["third"]);
    assert_eq!(recv_text(&bound), ["third"]);
}

/// Before and behind messages that fit: a run of small messages goes a shorter way.
fn several_parts_are_refused_and_come_back(world: &World) {
    let kinds = [(Scatter, Gather), (Channel, Channel), (Client, Server)];
    for ((sends, receives), connects) in kinds.into_iter().flat_map(|kinds| [(kinds, false), (kinds, true)]) {
        let (sender, receiver) = if connects {
            let (receiver, sender) = world.linked(receives, sends);
            (sender, receiver)
        } else {
            world.linked(sends, receives)
        };
        for round in 0..3 {
            refused(&sender, &["two", "parts"]);
            send(&sender, ["one"]);
            refused(&sender, &["", ""]);
            assert_eq!(last_part(&recv(&receiver)), "one", "{sends} in round {round}");
        }
        assert_nothing_waits(&receiver);
    }
    for kind in [Server, Peer, Radio] {
        let socket = world.socket(kind);
        refused(&socket, &["alone"]);
        refused(&socket, &["addr", "two", "parts"]);
    }
    for kind in [Server, Peer] {
        refused(&world.socket(kind), &["not four", "body"]);
    }
}

fn several_parts_are_refused_before_anybody_is_there(world: &World) {
    for (sends, receives) in [(Scatter, Gather), (Channel, Channel), (Client, Server)] {
        let (endpoint, sender) = (world.deserted_endpoint(), world.socket(sends));
        sender.connect(&endpoint).expect("nobody need be there");
        for body in ["one", "two", "three"] {
            send(&sender, [body]);
            refused(&sender, &["two", "parts"]);
            refused(&sender, &["a long one", &"x".repeat(20_000)]);
        }
        let receiver = world.socket(receives);
        receiver.bind(&endpoint).expect("binding");
        for body in ["one", "two", "three"] {
            assert_eq!(last_part(&recv(&receiver)), body, "{sends}");
        }
        assert_nothing_waits(&receiver);
    }
}

fn refused(socket: &Socket, parts: &[&str]) {
    let message = Message::from_parts(parts.iter().copied());
    let refused = socket.try_send(message.clone()).expect_err("it has no such messages");
    assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{}", refused.error);
    assert_eq!(refused.message, message);
    if let [part] = parts {
        let refused = socket.try_send(*part).expect_err("it has no such messages");
        assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{}", refused.error);
    }
}

fn last_part(message: &Message) -> Part {
    message[message.part_count() - 1].clone()
}

fn types_do_not_mix(world: &World) {
    let (gather, endpoint) = world.bound(Gather);
    let push = world.socket(Push);
    push.connect(&endpoint).expect("connecting is not refused");
    let scatter = world.connected(Scatter, &endpoint);
    send(&scatter, ["fits"]);
    assert_eq!(recv_text(&gather), ["fits"]);
    assert_eq!(gather.stats().peers, 1);
}

fn several_parts_of_a_peer_are_dropped(world: &World) {
    if world.transport != Transport::Tcp {
        return;
    }
    let kinds: [(SocketType, &str); 5] =
        [(Gather, "SCATTER"), (Channel, "CHANNEL"), (Client, "SERVER"), (Server, "CLIENT"), (Peer, "PEER")];
    for (kind, theirs) in kinds {
        let (socket, endpoint) = world.bound(kind);
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&greeting(1));
        peer.send(&ready(theirs));
        // In one go: what comes behind the first of several is taken without asking for each.
        let several = [frame(1, b"two"), frame(0, b"parts")].concat();
        let run = [frame(0, b"one").repeat(20), several].concat();
        peer.send(&run.repeat(3));
        for number in 0..60 {
            let message = recv(&socket);
            let addressed = usize::from(matches!(kind, Server | Peer));
            assert_eq!(
                (message.part_count(), last_part(&message)),
                (1 + addressed, "one".into()),
                "{kind} {number}"
            );
        }
        eventually("all is looked at", || {
            assert!(matches!(socket.try_recv(), Err(Error::WouldBlock)));
            socket.stats().discarded == 3
        });
        assert_nothing_waits(&socket);
    }
}
