//! An epoll over the epolls of drivers.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::driver::Remote;
use super::epoll::{self as selector, Alarm};
use super::outer::unknown_token;
use super::registry::lock;
use super::signals;

/// The token of the alarm and the timer, which only end a wait.
const WAKE: u64 = u64::MAX;
const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

#[derive(Debug)]
pub(crate) struct Outer {
    shared: Arc<Shared>,
}

/// The shared half.
#[derive(Clone, Debug)]
pub(crate) struct OuterWaker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    epoll: OwnedFd,
    alarm: Alarm,
    timer: OwnedFd,
    drivers: Mutex<BTreeMap<u64, Remote>>,
}

impl Outer {
    pub(super) fn open() -> io::Result<Outer> {
        signals::note_handlers();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let alarm = Alarm::open(&epoll, WAKE)?;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        // Edge-triggered: arming it again resets it, so nobody has to read it.
        epoll::add(&epoll, &timer, EventData::new_u64(WAKE), EventFlags::IN | EventFlags::ET)?;
        let shared = Shared { epoll, alarm, timer, drivers: Mutex::default() };
        Ok(Outer { shared: Arc::new(shared) })
    }

    pub(super) fn waker(&self) -> OuterWaker {
        OuterWaker(Arc::clone(&self.shared))
    }

    pub(super) fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        selector::wait(&self.shared.epoll, timeout, |token, _| {
            if token != WAKE {
                ready.push(token);
            }
        })?;
        Ok(())
    }
}

impl OuterWaker {
    pub(super) fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        let mut drivers = lock(&self.0.drivers);
        if drivers.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        epoll::add(
            &self.0.epoll,
            driver.registry.selector.as_fd(),
            EventData::new_u64(token),
            EventFlags::IN,
        )?;
        drivers.insert(token, driver.clone());
        Ok(())
    }

    pub(super) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        let drivers = lock(&self.0.drivers);
        let driver = drivers.get(&token).ok_or_else(|| unknown_token(token))?;
        let flags = if masked { EventFlags::empty() } else { EventFlags::IN };
        Ok(epoll::modify(&self.0.epoll, driver.registry.selector.as_fd(), EventData::new_u64(token), flags)?)
    }

    pub(super) fn remove(&self, token: u64) -> io::Result<()> {
        let driver = lock(&self.0.drivers).remove(&token).ok_or_else(|| unknown_token(token))?;
        Ok(epoll::delete(&self.0.epoll, driver.registry.selector.as_fd())?)
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.0.alarm.ring()
    }

    pub(super) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        let it_value = match after {
            // Zero would disarm it.
            Some(after) => Timespec::try_from(after.max(Duration::from_nanos(1)))
                .map_err(|_| io::ErrorKind::InvalidInput)?,
            None => ZERO,
        };
        timerfd_settime(
            &self.0.timer,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval: ZERO, it_value },
        )?;
        Ok(())
    }
}
