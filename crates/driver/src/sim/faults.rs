//! What goes wrong, and how often.

use std::time::Duration;

/// How the virtual machine behaves. Chances are from 0 (never) to 1 (always) and are drawn from the world's seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// The shortest time that anything takes to reach the other end.
    pub min_latency: Duration,
    /// The longest. Order within one direction of a connection is kept.
    pub max_latency: Duration,
    /// Bytes that a kernel buffer holds, one for each direction at each end, where the options do not say.
    pub buffer_bytes: usize,
    /// Chance that a delivery carries only some of the bytes, down to one; the rest follows.
    pub split_delivery: f64,
    /// Chance that a read returns only some of the bytes that are there, down to one; an event follows for the rest.
    pub short_read: f64,
    /// Chance that a write takes only some of the bytes that fit, down to one; `Writable` follows.
    pub short_write: f64,
    /// Chance that an attempt to connect is refused though somebody listens.
    pub refuse: f64,
    /// Chance that a new connection is doomed: it is reset when it has carried so many bytes.
    pub reset: f64,
    /// A doomed connection carries fewer bytes than this, in both directions together.
    pub reset_within_bytes: u64,
    /// Chance that an event comes with a second one that nothing stands behind, also for a source that was closed.
    pub spurious: f64,
    /// Keep the rules of a completion port: after an event the next of its kind comes only after `rearm`, and a closed source
    /// keeps its slot until [`Event::Closed`](crate::Event::Closed) came.
    pub completions: bool,
}

impl Faults {
    /// A network on which nothing goes wrong, with 50 microseconds of latency.
    pub const NONE: Faults = Faults {
        min_latency: Duration::from_micros(50),
        max_latency: Duration::from_micros(50),
        buffer_bytes: 64 * 1024,
        split_delivery: 0.0,
        short_read: 0.0,
        short_write: 0.0,
        refuse: 0.0,
        reset: 0.0,
        reset_within_bytes: 0,
        spurious: 0.0,
        completions: false,
    };

    /// Everything goes wrong often; small buffers.
    pub const HARSH: Faults = Faults {
        min_latency: Duration::from_micros(1),
        max_latency: Duration::from_millis(20),
        buffer_bytes: 300,
        split_delivery: 0.5,
        short_read: 0.3,
        short_write: 0.3,
        refuse: 0.2,
        reset: 0.3,
        reset_within_bytes: 2000,
        spurious: 0.2,
        completions: false,
    };
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::NONE
    }
}
