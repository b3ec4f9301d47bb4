//! A connection that its application ends while the socket goes on: STREAM.

use std::time::{Duration, Instant};

use super::{Connection, Finish};
use crate::options::Linger;

/// Nobody tells when another thread has written the last of it, so it is looked at again, more and more seldom.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

impl Connection {
    pub(crate) fn is_hanging_up(&self) -> bool {
        self.hanging_up_since.is_some()
    }

    /// What is queued is written, then our side is shut down and the peer's end awaited, all within the linger. Says how far it is, and when
    /// to look again.
    pub(crate) fn hang_up(&mut self, now: Instant) -> (Finish, Option<Instant>) {
        let since = *self.hanging_up_since.get_or_insert(now);
        let end = match self.core.options.linger {
            Linger::Forever => None,
            Linger::For(linger) => since.checked_add(linger),
        };
        if end.is_some_and(|end| end <= now) {
            return (Finish::Done, None);
        }
        match self.finish_if_flushed() {
            Finish::NotYet if !self.is_draining() => {
                let pause = now.saturating_duration_since(since).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
                let next = now + pause;
                (Finish::NotYet, Some(end.map_or(next, |end| end.min(next))))
            }
            how_far => (how_far, end),
        }
    }
}
