//! STREAM: octets from and to programs without ZMTP.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serverlink::{Error, EventKind, Message, Options, Part, Socket, SocketType::*};

use crate::{
    over_streams,
    world::{
        PATIENCE, Transport, World, assert_nothing_waits, eventually, peers, recv, send, text,
        until_peers_left,
    },
};

over_streams! {
    two_streams_exchange_octets
    a_message_needs_somebody_to_go_to
    a_stream_is_sent_to_before_it_is_there
    names_of_our_own
    only_connections_have_octets
}

/// Octets of one connection, as many as are asked for: how they come in messages says nothing.
pub(crate) fn octets(socket: &Socket, from: &Part, count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        let message = recv(socket);
        assert_eq!((message.part_count(), &message[0]), (2, from));
        assert!(!message[1].is_empty(), "it ended after {} of {count} octets", all.len());
        all.extend_from_slice(message[1].as_bytes());
    }
    assert_eq!(all.len(), count);
    all
}

/// The next message tells that a connection came or went.
pub(crate) fn told(socket: &Socket) -> Part {
    let message = recv(socket);
    assert_eq!((message.part_count(), message[1].len()), (2, 0), "{message:?}");
    message[0].clone()
}

pub(crate) fn say(socket: &Socket, to: &Part, octets: &[u8]) {
    let message = Message::from_parts([to.clone(), Part::copy_from(octets)]);
    socket.try_send(message).unwrap_or_else(|refused| panic!("sending: {}", refused.error));
}

/// The end of a program without ZMTP.
pub(crate) fn browser(endpoint: &str) -> TcpStream {
    let browser = TcpStream::connect(endpoint.trim_start_matches("tcp://")).expect("somebody listens");
    browser.set_read_timeout(Some(PATIENCE)).expect("a valid option");
    browser
}

fn two_streams_exchange_octets(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket(Stream);
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    assert_eq!((id.len(), id[0]), (5, 0));
    assert_eq!(told(&dialing), id);
    let other = told(&bound);
    for round in 0..5 {
        say(&dialing, &id, format!("question {round}").as_bytes());
        assert_eq!(octets(&bound, &other, 10), format!("question {round}").as_bytes());
        say(&bound, &other, b"ans");
        say(&bound, &other, b"wer");
        assert_eq!(octets(&dialing, &id, 6), b"answer");
    }
    let large: Vec<u8> = (0..500_000_u32).map(|number| number as u8).collect();
    say(&bound, &other, &large);
    assert_eq!(octets(&dialing, &id, large.len()), large);
    // Neither of both speaks ZMTP, nor knows what the other is.
    assert_eq!(bound.peers()[0].version, None);
    assert_eq!(bound.peers()[0].socket_type, None);
}

fn a_message_needs_somebody_to_go_to(world: &World) {
    let (stream, _endpoint) = world.bound(Stream);
    let message = Message::from_parts([&b"\0\0\0\0\x09"[..], b"octets"]);
    let refused = stream.try_send(message.clone()).expect_err("nobody is there");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert_eq!(refused.message, message);
    let refused = stream.try_send(Message::from_parts(["nobody", ""])).expect_err("nobody to hang up on");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    for parts in [&["alone"][..], &["id", "two", "parts"]] {
        let refused =
            stream.try_send(Message::from_parts(parts.iter().copied())).expect_err("no such message");
        assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{}", refused.error);
    }
}

fn a_stream_is_sent_to_before_it_is_there(world: &World) {
    let endpoint = world.deserted_endpoint();
    let early = world.socket_with(Stream, |options| options.stream_notify = false);
    let id = early.connect_peer(&endpoint).expect("connecting");
    say(&early, &id, b"early");
    let late = world.socket(Stream);
    late.bind(&endpoint).expect("binding");
    let other = told(&late);
    assert_eq!(octets(&late, &other, 5), b"early");
    say(&late, &other, b"found");
    assert_eq!(octets(&early, &id, 5), b"found", "nothing is told where that is off");
}

fn names_of_our_own(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket(Stream);
    dialing.connect_as(&endpoint, b"upstream").expect("connecting");
    let id = told(&dialing);
    assert_eq!(id, "upstream");
    let refused = dialing.connect_as(&endpoint, b"upstream").expect_err("the name is taken");
    assert!(matches!(refused, Error::InvalidOption { .. }), "{refused}");
    send(&dialing, ["upstream", "octets"]);
    let other = told(&bound);
    assert_eq!(octets(&bound, &other, 6), b"octets");
}

fn only_connections_have_octets(world: &World) {
    let stream = world.socket(Stream);
    for refused in [
        stream.bind("inproc://octets").map(drop).expect_err("no octets there"),
        stream.connect("inproc://octets").expect_err("no octets there"),
    ] {
        assert!(matches!(refused, Error::InvalidEndpoint { .. }), "{refused}");
    }
}

// ---- with other programs

#[test]
fn a_browser_is_served() {
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    let mut browser = browser(&endpoint);
    let who = told(&stream);
    browser.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is connected");
    assert_eq!(octets(&stream, &who, 18), b"GET / HTTP/1.0\r\n\r\n");
    say(&stream, &who, b"HTTP/1.0 200 OK\r\n\r\n");
    let mut answer = [0; 19];
    browser.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.0 200 OK\r\n\r\n");
    browser.shutdown(Shutdown::Write).expect("it is connected");
    assert_eq!(told(&stream), who, "its end comes behind all it sent");
}

#[test]
fn whoever_talks_zmtp_is_not_answered_in_it() {
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    let dealer = world.socket(Dealer);
    dealer.connect(&endpoint).expect("connecting");
    let who = told(&stream);
    assert_eq!(octets(&stream, &who, 10), b"\xff\0\0\0\0\0\0\0\x01\x7f");
    assert_eq!(dealer.stats().peers, 0);
}

#[test]
fn the_events_speak_of_no_zmtp() {
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    let monitor = stream.monitor();
    let _browser = browser(&endpoint);
    loop {
        let event = monitor.next_deadline(std::time::Instant::now() + PATIENCE).expect("an event in time");
        if let EventKind::Established { version, socket_type, .. } = event.kind {
            assert_eq!((version, socket_type), ((0, 0), None));
            break;
        }
    }
}

#[test]
fn a_browser_that_takes_nothing_blocks_its_own_answers_alone() {
    let world = World::new(Transport::Tcp);
    let stream = world.socket_with(Stream, |options| options.send_hwm = 4);
    let endpoint = world.bind(&stream);
    let (mut slow, mut quick) = (browser(&endpoint), browser(&endpoint));
    peers(&stream, 2);
    slow.write_all(b"s").expect("it is connected");
    quick.write_all(b"q").expect("it is connected");
    let mut ids = [Part::new(), Part::new()];
    while ids.iter().any(|id| id.is_empty()) {
        let message = recv(&stream);
        match &text(&message)[1][..] {
            "s" => ids[0] = message[0].clone(),
            "q" => ids[1] = message[0].clone(),
            _ => {}
        }
    }
    let body = Part::copy_from(&vec![b'f'; 100_000]);
    let whole = || Message::from_parts([ids[0].clone(), body.clone()]);
    let mut sent = 0;
    let refused = loop {
        match stream.try_send(whole()) {
            Ok(()) => sent += 1,
            Err(refused) => break refused.error,
        }
    };
    assert!(matches!(refused, Error::WouldBlock), "{refused}");
    say(&stream, &ids[1], b"you are not held up");
    let mut answer = [0; 19];
    quick.read_exact(&mut answer).expect("an answer");
    let mut all = vec![0; sent * 100_000];
    slow.read_exact(&mut all).expect("all that was sent");
    eventually("there is room again", || stream.try_send(whole()).is_ok());
    slow.read_exact(&mut all[..100_000]).expect("the rest");
}

#[test]
fn a_small_limit_makes_small_messages() {
    let world = World::new(Transport::Tcp);
    take_eight_octets(&world, &world.socket_with(Stream, |options| options.max_message_bytes = 3));
    let changed = world.socket_with(Stream, |_| {});
    let options = Options { max_message_bytes: 3, ..changed.options().clone() };
    changed.reconfigure(&options).expect("it may change");
    take_eight_octets(&world, &changed);
}

fn take_eight_octets(world: &World, stream: &Socket) {
    let endpoint = world.bind(stream);
    let mut browser = browser(&endpoint);
    let who = told(stream);
    browser.write_all(b"eight oc").expect("it is connected");
    let mut all = Vec::new();
    while all.len() < 8 {
        let message = recv(stream);
        assert!(message[0] == who && message[1].len() <= 3);
        all.extend_from_slice(message[1].as_bytes());
    }
    assert_eq!(all, b"eight oc");
    drop(browser);
    until_peers_left(stream, 0);
    assert_eq!(told(stream), who);
    assert_nothing_waits(stream);
}
