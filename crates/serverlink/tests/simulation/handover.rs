//! The scenario that a C++ ancestor of this library did not survive on Windows, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Dealer, EventKind, Linger, Router};

use crate::ending::{assert_each_socket_registered_once, assert_nothing_is_left};
use crate::seeds::for_each_seed;

const ENDPOINT: &str = "tcp://10.0.0.1:5555";
const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &[u8] = b"worker";

/// There, a socket was associated with a completion port to learn that it is connected, and again, often with another I/O thread's port, to
/// speak the protocol over it: error 87, an assertion, and the process was gone. ROUTER handover made it likely, because it makes
/// connections for one name come and go quickly over several I/O threads.
#[test]
fn router_handover_registers_each_socket_once() {
    for_each_seed("router_handover_registers_each_socket_once", |seed| {
        for completions in [false, true] {
            let calm = Simulation::new(seed, Faults { completions, ..Faults::NONE });
            hand_over_and_over(calm);
            let shuffled = Faults { reset: 0.0, refuse: 0.0, completions, ..Faults::HARSH };
            hand_over_and_over(Simulation::new(seed, shuffled));
        }
    });
}

fn hand_over_and_over(mut machine: Simulation) {
    // Several I/O threads: under the laws of completion ports each has a port of its own, and a socket could end up with two of them.
    let (here, there) = (machine.context_with(4), machine.context_with(4));

    // Step 1: a dialer comes before its listener. The attempt is refused; its socket was registered, and is closed.
    let mut early = Worker::connect(&there, 0, Duration::from_millis(100));
    machine.run_for(Duration::from_secs(1));
    let attempts = machine.world().associations().len();
    assert!(attempts > 1, "it was refused and tried again");
    assert_each_socket_registered_once(&machine);

    // Step 2: the listener appears. The next attempt is a new socket, and most likely has the handle value of an old one: a table that is keyed
    // by values would take it for the one that is registered already.
    let router = here.router().router_handover(true).open().unwrap();
    let monitor = router.monitor();
    router.bind(ENDPOINT).unwrap();
    early.say_and_expect(&mut machine, &router);
    assert!(reuses_values(&machine), "the ledger shows values that several sockets had");

    // Step 3: connected, handshake and open are states of one connection. The socket that connected is the socket that speaks.
    let sockets = machine.world().associations().len();
    early.say_and_expect(&mut machine, &router);
    assert_eq!(machine.world().associations().len(), sockets, "messages register nothing");

    // Step 4: another peer of the same name, and another, from sockets on other I/O threads. Each takes the name over while messages of the
    // old one wait to be read.
    // Whoever loses the name does not come back for it within this test.
    let long = Duration::from_secs(3600);
    drop(early);
    let mut newest = Worker::connect(&there, 1, long);
    newest.say_and_expect(&mut machine, &router);
    for generation in 2..=6 {
        let context = if generation % 2 == 0 { &here } else { &there };
        newest.say();
        machine.run_for(Duration::from_secs(1));
        let mut newcomer = Worker::connect(context, generation, long);
        let text = newcomer.say();
        machine.run_for(Duration::from_secs(5));
        let (_, received) = router.try_recv_from().unwrap();
        assert_eq!(received.first(), text.as_str(), "what the old one said, and nobody read, is gone");
        assert!(router.try_recv().is_err(), "something came after the newcomer's first message");

        // Step 5: the old one's connection is closed by the ROUTER, whose socket may still have operations in flight. Nothing of the old one
        // comes any more, and what is sent to the name goes to the newcomer.
        router.try_send_to(NAME, format!("to {generation}")).unwrap();
        let received = machine.run(newcomer.dealer.recv_async(), PATIENCE).expect("a path").unwrap();
        assert_eq!(received.first(), format!("to {generation}").as_str());

        // Step 6: the old worker leaves, and its handle value is free for the next.
        drop(std::mem::replace(&mut newest, newcomer));
        assert_each_socket_registered_once(&machine);
    }
    let handed_over = std::iter::from_fn(|| monitor.try_next())
        .filter(|event| matches!(event.kind, EventKind::HandedOver { .. }));
    assert!(handed_over.count() >= 5, "each newcomer took the name over");

    // Step 7: everybody leaves, and every port has given back what it had.
    drop((newest, router, monitor));
    machine.run_for(Duration::from_secs(60));
    assert_nothing_is_left(&machine);
}

/// A DEALER that has the one name.
struct Worker {
    dealer: Dealer,
    generation: u32,
    said: u32,
}

impl Worker {
    fn connect(context: &Context, generation: u32, pause: Duration) -> Worker {
        let dealer = context.dealer().routing_id(NAME).linger(Linger::For(Duration::from_secs(1)));
        let dealer = dealer.reconnect_interval(pause).open().unwrap();
        dealer.connect(ENDPOINT).unwrap();
        Worker { dealer, generation, said: 0 }
    }

    fn say(&mut self) -> String {
        self.said += 1;
        let text = format!("{} {}", self.generation, self.said);
        self.dealer.try_send(text.as_str()).unwrap();
        text
    }

    /// What it says arrives, and nothing of an older one comes after it.
    fn say_and_expect(&mut self, machine: &mut Simulation, router: &Router) {
        let text = self.say();
        loop {
            let received = machine.run(router.recv_async(), PATIENCE).expect("the path heals").unwrap();
            let message = received.iter().nth(1).expect("a name and a text");
            if message == text.as_str() {
                break;
            }
        }
        machine.run_for(Duration::from_millis(500));
        assert!(router.try_recv().is_err(), "something of an older one came after the newcomer's first");
    }
}

fn reuses_values(machine: &Simulation) -> bool {
    let ledger = machine.world().associations();
    let values: BTreeSet<u32> = ledger.iter().map(|entry| entry.handle).collect();
    values.len() < ledger.len()
}
