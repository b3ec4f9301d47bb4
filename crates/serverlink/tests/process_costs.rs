//! What one peer may cost a whole process: memory and wake-ups. These tests measure the process they run in, so they
//! run one at a time and in a binary of their own.
#![cfg(target_os = "linux")] // They read /proc.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serverlink::{Context, SocketType};

#[path = "support/memory.rs"]
mod memory;
#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/sockets.rs"]
mod sockets;

use memory::resident_bytes;
use raw_peer::{command, frame, raw, read_frame, shake};
use sockets::{socket, soon};

/// Held by the one test that measures.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window in which something is counted.
fn pause(context: &Context, time: Duration) {
    let _ = context.socket(SocketType::Pull).unwrap().recv_deadline(Instant::now() + time);
}

/// Sends `block` until `total` bytes went or the library stops reading; gives by how much the process grew.
fn flood(mut stream: TcpStream, block: &[u8], total: usize) -> (usize, usize) {
    let before = resident_bytes();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut sent = 0;
    while sent < total && stream.write_all(block).is_ok() {
        sent += block.len();
    }
    (sent, resident_bytes().saturating_sub(before))
}

const MIB: usize = 1 << 20;

fn switches(name: &str) -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let comm = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if comm.trim() == name {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let line = status.lines().find(|l| l.starts_with("voluntary_ctxt")).unwrap_or("x 0");
            sum += line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
        }
    }
    sum
}

#[test]
fn a_blocked_connection_does_not_keep_the_io_thread_awake() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let push = socket(&context, SocketType::Push, |o| o.heartbeat_interval = Duration::ZERO);
    push.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    shake(&mut peer, "PULL", b"", 1);
    while push.send_deadline(&[7u8; 4000][..], Instant::now() + Duration::from_millis(300)).is_ok() {}
    let other = Context::new().unwrap();
    let before = switches("slk-io-0");
    pause(&other, Duration::from_secs(1));
    let woken = switches("slk-io-0") - before;
    assert!(woken < 100, "{woken} wake-ups in a second in which nothing happened");
}

#[test]
fn a_nameless_peer_is_held_to_the_receive_mark_while_the_router_receives() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let router = Arc::new(socket(&context, SocketType::Router, |o| o.recv_hwm = 10));
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let _first = raw(&endpoint, "DEALER", b"A", 1);
    router.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    // One that came to it would be turned away; whom it calls itself stays without a name.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    router.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let (mut second, _) = listener.accept().unwrap();
    shake(&mut second, "DEALER", b"A", 1);
    let receiving = Arc::clone(&router);
    std::thread::spawn(move || receiving.recv_deadline(soon(15)));
    let (sent, grown) = flood(second, &frame(0, &[7; 10_000]), 100 * MIB);
    assert!(grown < 30 * MIB, "grew by {} MiB for {} MiB from one peer", grown / MIB, sent / MIB);
}

#[test]
fn endless_commands_to_an_absent_application() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let pull = context.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let peer = raw(&endpoint, "PUSH", b"", 1);
    let (sent, grown) = flood(peer, &command("NONSENSE", &[7; 50_000]), 100 * MIB);
    assert!(grown < 30 * MIB, "grew by {} MiB for {} MiB of commands", grown / MIB, sent / MIB);
}

#[test]
fn pings_from_a_peer_that_reads_no_pongs() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let publisher = context.socket(SocketType::Pub).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let peer = raw(&endpoint, "SUB", b"", 1);
    let ping = command("PING", &[&[0, 0][..], &[7; 16]].concat()).repeat(1000);
    let (sent, grown) = flood(peer, &ping, 60 * MIB);
    assert!(grown < 20 * MIB, "grew by {} MiB for {} MiB of PINGs", grown / MIB, sent / MIB);
}

#[test]
fn subscriptions_of_one_peer_are_limited() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let publisher = context.socket(SocketType::Pub).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "SUB", b"", 1);
    peer.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let before = resident_bytes();
    for topic in 0..4000u32 {
        let topic = [&topic.to_be_bytes()[..], &[7; 60_000]].concat();
        if peer.write_all(&command("SUBSCRIBE", &topic)).is_err() {
            break;
        }
    }
    let _ = publisher.wait_for_subscribers(3900, Duration::from_secs(5));
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 150 * MIB, "grew by {} MiB", grown / MIB);
}

#[test]
fn subscription_news_for_an_absent_xpub_is_limited() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let publisher = context.socket(SocketType::Xpub).unwrap();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let peer = raw(&endpoint, "SUB", b"", 1);
    let topic = [7; 50_000];
    let block = [command("SUBSCRIBE", &topic), command("CANCEL", &topic)].concat();
    let (sent, grown) = flood(peer, &block, 100 * MIB);
    assert!(grown < 60 * MIB, "grew by {} MiB for {} MiB", grown / MIB, sent / MIB);
}

/// One shot: news from connections that say everything at once and leave.
#[test]
fn subscriptions_behind_the_handshake_are_limited() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let xpub = context.socket(SocketType::Xpub).unwrap();
    let endpoint = xpub.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let address = endpoint.strip_prefix("tcp://").unwrap();
    let data = raw_peer::property("Socket-Type", b"SUB");
    let mut all = [raw_peer::greeting(1), command("READY", &data)].concat();
    for topic in 0..4u8 {
        all.extend(command("SUBSCRIBE", &vec![b'a' + topic; 60_000]));
    }
    let before = resident_bytes() / MIB;
    for _ in 0..250 {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
        let _ = stream.write_all(&all);
        let _ = stream.read_exact(&mut [0; 64]);
        let _ = read_frame(&mut stream);
    }
    let grown = (resident_bytes() / MIB).saturating_sub(before);
    assert!(grown < 80, "{grown} MiB of notifications for an application that does not receive");
}

/// An application that is away, and peers that send and leave.
#[test]
fn what_gone_peers_left_is_limited() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let pull = context.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let message = frame(0, &vec![7u8; 1 << 20]);
    let before = resident_bytes() / MIB;
    for _ in 0..600 {
        let mut peer = raw(&endpoint, "PUSH", b"", 1);
        peer.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        if peer.write_all(&message).is_err() {
            return;
        }
    }
    let grown = (resident_bytes() / MIB).saturating_sub(before);
    assert!(grown < 400, "{grown} MiB wait from peers that are gone");
}
