//! A process that stands still, and a clock that leaps: what it may cost, and what not.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, EventKind, Monitor, Pull, Push};

use crate::seeds::for_each_seed;

const ENDPOINT: &str = "tcp://10.0.0.1:5555";
const HOUR: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(60);
/// On the wire with their headers, and smaller than any buffer here.
const BODY_BYTES: usize = 20;

/// A PUSH that dials a PULL, and what both tell of it.
struct Pair {
    here: Context,
    there: Context,
    push: Push,
    pull: Pull,
    events: [Monitor; 2],
    sent: u64,
    /// Outlives what is on it.
    machine: Simulation,
}

impl Pair {
    /// The PUSH's heartbeats and the PULL's.
    fn new(seed: u64, heartbeats: [u64; 2]) -> Pair {
        let mut machine =
            Simulation::new(seed, Faults { buffer_bytes: 100, ..Faults::NONE }.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let heartbeats = heartbeats.map(Duration::from_secs);
        let push = here.push().heartbeat_interval(heartbeats[0]).open().unwrap();
        let pull = there.pull().heartbeat_interval(heartbeats[1]).open().unwrap();
        let events = [push.monitor(), pull.monitor()];
        pull.bind(ENDPOINT).unwrap();
        push.connect(ENDPOINT).unwrap();
        let mut pair = Pair { here, there, push, pull, events, sent: 0, machine };
        pair.send();
        pair.expect(0);
        // Somewhere between two PINGs.
        pair.machine.run_for(Duration::from_millis(seed * 13 % 20_000));
        pair.told();
        pair
    }

    fn send(&mut self) {
        self.push.try_send(format!("{:BODY_BYTES$}", self.sent)).unwrap();
        self.sent += 1;
    }

    /// The next message, within the patience.
    fn take(&mut self) -> u64 {
        let message = self.machine.run(self.pull.recv_async(), PATIENCE).expect("the path heals").unwrap();
        let text = std::str::from_utf8(message.first()).expect("a number was sent");
        text.trim_start().parse().expect("a number was sent")
    }

    fn expect(&mut self, number: u64) {
        assert_eq!(self.take(), number);
    }

    /// What the two told since they were asked last.
    fn told(&self) -> Vec<EventKind> {
        self.events
            .iter()
            .flat_map(|events| std::iter::from_fn(|| events.try_next()))
            .map(|event| event.kind)
            .collect()
    }
}

fn ends(told: &[EventKind]) -> usize {
    told.iter().filter(|event| matches!(event, EventKind::Disconnected { .. })).count()
}

/// The whole machine sleeps for an hour. Nobody was silent: nobody could have spoken.
#[test]
fn a_clock_that_leaps_breaks_no_connection() {
    for_each_seed("a_clock_that_leaps_breaks_no_connection", |seed| {
        let mut pair = Pair::new(seed, [5, 5]);
        for number in 1..=3 {
            pair.machine.jump(HOUR);
            pair.send();
            pair.expect(number);
            pair.machine.run_for(PATIENCE);
            assert_eq!(ends(&pair.told()), 0, "the connection had nothing to do with it");
        }
    });
}

/// One process stands still for an hour, and the other sends no heartbeats and says nothing. The connection is as good as before.
#[test]
fn whoever_wakes_up_asks_before_he_gives_up() {
    for_each_seed("whoever_wakes_up_asks_before_he_gives_up", |seed| {
        let mut pair = Pair::new(seed, [0, 5]);
        pair.machine.suspend(&pair.there);
        pair.machine.run_for(HOUR);
        pair.machine.resume(&pair.there);
        pair.machine.run_for(PATIENCE);
        (0..100).for_each(|_| pair.send());
        (1..=100).for_each(|number| pair.expect(number));
        assert_eq!(ends(&pair.told()), 0);
    });
}

/// One process stands still for an hour, and the other notices. Each of them tells of one end, only what the systems had is lost, and the path
/// heals by itself.
#[test]
fn a_peer_that_wakes_an_hour_later_is_given_up_once() {
    for_each_seed("a_peer_that_wakes_an_hour_later_is_given_up_once", |seed| {
        let mut pair = Pair::new(seed, [5, 5]);
        let sleeps = if seed % 2 == 0 { pair.there.clone() } else { pair.here.clone() };
        (0..100).for_each(|_| pair.send());
        pair.machine.suspend(&sleeps);
        pair.machine.run_for(HOUR);
        pair.machine.resume(&sleeps);
        let mut received = Vec::new();
        while received.last() != Some(&100) {
            received.push(pair.take());
        }
        pair.machine.run_for(PATIENCE);
        assert_eq!(ends(&pair.told()), 2, "each side tells of the end once");
        assert!(received.is_sorted_by(|one, next| one < next), "{received:?}");
        let in_the_systems = 200 / BODY_BYTES + 1;
        assert!(received.len() + in_the_systems >= 100, "{received:?}");
    });
}
