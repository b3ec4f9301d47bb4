//! Peers that stop, flood, leave and come back, and foreign code that calls the library while they do.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as TaskContext, Wake, Waker};
use std::time::{Duration, Instant};

use serverlink::{Context, Message, Options, Part, Socket, SocketType};

#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/sockets.rs"]
mod sockets;

use raw_peer::{command, frame, raw, read_frame, shake};
use sockets::{socket, soon};

#[test]
fn a_large_message_behind_a_small_one_comes_through_a_pause() {
    const LARGE: usize = 100 << 20;
    let context = Context::new().unwrap();
    let pull = socket(&context, SocketType::Pull, |o| o.max_message_bytes = 200 << 20);
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "PUSH", b"", 1);
    peer.write_all(&frame(0, b"small")).unwrap();
    peer.write_all(&[&[2u8][..], &(LARGE as u64).to_be_bytes()].concat()).unwrap();
    // Until the reader pauses.
    peer.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let block = vec![7u8; 1 << 20];
    let mut left = LARGE;
    while left > 0 {
        match peer.write(&block[..block.len().min(left)]) {
            Ok(count) => left -= count,
            Err(_) => break,
        }
    }
    assert!(left > 0, "it never paused");
    peer.set_write_timeout(None).unwrap();
    std::thread::spawn(move || {
        while left > 0 {
            left -= peer.write(&block[..block.len().min(left)]).unwrap();
        }
        // PINGs come meanwhile: closing with unread input would destroy what was just sent.
        let _ = peer.read_to_end(&mut Vec::new());
    });
    assert_eq!(pull.recv_deadline(soon(5)).unwrap(), "small".into());
    let large = pull.recv_deadline(soon(10)).expect("the paused reader is resumed");
    assert_eq!(large.first().len(), LARGE);
}

#[test]
fn a_sender_that_never_receives_connects_again() {
    let context = Context::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dealer = socket(&context, SocketType::Dealer, |o| {
        o.recv_hwm = 10;
        o.reconnect_interval = Duration::from_millis(10);
    });
    dealer.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    shake(&mut peer, "ROUTER", b"", 1);
    dealer.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    // Until the reader pauses.
    peer.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let block = frame(0, &[7u8; 60_000]);
    while peer.write_all(&block).is_ok() {}
    drop(peer);
    listener.set_nonblocking(true).unwrap();
    let until = soon(8);
    while Instant::now() < until {
        let _ = dealer.send_deadline("is anybody there?", Instant::now() + Duration::from_millis(10));
        if listener.accept().is_ok() {
            return;
        }
    }
    panic!("the peer is gone for 8 s and the dialer does not connect again: {:?}", dealer.stats());
}

#[test]
fn one_flooding_subscriber_does_not_cost_the_others_their_connection() {
    let context = Context::new().unwrap();
    let xpub = socket(&context, SocketType::Xpub, |o| {
        o.heartbeat_interval = Duration::from_millis(100);
        o.heartbeat_timeout = Duration::from_millis(400);
    });
    let endpoint = xpub.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let honest = Context::new().unwrap().socket(SocketType::Sub).unwrap();
    let monitor = honest.monitor();
    honest.subscribe("a").unwrap();
    honest.connect(&endpoint).unwrap();
    xpub.wait_for_subscribers(1, Duration::from_secs(5)).unwrap();
    let mut flood = raw(&endpoint, "SUB", b"", 1);
    flood.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let topic = vec![b'x'; 60_000];
    let both = [command("SUBSCRIBE", &topic), command("CANCEL", &topic)].concat();
    while flood.write_all(&both).is_ok() {}
    let until = soon(3);
    while let Some(event) = monitor.next_deadline(until) {
        if let serverlink::EventKind::Disconnected { reason, .. } = event.kind {
            panic!("an honest subscriber was thrown out: {reason}");
        }
    }
}

#[test]
fn a_dialed_peer_is_heard_after_a_handover_to_and_fro() {
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let router = socket(&here, SocketType::Router, |o| {
        o.router_handover = true;
        o.reconnect_interval = Duration::from_millis(10);
    });
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let dealer = socket(&there, SocketType::Dealer, |o| o.routing_id = b"X".to_vec());
    let dialed = dealer.bind("tcp://127.0.0.1:*").unwrap().to_string();
    router.connect(&dialed).unwrap();
    dealer.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    dealer.send("before").unwrap();
    assert_eq!(router.recv_deadline(soon(5)).unwrap()[1], "before");
    let monitor = router.monitor();
    // It takes the name; the dialer comes back and takes it in turn.
    let _usurper = raw(&endpoint, "DEALER", b"X", 1);
    let mut handovers = 0;
    while handovers < 2 {
        let event = monitor.next_deadline(soon(5)).expect("two handovers");
        handovers += u32::from(matches!(event.kind, serverlink::EventKind::HandedOver { .. }));
    }
    let until = soon(4);
    while Instant::now() < until {
        let _ = dealer.send_deadline("after", Instant::now() + Duration::from_millis(50));
        if router.recv_deadline(Instant::now() + Duration::from_millis(50)).is_ok() {
            return;
        }
    }
    panic!("the peer has the name and nothing of it is heard: {:?} {:?}", router.stats(), dealer.stats());
}

#[test]
fn commands_between_small_messages_do_not_hold_up_the_others() {
    let context = Context::new().unwrap();
    let pull = socket(&context, SocketType::Pull, |o| o.recv_hwm = 0);
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let other = context.socket(SocketType::Pull).unwrap();
    let beside = other.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "PUSH", b"", 1);
    let pair = [frame(0, b""), command("PONG", b"")].concat();
    let count = (2 << 20) / pair.len();
    peer.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    std::thread::spawn(move || {
        let _ = peer.write_all(&pair.repeat(count));
        peer.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let _ = peer.read(&mut [0; 1]);
    });
    // The other socket's I/O thread is the same one: how long is it away?
    let mut worst = Duration::ZERO;
    let until = soon(15);
    while Instant::now() < until {
        let began = Instant::now();
        let mut stream = raw_with_patience(&beside, 30);
        worst = worst.max(began.elapsed());
        let _ = stream.write_all(&frame(0, b"x"));
        if worst > Duration::from_secs(2) {
            break;
        }
    }
    assert!(worst < Duration::from_secs(2), "a handshake took {worst:?} beside 2 MiB of small frames");
}

fn raw_with_patience(endpoint: &str, seconds: u64) -> std::net::TcpStream {
    let mut stream = std::net::TcpStream::connect(endpoint.strip_prefix("tcp://").unwrap()).unwrap();
    stream.write_all(&raw_peer::greeting(1)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(seconds))).unwrap();
    let data = raw_peer::property("Socket-Type", b"PUSH");
    stream.write_all(&command("READY", &data)).unwrap();
    stream.read_exact(&mut [0; 64]).unwrap();
    read_frame(&mut stream).unwrap();
    stream
}

// ---- waiting

#[test]
fn a_mandatory_router_wakes_the_thread_whose_peer_has_room() {
    let context = Context::new().unwrap();
    let small = |o: &mut Options| (o.send_hwm, o.recv_hwm) = (1, 1);
    let router = Arc::new(socket(&context, SocketType::Router, |o| {
        small(o);
        o.router_mandatory = true;
    }));
    router.bind("inproc://r").unwrap();
    let dealer = |name: &[u8]| {
        let dealer = socket(&context, SocketType::Dealer, |o| {
            small(o);
            o.routing_id = name.to_vec();
        });
        dealer.connect("inproc://r").unwrap();
        dealer
    };
    let (_a, b) = (dealer(b"A"), dealer(b"B"));
    for name in ["A", "B"] {
        while router.try_send(Message::from_parts([name, "fill"])).is_ok() {}
    }
    let (tell, told) = mpsc::channel();
    let idle = context.socket(SocketType::Pull).unwrap();
    for name in ["A", "B"] {
        let (router, tell) = (Arc::clone(&router), tell.clone());
        std::thread::spawn(move || {
            let sent = router.send_deadline(Message::from_parts([name, "more"]), soon(20)).is_ok();
            let _ = tell.send((name, sent));
        });
        // A waits first.
        let _ = idle.recv_deadline(Instant::now() + Duration::from_millis(300));
    }
    b.recv_deadline(soon(5)).unwrap();
    let first = told.recv_timeout(Duration::from_secs(5)).expect("B has room, and its sender sleeps");
    assert_eq!(first, ("B", true));
}

// ---- foreign code in owners

struct Owner {
    bytes: Vec<u8>,
    then: Box<dyn Fn() + Send + Sync>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        (self.then)();
    }
}

#[test]
fn an_owner_may_receive_when_the_io_thread_drops_it() {
    let context = Context::new().unwrap();
    let dealer = Arc::new(context.socket(SocketType::Dealer).unwrap());
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "ROUTER", b"", 1);
    dealer.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    let (tell, told) = mpsc::channel();
    let weak = Arc::downgrade(&dealer);
    let then = Box::new(move || {
        if let Some(dealer) = weak.upgrade() {
            let _ = dealer.try_recv();
            std::mem::forget(dealer);
        }
        let _ = tell.send(());
    });
    dealer.send(Part::from_owner(Owner { bytes: vec![7; 30 << 20], then })).unwrap();
    let mut head = [0; 9];
    peer.read_exact(&mut head).unwrap();
    peer.read_exact(&mut vec![0; 30 << 20]).unwrap();
    told.recv_timeout(Duration::from_secs(5)).expect("the I/O thread has locked itself out");
    std::mem::forget(dealer);
}

#[test]
fn an_owner_may_send_when_its_peer_is_gone() {
    let context = Context::new().unwrap();
    let push = Arc::new(context.socket(SocketType::Push).unwrap());
    let endpoint = push.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let peer = raw(&endpoint, "PULL", b"", 1);
    push.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    let (tell, told) = mpsc::channel();
    for _ in 0..40 {
        let (weak, tell) = (Arc::downgrade(&push), tell.clone());
        let then = Box::new(move || {
            if let Some(push) = weak.upgrade() {
                let _ = push.try_send("x");
                std::mem::forget(push);
            }
            let _ = tell.send(());
        });
        let part = Part::from_owner(Owner { bytes: vec![7; 1 << 20], then });
        push.send_deadline(part, soon(2)).unwrap_or_else(std::mem::forget);
    }
    drop(peer);
    for dropped in 0..40 {
        told.recv_timeout(Duration::from_secs(5))
            .unwrap_or_else(|_| panic!("after {dropped} owners the I/O thread has locked itself out"));
    }
    std::mem::forget(push);
}

/// A waker that runs on a caller's thread, which has the role then.
struct Unbinds(Arc<Socket>, String, Mutex<Option<mpsc::Sender<()>>>);

impl Wake for Unbinds {
    fn wake(self: Arc<Self>) {
        if let Some(tell) = self.2.lock().unwrap().take() {
            let _ = self.0.unbind(&self.1);
            let _ = tell.send(());
        }
    }
}

#[test]
fn a_waker_may_unbind_on_the_thread_that_drives() {
    let context = Context::new().unwrap();
    let dealer = Arc::new(socket(&context, SocketType::Dealer, |o| o.send_hwm = 1));
    let endpoint = dealer.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let mut peer = raw(&endpoint, "DEALER", b"", 1);
    dealer.wait_for_peers(1, Duration::from_secs(5)).unwrap();
    while dealer.try_send(vec![7u8; 30 << 20]).is_ok() {}
    let (tell, told) = mpsc::channel();
    let unbinds = Unbinds(Arc::clone(&dealer), endpoint, Mutex::new(Some(tell)));
    let waker = Waker::from(Arc::new(unbinds));
    let sending = Arc::clone(&dealer);
    let mut send = std::pin::pin!(sending.send_async("x"));
    assert!(std::future::Future::poll(send.as_mut(), &mut TaskContext::from_waker(&waker)).is_pending());
    // A caller drives, and finds that there is room.
    let drives = Arc::clone(&dealer);
    let (begun, has_begun) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = begun.send(());
        let _ = drives.recv_deadline(soon(20));
    });
    has_begun.recv().unwrap();
    let idle = context.socket(SocketType::Pull).unwrap();
    let _ = idle.recv_deadline(Instant::now() + Duration::from_millis(300));
    std::thread::spawn(move || while peer.read(&mut [0; 1 << 16]).is_ok_and(|count| count > 0) {});
    told.recv_timeout(Duration::from_secs(5)).expect("unbind waits for the thread that it runs on");
}

#[test]
fn an_owner_may_send_when_conflation_drops_it() {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let context = Context::new().unwrap();
        let push = Arc::new(socket(&context, SocketType::Push, |o| o.conflate = true));
        push.connect("inproc://nobody-yet").unwrap();
        let weak = Arc::downgrade(&push);
        let then = Box::new(move || {
            if let Some(push) = weak.upgrade() {
                let _ = push.try_send("from the owner");
                std::mem::forget(push);
            }
        });
        push.try_send(Part::from_owner(Owner { bytes: vec![7; 100], then })).unwrap();
        push.try_send("newer").unwrap();
        let _ = tell.send(());
        std::mem::forget(push);
    });
    told.recv_timeout(Duration::from_secs(5)).expect("a send that conflates locks itself out");
}

#[test]
fn readiness_does_not_keep_what_gone_peers_left() {
    let context = Context::new().unwrap();
    let rep = context.socket(SocketType::Rep).unwrap();
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let monitor = rep.monitor();
    let request = [frame(1, b""), frame(0, &vec![7u8; 8 << 20])].concat();
    for round in 0..40 {
        let mut peer = raw(&endpoint, "REQ", b"", 1);
        peer.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        peer.write_all(&request).unwrap();
        drop(peer);
        loop {
            let event = monitor.next_deadline(soon(5)).expect("it disconnects");
            if matches!(event.kind, serverlink::EventKind::Disconnected { .. }) {
                break;
            }
        }
        let request = rep.recv_deadline(soon(3));
        assert!(request.is_ok(), "the request of round {round} was dropped: {:?}", rep.stats());
        rep.send("nobody hears this").unwrap();
        rep.readiness();
    }
}
