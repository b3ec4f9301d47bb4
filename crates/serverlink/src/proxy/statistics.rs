//! What a proxy has moved.

use std::sync::atomic::{AtomicU64, Ordering};

/// Whole messages, and the bytes of their parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SideStatistics {
    /// Messages that this side received.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Messages that this side sent, or that its type dropped.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
}

/// Counters of a [`Proxy`](crate::Proxy) since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStatistics {
    /// The first socket.
    pub frontend: SideStatistics,
    /// The second socket.
    pub backend: SideStatistics,
    /// Messages that were received and had nobody to go to.
    pub dropped: u64,
}

/// As they grow. One thread writes, any reads.
#[derive(Default)]
pub(super) struct Counters {
    sides: [Side; 2],
    dropped: AtomicU64,
}

#[derive(Default)]
struct Side {
    received: Tally,
    sent: Tally,
}

#[derive(Default)]
struct Tally {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// From which side to which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    from: usize,
    to: usize,
}

pub(super) const FRONT_TO_BACK: Way = Way { from: 0, to: 1 };
pub(super) const BACK_TO_FRONT: Way = Way { from: 1, to: 0 };

impl Counters {
    pub(super) fn on_received(&self, way: Way, bytes: u64) {
        self.sides[way.from].received.add(bytes);
    }

    pub(super) fn on_sent(&self, way: Way, bytes: u64) {
        self.sides[way.to].sent.add(bytes);
    }

    pub(super) fn on_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> ProxyStatistics {
        let [frontend, backend] = self.sides.each_ref().map(Side::snapshot);
        ProxyStatistics { frontend, backend, dropped: self.dropped.load(Ordering::Relaxed) }
    }
}

impl Side {
    fn snapshot(&self) -> SideStatistics {
        let (received, received_bytes) = self.received.get();
        let (sent, sent_bytes) = self.sent.get();
        SideStatistics { received, received_bytes, sent, sent_bytes }
    }
}

impl Tally {
    /// The proxy alone writes, so it needs no exchange.
    fn add(&self, bytes: u64) {
        self.messages.store(self.messages.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.bytes.store(self.bytes.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }

    fn get(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}
