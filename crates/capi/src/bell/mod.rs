//! Something that a thread can wait for with the system's `poll`, and any thread can ring.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Bell, PollFd, RawFd, listen_on, poll};
#[cfg(windows)]
pub use windows::{Bell, PollFd, RawFd, listen_on, poll, start_network};

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Wake;
use std::time::Instant;

impl Bell {
    /// Makes it ring. Costs a system call only if it does not.
    pub fn ring(&self) {
        // After a strike that failed whoever rings next tries again.
        if self.begins() && !self.strike() {
            self.rings.store(false, Ordering::Release);
        }
    }

    /// Whether it did not ring. Whoever is told so has to strike it.
    fn begins(&self) -> bool {
        !self.rings.swap(true, Ordering::AcqRel)
    }

    /// Ends the ringing. What rings from now on is heard; what is about to strike, or still on its way, makes it ring once more.
    pub fn clear(&self) {
        if self.rings.load(Ordering::Acquire) && self.still() {
            // Behind that: a ring in between has not struck, and whoever clears looks for what it was about.
            self.rings.swap(false, Ordering::AcqRel);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// As the system's `poll` wants it: -1 is for ever.
fn milliseconds_until(deadline: Option<Instant>) -> i32 {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    // Rounded up, so that it is not called again for the last fraction.
    i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::readable;

    fn is_heard(bell: &Bell, deadline: Option<Instant>) -> bool {
        poll(&mut [readable(bell)], deadline).expect("a bell can be polled") == 1
    }

    #[test]
    fn it_is_readable_from_a_ring_until_it_is_cleared() {
        let bell = Bell::new().expect("descriptors");
        assert!(!is_heard(&bell, Some(Instant::now())));
        bell.ring();
        bell.ring();
        assert!(is_heard(&bell, None) && is_heard(&bell, None));
        bell.clear();
        assert!(!is_heard(&bell, Some(Instant::now())));
        bell.ring();
        assert!(is_heard(&bell, None));
    }

    /// In between it says that it rings, and nothing can be heard yet. Were it taken for cleared, what is heard next would never end.
    #[test]
    fn cleared_in_the_midst_of_a_ring_it_rings_once_more_and_can_be_cleared() {
        let bell = Bell::new().expect("descriptors");
        assert!(bell.begins());
        bell.clear();
        assert!(bell.strike());
        assert!(is_heard(&bell, None));
        bell.clear();
        assert!(!is_heard(&bell, Some(Instant::now())));
        bell.ring();
        assert!(is_heard(&bell, None));
    }
}
