//! Peers that are hostile, slow or absent, and what a socket owes the others meanwhile.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serverlink::{Context, Options, SocketType};

#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/sockets.rs"]
mod sockets;

use raw_peer::{command, frame, raw, read_frame, shake};
use sockets::{socket, soon};

const MIB: usize = 1 << 20;

// ---- roles

#[test]
fn a_role_left_lying_is_taken_back() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = here.socket(SocketType::Pull).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = there.socket(SocketType::Push).unwrap();
    push.connect(&endpoint).unwrap();
    push.send("one").unwrap();
    pull.recv_deadline(soon(5)).unwrap();
    // The application of `pull` computes from here on.
    let second = there.socket(SocketType::Push).unwrap();
    second.connect(&endpoint).unwrap();
    second.wait_for_peers(1, Duration::from_secs(3)).expect("nobody drives a lying reactor");
}

// ---- heartbeats

#[test]
fn a_peer_of_zmtp_3_0_gets_no_ping_and_is_not_given_up() {
    let context = Context::new().unwrap();
    let pull = socket(&context, SocketType::Pull, |o| {
        o.heartbeat_interval = Duration::from_millis(50);
        o.heartbeat_timeout = Duration::from_millis(100);
    });
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "PUSH", b"", 0);
    peer.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    match read_frame(&mut peer) {
        Ok(frame) => panic!("a 3.0 peer got {frame:?}"),
        // Unix has one name for a time that is over, Windows the other.
        Err(error) => {
            let silent =
                matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
            assert!(silent, "given up: {error}");
        }
    }
}

// ---- REQ

#[test]
fn a_second_reply_is_not_taken_for_the_next_answer() {
    let context = Context::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let req = context.socket(SocketType::Req).unwrap();
    req.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let (mut rep, _) = listener.accept().unwrap();
    shake(&mut rep, "REP", b"", 1);
    let reply = |text: &str| [frame(1, b""), frame(0, text.as_bytes())].concat();
    let read_request = |rep: &mut TcpStream| loop {
        let (flags, _) = read_frame(rep).unwrap();
        if flags == 0 {
            return;
        }
    };
    req.send("1").unwrap();
    read_request(&mut rep);
    rep.write_all(&[reply("answer 1"), reply("answer 1 again")].concat()).unwrap();
    assert_eq!(req.recv_deadline(soon(5)).unwrap(), "answer 1".into());
    req.send("2").unwrap();
    read_request(&mut rep);
    rep.write_all(&reply("answer 2")).unwrap();
    assert_eq!(req.recv_deadline(soon(5)).unwrap(), "answer 2".into());
}

#[test]
fn a_request_that_was_sent_again_gets_its_answer() {
    let context = Context::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let req = socket(&context, SocketType::Req, |o| o.heartbeat_interval = Duration::ZERO);
    req.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let (mut first, _) = listener.accept().unwrap();
    shake(&mut first, "REP", b"", 1);
    req.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    // Too large for the kernel's buffers: it is partly written when the connection breaks, and kept.
    req.send(vec![7u8; 30 * MIB]).unwrap();
    first.read_exact(&mut [0; 100_000]).unwrap();
    drop(first);
    let (mut again, _) = listener.accept().unwrap();
    shake(&mut again, "REP", b"", 1);
    let (flags, body) = read_frame(&mut again).unwrap();
    assert_eq!((flags, body.len()), (1, 0), "the request comes again");
    let mut head = [0; 9];
    again.read_exact(&mut head).unwrap();
    again.read_exact(&mut vec![0; 30 * MIB]).unwrap();
    again.write_all(&[frame(1, b""), frame(0, b"answer")].concat()).unwrap();
    assert_eq!(req.recv_deadline(soon(4)).expect("the answer is not thrown away"), "answer".into());
}

// ---- closing, conflate, notifications

#[test]
fn closing_a_receiver_that_is_full_is_prompt() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let pull = socket(&here, SocketType::Pull, |o| o.recv_hwm = 10);
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = there.socket(SocketType::Push).unwrap();
    push.connect(&endpoint).unwrap();
    while push.send_deadline(&[7u8; 4000][..], Instant::now() + Duration::from_millis(300)).is_ok() {}
    let began = Instant::now();
    pull.close(Duration::from_secs(4));
    assert!(began.elapsed() < Duration::from_secs(2), "took the whole linger: {:?}", began.elapsed());
}

#[test]
fn conflate_keeps_the_newest_for_a_slow_peer() {
    let context = Context::new().unwrap();
    let publisher = socket(&context, SocketType::Pub, |o| o.conflate = true);
    let endpoint = publisher.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "SUB", b"", 1);
    peer.write_all(&command("SUBSCRIBE", b"")).unwrap();
    publisher.wait_for_subscribers(1, Duration::from_secs(5)).unwrap();
    publisher.send(vec![7u8; 30 * MIB]).unwrap();
    for text in ["a", "b", "newest"] {
        publisher.send(text).unwrap();
    }
    let mut head = [0; 9];
    peer.read_exact(&mut head).unwrap();
    peer.read_exact(&mut vec![0; 30 * MIB]).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let (_, body) = read_frame(&mut peer).expect("the newest message was dropped");
    assert_eq!(body, b"newest");
}

#[test]
fn the_end_of_a_dialed_peer_is_notified() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let dealer = there.socket(SocketType::Dealer).unwrap();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let router = socket(&here, SocketType::Router, |o| o.router_notify_disconnect = true);
    router.connect_as(&endpoint, b"D").unwrap();
    router.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    dealer.close(Duration::ZERO);
    let told = router.recv_deadline(soon(3)).expect("[D][] comes");
    assert_eq!((&told[0], told[1].len()), (&"D".into(), 0));
}

#[test]
fn a_rejected_pair_backs_off() {
    let context = Context::new().unwrap();
    let bound = context.socket(SocketType::Pair).unwrap();
    let endpoint = bound.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let first = context.socket(SocketType::Pair).unwrap();
    first.connect(&endpoint).unwrap();
    bound.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    let quick = |o: &mut Options| o.reconnect_interval = Duration::from_millis(10);
    let second = socket(&context, SocketType::Pair, quick);
    let monitor = second.monitor();
    second.connect(&endpoint).unwrap();
    let until = soon(3);
    let mut attempts = 0;
    while let Some(event) = monitor.next_deadline(until) {
        attempts += u32::from(matches!(event.kind, serverlink::EventKind::Retrying { .. }));
    }
    assert!(attempts < 20, "{attempts} attempts in 3 s: 10 ms doubling gives nine");
}

// ---- the writer token

#[test]
fn a_stream_never_stalls() {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let context = Context::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let push = Arc::new(socket(&context, SocketType::Push, |o| {
            o.heartbeat_interval = Duration::ZERO;
            o.send_buffer_bytes = Some(4096);
        }));
        push.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        shake(&mut peer, "PULL", b"", 1);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 8 * 1024];
            while peer.read(&mut buffer).is_ok_and(|count| count > 0) {}
        });
        for _ in 0..2 {
            let push = Arc::clone(&push);
            std::thread::spawn(move || {
                loop {
                    push.stats();
                }
            });
        }
        let until = soon(3);
        let mut sent = 0u64;
        while Instant::now() < until {
            if let Err(error) = push.send_deadline(&[7u8; 3000][..], soon(4)) {
                let _ = tell.send(Err(format!("{} after {sent} messages: {:?}", error.error, push.stats())));
                return;
            }
            sent += 1;
        }
        let _ = tell.send(Ok(sent));
    });
    told.recv().unwrap().unwrap();
}
