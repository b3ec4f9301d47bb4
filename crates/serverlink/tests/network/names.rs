//! Names with many addresses: each is tried, for as long as the options allow, and every round asks anew.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, EventKind, SocketType};

use crate::place::{PATIENCE, brisk};
use crate::{exchange, expect_event, recv, send};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Of three addresses the first is refused, the second never answers, the third is the one.
#[cfg(target_os = "linux")]
#[test]
fn refused_and_silent_addresses_are_passed_over() {
    use serverlink_driver::{Address, ListenOptions, OsListener};
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};

    let addresses: Vec<IpAddr> =
        (1..=3).map(|last| Ipv4Addr::new(127, std::process::id() as u8 | 1, 77, last).into()).collect();
    let resolver = addresses.clone();
    let context = Context::builder().resolver(move |_| Ok(resolver.clone())).build().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let bound = pull.bind(&format!("tcp://{}:*", addresses[2])).expect("a free port").to_string();
    let port: u16 = bound.rsplit(':').next().expect("a port").parse().expect("a number");
    // Who listens here takes nobody, and the system's queue is full: it does not even answer.
    let silent = SocketAddr::new(addresses[1], port);
    let options = ListenOptions { backlog: 1, ..ListenOptions::default() };
    let _full = OsListener::bind(&Address::Tcp(silent), &options).expect("a free port");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&silent, Duration::from_millis(300)) {
        waiting.push(stream);
    }

    let push = brisk(&context, SocketType::Push, |options| {
        options.connect_timeout = Some(Duration::from_millis(50));
    });
    let monitor = push.monitor();
    push.connect(&format!("tcp://feed:{port}")).expect("connecting");
    exchange(&push, &pull, "third time lucky");
    let refused = expect_event!(&monitor, EventKind::HandshakeFailed { reason, .. } => reason);
    assert!(refused.contains("refused"), "{refused}");
    let silent = expect_event!(&monitor, EventKind::HandshakeFailed { reason, .. } => reason);
    assert_eq!(silent, "nobody answered within the connect_timeout");
    crate::never_told(&monitor, |event| matches!(event, EventKind::Retrying { .. }));
}

#[test]
fn every_round_asks_anew() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let context = Context::builder().resolver(move |name| {
        assert_eq!(name, "feed");
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::Error::other("the name server is away")),
            1 => Ok(Vec::new()),
            _ => Ok(vec![ip("127.0.0.1")]),
        }
    });
    let context = context.build().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let port = pull
        .bind("tcp://127.0.0.1:*")
        .expect("a port")
        .to_string()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect(&format!("tcp://feed:{port}")).expect("connecting");
    exchange(&push, &pull, "found");
    let trouble = expect_event!(&monitor, EventKind::Retrying { trouble, .. } => trouble);
    assert_eq!(trouble, "resolving feed failed: the name server is away");
    let trouble = expect_event!(&monitor, EventKind::Retrying { trouble, .. } => trouble);
    assert_eq!(trouble, "feed has no address");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// A look-up that hangs holds up nobody else, and no end of a context.
#[test]
fn a_look_up_that_hangs_is_nobody_elses_trouble() {
    let (let_go, held) = channel::<()>();
    let (began, begun) = channel();
    let (began, held) = (Mutex::new(began), Mutex::new(held));
    let context = Context::builder().resolver(move |name| {
        if name == "hangs" {
            began.lock().expect("nobody panics").send(()).expect("the test listens");
            let _ = held.lock().expect("nobody panics").recv();
        }
        Ok(vec![ip("127.0.0.1")])
    });
    let context = context.build().expect("a context");
    let stuck = brisk(&context, SocketType::Push, |_| {});
    // One name is one look-up, however many ask.
    for port in 1..100 {
        stuck.connect(&format!("tcp://hangs:{port}")).expect("connecting");
    }
    begun.recv_timeout(PATIENCE).expect("it is asked");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let bound = pull.bind("tcp://somewhere:*").expect("names can be bound").to_string();
    let port = bound.strip_prefix("tcp://127.0.0.1:").expect("its first address");
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&format!("tcp://elsewhere:{port}")).expect("connecting");
    exchange(&push, &pull, "not held up");
    stuck.close(Duration::ZERO);
    drop((push, pull));
    context.terminate(PATIENCE).expect("nothing waits for the look-up");
    drop(let_go);
}

#[test]
fn a_simulated_name_takes_its_time_fails_and_changes() {
    for completions in [false, true] {
        let mut machine = Simulation::new(5, Faults { completions, ..Faults::NONE });
        let context = machine.context();
        let pull = context.pull().open().expect("a socket");
        machine.name("here", &[ip("10.0.0.3")]);
        let bound = pull.bind("tcp://here:5555").expect("a free port").to_string();
        assert_eq!(bound, "tcp://10.0.0.3:5555");
        let push = context.push().open().expect("a socket");
        let monitor = push.monitor();
        push.connect("tcp://feed:5555").expect("connecting");
        machine.run_for(Duration::from_millis(1));
        let trouble = expect_event!(&monitor, EventKind::Retrying { trouble, .. } => trouble);
        assert!(trouble.contains("feed") && trouble.contains("nobody told"), "{trouble}");
        machine.name_fails("feed", "the name server is away", Duration::from_secs(3));
        machine.run_for(Duration::from_secs(4));
        let trouble = expect_event!(&monitor, EventKind::Retrying { trouble, .. } => trouble);
        assert_eq!(trouble, "resolving feed failed: the name server is away");
        machine.slow_name("feed", &[ip("10.0.0.1"), ip("10.0.0.3")], Duration::from_secs(2));
        push.try_send("found").expect("room");
        let found =
            machine.run(pull.recv_async(), Duration::from_secs(20)).expect("in time").expect("a message");
        assert_eq!(found.first(), "found");
        let refused = expect_event!(&monitor, EventKind::HandshakeFailed { reason, .. } => reason);
        assert!(refused.contains("refused"), "{refused}");
    }
}

/// A socket that is closed while its name is looked up leaves nothing behind.
#[test]
fn closing_does_not_wait_for_a_simulated_answer() {
    let mut machine = Simulation::new(5, Faults::NONE);
    machine.slow_name("feed", &[ip("10.0.0.1")], Duration::from_secs(3600));
    let context = machine.context();
    let push = context.push().open().expect("a socket");
    push.connect("tcp://feed:5555").expect("connecting");
    machine.run_for(Duration::from_millis(1));
    drop(push);
    machine.run_for(Duration::from_secs(60));
    assert!(context.report().reactors.is_empty(), "{:?}", context.report());
}

/// `recv` and `send` with names that the machine itself knows.
#[test]
fn the_systems_own_names_still_work() {
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |_| {});
    let bound = pull.bind("tcp://localhost:*").expect("localhost has an address").to_string();
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&bound.replace("127.0.0.1", "localhost")).expect("connecting");
    send(&push, "home");
    assert_eq!(recv(&pull), "home");
}
