//! Heartbeats, which one of the libraries has and the other does not: neither way ends a connection on which nothing is said.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serverlink::SocketType::{Pull, Push, Rep, Req};
use serverlink::{EventKind, Options};

use crate::foreign::{Library, PATIENCE, parts};
use crate::links::{Binder, Wire};
use crate::omq::Omq;
use crate::ours::Ours;
use crate::with_each_peer;

with_each_peer! {
    /// omq answers our PINGs. zmq.rs would end the connection at any command, and gets none: it announces ZMTP 3.0.
    our_heartbeats_are_tolerated => our_heartbeats_are_tolerated;
}

const PAUSE: Duration = Duration::from_millis(100);

fn our_heartbeats_are_tolerated(library: Library, wire: Wire) {
    for binder in Binder::BOTH {
        let ours = Ours::with(Pull, with_heartbeats);
        let events = ours.0.monitor();
        let mut link = wire.link_ends(ours, library.open(Push), binder);
        until_a_silent_peer_is_given_up();
        link.theirs.send(&parts(["still here"]));
        assert_eq!(link.ours.recv(), parts(["still here"]));
        while let Some(event) = events.try_next() {
            assert!(!matches!(event.kind, EventKind::Disconnected { .. }), "{event:?}");
        }
    }
}

/// It gives us up after a fifth of the time for which we are silent, unless we answer.
#[test]
fn we_answer_the_heartbeats_of_omq() {
    for wire in [Wire::Tcp, Wire::Ipc] {
        for binder in Binder::BOTH {
            let ours = Ours::open(Rep);
            let events = ours.0.monitor();
            let mut link = wire.link_ends(ours, Box::new(Omq::with_heartbeats(Req, PAUSE / 2)), binder);
            until_a_silent_peer_is_given_up();
            link.theirs.send(&parts(["still here?"]));
            assert_eq!(link.ours.recv(), parts(["still here?"]));
            while let Some(event) = events.try_next() {
                assert!(!matches!(event.kind, EventKind::Disconnected { .. }), "{event:?}");
            }
        }
    }
}

fn with_heartbeats(options: &mut Options) {
    options.heartbeat_interval = PAUSE;
    options.heartbeat_timeout = PAUSE * 2;
}

/// Time passes: a peer that never answers comes to a socket of its own, and is given up after twice the heartbeats above.
fn until_a_silent_peer_is_given_up() {
    let witness = Ours::with(Pull, |options| {
        options.heartbeat_interval = PAUSE * 2;
        options.heartbeat_timeout = PAUSE * 4;
    });
    let events = witness.0.monitor();
    let endpoint = witness.bind("tcp://127.0.0.1:*");
    let address = endpoint.strip_prefix("tcp://").expect("it is tcp");
    let mut silent = TcpStream::connect(address).expect("we listen");
    silent.write_all(&greeting_and_ready()).expect("we read");
    let deadline = Instant::now() + PATIENCE;
    loop {
        match events.next_deadline(deadline).expect("the silent peer is noticed").kind {
            EventKind::Disconnected { reason, .. } => {
                assert!(reason.contains("nothing was heard"), "{reason}");
                return;
            }
            _ => continue,
        }
    }
}

/// What a PUSH of ZMTP 3.1 says until its handshake is done.
fn greeting_and_ready() -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1];
    bytes.extend(b"NULL");
    bytes.resize(64, 0);
    let ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH";
    bytes.extend([4, u8::try_from(ready.len()).expect("it is short")]);
    bytes.extend(ready);
    bytes
}
