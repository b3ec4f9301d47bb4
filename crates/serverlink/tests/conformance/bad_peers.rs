//! A peer that misbehaves loses its own connection and nobody else's.

use std::time::Duration;

use serverlink::{EventKind, Monitor, Options, Socket, SocketType::*};

use crate::{
    monitor::wait_for,
    raw::{COMMAND, LONG, MORE, RawPeer, command, frame, greeting, property, ready},
    world::{Transport, World, connect, peers, recv_text, send},
};

/// Short, because some of these peers are given up only when it is over.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(150);

/// A PULL with a healthy peer, and a place for a bad one.
struct Scene {
    pull: Socket,
    healthy: Socket,
    endpoint: String,
    monitor: Monitor,
    _world: World,
}

impl Scene {
    fn new() -> Scene {
        Scene::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Scene {
        let world = World::new(Transport::Tcp);
        let pull = world.socket_with(Pull, |options| {
            options.handshake_timeout = HANDSHAKE_TIMEOUT;
            change(options);
        });
        let endpoint = world.bind(&pull);
        let healthy = world.socket(Push);
        connect(&healthy, &endpoint);
        peers(&pull, 1);
        let monitor = pull.monitor();
        Scene { pull, healthy, endpoint, monitor, _world: world }
    }

    fn peer(&self) -> RawPeer {
        RawPeer::connect(&self.endpoint)
    }

    fn established_peer(&self) -> RawPeer {
        let mut peer = self.peer();
        peer.shake_hands("PUSH");
        peer
    }

    fn assert_unharmed(&self) {
        for round in 0..10 {
            send(&self.healthy, ["healthy", &round.to_string()]);
            assert_eq!(recv_text(&self.pull), ["healthy", &round.to_string()]);
        }
    }

    /// The peer's connection ends, with a reason, and nothing else does.
    fn assert_only_loses(&self, mut bad: RawPeer) {
        self.assert_unharmed();
        bad.assert_closed();
        self.assert_unharmed();
        let reason = wait_for(&self.monitor, |event| match event {
            EventKind::HandshakeFailed { reason, .. } | EventKind::Disconnected { reason, .. } => {
                Some(reason)
            }
            _ => None,
        });
        assert!(reason.len() > 10, "{reason:?} explains nothing");
        assert_eq!(self.pull.stats().peers, 1, "the healthy one is left");
    }
}

/// Sends `bytes` in place of a greeting.
fn refused_in_greeting(bytes: &[u8]) {
    let scene = Scene::new();
    let mut bad = scene.peer();
    // The connection may end before everything is written.
    bad.try_send(bytes);
    scene.assert_only_loses(bad);
}

/// Sends `bytes` after a good greeting, in place of READY.
fn refused_in_handshake(bytes: &[u8]) {
    let scene = Scene::new();
    let mut bad = scene.peer();
    bad.send(&greeting(1));
    bad.try_send(bytes);
    scene.assert_only_loses(bad);
}

/// Sends `bytes` on an established connection.
fn refused_when_established(bytes: &[u8]) {
    let scene = Scene::new();
    let mut bad = scene.established_peer();
    bad.try_send(bytes);
    scene.assert_only_loses(bad);
}

#[test]
fn garbage() {
    refused_in_greeting(&[0x5a; 300]);
    refused_in_greeting(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    refused_in_greeting(&[0xff; 64]);
}

#[test]
fn half_a_greeting_and_silence() {
    refused_in_greeting(&greeting(1)[..11]);
    refused_in_greeting(&greeting(1)[..63]);
}

#[test]
fn nothing_at_all() {
    refused_in_greeting(&[]);
}

#[test]
fn half_a_greeting_and_the_end() {
    let scene = Scene::new();
    let mut bad = scene.peer();
    bad.send(&greeting(1)[..30]);
    bad.stop_sending();
    scene.assert_only_loses(bad);
}

#[test]
fn a_greeting_and_silence() {
    refused_in_handshake(&[]);
}

#[test]
fn another_mechanism() {
    let mut plain = greeting(1);
    plain[12..17].copy_from_slice(b"PLAIN");
    refused_in_greeting(&plain);
}

#[test]
fn an_old_revision() {
    let mut version_2 = greeting(0);
    version_2[10] = 1;
    refused_in_greeting(&version_2);
}

#[test]
fn a_message_before_ready() {
    refused_in_handshake(&frame(0, b"too early"));
}

#[test]
fn a_socket_type_that_does_not_fit() {
    refused_in_handshake(&ready("SUB"));
    refused_in_handshake(&ready("push and more"));
    refused_in_handshake(&command("READY", &property("Identity", b"nameless type")));
}

#[test]
fn malformed_metadata() {
    refused_in_handshake(&command("READY", b"\x0bSocket-Type\xff\xff\xff\xffPUSH"));
    refused_in_handshake(&command("READY", b"\x40Socket-Type"));
    refused_in_handshake(&command("READY", b"\x00\x00\x00\x00\x04PUSH"));
    refused_in_handshake(&frame(COMMAND, b""));
    refused_in_handshake(&frame(COMMAND, b"\xffREADY"));
}

#[test]
fn an_error_in_place_of_ready() {
    refused_in_handshake(&command("ERROR", b"\x04nope"));
    refused_in_handshake(&command("ERROR", b"\xffshorter than it says"));
}

#[test]
fn endless_commands_in_the_handshake() {
    let scene = Scene::with(|options| options.handshake_timeout = Duration::from_secs(3600));
    let mut bad = scene.peer();
    bad.send(&greeting(1));
    let noise = command("NOISE", &[0; 200]);
    let written = (0..1_000_000).take_while(|_| bad.try_send(&noise)).count();
    assert!(written < 1_000_000, "commands without end were taken");
    scene.assert_only_loses(bad);
}

#[test]
fn a_huge_ready() {
    let scene = Scene::with(|options| options.handshake_timeout = Duration::from_secs(3600));
    let mut bad = scene.peer();
    bad.send(&greeting(1));
    bad.send(&[COMMAND | LONG]);
    bad.send(&(1_u64 << 40).to_be_bytes());
    scene.assert_only_loses(bad);
}

#[test]
fn a_huge_length() {
    for length in [1 << 40, i64::MAX as u64, 1 << 63, u64::MAX] {
        refused_when_established(&[&[LONG][..], &u64::to_be_bytes(length)].concat());
    }
}

#[test]
fn a_message_over_the_limit() {
    let scene = Scene::with(|options| options.max_message_bytes = 1000);
    let mut bad = scene.established_peer();
    bad.send(&frame(0, &[b'x'; 1000]));
    assert_eq!(crate::world::recv(&scene.pull).len_bytes(), 1000);
    // Each part is small enough, the message is not.
    bad.send(&frame(MORE, &[b'x'; 600]));
    bad.try_send(&frame(0, &[b'x'; 600]));
    scene.assert_only_loses(bad);
}

#[test]
fn parts_without_end() {
    let scene = Scene::with(|options| options.max_message_bytes = 100_000);
    let mut bad = scene.established_peer();
    let noise = frame(MORE, b"and").repeat(1000);
    let written = (0..100_000).take_while(|_| bad.try_send(&noise)).count();
    assert!(written < 100_000, "parts without end were taken");
    scene.assert_only_loses(bad);
}

#[test]
fn empty_parts_without_end() {
    let scene = Scene::with(|options| options.max_message_bytes = 100_000);
    let mut bad = scene.established_peer();
    let noise = frame(MORE, b"").repeat(1000);
    let written = (0..100_000).take_while(|_| bad.try_send(&noise)).count();
    assert!(written < 100_000, "empty parts without end were taken");
    scene.assert_only_loses(bad);
}

#[test]
fn reserved_flags() {
    for flags in [0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
        refused_when_established(&[flags, 1, b'x']);
    }
}

#[test]
fn a_command_with_more() {
    refused_when_established(&[COMMAND | MORE, 6, 4, b'P', b'I', b'N', b'G', 0]);
}

#[test]
fn a_short_ping() {
    refused_when_established(&command("PING", b"\x00"));
    refused_when_established(&command("PING", b""));
}

#[test]
fn a_command_in_the_middle_of_a_message() {
    let scene = Scene::new();
    let mut peer = scene.established_peer();
    peer.send(&frame(MORE, b"first"));
    peer.send(&command("PING", b"\x00\x00"));
    peer.send(&frame(0, b"second"));
    // Commands may come between the parts of a message and change nothing about it.
    assert_eq!(recv_text(&scene.pull), ["first", "second"]);
    scene.assert_unharmed();
}

#[test]
fn half_a_message_and_the_end() {
    let scene = Scene::new();
    let mut bad = scene.established_peer();
    bad.send(&frame(0, b"whole"));
    bad.send(&frame(MORE, b"first part"));
    bad.send(&[0, 200, b'x']);
    bad.stop_sending();
    assert_eq!(recv_text(&scene.pull), ["whole"]);
    scene.assert_only_loses(bad);
}

#[test]
fn many_bad_peers_at_once() {
    let scene = Scene::new();
    let mut bad: Vec<_> = (0..50).map(|_| scene.peer()).collect();
    for (number, peer) in bad.iter_mut().enumerate() {
        peer.try_send(&greeting(1)[..number]);
        peer.try_send(&[number as u8; 40]);
    }
    scene.assert_unharmed();
    bad.iter_mut().for_each(RawPeer::assert_closed);
    scene.assert_unharmed();
}

/// A peer that takes nothing fills its own queue only.
#[test]
fn a_peer_that_never_reads() {
    let world = World::new(Transport::Tcp);
    let publisher = world.socket_with(Xpub, |options| options.send_hwm = 10);
    let endpoint = world.bind(&publisher);
    let mut deaf = RawPeer::connect(&endpoint);
    deaf.shake_hands("SUB");
    deaf.send(&command("SUBSCRIBE", b""));
    assert_eq!(crate::world::recv(&publisher).first(), b"\x01");
    let healthy = world.connected(Sub, &endpoint);
    healthy.subscribe("topic").expect("subscribing");
    assert_eq!(crate::world::recv(&publisher).first(), b"\x01topic");
    let body = "x".repeat(100_000);
    for round in 0..200 {
        send(&publisher, ["topic", &round.to_string(), &body]);
        assert_eq!(recv_text(&healthy)[1], round.to_string());
    }
    assert!(publisher.stats().dropped_at_high_water_mark > 0);
}
