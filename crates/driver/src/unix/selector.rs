//! The one difference between unix back ends: who says that a socket is ready.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
use super::epoll;
use super::polling;
use crate::driver::unsupported;
use crate::{Key, Kind};

/// A source that became ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raised {
    pub(super) key: Key,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The end, or an error, may be among what is to be read; no other event will say so.
    pub(super) ended: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    pub(super) woken: bool,
    pub(super) interrupted: bool,
}

/// The shared half.
#[derive(Debug)]
pub(super) enum Selector {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll(epoll::Selector),
    Polling(polling::Selector),
}

impl Selector {
    pub(super) fn open(kind: Kind) -> io::Result<Selector> {
        match kind {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Kind::Epoll => Ok(Selector::Epoll(epoll::Selector::open()?)),
            Kind::Polling => Ok(Selector::Polling(polling::Selector::open()?)),
            _ => Err(unsupported(kind)),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(_) => Kind::Epoll,
            Selector::Polling(_) => Kind::Polling,
        }
    }

    pub(super) fn add(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.add(fd, key),
            Selector::Polling(selector) => selector.add(fd, key),
        }
    }

    /// For a source whose writes hardly ever wait: no edge says that there is room, before it is asked for.
    pub(super) fn add_input(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.add_input(fd, key),
            Selector::Polling(selector) => selector.add_input(fd, key),
        }
    }

    /// Of such a source, whose registration stays what it is: whether an edge says that there is room.
    pub(super) fn set_interest(&self, fd: &OwnedFd, key: Key, writable: bool) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.set_interest(fd, key, writable),
            Selector::Polling(selector) => selector.set_interest(fd, key, writable),
        }
    }

    pub(super) fn remove(&self, fd: &OwnedFd) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.remove(fd),
            Selector::Polling(selector) => selector.remove(fd),
        }
    }

    /// For a connection that is shut down in the next moment, and closed when the last of its handles is dropped.
    pub(super) fn remove_closing(&self, fd: &OwnedFd) {
        match self {
            // Closing removes it. Until then there is at most the edge of its end, which names nobody any more; also where a forked
            // child holds the socket open.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(_) => {}
            Selector::Polling(selector) => {
                // It fails where it is gone already.
                let _ = selector.remove(fd);
            }
        }
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.wake(),
            Selector::Polling(selector) => selector.wake(),
        }
    }

    /// The descriptor that becomes readable when the selector has something to report.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(selector) => selector.as_fd(),
            Selector::Polling(selector) => selector.as_fd(),
        }
    }

    pub(super) fn waiter(&self) -> Waiter {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Selector::Epoll(_) => Waiter::Epoll,
            Selector::Polling(_) => Waiter::Polling(polling::Waiter::new()),
        }
    }
}

/// What the waiting half needs besides: memory for what the system reports, where that does not live on the stack.
#[derive(Debug)]
pub(super) enum Waiter {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll,
    Polling(polling::Waiter),
}

impl Waiter {
    #[inline]
    pub(super) fn wait(
        &mut self,
        selector: &Selector,
        raised: &mut Vec<Raised>,
        timeout: Option<Duration>,
    ) -> io::Result<Ended> {
        match (self, selector) {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            (Waiter::Epoll, Selector::Epoll(selector)) => selector.wait(raised, timeout),
            (Waiter::Polling(waiter), Selector::Polling(selector)) => waiter.wait(selector, raised, timeout),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            _ => unreachable!("a waiter is made by the selector that it waits on"),
        }
    }
}
