//! The `polling` crate, edge-triggered: kqueue on macOS and the BSDs.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};
use slotmap::{Key as _, KeyData};

use super::selector::{Ended, Raised};
use crate::Key;

const _: () = assert!(size_of::<usize>() == size_of::<u64>(), "the poller's tokens must hold a whole key");

#[derive(Debug)]
pub(super) struct Selector {
    poller: Poller,
    /// The poller does not tell a wake from a time-out.
    woken: AtomicBool,
}

impl Selector {
    pub(super) fn open() -> io::Result<Selector> {
        Ok(Selector { poller: Poller::new()?, woken: AtomicBool::new(false) })
    }

    pub(super) fn add(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        let interest = Event::all(key.data().as_ffi() as usize);
        self.add_for(fd, interest)
    }

    pub(super) fn add_input(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        self.add_for(fd, Event::readable(key.data().as_ffi() as usize))
    }

    pub(super) fn set_interest(&self, fd: &OwnedFd, key: Key, writable: bool) -> io::Result<()> {
        let interest = Event::new(key.data().as_ffi() as usize, true, writable);
        self.poller.modify_with_mode(fd, interest, PollMode::Edge)
    }

    fn add_for(&self, fd: &OwnedFd, interest: Event) -> io::Result<()> {
        // SAFETY: the descriptor must be deleted before it is closed. Whoever adds one here owns it (`Stream`, `Listener`, `Datagrams`), closes it nowhere else than
        // in its own drop, on whatever thread that is, and deletes it before, in that drop at the latest. If the deletion fails, both
        // systems behind this poller (epoll and kqueue) forget a descriptor when it is closed, and an event taken before names a key that is gone.
        unsafe { self.poller.add_with_mode(fd, interest, PollMode::Edge) }
    }

    pub(super) fn remove(&self, fd: &OwnedFd) -> io::Result<()> {
        self.poller.delete(fd)
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.woken.store(true, Ordering::SeqCst);
        self.poller.notify()
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

/// The memory of one wait.
pub(super) struct Waiter {
    events: Events,
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiter({})", self.events.len())
    }
}

impl Waiter {
    pub(super) fn new() -> Waiter {
        Waiter { events: Events::new() }
    }

    pub(super) fn wait(
        &mut self,
        selector: &Selector,
        raised: &mut Vec<Raised>,
        timeout: Option<Duration>,
    ) -> io::Result<Ended> {
        self.events.clear();
        selector.poller.wait(&mut self.events, timeout)?;
        for event in self.events.iter() {
            let failed = event.is_interrupt() || event.is_err() == Some(true);
            raised.push(Raised {
                key: Key::from(KeyData::from_ffi(event.key as u64)),
                readable: event.readable || failed,
                writable: event.writable || failed,
                // It does not tell on every system.
                ended: true,
            });
        }
        Ok(Ended { woken: selector.woken.swap(false, Ordering::SeqCst), interrupted: false })
    }
}
