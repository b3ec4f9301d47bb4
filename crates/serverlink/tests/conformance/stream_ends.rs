//! STREAM: how connections end, and what comes after them.

use std::io::{Read, Write};
use std::time::Duration;

use serverlink::{Error, Linger, Message, Part, SocketType::*};

use crate::{
    over_streams,
    stream::{browser, octets, say, told},
    world::{Transport, World, assert_nothing_waits, eventually, peers, recv, until_peers_left},
};

over_streams! {
    hanging_up_writes_what_is_queued
    hanging_up_on_one_leaves_the_others
    a_dialed_connection_that_is_hung_up_is_not_made_again
    a_dialed_connection_that_is_lost_is_made_again
    hanging_up_before_anybody_is_there_ends_the_attempts
}

fn hanging_up_writes_what_is_queued(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket(Stream);
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    told(&dialing);
    let other = told(&bound);
    let large = vec![b'l'; 300_000];
    say(&bound, &other, &large);
    say(&bound, &other, b"");
    let refused =
        bound.try_send(Message::from_parts([other.clone(), "late".into()])).expect_err("it is gone");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert_eq!(octets(&dialing, &id, large.len()), large);
    assert_eq!(told(&dialing), id);
    until_peers_left(&bound, 0);
    assert_eq!(bound.stats().dropped_with_peer, 0);
}

fn hanging_up_on_one_leaves_the_others(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let sockets: Vec<_> = (0..2)
        .map(|_| {
            let socket = world.socket(Stream);
            let id = socket.connect_peer(&endpoint).expect("connecting");
            assert_eq!(told(&socket), id);
            let other = told(&bound);
            (socket, id, other)
        })
        .collect();
    let [(_, _, gone), (stays, id, other)] = &sockets[..] else { panic!("two sockets") };
    // What one that is hung up on sent before is not received any more.
    say(&sockets[0].0, &sockets[0].1, b"unheard");
    say(&bound, gone, b"");
    say(stays, id, b"still here");
    assert_eq!(octets(&bound, other, 10), b"still here");
    say(&bound, other, b"and we");
    assert_eq!(octets(stays, id, 6), b"and we");
}

fn a_dialed_connection_that_is_hung_up_is_not_made_again(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket_with(Stream, |options| options.reconnect_interval = Duration::from_millis(1));
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    told(&dialing);
    let other = told(&bound);
    say(&dialing, &id, b"last words");
    say(&dialing, &id, b"");
    assert_eq!(octets(&bound, &other, 10), b"last words");
    assert_eq!(told(&bound), other);
    until_peers_left(&dialing, 0);
    let again = dialing.connect_peer(&endpoint).expect("connecting");
    assert_ne!(again, id);
    assert_eq!(told(&dialing), again, "this one, and not the old one");
    assert_ne!(told(&bound), other);
    assert!(matches!(dialing.disconnect(&endpoint), Ok(())));
    assert!(matches!(dialing.disconnect(&endpoint), Err(Error::NoSuchEndpoint { .. })));
}

fn a_dialed_connection_that_is_lost_is_made_again(world: &World) {
    let (bound, endpoint) = world.bound(Stream);
    let dialing = world.socket_with(Stream, |options| options.reconnect_interval = Duration::from_millis(1));
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    let first = told(&bound);
    say(&bound, &first, b"first");
    say(&bound, &first, b"");
    let second = told(&bound);
    say(&bound, &second, b"second");
    // Ends and beginnings are where they happened, whenever somebody reads.
    assert_eq!(told(&dialing), id);
    assert_eq!(octets(&dialing, &id, 5), b"first");
    assert_eq!(told(&dialing), id);
    assert_eq!(told(&dialing), id);
    assert_eq!(octets(&dialing, &id, 6), b"second");
    say(&dialing, &id, b"heard");
    assert_eq!(octets(&bound, &second, 5), b"heard");
}

fn hanging_up_before_anybody_is_there_ends_the_attempts(world: &World) {
    let endpoint = world.deserted_endpoint();
    let dialing = world.socket(Stream);
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    say(&dialing, &id, b"unheard");
    say(&dialing, &id, b"");
    let refused = dialing.try_send(Message::from_parts([id, "late".into()])).expect_err("it is gone");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert!(matches!(dialing.disconnect(&endpoint), Err(Error::NoSuchEndpoint { .. })));
    assert_eq!(dialing.stats().dropped_with_peer, 1);
}

// ---- with other programs

/// What the other side has not read is no reason for the answer to be lost.
#[test]
fn an_answer_reaches_a_browser_that_goes_on_talking() {
    let world = World::new(Transport::Tcp);
    let (stream, endpoint) = world.bound(Stream);
    let mut browser = browser(&endpoint);
    let who = told(&stream);
    browser.write_all(b"a question that nobody reads to its end").expect("it is connected");
    say(&stream, &who, b"enough");
    say(&stream, &who, b"");
    let mut answer = String::new();
    browser.read_to_string(&mut answer).expect("all of the answer, and its end");
    assert_eq!(answer, "enough");
    drop(browser);
    until_peers_left(&stream, 0);
    assert_nothing_waits(&stream);
}

/// One that takes nothing and says nothing is not kept for ever.
#[test]
fn hanging_up_takes_as_long_as_the_linger() {
    let world = World::new(Transport::Tcp);
    let stream = world.socket_with(Stream, |options| options.linger = Linger::For(Duration::from_millis(20)));
    let endpoint = world.bind(&stream);
    let (full, open) = (browser(&endpoint), browser(&endpoint));
    let ids = [told(&stream), told(&stream)];
    peers(&stream, 2);
    let body = Part::copy_from(&vec![b'f'; 200_000]);
    while stream.try_send(Message::from_parts([ids[0].clone(), body.clone()])).is_ok() {}
    ids.iter().for_each(|id| say(&stream, id, b""));
    until_peers_left(&stream, 0);
    drop((full, open));
}

/// A broken stream takes with it what was queued for it, and counts it.
#[test]
fn what_was_queued_does_not_get_into_the_next_stream() {
    let world = World::new(Transport::Tcp);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("tcp://{}", listener.local_addr().expect("bound"));
    let dialing = world.socket_with(Stream, |options| {
        options.reconnect_interval = Duration::from_millis(1);
        options.send_hwm = 20;
    });
    let id = dialing.connect_peer(&endpoint).expect("connecting");
    let (first, _) = listener.accept().expect("it connects");
    told(&dialing);
    let body = Part::copy_from(&vec![b'f'; 200_000]);
    while dialing.try_send(Message::from_parts([id.clone(), body.clone()])).is_ok() {}
    drop(first);
    assert_eq!(told(&dialing), id);
    let (mut second, _) = listener.accept().expect("it comes back");
    assert_eq!(told(&dialing), id);
    eventually("there is room", || {
        dialing.try_send(Message::from_parts([id.clone(), "fresh".into()])).is_ok()
    });
    let mut octets = [0; 5];
    second.read_exact(&mut octets).expect("the first octets");
    assert_eq!(&octets, b"fresh");
    second.write_all(b"x").expect("it is connected");
    assert_eq!(recv(&dialing)[1], "x");
    assert!(dialing.stats().dropped_with_peer > 0);
}
