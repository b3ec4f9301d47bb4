//! The deadlines of one reactor, earliest first.

use std::collections::BTreeMap;
use std::time::Instant;

/// Deadlines of `T`. Equal instants fire in the order they were set.
pub(crate) struct Timers<T> {
    queue: BTreeMap<TimerId, T>,
    next: u64,
}

/// Names one deadline, so that it can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId(Instant, u64);

impl TimerId {
    /// The deadline.
    pub(crate) fn at(self) -> Instant {
        self.0
    }
}

impl<T> Timers<T> {
    pub(crate) fn new() -> Timers<T> {
        Timers { queue: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn set(&mut self, at: Instant, what: T) -> TimerId {
        let id = TimerId(at, self.next);
        self.next += 1;
        self.queue.insert(id, what);
        id
    }

    /// Cancelling one that fired, or was cancelled before, does nothing.
    pub(crate) fn cancel(&mut self, id: TimerId) {
        self.queue.remove(&id);
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|(id, _)| id.0)
    }

    /// Takes the next deadline that has passed.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let entry = self.queue.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fire_in_order_and_only_when_due() {
        let start = Instant::now();
        let mut timers = Timers::new();
        timers.set(start + Duration::from_secs(2), "late");
        let cancelled = timers.set(start, "cancelled");
        timers.set(start + Duration::from_secs(1), "first");
        timers.set(start + Duration::from_secs(1), "second");
        timers.cancel(cancelled);
        assert_eq!(timers.earliest(), Some(start + Duration::from_secs(1)));
        assert_eq!(timers.pop_due(start), None);
        let now = start + Duration::from_secs(1);
        assert_eq!(timers.pop_due(now), Some("first"));
        assert_eq!(timers.pop_due(now), Some("second"));
        assert_eq!(timers.pop_due(now), None);
    }
}
