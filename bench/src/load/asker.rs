//! What a caller asks, and when.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Counter, Worker};

/// What a caller asks, when it asks, and how long the answers took.
///
/// One turn is: sleep for [`wait`](Asker::wait), send [`next_body`](Asker::next_body), receive into
/// [`counter`](Asker::counter), tell [`answered`](Asker::answered).
pub struct Asker {
    body: Vec<u8>,
    left: u64,
    pace: Duration,
    due: Instant,
    asked: Instant,
    worker: Arc<Worker>,
    counter: Counter,
}

impl Asker {
    /// Asks `count` times (0: without end), once per `pace` (zero: at once again), for the first time after `first_wait`.
    pub(crate) fn new(body_bytes: usize, worker: &Arc<Worker>, count: u64) -> Asker {
        let now = Instant::now();
        Asker {
            body: vec![b'q'; body_bytes],
            left: if count == 0 { u64::MAX } else { count },
            pace: Duration::ZERO,
            due: now,
            asked: now,
            worker: Arc::clone(worker),
            counter: Counter::new(Arc::clone(worker)),
        }
    }

    #[must_use]
    pub(crate) fn paced(mut self, pace: Duration, first_wait: Duration) -> Asker {
        self.pace = pace;
        self.due += first_wait;
        self
    }

    /// How long to sleep before the next question.
    #[inline]
    pub fn wait(&self) -> Duration {
        if self.pace.is_zero() { Duration::ZERO } else { self.due.saturating_duration_since(Instant::now()) }
    }

    /// The next question; its time runs from now. None when all are asked.
    #[inline]
    pub fn next_body(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        self.due += self.pace;
        self.asked = Instant::now();
        Some(black_box(&self.body))
    }

    /// Where the answer goes.
    #[inline]
    pub fn counter(&mut self) -> &mut Counter {
        &mut self.counter
    }

    /// The answer is here.
    #[inline]
    pub fn answered(&mut self) {
        self.worker.record(self.asked.elapsed());
    }
}
