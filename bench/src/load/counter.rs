//! What a receiver counts its messages with.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Worker, say_reached, sequence::Sequence};

/// What a receiver counts its messages with: pass every body to [`message`](Counter::message).
pub struct Counter {
    total: u64,
    /// When the announcement is due.
    announce_at: u64,
    worker: Arc<Worker>,
    sequence: Option<Sequence>,
    announcement: Option<Announcement>,
}

/// Told when so many messages have come, by whoever is the last of several receivers.
struct Announcement {
    missing: Arc<AtomicUsize>,
}

impl Counter {
    pub(crate) fn new(worker: Arc<Worker>) -> Counter {
        Counter { total: 0, announce_at: u64::MAX, worker, sequence: None, announcement: None }
    }

    /// Says `reached` at the so many-th message (0: never), if the others that share `missing` are there too.
    #[must_use]
    pub(crate) fn announcing(mut self, at: u64, missing: &Arc<AtomicUsize>) -> Counter {
        if at > 0 {
            self.announce_at = at;
            self.announcement = Some(Announcement { missing: Arc::clone(missing) });
        }
        self
    }

    /// Reads the number of each message, and counts what is missing between two.
    #[must_use]
    pub(crate) fn numbered(mut self) -> Counter {
        self.sequence = Some(Sequence::default());
        self
    }

    /// Counts one message and looks at it.
    #[inline]
    pub fn message(&mut self, body: &[u8]) {
        black_box(body.first());
        if let Some(sequence) = &mut self.sequence {
            sequence.take(body);
            self.worker.set_lost(sequence.lost());
        }
        self.batch(1);
    }

    /// Counts messages that were looked at already, or are not messages to anybody but the clock.
    #[inline]
    pub fn batch(&mut self, messages: u64) {
        self.total += messages;
        self.worker.set_messages(self.total);
        if self.total >= self.announce_at {
            self.announce();
        }
    }

    #[cold]
    fn announce(&mut self) {
        self.announce_at = u64::MAX;
        let reached = self.announcement.take();
        if reached.is_some_and(|reached| reached.missing.fetch_sub(1, Ordering::Relaxed) == 1) {
            say_reached();
        }
    }
}
