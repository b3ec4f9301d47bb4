//! epoll, edge-triggered, with an eventfd to wake it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use slotmap::{Key as _, KeyData};

use super::selector::{Ended, Raised};
use super::signals;
use crate::Key;

/// How many events one wait takes; what is left over comes with the next.
const EVENTS_PER_WAIT: usize = 256;

#[derive(Debug)]
pub(super) struct Selector {
    epoll: OwnedFd,
    wake: Alarm,
}

impl Selector {
    pub(super) fn open() -> io::Result<Selector> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let wake = Alarm::open(&epoll, Key::null().data().as_ffi())?;
        Ok(Selector { epoll, wake })
    }

    pub(super) fn add(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(key.data().as_ffi()), flags)?)
    }

    pub(super) fn add_input(&self, fd: &OwnedFd, key: Key) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(key.data().as_ffi()), flags)?)
    }

    pub(super) fn set_interest(&self, fd: &OwnedFd, key: Key, writable: bool) -> io::Result<()> {
        let mut flags = EventFlags::IN | EventFlags::ET;
        flags.set(EventFlags::OUT, writable);
        Ok(epoll::modify(&self.epoll, fd, EventData::new_u64(key.data().as_ffi()), flags)?)
    }

    pub(super) fn remove(&self, fd: &OwnedFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.wake.ring()
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Selector {
    /// Appends the sources that became ready.
    #[inline]
    pub(super) fn wait(&self, raised: &mut Vec<Raised>, timeout: Option<Duration>) -> io::Result<Ended> {
        let mut ended = Ended::default();
        ended.interrupted = !wait(&self.epoll, timeout, |token, flags| {
            let key = Key::from(KeyData::from_ffi(token));
            if key.is_null() {
                ended.woken = true;
                return;
            }
            // Errors are found by the next read or write, so both sides are told.
            let failed = EventFlags::ERR | EventFlags::HUP;
            raised.push(Raised {
                key,
                readable: flags.intersects(EventFlags::IN | EventFlags::RDHUP | failed),
                writable: flags.intersects(EventFlags::OUT | failed),
                ended: flags.intersects(EventFlags::RDHUP | failed),
            });
        })?;
        Ok(ended)
    }
}

/// Waits and hands over each event's token and flags; `false` when a signal that somebody may have handled cut the wait short.
///
/// The events live on the stack for the time of the call, uninitialized until the kernel writes them: that costs nothing and needs no allocation.
#[inline]
pub(super) fn wait(
    epoll: &OwnedFd,
    timeout: Option<Duration>,
    mut handle: impl FnMut(u64, EventFlags),
) -> io::Result<bool> {
    let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS_PER_WAIT];
    // A time that overflows the system's type is no limit to anybody.
    let limit = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    loop {
        let mut outcome = epoll::wait(epoll, &mut events, limit.as_ref());
        if let (Err(Errno::NOSYS), Some(timeout)) = (&outcome, timeout) {
            outcome = epoll::wait(epoll, &mut events, Some(&whole_milliseconds(timeout)));
        }
        return match outcome {
            Ok((events, _)) => {
                events.iter().for_each(|event| handle(event.data.u64(), event.flags));
                Ok(true)
            }
            // Who only asks does not sleep: there is nothing to cut short, and what is there must not be missed.
            Err(Errno::INTR) if timeout == Some(Duration::ZERO) => continue,
            Err(Errno::INTR) => Ok(!signals::may_have_been_handled()),
            Err(error) => Err(error.into()),
        };
    }
}

/// For kernels before 5.11, which have no `epoll_pwait2`: never early, up to a millisecond late.
#[cold]
fn whole_milliseconds(timeout: Duration) -> Timespec {
    let millis = i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
    Timespec { tv_sec: (millis / 1000).into(), tv_nsec: (millis % 1000 * 1_000_000).into() }
}

/// An eventfd in an epoll. Edge-triggered: every ring is an edge, so nobody has to read it empty.
#[derive(Debug)]
pub(super) struct Alarm {
    eventfd: OwnedFd,
}

impl Alarm {
    pub(super) fn open(epoll: &OwnedFd, token: u64) -> io::Result<Alarm> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(epoll, &eventfd, EventData::new_u64(token), EventFlags::IN | EventFlags::ET)?;
        Ok(Alarm { eventfd })
    }

    pub(super) fn ring(&self) -> io::Result<()> {
        let one = 1u64.to_ne_bytes();
        match rustix::io::write(&self.eventfd, &one) {
            // The counter is full after 2^64 rings that nobody read: empty it and ring once more.
            Err(Errno::AGAIN) => {
                rustix::io::read(&self.eventfd, &mut [0; 8])?;
                rustix::io::write(&self.eventfd, &one)?;
                Ok(())
            }
            outcome => Ok(outcome.map(drop)?),
        }
    }
}
