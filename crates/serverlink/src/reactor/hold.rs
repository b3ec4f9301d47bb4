//! The role in the hands of a caller: it does the I/O it waits for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_message::chunk;

use super::{Attention, Reactor};
use crate::sync::WakeDriver;
use crate::sync::later::later;

/// The role. Dropping it passes it on, also when its holder unwinds.
pub(crate) struct Hold {
    reactor: Arc<Reactor>,
    depended_on: bool,
    /// The last clock reading of this hold's rounds.
    at: Option<Instant>,
}

impl Hold {
    pub(super) fn new(reactor: Arc<Reactor>) -> Hold {
        Hold { reactor, depended_on: true, at: None }
    }

    /// One round without sleeping. True if anything happened.
    pub(crate) fn poll(&mut self, attention: Attention) -> bool {
        let _wake_later = later();
        let mut turn = self.reactor.turn.lock();
        let busy = turn.run(&self.reactor, Some(Duration::ZERO), attention);
        self.at = Some(turn.now());
        busy
    }

    /// Looks for events for a moment, while peers that are awake answer. `done` says when to stop, and is told whether anything happened.
    pub(crate) fn spin(&mut self, attention: Attention, mut done: impl FnMut(bool) -> bool) {
        if self.reactor.env.may_spin() {
            let reactor = Arc::clone(&self.reactor);
            reactor.spins.spin(|| done(self.poll(attention)));
        }
    }

    /// Sleeps in the driver until something happens, the earliest timer is due, or `deadline`. True if a signal cut
    /// it short.
    pub(crate) fn sleep(&mut self, attention: Attention, deadline: Option<Instant>) -> bool {
        let _wake_later = later();
        chunk::settle();
        let mut turn = self.reactor.turn.lock();
        let wake_at = deadline.into_iter().chain(turn.next_deadline()).min();
        let before = self.reactor.env.now();
        let timeout = wake_at.map(|at| at.saturating_duration_since(before));
        turn.run(&self.reactor, timeout, attention);
        let after = turn.now();
        self.at = Some(after);
        self.reactor.spins.note_sleep(after.saturating_duration_since(before));
        turn.was_interrupted()
    }

    /// Sleeping would not end any more: nothing is reported.
    pub(crate) fn has_failed(&self) -> bool {
        self.reactor.turn.lock().has_failed()
    }

    /// How to wake the holder while it sleeps.
    pub(crate) fn waker(&self) -> WakeDriver {
        Arc::clone(&self.reactor.wake)
    }

    /// Gives the role back. `depended_on`: other callers or tasks wait, or an outbox is blocked.
    pub(crate) fn leave(mut self, depended_on: bool) {
        // On a simulated machine nobody comes back by himself.
        self.depended_on = depended_on || self.reactor.env.world().is_some();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let now = self.at.unwrap_or_else(|| self.reactor.env.now());
        let due = self.reactor.turn.lock().next_deadline();
        self.reactor.leave_role(self.depended_on, now, due);
    }
}
