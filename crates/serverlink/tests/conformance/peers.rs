//! Who is at the other end, and whose a message is.

use std::sync::Arc;

use serverlink::{
    Endpoint, Error, EventKind, Message, Options, Peer, Socket,
    SocketType::{self, *},
    ZmtpVersion,
};

use crate::{
    everywhere,
    monitor::wait_for,
    over_wires,
    raw::{RawPeer, command, frame, greeting, property},
    world::{Transport, World, connect, eventually, peers, recv_text, send, until_peers_left},
};

everywhere! {
    peers_say_who_they_are
    a_message_tells_whose_it_is
    a_look_does_not_forget_whose_a_message_is
    what_the_library_says_is_nobodys
}

over_wires! {
    reports_and_events_tell_of_the_peer
}

fn in_zone(zone: &str) -> impl Fn(&mut Options) + '_ {
    move |options| {
        options.metadata = vec![("X-Zone".to_owned(), zone.into()), ("X-Empty".to_owned(), Vec::new())]
    }
}

/// The simulated machine never lets a call wait, so it is asked again and again.
fn whose(socket: &Socket) -> (Message, Option<Arc<Peer>>) {
    let found = std::cell::OnceCell::new();
    eventually("a message came", || match socket.try_recv_with_peer() {
        Ok(message) => found.set(message).is_ok(),
        Err(Error::WouldBlock) => false,
        Err(error) => panic!("receiving: {error}"),
    });
    found.into_inner().expect("it was just put there")
}

fn zone(peer: &Option<Arc<Peer>>) -> &[u8] {
    peer.as_ref().expect("somebody sent it").property("x-zone").expect("it has a zone")
}

fn peers_say_who_they_are(world: &World) {
    let router = world.socket_with(Router, in_zone("north"));
    let endpoint = world.bind(&router);
    let dealer = world.socket_with(Dealer, |options| {
        in_zone("south")(options);
        options.routing_id = b"d".to_vec();
    });
    assert!(dealer.peers().is_empty() && router.peers().is_empty());
    connect(&dealer, &endpoint);
    peers(&router, 1);

    let [there] = &dealer.peers()[..] else { panic!("one peer") };
    assert_eq!((there.socket_type, &there.routing_id[..]), (Some(Router), &b""[..]));
    assert_eq!(there.properties.len(), 2);
    assert_eq!((there.property("X-ZONE"), there.property("X-Empty")), (Some(&b"north"[..]), Some(&b""[..])));
    assert_eq!(there.property("X-Other"), None);
    assert_eq!(there.property("Socket-Type"), Some(&b"ROUTER"[..]));
    let [here] = &router.peers()[..] else { panic!("one peer") };
    assert_eq!((here.socket_type, &here.routing_id[..]), (Some(Dealer), &b"d"[..]));
    assert_eq!((here.property("x-zone"), here.property("identity")), (Some(&b"south"[..]), Some(&b"d"[..])));
    let version = (world.transport != Transport::Inproc).then_some(ZmtpVersion::V3_1);
    assert_eq!((here.version, there.version), (version, version));
    if world.transport == Transport::Tcp {
        assert!(matches!(&here.address, Some(Endpoint::Tcp { .. })), "{:?}", here.address);
        assert!(here.to_string().starts_with("DEALER \"d\" at tcp://127."), "{here}");
        assert_eq!(there.address.as_ref().map(Endpoint::to_string), Some(endpoint));
    }
    drop(dealer);
    until_peers_left(&router, 0);
    assert!(router.peers().is_empty());
}

fn a_message_tells_whose_it_is(world: &World) {
    for (ours, theirs) in [(Pull, Push), (Router, Dealer), (Dealer, Dealer)] {
        let (socket, endpoint) = world.bound(ours);
        let zones = ["a", "b", "c"];
        let senders = zones.map(|zone| {
            let sender = world.socket_with(theirs, in_zone(zone));
            connect(&sender, &endpoint);
            sender
        });
        peers(&socket, zones.len());
        for round in 0..5 {
            for (sender, zone) in senders.iter().zip(zones) {
                send(sender, [zone, &round.to_string()]);
            }
        }
        for _ in 0..15 {
            let (message, peer) = whose(&socket);
            let said = &message[message.part_count() - 2];
            assert_eq!(said, zone(&peer), "{ours}: {message:?}");
        }
        // Also of those who have left.
        send(&senders[1], ["b", "the last"]);
        drop(senders);
        until_peers_left(&socket, 0);
        let (message, peer) = whose(&socket);
        assert_eq!((&message[message.part_count() - 1], zone(&peer)), (&"the last".into(), &b"b"[..]));
    }
}

fn a_look_does_not_forget_whose_a_message_is(world: &World) {
    let (pull, endpoint) = world.bound(Pull);
    let push = world.socket_with(Push, in_zone("a"));
    connect(&push, &endpoint);
    for _ in 0..3 {
        send(&push, ["seen"]);
        eventually("it is seen", || pull.readiness().readable);
        let (message, peer) = whose(&pull);
        assert_eq!((message.first(), zone(&peer)), (&"seen".into(), &b"a"[..]));
        send(&push, ["unseen"]);
        assert_eq!(zone(&whose(&pull).1), b"a");
    }
}

fn what_the_library_says_is_nobodys(world: &World) {
    let router = world.socket_with(Router, |options| options.router_notify_connect = true);
    let endpoint = world.bind(&router);
    let dealer = world.socket_with(Dealer, in_zone("a"));
    connect(&dealer, &endpoint);
    send(&dealer, ["mine"]);
    let (notification, peer) = whose(&router);
    assert_eq!((notification.part_count(), peer), (2, None));
    let (message, peer) = whose(&router);
    assert_eq!((&message[1], zone(&peer)), (&"mine".into(), &b"a"[..]));
}

fn reports_and_events_tell_of_the_peer(world: &World) {
    let router = world.socket(Router);
    let monitor = router.monitor();
    let endpoint = world.bind(&router);
    let dealer = world.socket_with(Dealer, in_zone("south"));
    connect(&dealer, &endpoint);
    let told = wait_for(&monitor, |event| match event {
        EventKind::Established { peer, .. } => Some(peer),
        _ => None,
    });
    let [connection] = &router.connections()[..] else { panic!("one connection") };
    assert_eq!(connection.peer.as_ref(), Some(&told));
    assert_eq!((told.property("X-Zone"), told.socket_type), (Some(&b"south"[..]), Some(Dealer)));
}

#[test]
fn properties_go_over_the_wire_as_they_are() {
    let world = World::new(Transport::Tcp);
    let pull = world.socket_with(Pull, in_zone("north"));
    let endpoint = world.bind(&pull);
    let mut peer = RawPeer::connect(&endpoint);
    let properties = [("Socket-Type", &b"PUSH"[..]), ("X-Zone", b"\0\xff"), ("Resource", b"somewhere")];
    let properties = properties.map(|(name, value)| property(name, value)).concat();
    peer.send(&[greeting(0), command("READY", &properties), frame(0, b"hello")].concat());
    peer.read_greeting();
    let (_, ready) = peer.read_frame();
    let ours = [property("X-Zone", b"north"), property("X-Empty", b"")].concat();
    assert!(ready.ends_with(&ours), "{ready:?}");
    let (message, peer) = pull.recv_with_peer().expect("a message");
    let peer = peer.expect("it has a sender");
    assert_eq!((message.first(), peer.version), (&"hello".into(), Some(ZmtpVersion::V3_0)));
    assert_eq!(
        (peer.property("x-zone"), peer.property("resource")),
        (Some(&b"\0\xff"[..]), Some(&b"somewhere"[..]))
    );
}

/// Every type can be asked, and a REP and a REQ keep their turns.
#[test]
fn conversations_tell_whose_they_are() {
    let world = World::new(Transport::Tcp);
    let rep = world.socket_with(Rep, in_zone("rep"));
    let req = world.socket_with(Req, in_zone("req"));
    connect(&req, &world.bind(&rep));
    for _ in 0..3 {
        send(&req, ["question"]);
        let (question, peer) = rep.recv_with_peer().expect("a question");
        assert_eq!((question.first(), zone(&peer)), (&"question".into(), &b"req"[..]));
        assert!(matches!(rep.try_recv_with_peer(), Err(Error::WrongState { .. })));
        send(&rep, ["answer"]);
        let (answer, peer) = req.recv_with_peer().expect("an answer");
        assert_eq!((answer.first(), zone(&peer)), (&"answer".into(), &b"rep"[..]));
    }
    for kind in [Push, Pub] as [SocketType; 2] {
        assert!(matches!(world.socket(kind).try_recv_with_peer(), Err(Error::NotSupported { .. })));
    }
    let soon = std::time::Instant::now() + crate::world::MOMENT;
    let (pull, _) = world.bound(Pull);
    assert!(matches!(pull.recv_with_peer_deadline(soon), Err(Error::TimedOut)));
    let push = world.connected(Push, &pull.last_endpoint().expect("it is bound").to_string());
    send(&push, ["after"]);
    assert_eq!(recv_text(&pull), ["after"]);
}
