//! Waiting: a caller that would sleep drives its socket's reactor, or parks if another one does.

use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serverlink_message::{SocketType, chunk};

use super::core::Core;
use crate::error::Error;
use crate::reactor::{Attention, Hold};
use crate::sync::Waiters;
use crate::sync::later::{has_kept, later};

/// What a caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    Message,
    Credit,
    Change,
}

impl Core {
    /// Repeats `attempt` until it gives something, the deadline passes or the socket ends; waits in between.
    pub(crate) fn wait_until<T>(
        self: &Arc<Self>,
        what: For,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        match attempt()? {
            Some(found) => {
                self.pass_on(what);
                Ok(found)
            }
            None => self.wait_on(what, deadline, attempt),
        }
    }

    /// The same for who has just tried in vain.
    pub(crate) fn wait_on<T>(
        self: &Arc<Self>,
        what: For,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        loop {
            if deadline.is_some_and(|at| at <= self.now()) {
                self.pass_on(what);
                return Err(Error::TimedOut);
            }
            let found = match self.home.get().and_then(|home| home.take_role()) {
                Some(hold) => self.drive(hold, what, deadline, &mut attempt)?,
                None => self.park(what, deadline, &mut attempt)?,
            };
            let found = match found {
                None => attempt()?,
                found => found,
            };
            if let Some(found) = found {
                self.pass_on(what);
                return Ok(found);
            }
            self.check_driver()?;
        }
    }

    pub(crate) fn waiters(&self, what: For) -> &Arc<Waiters> {
        match what {
            For::Message => &self.readers,
            For::Credit => &self.writers,
            For::Change => &self.observers,
        }
    }

    /// For a receive that must not wait: reads what is there, if nobody else does.
    pub(crate) fn recv_polling(self: &Arc<Self>) -> Result<Option<serverlink_message::Message>, Error> {
        self.poll_and(|| self.try_recv_once())
    }

    /// The same before any `attempt`.
    pub(crate) fn poll_and<T>(
        self: &Arc<Self>,
        attempt: impl FnOnce() -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.context.check_process()?;
        let _later = later();
        self.flush();
        let Some(mut hold) = self.home.get().and_then(|home| home.take_role()) else { return Ok(None) };
        hold.poll(Attention::Taking);
        // Also if nothing came: the I/O thread may have brought it while we waited for the role.
        let found = attempt();
        hold.leave(self.is_depended_on());
        if matches!(found, Ok(None)) {
            self.check_driver()?;
        }
        found
    }

    /// One of several who wait is woken at a time; whoever is through wakes the next if there is more.
    pub(crate) fn pass_on(self: &Arc<Self>, what: For) {
        let waiters = self.waiters(what);
        if waiters.any() && self.has_more(what) {
            match what {
                For::Credit => self.notify_writers(),
                For::Message | For::Change => waiters.notify_one(),
            }
        }
    }

    /// There is room for a message. Who sends to named peers waits for one peer's room, and a publisher for its message's
    /// subscribers, so one of them may not do for the others.
    pub(crate) fn notify_writers(&self) {
        match self.kind {
            SocketType::Router
            | SocketType::Stream
            | SocketType::Server
            | SocketType::Peer
            | SocketType::Pub
            | SocketType::Xpub
            | SocketType::Radio => self.writers.notify_all(),
            _ => self.writers.notify_one(),
        }
    }

    fn has_more(&self, what: For) -> bool {
        match what {
            For::Message => self.recv.lock().may_have_more(),
            For::Credit => self.is_writable(),
            For::Change => false,
        }
    }

    /// With the role: does the I/O that it waits for.
    fn drive<T>(
        self: &Arc<Self>,
        mut hold: Hold,
        what: For,
        deadline: Option<Instant>,
        attempt: &mut impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let attention = match what {
            For::Message => Attention::Taking,
            For::Credit | For::Change => Attention::Absent,
        };
        // Foreign code runs when the role was left: it may wait for this very socket.
        let _later = later();
        self.flush();
        let mut found = Ok(None);
        // The reactor does not hear of what peers in this process send.
        let has_rings = LazyCell::new(|| what == For::Message && !self.recv.lock().rings.is_empty());
        hold.spin(attention, |happened| {
            if happened || *has_rings {
                found = attempt();
            }
            !matches!(found, Ok(None))
        });
        // However short the deadline is, the system is asked once, because whoever comes again and again keeps the I/O thread from doing so.
        let mut asked = false;
        while let Ok(None) = found {
            if has_kept() || hold.has_failed() || asked && deadline.is_some_and(|at| at <= self.now()) {
                break;
            }
            // Registered, then looked once more: whoever changes something in between wakes the driver.
            let registration = self.waiters(what).register_driver(hold.waker());
            found = attempt();
            if matches!(found, Ok(None)) {
                let interrupted = hold.sleep(attention, deadline);
                asked = true;
                drop(registration);
                found = attempt();
                if interrupted && matches!(found, Ok(None)) {
                    found = Err(Error::Interrupted);
                }
            }
        }
        hold.leave(self.is_depended_on());
        found
    }

    /// Others wait for what only the holder of the role brings.
    pub(crate) fn is_depended_on(&self) -> bool {
        self.readers.any()
            || self.writers.any()
            || self.observers.any()
            || self.blocked.load(Ordering::Relaxed) > 0
            || self.is_closing()
    }

    /// Without the role: another caller drives, or there is no reactor at all.
    fn park<T>(
        self: &Arc<Self>,
        what: For,
        deadline: Option<Instant>,
        attempt: &mut impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        self.flush();
        if self.home.get().is_none() && self.env.may_spin() {
            let mut found = Ok(None);
            self.spins.spin(|| {
                found = attempt();
                !matches!(found, Ok(None))
            });
            if !matches!(found, Ok(None)) {
                return found;
            }
        }
        let registration = self.waiters(what).register_thread();
        if let Some(home) = self.home.get() {
            home.rely();
        }
        let found = attempt();
        if matches!(found, Ok(None)) {
            chunk::settle();
            let before = self.now();
            registration.park(deadline);
            self.spins.note_sleep(self.now().saturating_duration_since(before));
        } else if registration.withdraw() {
            // The call that was meant for us finds somebody else.
            self.waiters(what).notify_one();
        }
        found
    }
}
