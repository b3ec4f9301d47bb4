//! After thousands of reconnects and handovers a process has what it had before: descriptors, registrations, threads, memory. A binary
//! of its own, whose tests measure the process one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serverlink::{Context, EventKind, Socket, SocketType};

#[path = "support/memory.rs"]
mod memory;
#[path = "support/place.rs"]
mod place;
#[path = "support/raw_link.rs"]
mod raw_link;
#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/registrations.rs"]
mod registrations;

use memory::resident_bytes;
use place::{PATIENCE, Place, brisk, eventually, in_time, over_raw_wires, over_wires};
use raw_link::{RawLink, RawListener};

over_raw_wires! {
    ten_thousand_reconnects_of_dialers
    ten_thousand_peers_that_come_and_go
}

over_wires! {
    a_thousand_handovers
    a_thousand_sockets
}

/// What caches of any kind may grow by, once warm.
const SLACK_BYTES: usize = 8 << 20;

const DIALERS: usize = 16;

/// Held by the one test that measures.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a process has. Zero where the system does not tell.
#[derive(Debug, PartialEq, Eq)]
struct Belongings {
    descriptors: usize,
    registrations: usize,
    threads: usize,
}

impl Belongings {
    fn now() -> Belongings {
        Belongings {
            descriptors: registrations::open_descriptors(),
            registrations: registrations::of_sockets().len(),
            threads: threads_of_the_library(),
        }
    }
}

/// Not those of the tests, which come and go by themselves.
fn threads_of_the_library() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let name =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.flatten().map(name).filter(|name| name.starts_with("slk-")).count()
}

/// Runs it briefly, to fill what is filled once, and then in full. `work` gets a context of its own and how often to do it.
fn measure(times: usize, work: impl Fn(&Context, usize)) {
    let _alone = alone();
    let run = |times| {
        let context = Context::builder().io_threads(2).build().expect("a context");
        work(&context, times);
        context.terminate(PATIENCE).expect("every socket was closed");
    };
    run(times / 10);
    // A thread that was joined may still be listed for a moment, and would be missed at the end.
    eventually("every thread is gone", || threads_of_the_library() == 0);
    let (before, resident) = (Belongings::now(), resident_bytes());
    run(times);
    // The same at the end.
    let mut after = Belongings::now();
    let deadline = in_time();
    while after != before && Instant::now() < deadline {
        thread::yield_now();
        after = Belongings::now();
    }
    assert_eq!(after, before, "not everything was given back");
    let grown = resident_bytes().saturating_sub(resident);
    assert!(grown < SLACK_BYTES, "the process grew by {} KiB", grown / 1024);
}

fn persistent(context: &Context, kind: SocketType, name: &[u8]) -> Socket {
    brisk(context, kind, |options| {
        options.routing_id = name.to_vec();
        options.reconnect_interval = Duration::from_millis(1);
        options.reconnect_interval_max = Duration::ZERO;
    })
}

fn close(socket: Socket) {
    socket.close(Duration::ZERO);
}

/// Each handshake succeeds, and each connection ends right after it.
fn ten_thousand_reconnects_of_dialers(place: &Place) {
    measure(10_000, |context, times| {
        let endpoint = place.endpoint();
        let listener = RawListener::bind(&endpoint);
        let dialers: Vec<Socket> =
            (0..DIALERS).map(|_| persistent(context, SocketType::Dealer, b"")).collect();
        dialers.iter().for_each(|dialer| dialer.connect(&endpoint).expect("connecting"));
        for _ in 0..times {
            listener.accept().shake("ROUTER", b"");
        }
        assert_few_registrations(DIALERS);
        dialers.into_iter().for_each(close);
    });
}

/// Each peer says something and leaves, while a thread receives.
fn ten_thousand_peers_that_come_and_go(place: &Place) {
    measure(10_000, |context, times| {
        let router = brisk(context, SocketType::Router, |_| {});
        let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
        let receiving = thread::spawn(move || {
            for _ in 0..times {
                assert_eq!(router.recv_deadline(in_time()).expect("a message of each peer")[1], "hello");
            }
            router
        });
        for time in 0..times {
            let name = if time % 2 == 0 { &b""[..] } else { b"named" };
            let mut peer = RawLink::shaken(&endpoint, "DEALER", name);
            peer.send(&raw_peer::frame(0, b"hello"));
            // Else a newcomer is refused the name of one who has not left yet, and is not heard.
            peer.stop_sending();
            peer.read_to_the_end();
        }
        let router = receiving.join().expect("every message comes");
        eventually("every peer has left", || router.stats().peers == 0);
        assert_few_registrations(1);
        close(router);
    });
}

/// Two DEALERs want the same name and both come back for it, so that each handover is a reconnect as well.
fn a_thousand_handovers(place: &Place) {
    measure(1_000, |context, times| {
        let router = brisk(context, SocketType::Router, |options| options.router_handover = true);
        let monitor = router.monitor();
        let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
        let twins = [(); 2].map(|()| persistent(context, SocketType::Dealer, b"twin"));
        twins.iter().for_each(|twin| twin.connect(&endpoint).expect("connecting"));
        for _ in 0..times {
            // In vain where no peer is there for a moment, which is allowed.
            let _ = router.try_send(serverlink::Message::from_parts(["twin", "hello"]));
            place::wait_for(&monitor, "a handover", |event| match event {
                EventKind::HandedOver { .. } => Some(()),
                EventKind::AcceptPaused { reason: error, .. } | EventKind::AcceptFailed { error, .. } => {
                    panic!("accepting failed: {error}")
                }
                _ => None,
            });
        }
        assert_few_registrations(5);
        twins.into_iter().for_each(close);
        close(router);
    });
}

fn a_thousand_sockets(place: &Place) {
    measure(1_000, |context, times| {
        let pull = brisk(context, SocketType::Pull, |_| {});
        let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
        for _ in 0..times {
            let push = brisk(context, SocketType::Push, |_| {});
            push.connect(&endpoint).expect("connecting");
            push.send_deadline("hello", in_time()).expect("room");
            pull.recv_deadline(in_time()).expect("a message");
        }
        close(pull);
    });
}

/// However often they were made again: at most one connection each, and those that are just being replaced.
fn assert_few_registrations(most: usize) {
    let registered = registrations::of_sockets().len();
    assert!(registered <= 2 * most, "{registered} sockets are registered, {most} were expected");
}
