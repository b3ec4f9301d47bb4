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

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
