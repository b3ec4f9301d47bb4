//! RADIO, DISH and DGRAM over udp. libzmq binds on its I/O thread, some time after the call: what is sent to it before is lost, and sent again.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serverlink::{Context, Socket, SocketType};

use crate::theirs::{Received, Theirs, is_there};
use crate::{PATIENCE, open, recv, send};

/// How long one attempt may take.
const MOMENT: Duration = Duration::from_millis(20);

/// A context, ours and theirs, where there is a libzmq with drafts.
fn ends(ours: SocketType, theirs: SocketType) -> Option<(Context, Socket, Theirs)> {
    if !is_there() {
        println!("skipped: SERVERLINK_LIBZMQ_DRAFTS names no libzmq with drafts; see ci/drafts");
        return None;
    }
    let context = Context::new().expect("a context");
    let socket = open(&context, ours);
    Some((context, socket, Theirs::open(theirs)))
}

/// A port that was free a moment ago, as an address.
fn free_address() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("it is bound").to_string()
}

/// Does it again until libzmq has received something.
fn until_heard(theirs: &Theirs, again: impl Fn()) -> Received {
    theirs.wait_only(MOMENT);
    let deadline = Instant::now() + PATIENCE;
    let heard = loop {
        again();
        if let Some(heard) = theirs.recv_in_time() {
            break heard;
        }
        assert!(Instant::now() < deadline, "libzmq hears nothing");
    };
    theirs.wait_only(PATIENCE);
    heard
}

#[test]
fn our_radio_to_their_dish() {
    let Some((_context, radio, dish)) = ends(SocketType::Radio, SocketType::Dish) else { return };
    let address = free_address();
    dish.join("g");
    dish.bind_there(&format!("udp://{address}"));
    radio.connect(&format!("udp://{address}")).expect("connecting");
    let heard = until_heard(&dish, || {
        send(&radio, [b"other", b"unheard"]);
        send(&radio, [b"g", b"heard"]);
    });
    assert_eq!((&heard.group[..], &heard.body[..]), ("g", &b"heard"[..]));
    // libzmq receives at most 8192 octets.
    let long = vec![b'x'; 8192 - 2];
    for body in [&b""[..], &long] {
        send(&radio, [b"g", body]);
        while dish.recv().body != body {}
    }
}

#[test]
fn their_radio_to_our_dish() {
    let Some((_context, dish, radio)) = ends(SocketType::Dish, SocketType::Radio) else { return };
    assert!(dish.join("g").expect("a group"));
    radio.connect(&dish.bind("udp://127.0.0.1:*").expect("a free port").to_string());
    for body in [&b"one"[..], b"", &[b'x'; 8000]] {
        radio.send_in("other", b"unheard");
        radio.send_in("g", body);
        assert_eq!(recv(&dish), [b"g", body]);
    }
}

#[test]
fn a_group_of_multicast_has_members_of_both() {
    let Some((context, radio, dish)) = ends(SocketType::Radio, SocketType::Dish) else { return };
    let port = free_address().rsplit_once(':').expect("it has a port").1.to_owned();
    let endpoint = format!("udp://127.0.0.1;239.255.83.76:{port}");
    let ours = open(&context, SocketType::Dish);
    assert!(ours.join("g").expect("a group"));
    ours.bind(&endpoint).expect("a group to join");
    radio.connect(&endpoint).expect("connecting");
    send(&radio, [b"g", b"all"]);
    if ours.recv_deadline(Instant::now() + 25 * MOMENT).is_err() {
        println!("skipped: this machine's loopback interface knows no groups");
        return;
    }
    dish.join("g");
    dish.bind_there(&endpoint);
    assert_eq!(until_heard(&dish, || send(&radio, [b"g", b"all"])).body, b"all");
    // And from theirs to ours.
    let theirs = Theirs::open(SocketType::Radio);
    theirs.connect(&endpoint);
    theirs.send_in("g", b"from libzmq");
    while recv(&ours)[1] != b"from libzmq" {}
}

#[test]
fn dgrams_to_each_other() {
    let Some((_context, ours, theirs)) = ends(SocketType::Dgram, SocketType::Dgram) else { return };
    ours.bind("udp://127.0.0.1:*").expect("a free port");
    let there = free_address();
    theirs.bind_there(&format!("udp://{there}"));
    let from = until_heard(&theirs, || send(&ours, [there.as_bytes(), b"ping"]));
    assert_eq!(theirs.recv().body, b"ping");
    assert!(from.body.ends_with(b"\0"), "it is a string of C");
    theirs.send_datagram(&from.body, b"pong");
    assert_eq!(recv(&ours), [there.as_bytes(), b"pong"]);
    // What it hears of an address goes back as it came.
    theirs.send_datagram(&from.body, b"");
    let last = recv(&ours);
    assert_eq!(last, [there.as_bytes(), b""]);
}
