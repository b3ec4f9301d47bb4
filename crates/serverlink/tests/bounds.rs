//! What strangers may cost: memory by what they sent and not by what they announced, descriptors until the handshake's deadline, and nobody
//! else's messages. A binary of its own: its allocator counts, and its tests run one at a time.
#![cfg(target_os = "linux")] // A peer with thousands of connections is a process of its own, and /proc counts descriptors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serverlink::{Context, EventKind, Monitor, Socket, SocketType};

#[path = "support/counting.rs"]
mod counting;
#[path = "support/place.rs"]
mod place;
#[path = "support/raw_peer.rs"]
mod raw_peer;

use counting::{KIB, TOO_MUCH, alone, growth, live};
use place::{PATIENCE, brisk, eventually, in_time};
use raw_peer::{command, frame, greeting, property, raw};

/// A PULL that takes from a good peer whatever others do.
struct Scene {
    context: Context,
    pull: Socket,
    push: Socket,
    endpoint: String,
}

impl Scene {
    fn new(change: impl FnOnce(&mut serverlink::Options)) -> Scene {
        let context = Context::new().expect("a context");
        let pull = brisk(&context, SocketType::Pull, change);
        let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
        let push = brisk(&context, SocketType::Push, |_| {});
        push.connect(&endpoint).expect("connecting");
        let scene = Scene { context, pull, push, endpoint };
        scene.exchange("before");
        scene
    }

    /// The good peer is unharmed, and what it says comes.
    fn exchange(&self, text: &str) {
        self.push.send_deadline(text, in_time()).expect("room");
        while self.pull.recv_deadline(in_time()).expect("the good peer's message").first() != text {}
    }
}

/// What is announced and what is said of it, by a peer that then says no more.
#[test]
fn announcements_cost_nothing() {
    let _alone = alone();
    let scene = Scene::new(|_| {});
    let huge_frame = |flags: u8, bytes: u64| [&[flags | 2][..], &bytes.to_be_bytes(), b"0123456789"].concat();
    let cases: [(&str, Vec<u8>); 5] = [
        ("a frame of 60 MiB", huge_frame(0, 60 << 20)),
        ("a first part of 60 MiB", huge_frame(1, 60 << 20)),
        ("a command of 120 KiB", huge_frame(4, 120 << 10)),
        ("a frame of 2^62 bytes", huge_frame(0, 1 << 62)),
        ("10,000 parts and no last one", frame(1, b"").repeat(10_000)),
    ];
    for (what, bytes) in cases {
        let grown = growth(|| {
            let mut peers: Vec<TcpStream> = (0..20).map(|_| raw(&scene.endpoint, "PUSH", b"", 1)).collect();
            peers.iter_mut().for_each(|peer| drop(peer.write_all(&bytes)));
            scene.exchange(what);
            scene.exchange(what);
        });
        // Else what these give back would hide what the next ones take.
        eventually("they have left", || scene.pull.stats().peers == 1);
        // The bytes themselves, the shared chunks they land in, and what a connection has anyway.
        let allowed = 20 * (3 * bytes.len() + 16 * KIB) + 1024 * KIB;
        assert!(grown < allowed, "{what}, from 20 peers: {} KiB", grown / KIB);
    }
}

/// A large message comes in pieces, and there is no memory to join them: it costs that peer its connection, with the reason, and nobody else
/// anything. What it sent before arrives.
#[test]
fn no_memory_for_a_large_message() {
    const LARGE: usize = 4 << 20;
    let _alone = alone();
    let scene = Scene::new(|_| {});
    let monitor = scene.pull.monitor();
    let mut peer = raw(&scene.endpoint, "PUSH", b"", 1);
    let said = [frame(0, b"small"), frame(0, &vec![7; LARGE])].concat();
    TOO_MUCH.store(LARGE, Ordering::Relaxed);
    let sending = std::thread::spawn(move || {
        // The connection may end in the middle of it.
        let _ = peer.write_all(&said);
        peer
    });
    assert_eq!(scene.pull.recv_deadline(in_time()).expect("what came before").first(), "small");
    // Nobody joins anything before it is asked for.
    let mut reason = String::new();
    eventually("its end", || {
        scene.exchange("meanwhile");
        if let Some(EventKind::Disconnected { reason: told, .. }) = monitor.try_next().map(|event| event.kind)
        {
            reason = told;
        }
        !reason.is_empty()
    });
    assert!(reason.starts_with("there is no memory for a frame of 4194304 octets"), "{reason}");
    TOO_MUCH.store(usize::MAX, Ordering::Relaxed);
    drop(sending.join().expect("it only writes"));
    scene.exchange("after");
}

/// Far fewer than the limit: they cost what they say, and go with their peer.
#[test]
fn ten_thousand_subscriptions_of_one_peer() {
    let _alone = alone();
    let context = Context::new().expect("a context");
    let publisher = brisk(&context, SocketType::Pub, |_| {});
    let endpoint = publisher.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let good = brisk(&context, SocketType::Sub, |_| {});
    good.subscribe("good").expect("a topic");
    good.connect(&endpoint).expect("connecting");
    publisher.wait_for_subscribers(1, PATIENCE).expect("the good subscriber");
    let before = live();
    let grown = growth(|| {
        let mut peer = raw(&endpoint, "SUB", b"", 1);
        for number in 0..10_000u32 {
            peer.write_all(&command("SUBSCRIBE", format!("topic {number}").as_bytes())).expect("it is read");
        }
        let mut heard = [0; 12];
        eventually("the last subscription is in force", || {
            publisher.send("topic 9999").expect("publishing never waits");
            peer.set_read_timeout(Some(Duration::from_millis(20))).expect("a valid option");
            peer.read_exact(&mut heard).is_ok()
        });
        assert_eq!(&heard[2..], b"topic 9999");
    });
    assert!(grown < 10_000 * KIB, "{} KiB for 10,000 subscriptions", grown / KIB);
    eventually("the peer is gone", || publisher.stats().peers == 1);
    publisher.send("good news").expect("publishing never waits");
    assert_eq!(good.recv_deadline(in_time()).expect("the good subscriber's").first(), "good news");
    // Arenas keep what they have for the next.
    eventually("its subscriptions are gone", || live() < before + 2048 * KIB);
}

// ---- handshakes that stop

/// In the environment of the process that is the bad peer: where to, and how many bytes of a handshake to say.
const TASK: &str = "SERVERLINK_BAD_PEER";
const CONNECTIONS: usize = 10_000;

/// After nothing, a byte, the signature without its end, the signature, the version, its half, a byte before the end of the greeting, all of
/// it, half a READY.
const STEPS: [usize; 9] = [0, 1, 9, 10, 11, 12, 63, 64, 80];

/// Not a test by itself: what the process of the bad peer runs.
#[test]
fn bad_peer() {
    let Ok(address) = std::env::var(TASK) else { return };
    let all = [greeting(1), command("READY", &property("Socket-Type", b"PUSH"))].concat();
    let connections: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|number| {
            let mut stream = TcpStream::connect(&address).expect("it goes on accepting");
            // It may be at its end already.
            let _ = stream.write_all(&all[..STEPS[number % STEPS.len()]]);
            stream
        })
        .collect();
    println!("connected");
    // They are kept until the other process has seen all of them end.
    let _ = std::io::stdin().read(&mut [0]);
    drop(connections);
}

struct BadPeer(Child);

impl BadPeer {
    fn start(endpoint: &str) -> BadPeer {
        let address = endpoint.strip_prefix("tcp://").expect("a tcp endpoint");
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "bad_peer", "--nocapture"])
            .env(TASK, address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        BadPeer(child.expect("this program once more"))
    }

    fn wait_until_connected(&mut self) {
        let stdout = BufReader::new(self.0.stdout.take().expect("it is piped"));
        assert!(stdout.lines().map_while(Result::ok).any(|line| line.contains("connected")), "it failed");
    }
}

impl Drop for BadPeer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ten_thousand_handshakes_that_stop() {
    let _alone = alone();
    if let Err(why) = room_for(CONNECTIONS + 500) {
        return eprintln!("skipped: {why}");
    }
    let scene = Scene::new(|options| {
        options.handshake_timeout = Duration::from_secs(2);
        options.backlog = 4096;
    });
    let descriptors = open_descriptors();
    stop_in_the_middle(&scene, descriptors);
    // What is kept for as many connections again is kept once.
    let memory = live();
    stop_in_the_middle(&scene, descriptors);
    eventually("the memory is back", || live() < memory + 64 * KIB);
    let newcomer = brisk(&scene.context, SocketType::Push, |_| {});
    newcomer.connect(&scene.endpoint).expect("connecting");
    newcomer.send_deadline("newcomer", in_time()).expect("room");
    assert_eq!(scene.pull.recv_deadline(in_time()).expect("accepting goes on").first(), "newcomer");
}

/// Each connection ends at its deadline, and the good peer does not notice.
fn stop_in_the_middle(scene: &Scene, descriptors: usize) {
    let (monitor, mut taken) = (scene.pull.monitor(), 0);
    let mut bad = BadPeer::start(&scene.endpoint);
    // Of each connection two events: it came, and it took too long. What a monitor cannot keep it counts.
    while taken + monitor.dropped() < 2 * CONNECTIONS as u64 {
        scene.exchange("meanwhile");
        taken += take_events(&monitor);
    }
    bad.wait_until_connected();
    // The pipe to the other process is open still.
    eventually("every descriptor is back", || open_descriptors() <= descriptors + 1);
    scene.exchange("after");
    taken += take_events(&monitor);
    assert_eq!(taken + monitor.dropped(), 2 * CONNECTIONS as u64, "each is told once");
}

fn take_events(monitor: &Monitor) -> u64 {
    let mut taken = 0;
    while let Some(event) = monitor.try_next() {
        match event.kind {
            EventKind::Accepted { .. } => {}
            EventKind::HandshakeFailed { reason, .. } => assert_eq!(reason, "the handshake took too long"),
            other => panic!("{other:?}"),
        }
        taken += 1;
    }
    taken
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Raises the process's own limit, as far as the system lets it; the other process inherits it.
fn room_for(descriptors: usize) -> Result<(), String> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = descriptors as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        setrlimit(Resource::Nofile, limit).map_err(|error| format!("raising the limit failed: {error}"))?;
    }
    match limit.current {
        Some(current) if current < wanted => {
            Err(format!("{wanted} descriptors are needed, and the system allows {current}"))
        }
        _ => Ok(()),
    }
}
