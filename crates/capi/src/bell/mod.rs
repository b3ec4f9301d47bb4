//! Something that a thread can wait for with the system's `poll`, and any thread can ring.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Bell, PollFd, RawFd, listen_on, poll};
#[cfg(windows)]
pub use windows::{Bell, PollFd, RawFd, listen_on, poll};

use std::sync::Arc;
use std::task::Wake;
use std::time::Instant;

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
