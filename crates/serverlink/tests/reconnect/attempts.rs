//! How an attempt to connect may go.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serverlink::{Context, EventKind, SocketType};
use serverlink_driver::{Address, ListenOptions, OsListener};

use crate::place::{PATIENCE, Place, Transport, brisk, eventually, over_raw_wires, over_wires, wait_for};
use crate::raw_link::RawListener;
use crate::{failed_attempt, recv, send};

over_wires! {
    the_listener_is_there
    the_listener_comes_later
    the_listener_goes_and_comes
    a_dialer_that_gives_up_stays_away
    what_is_sent_after_a_disconnect_goes_elsewhere
}

over_raw_wires! {
    a_silent_listener_is_given_up_and_called_again
}

const SHORT: Duration = Duration::from_millis(100);

fn the_listener_is_there(place: &Place) {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect(&endpoint).expect("connecting");
    send(&push, &["hello"]);
    assert_eq!(recv(&pull), ["hello"]);
    wait_for(&monitor, "the connection", |event| match event {
        EventKind::Established { .. } => Some(()),
        EventKind::HandshakeFailed { reason, .. } => panic!("the first attempt failed: {reason}"),
        _ => None,
    });
}

fn the_listener_comes_later(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect(&endpoint).expect("nobody need be there");
    for number in 0..10 {
        send(&push, &[&number.to_string()]);
    }
    for _ in 0..5 {
        assert!(failed_attempt(&monitor).starts_with("the system reported"));
    }
    let pull = brisk(&context, SocketType::Pull, |_| {});
    pull.bind(&endpoint).expect("a free endpoint");
    for number in 0..10 {
        assert_eq!(recv(&pull), [number.to_string()]);
    }
}

fn the_listener_goes_and_comes(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect(&endpoint).expect("nobody need be there");
    for round in 0..5 {
        let pull = brisk(&context, SocketType::Pull, |_| {});
        pull.bind(&endpoint).expect("a free endpoint");
        send(&push, &[&round.to_string()]);
        assert_eq!(recv(&pull), [round.to_string()]);
        pull.close(Duration::ZERO);
        wait_for(&monitor, "the end", |event| matches!(event, EventKind::Disconnected { .. }).then_some(()));
        failed_attempt(&monitor);
    }
}

/// `disconnect` in every state of an attempt: waiting, connecting, shaking hands, open.
fn a_dialer_that_gives_up_stays_away(place: &Place) {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let (endpoint, deserted) = (place.endpoint(), place.endpoint());
    pull.bind(&endpoint).expect("a free endpoint");
    let push = brisk(&context, SocketType::Push, |_| {});
    for round in 0..200 {
        push.connect(&deserted).expect("nobody need be there");
        push.connect(&endpoint).expect("connecting");
        if round % 2 == 0 {
            push.wait_for_peers(1, PATIENCE).expect("a connection");
        }
        push.disconnect(&endpoint).expect("it was connected");
        push.disconnect(&deserted).expect("it was connected");
    }
    // Dialers are stopped in their turn, so whoever connects after them finds them gone.
    let fresh = brisk(&context, SocketType::Pull, |_| {});
    push.connect(&fresh.bind(&place.endpoint()).expect("a free endpoint").to_string()).expect("connecting");
    fresh.wait_for_peers(1, PATIENCE).expect("a connection");
    for number in 0..10 {
        send(&push, &[&number.to_string()]);
        assert_eq!(recv(&fresh), [number.to_string()]);
    }
    eventually("all others are given up", || (push.stats().peers, pull.stats().peers) == (1, 0));
}

/// What was queued for an endpoint is given up with it, and nothing is queued there any more.
fn what_is_sent_after_a_disconnect_goes_elsewhere(place: &Place) {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let (endpoint, deserted) = (place.endpoint(), place.endpoint());
    pull.bind(&endpoint).expect("a free endpoint");
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&endpoint).expect("connecting");
    push.wait_for_peers(1, PATIENCE).expect("a connection");
    for round in 0..100 {
        push.connect(&deserted).expect("nobody need be there");
        push.disconnect(&deserted).expect("it was connected");
        for number in 0..2 {
            send(&push, &[&round.to_string(), &number.to_string()]);
        }
        for number in 0..2 {
            assert_eq!(recv(&pull), [round.to_string(), number.to_string()], "{:?}", push.stats());
        }
    }
}

fn a_silent_listener_is_given_up_and_called_again(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    let listener = RawListener::bind(&endpoint);
    let push = brisk(&context, SocketType::Push, |options| options.handshake_timeout = SHORT);
    let monitor = push.monitor();
    push.connect(&endpoint).expect("connecting");
    send(&push, &["patience"]);
    let silent = [listener.accept(), {
        assert_eq!(failed_attempt(&monitor), "the handshake took too long");
        listener.accept()
    }];
    assert_eq!(failed_attempt(&monitor), "the handshake took too long");
    let mut peer = listener.accept();
    peer.shake("PULL", b"");
    assert_eq!(peer.read_frame().1, b"patience");
    for mut silent in silent {
        assert!(silent.read_to_the_end().len() <= 64, "the greeting, and not the message");
    }
}

/// A backlog without room: tcp attempts hang in the system, ipc ones are refused at once. Either way nothing else is held up.
#[test]
fn a_full_backlog_is_waited_out() {
    let place = Place::new(Transport::Tcp);
    let endpoint = place.endpoint();
    let address: SocketAddr = endpoint.strip_prefix("tcp://").expect("tcp").parse().expect("an address");
    let full =
        OsListener::bind(&Address::Tcp(address), &ListenOptions { backlog: 1, ..ListenOptions::default() })
            .expect("a free port");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, SHORT)
        && waiting.len() < 200
    {
        waiting.push(stream);
    }
    let context = Context::new().expect("a context");
    let push = brisk(&context, SocketType::Push, |options| options.handshake_timeout = SHORT);
    let monitor = push.monitor();
    push.connect(&endpoint).expect("connecting");
    send(&push, &["first"]);
    assert_eq!(failed_attempt(&monitor), "the handshake took too long");
    // Another connection of the same socket, and of the same reactor, while the attempt hangs.
    let other = brisk(&context, SocketType::Pull, |_| {});
    push.connect(&other.bind(&place.endpoint()).expect("a free endpoint").to_string()).expect("connecting");
    other.wait_for_peers(1, PATIENCE).expect("it is not held up");
    drop(waiting);
    drop(full);
    let pull = brisk(&context, SocketType::Pull, |_| {});
    pull.bind(&endpoint).expect("a free endpoint");
    assert_eq!(recv(&pull), ["first"]);
}
