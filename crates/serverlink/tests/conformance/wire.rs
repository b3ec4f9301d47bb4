//! What goes over the wire, seen by a peer that speaks by hand.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serverlink::SocketType::*;

use crate::{
    raw::{COMMAND, MORE, RawPeer, command, frame, greeting, property, ready},
    world::{PATIENCE, Transport, World, connect, peers, recv, recv_text, send, subscribers},
};

fn world() -> World {
    World::new(Transport::Tcp)
}

/// Greeting, READY and two messages, the second of two parts.
fn whole_conversation() -> Vec<u8> {
    [greeting(1), ready("PUSH"), frame(0, b"one"), frame(MORE, b"two"), frame(0, b"")].concat()
}

#[test]
fn everything_in_one_segment() {
    let world = world();
    let (pull, endpoint) = world.bound(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&whole_conversation());
    assert_eq!(recv_text(&pull), ["one"]);
    assert_eq!(recv_text(&pull), ["two", ""]);
}

#[test]
fn everything_and_the_end_in_one_segment() {
    let world = world();
    let (pull, endpoint) = world.bound(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&whole_conversation());
    peer.stop_sending();
    assert_eq!(recv_text(&pull), ["one"]);
    assert_eq!(recv_text(&pull), ["two", ""]);
}

#[test]
fn one_byte_at_a_time() {
    let world = world();
    let (pull, endpoint) = world.bound(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    for byte in whole_conversation() {
        peer.send(&[byte]);
    }
    assert_eq!(recv_text(&pull), ["one"]);
    assert_eq!(recv_text(&pull), ["two", ""]);
}

/// A peer that sends its greeting only after it has ours, and READY only after it has ours.
#[test]
fn a_peer_that_waits_for_us() {
    let world = world();
    let (pull, endpoint) = world.bound(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&greeting(1)[..10]);
    let first = peer.read(11);
    assert_eq!((first[0], first[9], first[10]), (0xff, 0x7f, 3));
    peer.send(&greeting(1)[10..]);
    peer.read(64 - 11);
    peer.send(&ready("PUSH"));
    peer.read_frame();
    peer.send(&frame(0, b"patient"));
    assert_eq!(recv_text(&pull), ["patient"]);
}

#[test]
fn ready_tells_type_and_identity() {
    let world = world();
    let router = world.socket_with(Router, |options| options.routing_id = b"name".to_vec());
    let mut peer = RawPeer::connect(&world.bind(&router));
    let body = peer.shake_hands("DEALER");
    for wanted in [property("Socket-Type", b"ROUTER"), property("Identity", b"name")] {
        assert!(body.windows(wanted.len()).any(|window| window == wanted), "{body:?}");
    }
}

#[test]
fn property_names_have_no_case() {
    let world = world();
    let (router, endpoint) = world.bound(Router);
    let mut peer = RawPeer::connect(&endpoint);
    let properties = [
        property("X-Unknown", b"ignored"),
        property("IDENTITY", b"guest"),
        property("socket-type", b"DEALER"),
    ]
    .concat();
    peer.send(&[greeting(1), command("READY", &properties), frame(0, b"hello")].concat());
    assert_eq!(recv_text(&router), ["guest", "hello"]);
}

#[test]
fn frames_are_short_where_they_can_be() {
    let world = world();
    let (push, endpoint) = world.bound(Push);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("PULL");
    peers(&push, 1);
    for length in [0, 1, 255_usize] {
        push.send(vec![b'x'; length]).expect("sending");
        assert_eq!(peer.read(2), [0, length as u8]);
        peer.read(length);
    }
    push.send(vec![b'x'; 256]).expect("sending");
    assert_eq!(peer.read(9), [2, 0, 0, 0, 0, 0, 0, 1, 0]);
    peer.read(256);
    send(&push, ["a", "", "b"]);
    assert_eq!(peer.read(8), [1, 1, b'a', 1, 0, 0, 1, b'b']);
}

#[test]
fn ping_is_answered_with_its_context() {
    let world = world();
    let (_pull, endpoint) = world.bound(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("PUSH");
    // The application of the answering side does nothing all the while.
    for context in [&b""[..], b"context of 16 by"] {
        peer.send(&command("PING", &[b"\x00\x64", context].concat()));
        assert_eq!(peer.read_frame(), (COMMAND, [b"\x04PONG", context].concat()));
    }
}

#[test]
fn heartbeats_are_sent_and_their_absence_noticed() {
    let world = world();
    let pull = world.socket_with(Pull, |options| {
        options.heartbeat_interval = Duration::from_millis(30);
        options.heartbeat_timeout = Duration::from_millis(90);
        options.heartbeat_ttl = Duration::from_millis(1500);
    });
    let mut peer = RawPeer::connect(&world.bind(&pull));
    peer.shake_hands("PUSH");
    for _ in 0..3 {
        let (flags, body) = peer.read_frame();
        assert_eq!(flags, COMMAND);
        let context = body.strip_prefix(b"\x04PING\x00\x0f").expect("a PING with a ttl of 1.5 s");
        peer.send(&command("PONG", context));
    }
    // Now it falls silent.
    peer.assert_closed();
    crate::world::until_peers_left(&pull, 0);
}

/// The ttl of a PING: "give me up when you hear nothing for so long".
#[test]
fn a_peer_is_given_up_when_it_asked_for_that() {
    let world = world();
    let pull = world.socket_with(Pull, |options| options.heartbeat_interval = Duration::ZERO);
    let mut peer = RawPeer::connect(&world.bind(&pull));
    peer.shake_hands("PUSH");
    peers(&pull, 1);
    peer.send(&command("PING", b"\x00\x01"));
    assert_eq!(peer.read_frame(), (COMMAND, b"\x04PONG".to_vec()));
    peer.assert_closed();
    crate::world::until_peers_left(&pull, 0);
}

/// The PINGs of a peer whose messages nobody takes wait behind them. It must not take us for dead.
#[test]
fn a_peer_hears_of_us_while_nobody_reads() {
    let world = world();
    let pull = world.socket_with(Pull, |options| {
        options.recv_hwm = 1;
        options.heartbeat_interval = Duration::from_secs(3600);
    });
    let mut peer = RawPeer::connect(&world.bind(&pull));
    peer.shake_hands("PUSH");
    for _ in 0..100 {
        peer.send(&frame(0, &[b'm'; 1000]));
    }
    assert_eq!(peer.read_frame(), (COMMAND, b"\x04PING\0\0".to_vec()), "though its own time is far");
    for _ in 0..100 {
        assert_eq!(recv(&pull).len_bytes(), 1000);
    }
}

#[test]
fn subscriptions_are_commands_for_3_1() {
    let world = world();
    let subscriber = world.socket(Sub);
    let endpoint = world.bind(&subscriber);
    subscriber.subscribe("topic").expect("subscribing");
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("PUB");
    assert_eq!(peer.read_frame(), (COMMAND, b"\x09SUBSCRIBEtopic".to_vec()));
    subscriber.unsubscribe("topic").expect("it was subscribed");
    assert_eq!(peer.read_frame(), (COMMAND, b"\x06CANCELtopic".to_vec()));
}

#[test]
fn subscriptions_are_messages_for_3_0() {
    let world = world();
    let subscriber = world.socket(Sub);
    let endpoint = world.bind(&subscriber);
    subscriber.subscribe("topic").expect("subscribing");
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands_as("PUB", 0);
    assert_eq!(peer.read_frame(), (0, b"\x01topic".to_vec()));
    subscriber.unsubscribe("topic").expect("it was subscribed");
    assert_eq!(peer.read_frame(), (0, b"\x00topic".to_vec()));
    peer.send(&frame(0, b"topic"));
    subscriber.subscribe("other").expect("subscribing");
    assert_eq!(peer.read_frame(), (0, b"\x01other".to_vec()));
    peer.send(&frame(0, b"other"));
    assert_eq!(recv_text(&subscriber), ["other"]);
}

#[test]
fn both_forms_of_subscription_are_understood() {
    let world = world();
    let (publisher, endpoint) = world.bound(Pub);
    for (minor, form) in
        [(1, command("SUBSCRIBE", b"topic")), (1, frame(0, b"\x01topic")), (0, frame(0, b"\x01topic"))]
    {
        let mut peer = RawPeer::connect(&endpoint);
        peer.shake_hands_as("SUB", minor);
        peer.send(&form);
        subscribers(&publisher, 1);
        send(&publisher, ["other"]);
        send(&publisher, ["topic", "body"]);
        assert_eq!(peer.read_frame(), (MORE, b"topic".to_vec()));
        assert_eq!(peer.read_frame(), (0, b"body".to_vec()));
        drop(peer);
        crate::world::until_peers_left(&publisher, 0);
    }
}

/// RFC 37: as many cancellations as there were subscriptions.
#[test]
fn subscriptions_of_a_peer_add_up() {
    let world = world();
    let (publisher, endpoint) = world.bound(Xpub);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("SUB");
    peer.send(&[command("SUBSCRIBE", b"topic"), command("SUBSCRIBE", b"topic")].concat());
    peer.send(&[command("CANCEL", b"topic"), command("SUBSCRIBE", b"marker")].concat());
    assert_eq!(recv(&publisher).first(), b"\x01topic");
    assert_eq!(recv(&publisher).first(), b"\x01marker");
    peer.send(&command("CANCEL", b"topic"));
    assert_eq!(recv(&publisher).first(), b"\x00topic");
}

/// While one thread reads what comes, another receives: a cancellation that overtook its subscription would undo nothing.
#[test]
fn subscriptions_are_told_in_their_order() {
    const COUNT: u32 = 50_000;
    let world = world();
    let (publisher, endpoint) = world.bound(Xpub);
    let reads = world.socket(Pull);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("SUB");
    let is_done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !is_done.load(Relaxed) {
                reads.try_recv().expect_err("nobody sends to it");
            }
        });
        threads.spawn(move || {
            for number in 0..COUNT {
                let topic = number.to_string();
                peer.send(&command("SUBSCRIBE", topic.as_bytes()));
                peer.send(&command("CANCEL", topic.as_bytes()));
            }
        });
        let _done = OnDrop(|| is_done.store(true, Relaxed));
        let next = || {
            let deadline = Instant::now() + PATIENCE;
            loop {
                if let Ok(told) = publisher.try_recv() {
                    return told;
                }
                assert!(Instant::now() < deadline, "it is not told");
                std::thread::yield_now();
            }
        };
        for number in 0..COUNT {
            assert_eq!(next().first(), format!("\x01{number}").as_bytes());
            assert_eq!(next().first(), format!("\x00{number}").as_bytes());
        }
    });
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[test]
fn requests_and_replies_have_a_delimiter() {
    let world = world();
    let (req, endpoint) = world.bound(Req);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("REP");
    peers(&req, 1);
    send(&req, ["question"]);
    assert_eq!(peer.read_frame(), (MORE, Vec::new()));
    assert_eq!(peer.read_frame(), (0, b"question".to_vec()));
    peer.send(&[frame(MORE, b""), frame(0, b"answer")].concat());
    assert_eq!(recv_text(&req), ["answer"]);
}

#[test]
fn a_large_message_comes_through_whole() {
    let world = world();
    let (pull, endpoint) = world.bound(Pull);
    let push = world.socket(Push);
    connect(&push, &endpoint);
    let body: Vec<u8> = (0..20_000_000_u32).map(|index| (index >> 7) as u8).collect();
    push.send(body.clone()).expect("sending");
    assert!(recv(&pull).first() == body.as_slice());
}
