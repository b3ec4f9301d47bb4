//! A poller over the pollers of drivers, where there is no timer descriptor: the timer is part of the wait's own time-out.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use polling::{Event, Events, PollMode, Poller};

use super::driver::Remote;
use super::outer::unknown_token;
use super::registry::lock;

#[derive(Debug)]
pub(crate) struct Outer {
    shared: Arc<Shared>,
    events: PolledEvents,
}

/// The shared half.
#[derive(Clone, Debug)]
pub(crate) struct OuterWaker(Arc<Shared>);

struct PolledEvents(Events);

impl std::fmt::Debug for PolledEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PolledEvents({})", self.0.len())
    }
}

#[derive(Debug)]
struct Shared {
    poller: Poller,
    drivers: Mutex<BTreeMap<u64, Remote>>,
    timer: Mutex<Timer>,
}

#[derive(Debug, Default)]
struct Timer {
    armed: Option<Instant>,
    /// Somebody waits, until then at most.
    sleeping: Option<Option<Instant>>,
    woken: bool,
}

impl Outer {
    pub(super) fn open() -> io::Result<Outer> {
        let shared = Shared { poller: Poller::new()?, drivers: Mutex::default(), timer: Mutex::default() };
        Ok(Outer { shared: Arc::new(shared), events: PolledEvents(Events::new()) })
    }

    pub(super) fn waker(&self) -> OuterWaker {
        OuterWaker(Arc::clone(&self.shared))
    }

    pub(super) fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let limit = self.shared.fall_asleep(deadline);
            self.events.0.clear();
            let outcome = match limit {
                Some(limit) => self.shared.poller.wait_deadline(&mut self.events.0, limit),
                None => self.shared.poller.wait(&mut self.events.0, None),
            };
            let over = self.shared.wake_up(deadline);
            outcome?;
            ready.extend(self.events.0.iter().map(|event| event.key as u64));
            if over || !self.events.0.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Shared {
    /// When the poller must return.
    fn fall_asleep(&self, deadline: Option<Instant>) -> Option<Instant> {
        let mut timer = lock(&self.timer);
        let limit = match (deadline, timer.armed) {
            (Some(deadline), Some(armed)) => Some(deadline.min(armed)),
            (deadline, armed) => deadline.or(armed),
        };
        timer.sleeping = Some(limit);
        limit
    }

    /// Whether the wait is over; if not, the poller returned only because the timer was moved.
    fn wake_up(&self, deadline: Option<Instant>) -> bool {
        let mut timer = lock(&self.timer);
        timer.sleeping = None;
        let now = Instant::now();
        let ran_off = timer.armed.is_some_and(|armed| armed <= now);
        if ran_off {
            timer.armed = None;
        }
        std::mem::take(&mut timer.woken) || ran_off || deadline.is_some_and(|deadline| deadline <= now)
    }
}

impl OuterWaker {
    pub(super) fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        let key = usize::try_from(token).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut drivers = lock(&self.0.drivers);
        if drivers.contains_key(&token) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let selector = driver.registry.selector.as_fd();
        // SAFETY: the descriptor must be deleted before it is closed. The table below keeps the driver's selector, and with it the
        // descriptor, open until `remove` deletes it, on whatever thread; what is never removed is closed after this poller, which is the field before the table.
        unsafe { self.0.poller.add_with_mode(&selector, Event::readable(key), PollMode::Level)? };
        drivers.insert(token, driver.clone());
        Ok(())
    }

    pub(super) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        let drivers = lock(&self.0.drivers);
        let driver = drivers.get(&token).ok_or_else(|| unknown_token(token))?;
        // It fitted when the token was added.
        let key = token as usize;
        let interest = if masked { Event::none(key) } else { Event::readable(key) };
        self.0.poller.modify_with_mode(driver.registry.selector.as_fd(), interest, PollMode::Level)
    }

    pub(super) fn remove(&self, token: u64) -> io::Result<()> {
        let driver = lock(&self.0.drivers).remove(&token).ok_or_else(|| unknown_token(token))?;
        self.0.poller.delete(driver.registry.selector.as_fd())
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        lock(&self.0.timer).woken = true;
        self.0.poller.notify()
    }

    pub(super) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        let mut timer = lock(&self.0.timer);
        timer.armed = after.and_then(|after| Instant::now().checked_add(after));
        let too_late = match (timer.sleeping, timer.armed) {
            (Some(Some(limit)), Some(armed)) => armed < limit,
            (Some(None), Some(_)) => true,
            (_, None) | (None, _) => false,
        };
        drop(timer);
        // The sleeper looks at the timer again and sleeps on.
        if too_late { self.0.poller.notify() } else { Ok(()) }
    }
}
