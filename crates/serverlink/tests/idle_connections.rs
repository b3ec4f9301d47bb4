//! What ten thousand connections cost that have nothing to say. A binary of its own: it measures its process and needs most of
//! the descriptors that one may have.
#![cfg(target_os = "linux")] // It reads /proc.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serverlink::{Context, SocketType};

#[path = "support/descriptors.rs"]
mod descriptors;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/sockets.rs"]
mod sockets;

use memory::resident_bytes;
use raw_peer::{frame, raw};
use sockets::socket;

const CONNECTIONS: usize = 10_000;
const MOST_BYTES_EACH: usize = 4096;
/// Everything else that the test has open.
const OTHER_DESCRIPTORS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);

/// Both ends are in this process, but the peers are bare sockets: the memory is the ROUTER's.
#[test]
fn ten_thousand_idle_connections_stay_within_four_kib_each() {
    let descriptors = descriptors::provide(2 * CONNECTIONS + OTHER_DESCRIPTORS);
    let count = CONNECTIONS.min(descriptors.saturating_sub(OTHER_DESCRIPTORS) / 2);
    let context = Context::new().unwrap();
    let router = socket(&context, SocketType::Router, |options| {
        options.backlog = 4096;
        // Nothing that happens by itself while it is measured.
        options.heartbeat_interval = Duration::ZERO;
    });
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peers: Vec<TcpStream> = Vec::with_capacity(count);
    // The first has what a process needs once.
    peers.push(peer(&endpoint));
    converse(&router, &mut peers);
    let before = resident_bytes();
    peers.extend((1..count).map(|_| peer(&endpoint)));
    converse(&router, &mut peers);
    let each = resident_bytes().saturating_sub(before) / (count - 1);
    eprintln!("{count} connections, {each} bytes each");
    assert!(each <= MOST_BYTES_EACH, "{each} bytes for each of {count} idle connections");
    assert!(count > CONNECTIONS / 2, "the system gives {descriptors} descriptors, too few for this test");
}

fn peer(endpoint: &str) -> TcpStream {
    raw(endpoint, "DEALER", b"", 1)
}

/// One message from each and one to each: an idle connection has usually been used.
fn converse(router: &serverlink::Socket, peers: &mut [TcpStream]) {
    let question = frame(0, &[b'q'; 100]);
    for peer in peers.iter_mut() {
        peer.write_all(&question).unwrap();
    }
    for _ in 0..peers.len() {
        let message = router.recv_deadline(Instant::now() + PATIENCE).expect("every question");
        router.send_deadline(message, Instant::now() + PATIENCE).expect("room for every answer");
    }
    for peer in peers {
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        peer.read_exact(&mut vec![0; question.len()]).expect("every answer");
    }
}
