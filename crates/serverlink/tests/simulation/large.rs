//! Large messages over connections that break at any byte: they are written from their caller's memory and read into pieces of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Message, Part, Pull, Push};

use crate::seeds::for_each_seed;

const ENDPOINT: &str = "tcp://10.0.0.1:5555";
const PATIENCE: Duration = Duration::from_secs(120);
const BREAKS: u64 = 3;
const KIB: usize = 1024;

/// Each comes whole and once, and a break costs no more than what the system had.
#[test]
fn large_messages_survive_breaks_at_any_byte() {
    for_each_seed("large_messages_survive_breaks_at_any_byte", |seed| {
        let mut lane = Lane::new(seed);
        for _ in 0..BREAKS {
            for _ in 0..4 {
                lane.send();
                let pause = lane.random.u64(..3);
                lane.machine.run_for(Duration::from_millis(pause));
            }
            let at = lane.random.u64(..60_000);
            lane.machine.world().reset_next_connection_at(at);
            let pause = lane.random.u64(..200);
            lane.machine.run_for(Duration::from_millis(pause));
            lane.take();
            lane.machine.world().reset_connections();
            let pause = lane.random.u64(..400);
            lane.machine.run_for(Duration::from_millis(pause));
            lane.take();
        }
        let lost = lane.heal();
        // None is shorter than a buffer: the ends of two may lie in one, and no more.
        assert!(
            lost <= 2 * 2 * BREAKS,
            "{lost} messages were lost in {BREAKS} breaks of one kind and the other"
        );
    });
}

/// One PUSH, one PULL, and buffers that hold one message at most.
struct Lane {
    machine: Simulation,
    random: fastrand::Rng,
    push: Push,
    pull: Pull,
    sent: u64,
    received: BTreeSet<u64>,
}

impl Lane {
    fn new(seed: u64) -> Lane {
        let mut random = fastrand::Rng::with_seed(seed);
        let buffer_bytes = random.usize(2 * KIB..16 * KIB);
        let max_latency = Duration::from_millis(1);
        let faults = Faults { refuse: 0.0, reset: 0.0, buffer_bytes, max_latency, ..Faults::HARSH };
        let mut machine = Simulation::new(seed, faults.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let (push, pull) = (here.push().open().unwrap(), there.pull().open().unwrap());
        pull.bind(ENDPOINT).unwrap();
        push.connect(ENDPOINT).unwrap();
        Lane { machine, random, push, pull, sent: 0, received: BTreeSet::new() }
    }

    fn send(&mut self) {
        let bytes = body(self.sent, self.random.usize(16 * KIB..50 * KIB));
        match self.random.u8(..3) {
            0 => self.push.try_send(&bytes).map_err(drop),
            1 => self.push.try_send(bytes).map_err(drop),
            _ => {
                let head = vec![b'h'; self.random.usize(..20 * KIB)];
                self.push.try_send(Message::from_parts([Part::from(head), Part::from(bytes)])).map_err(drop)
            }
        }
        .expect("room below the mark");
        self.sent += 1;
    }

    fn take(&mut self) {
        while let Ok(message) = self.pull.try_recv() {
            let last = message.part(message.part_count() - 1).expect("no message is without parts");
            let number = u64::from_be_bytes(*last.as_bytes().first_chunk().expect("it is large"));
            assert!(last.as_bytes() == body(number, last.len()), "{number} came with other bytes");
            assert!(message.part_count() == 1 || message.first().iter().all(|byte| *byte == b'h'));
            assert!(self.received.insert(number), "{number} came twice");
        }
    }

    /// Until something that was sent after the last break comes through: how many of those before it never did.
    fn heal(&mut self) -> u64 {
        let (before, deadline) = (self.sent, self.machine.world().now() + PATIENCE);
        while self.received.last().is_none_or(|last| *last < before) {
            assert!(self.machine.world().now() < deadline, "the path does not heal");
            self.send();
            self.machine.run_for(Duration::from_millis(200));
            self.take();
        }
        before - self.received.range(..before).count() as u64
    }
}

/// Its number, over and over.
fn body(number: u64, len: usize) -> Vec<u8> {
    number.to_be_bytes().into_iter().cycle().take(len).collect()
}
