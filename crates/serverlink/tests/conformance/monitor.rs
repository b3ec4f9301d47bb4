//! What a monitor tells about the life of connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use serverlink::{Cause, Event, EventKind, Monitor, SocketType::*};

use crate::{
    everywhere, over_streams, over_transports, over_wires,
    world::{PATIENCE, World, connect, eventually, next_event, peers, promptly},
};

over_wires! {
    the_listening_side_sees_a_peer_come_and_go
    the_connecting_side_sees_it_too
    a_connection_is_told_with_its_peer_and_its_end
    every_listener_hears_every_event_once
}

over_streams! {
    retries_are_told_with_their_delay
}

over_transports! {
    waiting_for_events_ends_with_the_socket
    a_callback_may_call_the_library_and_panic
}
everywhere! {
    a_stream_wakes_its_task
    a_context_hears_all_its_sockets
}

/// Takes events until one is wanted.
pub(crate) fn wait_for<T>(monitor: &Monitor, mut wanted: impl FnMut(EventKind) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let event = next_event(monitor, deadline).expect("the event in time");
        if let Some(found) = wanted(event.kind) {
            return found;
        }
    }
}

fn the_listening_side_sees_a_peer_come_and_go(world: &World) {
    let router = world.socket(Router);
    let monitor = router.monitor();
    let bound = world.bind(&router);
    let listening = wait_for(&monitor, |event| match event {
        EventKind::Listening { endpoint } => Some(endpoint.to_string()),
        _ => None,
    });
    assert_eq!(listening, bound);
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"guest".to_vec());
    connect(&dealer, &bound);
    wait_for(&monitor, |event| matches!(event, EventKind::Accepted { .. }).then_some(()));
    let (kind, name) = wait_for(&monitor, |event| match event {
        EventKind::Established { socket_type, routing_id, .. } => Some((socket_type, routing_id)),
        _ => None,
    });
    assert_eq!((kind, name.as_slice()), (Some(Dealer), &b"guest"[..]));
    dealer.close(Duration::ZERO);
    let reason = wait_for(&monitor, |event| match event {
        EventKind::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(!reason.is_empty());
    router.unbind(&bound).expect("it is bound");
    wait_for(&monitor, |event| matches!(event, EventKind::ListenerClosed { .. }).then_some(()));
    assert_eq!(monitor.dropped(), 0);
}

fn the_connecting_side_sees_it_too(world: &World) {
    let (pull, bound) = world.bound(Pull);
    let push = world.socket(Push);
    let monitor = push.monitor();
    connect(&push, &bound);
    peers(&pull, 1);
    wait_for(&monitor, |event| matches!(event, EventKind::Connected { .. }).then_some(()));
    wait_for(&monitor, |event| matches!(event, EventKind::Established { .. }).then_some(()));
    pull.close(Duration::ZERO);
    wait_for(&monitor, |event| matches!(event, EventKind::Disconnected { .. }).then_some(()));
}

fn retries_are_told_with_their_delay(world: &World) {
    let push = world.socket_with(Push, |options| {
        options.reconnect_interval = Duration::from_millis(10);
        options.reconnect_interval_max = Duration::from_millis(40);
    });
    let monitor = push.monitor();
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    let mut last = 0;
    while last < 4 {
        let mut why = String::new();
        let (attempt, delay, trouble) = wait_for(&monitor, |event| match event {
            EventKind::Retrying { attempt, delay, trouble, .. } => Some((attempt, delay, trouble)),
            EventKind::HandshakeFailed { reason, .. } => {
                why = reason;
                None
            }
            _ => None,
        });
        assert!(attempt > last, "attempt {attempt} after {last}");
        // Drawn from a tenth of the interval up to as much as the attempt allows.
        let longest = Duration::from_millis(10 << (attempt - 1).min(2));
        assert!(delay >= Duration::from_millis(1) && delay <= longest, "attempt {attempt}: {delay:?}");
        assert!(!why.is_empty() || !trouble.is_empty(), "why it failed is told");
        last = attempt;
    }
}

fn a_connection_is_told_with_its_peer_and_its_end(world: &World) {
    let (router, bound) = world.bound(Router);
    let monitor = router.monitor();
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"guest".to_vec());
    connect(&dealer, &bound);
    let (connection, address) = wait_for(&monitor, |event| match event {
        EventKind::Accepted { registration, peer_address, endpoint } => {
            assert_eq!(endpoint.to_string(), bound);
            Some((registration, peer_address))
        }
        _ => None,
    });
    let reported = router.connections();
    assert_eq!(reported[0].registration, Some(connection));
    assert_eq!(reported[0].peer_address, address);
    wait_for(&monitor, |event| match event {
        EventKind::Established { registration, peer_address, version, .. } => {
            assert_eq!((registration, &peer_address, version), (connection, &address, (3, 1)));
            Some(())
        }
        _ => None,
    });
    dealer.close(Duration::ZERO);
    let cause = wait_for(&monitor, |event| match event {
        EventKind::Disconnected { registration, peer_address, socket_type, routing_id, cause, .. } => {
            assert_eq!((registration, &peer_address), (connection, &address));
            assert_eq!((socket_type, routing_id.as_slice()), (Some(Dealer), &b"guest"[..]));
            Some(cause)
        }
        _ => None,
    });
    assert_eq!(cause, Cause::PeerClosed);
}

fn every_listener_hears_every_event_once(world: &World) {
    let (pull, bound) = world.bound(Pull);
    let (one, other, all) = (pull.monitor(), pull.monitor(), world.context.monitor());
    let called = Arc::new(Mutex::new(Vec::new()));
    let calls = Arc::clone(&called);
    pull.on_event(move |event| calls.lock().expect("nobody panics").push(event.clone()));
    let push = world.connected(Push, &bound);
    peers(&pull, 1);
    push.close(Duration::ZERO);
    let is_end = |event: &EventKind| matches!(event, EventKind::Disconnected { .. });
    let heard = |monitor: &Monitor| -> Vec<Event> {
        let deadline = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        while !events.last().is_some_and(|last: &Event| last.socket == pull.id() && is_end(&last.kind)) {
            events.push(monitor.next_deadline(deadline).expect("the end in time"));
        }
        events
    };
    let first = heard(&one);
    let names: Vec<&str> = first.iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, ["accepted", "established", "disconnected"]);
    assert_eq!(heard(&other), first);
    let of_pull: Vec<Event> = heard(&all).into_iter().filter(|event| event.socket == pull.id()).collect();
    assert_eq!(of_pull, first);
    eventually("the callback is through", || called.lock().expect("nobody panics").len() == first.len());
    assert_eq!(*called.lock().expect("nobody panics"), first);
}

fn waiting_for_events_ends_with_the_socket(world: &World) {
    let (pull, _) = world.bound(Pull);
    let monitor = pull.monitor();
    let (tell, told) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        for event in &monitor {
            tell.send(event.kind.name()).expect("the test listens");
        }
    });
    world.bind(&pull);
    assert_eq!(told.recv_timeout(PATIENCE), Ok("listening"));
    pull.close(Duration::ZERO);
    promptly("the loop over the events", move || waiting.join().expect("it does not panic"));
}

fn a_callback_may_call_the_library_and_panic(world: &World) {
    let pull = Arc::new(world.socket(Pull));
    let (tell, told) = mpsc::channel();
    let itself = Arc::downgrade(&pull);
    pull.on_event(move |event| {
        let pull = itself.upgrade().expect("it is open");
        let (stats, connections) = (pull.stats(), pull.connections());
        tell.send((event.kind.name(), stats.peers, connections.len())).expect("the test listens");
        panic!("a callback's own trouble");
    });
    let bound = world.bind(&pull);
    assert_eq!(told.recv_timeout(PATIENCE).expect("a call").0, "listening");
    let push = world.connected(Push, &bound);
    peers(&pull, 1);
    pull.unbind(&bound).expect("it is bound");
    // Over inproc there is no connection, and nobody to tell of the end of listening.
    if !bound.starts_with("inproc") {
        for expected in ["accepted", "established", "listener_closed"] {
            assert_eq!(told.recv_timeout(PATIENCE).expect("a call after the panic").0, expected);
        }
    }
    drop(push);
}

/// Counts how often its task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn a_stream_wakes_its_task(world: &World) {
    let pull = world.socket(Pull);
    let monitor = pull.monitor();
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut stream = monitor.stream();
    {
        let mut next = std::pin::pin!(stream.next());
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert_eq!(woken.0.load(Ordering::SeqCst), 0);
        world.bind(&pull);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        match next.poll(&mut context) {
            std::task::Poll::Ready(Some(event)) => assert_eq!(event.kind.name(), "listening"),
            other => panic!("the event is here: {other:?}"),
        }
    }
    let mut next = std::pin::pin!(stream.next());
    assert!(next.as_mut().poll(&mut context).is_pending());
    drop(pull);
    eventually("the task hears of the end", || woken.0.load(Ordering::SeqCst) >= 2);
}

fn a_context_hears_all_its_sockets(world: &World) {
    let monitor = world.context.monitor();
    let (one, other) = (world.socket(Pull), world.socket(Sub));
    world.bind(&one);
    world.bind(&other);
    let heard: Vec<_> = std::iter::from_fn(|| monitor.try_next())
        .map(|event| (event.socket, event.socket_type, event.kind.name()))
        .collect();
    assert_eq!(heard, [(one.id(), Pull, "listening"), (other.id(), Sub, "listening")]);
    assert!(one.id() != other.id());
}
