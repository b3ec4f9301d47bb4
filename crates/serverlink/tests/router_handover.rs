//! The scenario in which the C++ ServerLink died on Windows, step by step: there a connecter registered a socket to learn that it
//! is connected, then handed its raw handle to an engine, which registered it again.
//!
//! Here each socket has one registration for life, whatever it goes through. Where the system tells what is registered (Linux),
//! that is what is compared; elsewhere the monitors have to be content. A binary of its own: it looks at the whole process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serverlink::{Context, EventKind, Message, Monitor, Socket, SocketType};

#[path = "support/place.rs"]
mod place;
#[path = "support/raw_link.rs"]
mod raw_link;
#[path = "support/raw_peer.rs"]
mod raw_peer;
#[path = "support/registrations.rs"]
mod registrations;

use place::{Place, brisk, eventually, in_time, over_raw_wires, over_wires, wait_for};
use raw_link::RawListener;
use raw_peer::frame;

over_wires! {
    router_handover_registers_each_socket_once
}

over_raw_wires! {
    a_dialer_connects_shakes_hands_and_talks_on_one_registration
    every_retry_is_a_new_socket_with_a_registration_of_its_own
}

/// A displaced dialer that came back would take the name back.
const NEVER: Duration = Duration::from_secs(3600);

/// Held by the one test that looks at the process.
static ALONE: Mutex<()> = Mutex::new(());

/// Dropping a socket does not wait for its connections to be closed, so the test before this one may still have some.
fn alone() -> MutexGuard<'static, ()> {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    eventually("the sockets of other tests are closed", || registrations::of_sockets().is_empty());
    alone
}

/// Where each socket was first seen registered. It may never be seen anywhere else.
#[derive(Default)]
struct Ledger {
    places: BTreeMap<String, registrations::Place>,
}

impl Ledger {
    /// Looks at all sockets of the process; gives how many are registered.
    fn look(&mut self, step: &str) -> usize {
        let now = registrations::of_sockets();
        for (socket, places) in &now {
            let [place] = places[..] else {
                panic!("{step}: {socket} is registered {} times: {places:?}", places.len());
            };
            let first = *self.places.entry(socket.clone()).or_insert(place);
            assert_eq!(first, place, "{step}: {socket} was registered elsewhere before");
        }
        now.len()
    }
}

fn twin(context: &Context, endpoint: &str) -> (Socket, Monitor) {
    let dealer = brisk(context, SocketType::Dealer, |options| {
        options.routing_id = b"twin".to_vec();
        (options.reconnect_interval, options.reconnect_interval_max) = (NEVER, NEVER);
    });
    let monitor = dealer.monitor();
    dealer.connect(endpoint).expect("connecting");
    dealer.wait_for_peers(1, place::PATIENCE).expect("a connection");
    (dealer, monitor)
}

fn send(socket: &Socket, parts: &[&str]) {
    socket.send_deadline(Message::from_parts(parts.iter().copied()), in_time()).expect("room");
}

fn recv(socket: &Socket) -> Vec<String> {
    let message = socket.recv_deadline(in_time()).expect("a message");
    message.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn router_handover_registers_each_socket_once(place: &Place) {
    let _alone = alone();
    let mut ledger = Ledger::default();

    // The test there: several I/O threads, a ROUTER with handover, and DEALERs that share a routing id. Each socket's reactor is on
    // the next of the threads.
    let context = Context::builder().io_threads(4).build().expect("a context");
    let router = brisk(&context, SocketType::Router, |options| options.router_handover = true);
    let heard = router.monitor();
    let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();

    // `add_fd`, socket 316, port 0x108: the connecter of the first DEALER registers its socket. `add_fd`, socket 316, port 0xF8: the
    // engine got the handle, or the system gave its number to the next socket. Here the connection goes from connecting to open.
    let (first, first_heard) = twin(&context, &endpoint);
    send(&first, &["first"]);
    assert_eq!(recv(&router), ["twin", "first"]);
    let registered = ledger.look("the first has connected");
    assert!(!cfg!(target_os = "linux") || registered >= 3, "a listener and two ends, found {registered}");

    // `add_fd`, socket 420, port 0x124: the second DEALER connects with the same routing id.
    // `add_fd`, socket 420 again: error 87, and the assertion. Here it takes the name over, on the registration it has.
    let (second, second_heard) = twin(&context, &endpoint);
    wait_for(&heard, "the handover", |event| matches!(event, EventKind::HandedOver { .. }).then_some(()));
    wait_for(&first_heard, "the first's end", |event| {
        matches!(event, EventKind::Disconnected { .. }).then_some(())
    });
    ledger.look("the second has taken over");

    // Messages reach the new owner of the name, and nobody else.
    for round in 0..100 {
        let text = round.to_string();
        send(&router, &["twin", &text]);
        assert_eq!(recv(&second), [text.as_str()]);
        send(&second, &[&text]);
        assert_eq!(recv(&router), ["twin", text.as_str()]);
    }
    assert!(first.try_recv().is_err(), "the old owner gets nothing more");
    eventually("one peer is left", || router.stats().peers == 1);
    ledger.look("messages have gone to and fro");

    // What the monitors tell: as many connections as were made, each of them once, and nothing refused on the way.
    let after: Vec<EventKind> = std::iter::from_fn(|| heard.try_next()).map(|event| event.kind).collect();
    assert!(!after.iter().any(is_trouble), "{after:?}");
    for (whose, events) in [("first", &first_heard), ("second", &second_heard)] {
        let rest: Vec<EventKind> = std::iter::from_fn(|| events.try_next()).map(|event| event.kind).collect();
        let again = |event: &EventKind| matches!(event, EventKind::Connected { .. }) || is_trouble(event);
        assert_eq!(
            rest.iter().filter(|event| again(event)).count(),
            usize::from(whose == "second"),
            "{rest:?}"
        );
    }
}

fn is_trouble(event: &EventKind) -> bool {
    matches!(
        event,
        EventKind::AcceptPaused { .. } | EventKind::AcceptFailed { .. } | EventKind::HandshakeFailed { .. }
    )
}

/// A DEALER whose peer is in the hands of the test.
struct Dialing {
    listener: RawListener,
    dealer: Socket,
    heard: Monitor,
}

impl Dialing {
    fn to(place: &Place) -> Dialing {
        let context = Context::builder().io_threads(2).build().expect("a context");
        let endpoint = place.endpoint();
        let listener = RawListener::bind(&endpoint);
        let dealer = brisk(&context, SocketType::Dealer, |_| {});
        let heard = dealer.monitor();
        dealer.connect(&endpoint).expect("connecting");
        Dialing { listener, dealer, heard }
    }
}

fn a_dialer_connects_shakes_hands_and_talks_on_one_registration(place: &Place) {
    let _alone = alone();
    let mut ledger = Ledger::default();
    let Dialing { listener, dealer, heard } = Dialing::to(place);

    // The connecter's part.
    let mut peer = listener.accept();
    wait_for(&heard, "connected", |event| matches!(event, EventKind::Connected { .. }).then_some(()));
    let connecting = ledger.look("connected");
    // The engine's part.
    peer.shake("ROUTER", b"");
    wait_for(&heard, "established", |event| matches!(event, EventKind::Established { .. }).then_some(()));
    assert_eq!(ledger.look("through the handshake"), connecting);
    peer.send(&frame(0, b"hello"));
    assert_eq!(recv(&dealer), ["hello"]);
    send(&dealer, &["hello back"]);
    assert_eq!(peer.read_frame().1, b"hello back");
    assert_eq!(ledger.look("open"), connecting);
}

fn every_retry_is_a_new_socket_with_a_registration_of_its_own(place: &Place) {
    let _alone = alone();
    let mut ledger = Ledger::default();
    let Dialing { listener, dealer: _dealer, heard } = Dialing::to(place);
    for attempt in 0..20 {
        let mut peer = listener.accept();
        if attempt % 2 == 0 {
            peer.shake("ROUTER", b"");
        }
        wait_for(&heard, "connected", |event| matches!(event, EventKind::Connected { .. }).then_some(()));
        ledger.look("an attempt");
    }
    if cfg!(target_os = "linux") {
        // Keys and sockets are never used twice, so each attempt has left its own line.
        let places: std::collections::BTreeSet<_> = ledger.places.values().collect();
        assert!(ledger.places.len() >= 20 && places.len() == ledger.places.len(), "{:?}", ledger.places);
    }
}
