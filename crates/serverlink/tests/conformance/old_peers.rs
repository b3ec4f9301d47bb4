//! Peers of ZMTP 2.0 and 1.0: every pattern, from either side, and what they may not do.

use std::{net::TcpListener, time::Duration};

use serverlink::{
    EventKind, Message, Socket,
    SocketType::{self, *},
    ZmtpVersion,
};

use crate::{
    monitor::wait_for,
    old_raw::{Old, OldPeer},
    raw::RawPeer,
    world::{Transport, World, assert_nothing_waits, peers, recv, recv_text, send, until_peers_left},
};

/// Short, because some of these peers are given up only when it is over.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(150);

#[derive(Clone, Copy, Debug)]
enum Side {
    Binds,
    Dials,
}

/// One of our sockets and an old peer through the handshake.
fn linked(
    world: &World,
    socket: &Socket,
    side: Side,
    version: Old,
    theirs: SocketType,
    name: &[u8],
) -> OldPeer {
    let mut peer = match side {
        Side::Binds => OldPeer::connect(&world.bind(socket), version),
        Side::Dials => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = listener.local_addr().expect("it is bound").port();
            socket.connect(&format!("tcp://127.0.0.1:{port}")).expect("connecting");
            OldPeer::accept(&listener, version)
        }
    };
    let identity = peer.shake(theirs, name);
    assert_eq!(identity, socket.options().routing_id, "{version:?}");
    peers(socket, 1);
    peer
}

fn in_every_way(mut case: impl FnMut(&World, Side, Old)) {
    let world = World::new(Transport::Tcp);
    for version in Old::ALL {
        for side in [Side::Binds, Side::Dials] {
            case(&world, side, version);
        }
    }
}

/// Around the lengths at which the forms differ, and one that is written by reference.
fn lengths() -> impl Iterator<Item = usize> {
    [0, 1, 252, 253, 254, 255, 256, 257, 20_000].into_iter()
}

#[test]
fn push() {
    in_every_way(|world, side, version| {
        let push = world.socket(Push);
        let mut peer = linked(world, &push, side, version, Pull, b"");
        for length in lengths() {
            let body = vec![length as u8; length];
            push.send(body.clone()).expect("sending");
            assert_eq!(peer.recv(), std::slice::from_ref(&body), "{version:?} {length}");
            push.send(Message::from_parts([&b""[..], &body, b"end"])).expect("sending");
            assert_eq!(peer.recv(), [b"".to_vec(), body, b"end".to_vec()], "{version:?} {length}");
        }
    });
}

#[test]
fn pull() {
    in_every_way(|world, side, version| {
        let pull = world.socket(Pull);
        let mut peer = linked(world, &pull, side, version, Push, b"");
        for length in lengths() {
            let body = vec![length as u8; length];
            peer.send(&[&body]);
            assert_eq!(recv(&pull).first(), body.as_slice(), "{version:?} {length}");
            peer.send(&[b"", &body, b"end"]);
            let message = recv(&pull);
            assert_eq!(
                (message.part_count(), &message[1]),
                (3, &body.as_slice().into()),
                "{version:?} {length}"
            );
        }
        peer.send(&[b"the last"]);
        peer.stop_sending();
        assert_eq!(recv_text(&pull), ["the last"]);
    });
}

#[test]
fn pair_and_dealer() {
    for (ours, theirs) in [(Pair, Pair), (Dealer, Dealer), (Dealer, Router)] {
        in_every_way(|world, side, version| {
            let socket = world.socket(ours);
            let mut peer = linked(world, &socket, side, version, theirs, b"");
            send(&socket, ["there", "and"]);
            assert_eq!(peer.recv(), [b"there", &b"and"[..]]);
            peer.send(&[b"back"]);
            assert_eq!(recv_text(&socket), ["back"]);
        });
    }
}

#[test]
fn request() {
    in_every_way(|world, side, version| {
        let req = world.socket(Req);
        let mut peer = linked(world, &req, side, version, Rep, b"");
        for round in ["1", "2"] {
            send(&req, ["question", round]);
            assert_eq!(peer.recv(), [b"", &b"question"[..], round.as_bytes()]);
            peer.send(&[b"", b"answer"]);
            assert_eq!(recv_text(&req), ["answer"]);
        }
    });
}

#[test]
fn reply() {
    in_every_way(|world, side, version| {
        let rep = world.socket(Rep);
        let mut peer = linked(world, &rep, side, version, Req, b"");
        for _ in 0..2 {
            peer.send(&[b"", b"question"]);
            assert_eq!(recv_text(&rep), ["question"]);
            send(&rep, ["answer"]);
            assert_eq!(peer.recv(), [b"", &b"answer"[..]]);
        }
    });
}

#[test]
fn router() {
    in_every_way(|world, side, version| {
        for name in ["", "them"] {
            let router = world.socket_with(Router, |options| options.routing_id = b"me".to_vec());
            let mut peer = linked(world, &router, side, version, Dealer, name.as_bytes());
            peer.send(&[b"hello"]);
            let hello = recv(&router);
            let (id, rest) = hello.split_first();
            assert_eq!(rest, Some(Message::from("hello")));
            match name {
                "" => assert_eq!((id.len(), id[0]), (5, 0), "a name of the ROUTER's own"),
                name => assert_eq!(id, name),
            }
            router.send(Message::from_parts([&id[..], b"answer"])).expect("sending");
            assert_eq!(peer.recv(), [b"answer"]);
        }
    });
}

#[test]
fn publishers() {
    for ours in [Pub, Xpub] {
        in_every_way(|world, side, version| {
            let publisher = world.socket(ours);
            let mut peer = linked(world, &publisher, side, version, Sub, b"");
            // A subscriber of 1.0 filters by itself and says nothing of its topics.
            let says_so = version != Old::V1;
            if says_so {
                peer.send(&[b"\x01topic"]);
            }
            if ours == Xpub {
                assert_eq!(recv(&publisher).first(), if says_so { &b"\x01topic"[..] } else { b"\x01" });
            }
            crate::world::subscribers(&publisher, 1);
            send(&publisher, ["other"]);
            send(&publisher, ["topic", "body"]);
            if !says_so {
                assert_eq!(peer.recv(), [b"other"]);
            }
            assert_eq!(peer.recv(), [b"topic", &b"body"[..]]);
        });
    }
}

#[test]
fn subscribers() {
    for ours in [Sub, Xsub] {
        in_every_way(|world, side, version| {
            let subscriber = world.socket(ours);
            subscriber.subscribe("topic").expect("subscribing");
            let mut peer = linked(world, &subscriber, side, version, Pub, b"");
            assert_eq!(peer.recv(), [b"\x01topic"]);
            subscriber.subscribe("more").expect("subscribing");
            assert_eq!(peer.recv(), [b"\x01more"]);
            subscriber.unsubscribe("more").expect("it was subscribed");
            assert_eq!(peer.recv(), [b"\x00more"]);
            // A publisher of 1.0 sends everything. What a SUB did not ask for it drops, an XSUB's application sees it.
            peer.send(&[b"other"]);
            if ours == Xsub {
                assert_eq!(recv_text(&subscriber), ["other"]);
            }
            peer.send(&[b"topic", b"body"]);
            assert_eq!(recv_text(&subscriber), ["topic", "body"]);
        });
    }
}

#[test]
fn the_version_is_told() {
    in_every_way(|world, side, version| {
        let dealer = world.socket(Dealer);
        let monitor = dealer.monitor();
        let _peer = linked(world, &dealer, side, version, Router, b"them");
        let told = wait_for(&monitor, |event| match event {
            EventKind::Established { peer, .. } => Some(peer),
            _ => None,
        });
        let spoken = if version == Old::V2 { ZmtpVersion::V2_0 } else { ZmtpVersion::V1_0 };
        assert_eq!(told.version, Some(spoken));
        assert_eq!(told.socket_type, (version != Old::V1).then_some(Router));
        assert_eq!(told.routing_id, b"them");
    });
}

/// What is queued fits every version: a server may be replaced by another one of another age.
#[test]
fn a_peer_may_come_back_in_another_version() {
    let world = World::new(Transport::Tcp);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let push = world.socket_with(Push, |options| options.reconnect_interval = Duration::from_millis(5));
    push.connect(&format!("tcp://{}", listener.local_addr().expect("it is bound"))).expect("connecting");
    for version in [Old::V1, Old::V2, Old::V1, Old::Revision0] {
        until_peers_left(&push, 0);
        // It waits in the queue until somebody is there.
        send(&push, ["queued", "for anybody"]);
        let mut peer = OldPeer::accept(&listener, version);
        peer.shake(Pull, b"");
        assert_eq!(peer.recv(), [b"queued", &b"for anybody"[..]], "{version:?}");
    }
    until_peers_left(&push, 0);
    send(&push, ["for the newest"]);
    let mut peer = RawPeer::accept(&listener);
    peer.shake_hands("PULL");
    assert_eq!(peer.read_frame(), (0, b"for the newest".to_vec()));
}

#[test]
fn a_name_that_is_taken_ends_the_newcomer() {
    let world = World::new(Transport::Tcp);
    let (router, endpoint) = world.bound(Router);
    let mut first = OldPeer::connect(&endpoint, Old::V1);
    first.shake(Dealer, b"them");
    peers(&router, 1);
    for version in Old::ALL {
        let mut second = OldPeer::connect(&endpoint, version);
        second.send_bytes(&version.handshake(Dealer, b"them"));
        second.assert_closed();
    }
    first.send(&[b"unharmed"]);
    assert_eq!(recv_text(&router), ["them", "unharmed"]);
}

#[test]
fn types_that_do_not_fit_are_refused_where_they_are_told() {
    let world = World::new(Transport::Tcp);
    let (pull, endpoint) = world.bound(Pull);
    let monitor = pull.monitor();
    for version in [Old::Revision0, Old::V2] {
        let mut peer = OldPeer::connect(&endpoint, version);
        peer.send_bytes(&version.handshake(Sub, b""));
        peer.assert_closed();
        let reason = wait_for(&monitor, |event| match event {
            EventKind::HandshakeFailed { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(reason, "the peer is a SUB socket and cannot talk to this PULL socket");
    }
}

/// Whoever stops at any octet is given up at the deadline.
#[test]
fn the_handshake_has_a_deadline_at_every_octet() {
    let world = World::new(Transport::Tcp);
    let pull = world.socket_with(Pull, |options| options.handshake_timeout = HANDSHAKE_TIMEOUT);
    let endpoint = world.bind(&pull);
    let mut stopped = Vec::new();
    for version in Old::ALL {
        let handshake = version.handshake(Push, b"name");
        for octets in 0..handshake.len() {
            let mut peer = OldPeer::connect(&endpoint, version);
            peer.send_bytes(&handshake[..octets]);
            stopped.push(peer);
        }
    }
    stopped.iter_mut().for_each(OldPeer::assert_closed);
    // One octet at a time is slow, and in time.
    let pull = world.socket(Pull);
    let endpoint = world.bind(&pull);
    for version in Old::ALL {
        let mut peer = OldPeer::connect(&endpoint, version);
        let all = [
            version.handshake(Push, b"name"),
            version.frame(true, b"one"),
            version.frame(false, &[b'x'; 300]),
        ];
        all.concat().iter().for_each(|&octet| peer.send_bytes(&[octet]));
        assert_eq!(recv(&pull).part_count(), 2, "{version:?}");
    }
}

#[test]
fn everything_and_the_end_in_one_segment() {
    let world = World::new(Transport::Tcp);
    let (pull, endpoint) = world.bound(Pull);
    for version in Old::ALL {
        let mut peer = OldPeer::connect(&endpoint, version);
        let messages = [version.frame(false, b"one"), version.frame(true, b"two"), version.frame(false, b"")];
        // And half a message, of which nothing may come.
        let cut = [version.frame(true, b"first part"), version.frame(false, b"cut")[..3].to_vec()];
        peer.send_bytes(&[version.handshake(Push, b""), messages.concat(), cut.concat()].concat());
        peer.stop_sending();
        assert_eq!(recv_text(&pull), ["one"], "{version:?}");
        assert_eq!(recv_text(&pull), ["two", ""], "{version:?}");
    }
    until_peers_left(&pull, 0);
    assert_nothing_waits(&pull);
}

/// What such peers may not send ends their connection, and what came before is kept.
#[test]
fn what_is_not_theirs_to_send_is_refused() {
    let world = World::new(Transport::Tcp);
    let pull = world.socket_with(Pull, |options| options.max_message_bytes = 1000);
    let endpoint = world.bind(&pull);
    let huge = |flags: &[u8]| [&[0xFF][..], &(1_u64 << 40).to_be_bytes(), flags].concat();
    let table: &[(Old, Vec<u8>)] = &[
        (Old::V2, b"\x04\x07\x04PING\0\0".to_vec()),
        (Old::V2, b"\x04\x06\x05READY".to_vec()),
        (Old::V2, b"\x04\x00".to_vec()),
        (Old::V2, [&[2][..], &(1_u64 << 40).to_be_bytes()].concat()),
        (Old::V2, Old::V2.frame(false, &[0; 1001])),
        (Old::V1, vec![0]),
        (Old::V1, vec![5, 0x04, b'P']),
        (Old::V1, vec![0xFF; 10]),
        (Old::V1, huge(&[0])),
        (Old::V1, Old::V1.frame(false, &[0; 1001])),
        (Old::Revision0, Old::V1.frame(true, &[0; 600]).repeat(2)),
    ];
    for (version, wrong) in table {
        let mut peer = OldPeer::connect(&endpoint, *version);
        peer.send_bytes(&[version.handshake(Push, b""), version.frame(false, b"good")].concat());
        assert_eq!(recv_text(&pull), ["good"]);
        peer.send_bytes(&[version.frame(false, b"still good"), wrong.clone()].concat());
        assert_eq!(recv_text(&pull), ["still good"], "{version:?} {wrong:?}");
        // Whoever takes comes upon it.
        assert_nothing_waits(&pull);
        peer.assert_closed();
    }
}

/// A queue that fills up in front of an old peer is as long as in front of any other, and nothing of it is lost.
#[test]
fn marks_and_order_hold_under_load() {
    in_every_way(|world, side, version| {
        let push = world.socket_with(Push, |options| options.send_hwm = 50);
        let mut peer = linked(world, &push, side, version, Pull, b"");
        let reader = std::thread::spawn(move || {
            for number in 0..20_000_u32 {
                assert_eq!(peer.recv(), [number.to_be_bytes().to_vec(), vec![0; number as usize % 400]]);
            }
        });
        for number in 0..20_000_u32 {
            let body = vec![0; number as usize % 400];
            push.send(Message::from_parts([&number.to_be_bytes()[..], &body])).expect("sending");
            assert!(push.stats().send_queue <= 50);
        }
        reader.join().expect("every message once and in order");
    });
}
