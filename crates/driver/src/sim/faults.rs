//! What goes wrong, and how often.

use std::time::Duration;

/// How the virtual machine behaves. Chances are from 0 (never) to 1 (always) and are drawn from the world's seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The shortest time that anything takes to reach the other end.
    pub min_latency: Duration,
    /// The longest. Order within one direction of a connection is kept.
    pub max_latency: Duration,
    /// Chance that a delivery takes much longer, as when a packet was lost and is sent again; what was written after it waits behind it.
    pub stall: f64,
    /// How much longer at most.
    pub longest_stall: Duration,
    /// Bytes that a kernel buffer holds, one for each direction at each end, where the options do not say.
    pub buffer_bytes: usize,
    /// Chance that a delivery carries only some of the bytes, down to one; the rest follows.
    pub split_delivery: f64,
    /// Chance that a read returns only some of the bytes that are there, down to one; an event follows for the rest.
    pub short_read: f64,
    /// Chance that a write takes only some of the bytes that fit, down to one; the rest goes on later.
    pub short_write: f64,
    /// Chance that an attempt to connect is refused though somebody listens.
    pub refuse: f64,
    /// Chance that a registration fails though the socket is as good as new.
    pub refuse_registration: f64,
    /// Chance that a new connection is doomed: it is reset when it has carried so many bytes.
    pub reset: f64,
    /// A doomed connection carries fewer bytes than this, in both directions together.
    pub reset_within_bytes: u64,
    /// Chance that an event comes with a second one that nothing stands behind, also for a source that was closed. With
    /// completions also the chance that a receive is aborted, which says no more than that one should look.
    pub spurious: f64,
    /// Chance, with completions only, that an event overtakes others that wait to be taken, and that a wait takes only some of them.
    /// What has an order keeps it: the outcome of an attempt comes before all else of its key, `Closed` after it.
    pub reorder: f64,
    /// Keep the laws of a completion port instead of epoll's: one association for each socket's life, an event of a kind only after it
    /// was asked for, writes that own what the kernel did not take, and sources that live until
    /// [`Event::Closed`](crate::Event::Closed). Fixed when the world is made.
    pub completions: bool,
}

impl Faults {
    /// A network on which nothing goes wrong, with 50 microseconds of latency.
    pub const NONE: Faults = Faults {
        min_latency: Duration::from_micros(50),
        max_latency: Duration::from_micros(50),
        stall: 0.0,
        longest_stall: Duration::ZERO,
        buffer_bytes: 64 * 1024,
        split_delivery: 0.0,
        short_read: 0.0,
        short_write: 0.0,
        refuse: 0.0,
        refuse_registration: 0.0,
        reset: 0.0,
        reset_within_bytes: 0,
        spurious: 0.0,
        reorder: 0.0,
        completions: false,
    };

    /// Everything goes wrong often; small buffers.
    pub const HARSH: Faults = Faults {
        min_latency: Duration::from_micros(1),
        max_latency: Duration::from_millis(20),
        stall: 0.01,
        longest_stall: Duration::from_secs(2),
        buffer_bytes: 300,
        split_delivery: 0.5,
        short_read: 0.3,
        short_write: 0.3,
        refuse: 0.2,
        refuse_registration: 0.0,
        reset: 0.3,
        reset_within_bytes: 2000,
        spurious: 0.2,
        reorder: 0.5,
        completions: false,
    };

    /// The same faults under the laws that the seed chooses: a completion port's for odd seeds, epoll's for even ones.
    #[must_use]
    pub fn under_laws_of(self, seed: u64) -> Faults {
        Faults { completions: seed % 2 == 1, ..self }
    }

    /// Laws and faults that the seed chooses: each fault is absent, rare or as often as in [`HARSH`](Faults::HARSH), so that some machines
    /// are calm, some fail in one way only and some in all.
    pub fn chosen_by(seed: u64) -> Faults {
        // Not the world's own sequence, which begins with the seed itself.
        let mut random = fastrand::Rng::with_seed(seed ^ 0x6661_756c_7473);
        let chance = |random: &mut fastrand::Rng, harsh: f64| match random.u8(..4) {
            0 | 1 => 0.0,
            2 => harsh / 10.0,
            _ => harsh,
        };
        let harsh = Faults::HARSH;
        let faults = Faults {
            split_delivery: chance(&mut random, harsh.split_delivery),
            short_read: chance(&mut random, harsh.short_read),
            short_write: chance(&mut random, harsh.short_write),
            refuse: chance(&mut random, harsh.refuse),
            refuse_registration: chance(&mut random, 0.2),
            reset: chance(&mut random, harsh.reset),
            reset_within_bytes: harsh.reset_within_bytes,
            spurious: chance(&mut random, harsh.spurious),
            reorder: chance(&mut random, harsh.reorder),
            ..Faults::NONE
        };
        let max_latency =
            *random.choice(&[faults.max_latency, harsh.max_latency]).unwrap_or(&harsh.max_latency);
        let buffer_bytes = random.usize(1..=1000);
        let (stall, longest_stall) = (chance(&mut random, harsh.stall), harsh.longest_stall);
        Faults { max_latency, buffer_bytes, stall, longest_stall, ..faults }.under_laws_of(seed)
    }
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::NONE
    }
}
