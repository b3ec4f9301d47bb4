//! What a broken connection may cost.

use std::collections::BTreeSet;
use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Pull, Push};

use crate::seeds::for_each_seed;

const ENDPOINT: &str = "tcp://10.0.0.1:5555";
const PATIENCE: Duration = Duration::from_secs(120);
const BODY_BYTES: usize = 20;
/// On the wire, with the frame's header.
const FRAME_BYTES: usize = BODY_BYTES + 2;
const BREAKS: u64 = 6;

/// A message is sent again unless the system had taken all of it. So a break costs at most what lay in the system's buffer, and nothing comes
/// twice.
#[test]
fn a_break_costs_no_more_than_the_system_had() {
    for_each_seed("a_break_costs_no_more_than_the_system_had", |seed| {
        let mut lane = Lane::new(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..BREAKS {
            (0..10).for_each(|_| lane.send());
            // Often between two messages, with all before it delivered.
            lane.machine.world().reset_next_connection_at(random.u64(..600));
            lane.machine.run_for(Duration::from_millis(random.u64(..200)));
            lane.machine.world().reset_connections();
            lane.machine.run_for(Duration::from_millis(random.u64(..400)));
            lane.take();
        }
        let lost = lane.heal();
        // The ends of two messages may lie in the buffer, and no more.
        assert!(
            lost <= 2 * 2 * BREAKS,
            "{lost} messages were lost in {BREAKS} breaks of one kind and the other"
        );
    });
}

/// One PUSH, one PULL, and buffers that hold one message at most.
struct Lane {
    machine: Simulation,
    push: Push,
    pull: Pull,
    sent: u64,
    received: BTreeSet<u64>,
}

impl Lane {
    fn new(seed: u64) -> Lane {
        let buffer_bytes = 1 + seed as usize % FRAME_BYTES;
        let max_latency = Duration::from_millis(1);
        let faults = Faults { refuse: 0.0, reset: 0.0, buffer_bytes, max_latency, ..Faults::HARSH };
        let mut machine = Simulation::new(seed, faults.under_laws_of(seed));
        let (here, there) = (machine.context(), machine.context());
        let (push, pull) = (here.push().open().unwrap(), there.pull().open().unwrap());
        pull.bind(ENDPOINT).unwrap();
        push.connect(ENDPOINT).unwrap();
        Lane { machine, push, pull, sent: 0, received: BTreeSet::new() }
    }

    fn send(&mut self) {
        self.push.try_send(format!("{:BODY_BYTES$}", self.sent)).unwrap();
        self.sent += 1;
    }

    fn take(&mut self) {
        while let Ok(message) = self.pull.try_recv() {
            let text = std::str::from_utf8(message.first()).expect("a number was sent");
            let number = text.trim_start().parse().expect("a number was sent");
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
