//! What a context and its sockets tell about their connections: every state, and one registration through all of them.

#[path = "support/sockets.rs"]
mod sockets;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{ConnectionReport, ConnectionState, Context, EventKind, Origin, ReactorReport, SocketType};
use sockets::soon;

const PATIENCE: Duration = Duration::from_secs(30);
const ENDPOINT: &str = "tcp://10.0.0.1:5555";

fn only(connections: Vec<ConnectionReport>) -> ConnectionReport {
    assert_eq!(connections.len(), 1, "{connections:?}");
    connections.into_iter().next().expect("there is one")
}

/// The registrations that are listed; no two have the same name.
fn listed(reactor: &ReactorReport) -> usize {
    let listeners = reactor.listeners.iter().map(|listener| listener.registration);
    let connections = reactor.connections.iter().filter_map(|connection| connection.registration);
    let all: Vec<u64> = listeners.chain(connections).collect();
    let different: BTreeSet<&u64> = all.iter().collect();
    assert_eq!(all.len(), different.len(), "{reactor:?}");
    all.len()
}

#[test]
fn one_registration_goes_through_every_state() {
    for completions in [false, true] {
        let mut machine = Simulation::new(7, Faults { completions, ..Faults::NONE });
        let (here, there) = (machine.context(), machine.context());
        let pull = there.pull().open().unwrap();
        pull.bind(ENDPOINT).unwrap();
        let push = here.push().open().unwrap();
        assert_eq!(push.connections(), []);

        machine.world().set_frozen(true);
        push.connect(ENDPOINT).unwrap();
        let connecting = only(push.connections());
        assert_eq!((&connecting.state, connecting.origin), (&ConnectionState::Connecting, Origin::Dialed));
        assert_eq!(connecting.endpoint.to_string(), ENDPOINT);
        let registration = connecting.registration.expect("an attempt is registered");

        machine.world().set_frozen(false);
        let mut seen = BTreeSet::new();
        while push.connections()[0].state != ConnectionState::Open {
            machine.run_for(Duration::from_micros(10));
            let connection = only(push.connections());
            assert_eq!(connection.registration, Some(registration), "{connection:?}");
            seen.insert(connection.state.to_string());
        }
        assert!(seen.contains("handshake"), "{seen:?}");
        machine.run_for(Duration::from_secs(2));
        assert!(only(push.connections()).age >= Duration::from_secs(2));
        let accepted = only(pull.connections());
        assert_eq!((accepted.origin, accepted.state), (Origin::Accepted, ConnectionState::Open));
        assert!(accepted.peer_address.is_some());

        // Nobody hears the goodbye, so the connection stays to hear the answer.
        machine.world().set_frozen(true);
        drop(push);
        machine.run_for(Duration::from_millis(1));
        let report = here.report();
        let draining = only(report.connections().cloned().collect());
        assert_eq!((draining.state, draining.registration), (ConnectionState::Draining, Some(registration)));
    }
}

#[test]
fn a_dialer_tells_of_its_attempts_and_of_the_next() {
    let mut machine = Simulation::new(7, Faults::NONE);
    let context = machine.context();
    let push = context.push().open().unwrap();
    push.connect(ENDPOINT).unwrap();
    machine.run_for(Duration::from_millis(5));
    let first = only(push.connections());
    let ConnectionState::Waiting { attempt: 1, next_try_in } = first.state else {
        panic!("nobody listens: {first:?}");
    };
    assert!(next_try_in > Duration::ZERO);
    assert_eq!((first.registration, first.peer_address), (None, None), "between two attempts it has none");
    assert_eq!(context.report().registrations(), 0);

    let a_little = next_try_in / 4;
    machine.run_for(a_little);
    let later = only(push.connections());
    assert_eq!(later.state, ConnectionState::Waiting { attempt: 1, next_try_in: next_try_in - a_little });
    assert_eq!(later.age, first.age + a_little);
    machine.run_for(next_try_in);
    assert!(matches!(only(push.connections()).state, ConnectionState::Waiting { attempt: 2.., .. }));
}

#[test]
fn a_retry_is_a_new_registration() {
    let mut machine = Simulation::new(7, Faults::NONE);
    let (here, there) = (machine.context(), machine.context());
    let pull = there.pull().open().unwrap();
    pull.bind(ENDPOINT).unwrap();
    let push = here.push().open().unwrap();
    push.connect(ENDPOINT).unwrap();
    let mut registrations = BTreeSet::new();
    for _ in 0..10 {
        machine.run(push.send_async("hello"), PATIENCE).expect("room").unwrap();
        machine.run(pull.recv_async(), PATIENCE).expect("it arrives").unwrap();
        let connection = only(push.connections());
        assert!(registrations.insert(connection.registration.expect("open")), "{connection:?}");
        machine.world().reset_connections();
        machine.run_for(Duration::from_secs(2));
    }
}

#[test]
fn nothing_is_registered_that_is_not_accounted_for() {
    for seed in 0..50 {
        let mut machine = Simulation::new(seed, Faults { completions: seed % 2 == 1, ..Faults::HARSH });
        let (here, there) = (machine.context(), machine.context());
        let pull = there.pull().open().unwrap();
        pull.bind(ENDPOINT).unwrap();
        let pushes: Vec<_> = (0..5).map(|_| here.push().open().unwrap()).collect();
        pushes.iter().for_each(|push| push.connect(ENDPOINT).unwrap());
        for _ in 0..200 {
            machine.run_for(Duration::from_millis(7));
            for reactor in [here.report(), there.report()].iter().flat_map(|report| &report.reactors) {
                let listed = listed(reactor);
                let accounted = listed..=listed + reactor.closing;
                assert!(accounted.contains(&reactor.registrations), "seed {seed}: {reactor:?}");
            }
        }
    }
}

#[test]
fn a_context_tells_of_everything_that_is_registered() {
    let context = Context::builder().io_threads(2).build().unwrap();
    let router = context.router().open().unwrap();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let dealers: Vec<_> = (0..3)
        .map(|number| {
            let dealer = context.dealer().routing_id(format!("dealer {number}")).open().unwrap();
            dealer.connect(&endpoint).unwrap();
            dealer
        })
        .collect();
    router.wait_for_peers(3, PATIENCE).unwrap();
    for dealer in &dealers {
        dealer.wait_for_peers(1, PATIENCE).unwrap();
    }

    let report = context.report();
    assert_eq!((report.io_threads, report.reactors.len()), (2, 4));
    assert_eq!(report.driver, context.driver());
    for reactor in &report.reactors {
        assert_eq!(
            listed(reactor),
            reactor.registrations,
            "nothing is registered that is not listed: {reactor:?}"
        );
    }
    assert_eq!(report.registrations(), 1 + 3 + 3);
    let threads: BTreeSet<usize> = report.reactors.iter().map(|reactor| reactor.io_thread).collect();
    assert_eq!(threads, BTreeSet::from([0, 1]), "load is spread over the I/O threads");
    let listener = report.listeners().next().expect("it is bound");
    assert_eq!((listener.socket_type, listener.endpoint.to_string()), (SocketType::Router, endpoint));

    let names: BTreeSet<_> = router.connections().into_iter().map(|peer| peer.routing_id).collect();
    assert_eq!(names, (0..3).map(|number| Some(format!("dealer {number}").into_bytes())).collect());
    for (dealer, accepted) in dealers.iter().zip(router.connections()) {
        assert_eq!(only(dealer.connections()).routing_id, None, "only a ROUTER names its peers");
        assert_eq!(accepted.state, ConnectionState::Open);
    }
}

/// The one who has the role sleeps in the driver, and answers all the same.
#[test]
fn a_caller_that_waits_answers_for_its_socket() {
    let context = Context::new().unwrap();
    let pull = context.pull().open().unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let push = context.push().open().unwrap();
    push.connect(&endpoint).unwrap();
    pull.wait_for_peers(1, PATIENCE).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| pull.recv_deadline(soon(30)));
        for _ in 0..1000 {
            assert_eq!(only(pull.connections()).state, ConnectionState::Open);
        }
        push.send("the end").unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), "the end".into());
    });
}

#[test]
fn a_peer_that_says_nothing_is_seen_in_its_handshake() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let context = Context::new().unwrap();
    let dealer = context.dealer().open().unwrap();
    let monitor = dealer.monitor();
    dealer.connect(&format!("tcp://{address}")).unwrap();
    let event = monitor.next_deadline(soon(30)).expect("it is reachable");
    assert!(matches!(event.kind, EventKind::Connected { .. }), "{event:?}");
    let connection = only(dealer.connections());
    assert_eq!(connection.state, ConnectionState::Handshake);
    assert_eq!(connection.peer_address.map(|peer| peer.to_string()), Some(format!("tcp://{address}")));
}

#[test]
fn a_closed_socket_has_nothing_left_and_keeps_nobody_waiting() {
    let context = Context::new().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Reactors are made and retired while it asks.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for reactor in context.report().reactors {
                    assert!(listed(&reactor) <= reactor.registrations, "{reactor:?}");
                }
            }
        });
        for _ in 0..200 {
            let pull = context.pull().open().unwrap();
            let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
            let push = context.push().open().unwrap();
            push.connect(&endpoint).unwrap();
            push.send("hello").unwrap();
            pull.recv_deadline(soon(30)).unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    context.terminate(PATIENCE).unwrap();
    // What is closed may still be on its way home.
    assert_eq!(context.report().reactors.iter().map(listed).sum::<usize>(), 0);
}
