//! The role in the hands of a caller: it does the I/O it waits for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Attention, LEASE, Reactor};
use crate::sync::later::later;

/// How long a caller looks for events before it sleeps: longer gains nothing, and shorter misses the answers of
/// a peer that is awake.
const SPIN: Duration = Duration::from_micros(20);

/// After how many missed spins in a row at most one is tried again.
const MAX_SKIPPED_SPINS: u32 = 64;

/// The role. Dropping it passes it on, also when its holder unwinds.
pub(crate) struct Hold {
    reactor: Arc<Reactor>,
    depended_on: bool,
}

impl Hold {
    pub(super) fn new(reactor: Arc<Reactor>) -> Hold {
        Hold { reactor, depended_on: true }
    }

    /// One round without sleeping. True if anything happened.
    pub(crate) fn poll(&mut self, attention: Attention) -> bool {
        let _wake_later = later();
        self.reactor.turn.lock().run(&self.reactor, Some(Duration::ZERO), attention)
    }

    /// Looks for events for a moment, while peers that are awake answer. `done` says when to stop.
    pub(crate) fn spin(&mut self, attention: Attention, mut done: impl FnMut() -> bool) -> bool {
        let missed = self.reactor.missed_spins.load(Ordering::Relaxed);
        if !self.reactor.env.may_spin() || !is_worth_it(missed) {
            self.reactor.missed_spins.store(missed.wrapping_add(1), Ordering::Relaxed);
            return false;
        }
        let until = Instant::now() + SPIN;
        while Instant::now() < until {
            if self.poll(attention) && done() {
                self.reactor.missed_spins.store(0, Ordering::Relaxed);
                return true;
            }
        }
        self.reactor.missed_spins.store(missed.wrapping_add(1), Ordering::Relaxed);
        false
    }

    /// Sleeps in the driver until something happens, the earliest timer is due, or `deadline`. True if a signal cut
    /// it short.
    pub(crate) fn sleep(&mut self, attention: Attention, deadline: Option<Instant>) -> bool {
        let _wake_later = later();
        let mut turn = self.reactor.turn.lock();
        let wake_at = deadline.into_iter().chain(turn.next_deadline()).min();
        let timeout = wake_at.map(|at| at.saturating_duration_since(self.reactor.env.now()));
        turn.run(&self.reactor, timeout, attention);
        turn.was_interrupted()
    }

    /// How to wake the holder while it sleeps.
    pub(crate) fn waker(&self) -> impl Fn() + Send + 'static {
        let remote = self.reactor.remote.clone();
        move || {
            let _ = remote.wake();
        }
    }

    /// Gives the role back. `depended_on`: other callers or tasks wait, or an outbox is blocked.
    pub(crate) fn leave(mut self, depended_on: bool) {
        // On a simulated machine nobody comes back by himself.
        self.depended_on = depended_on || self.reactor.env.world().is_some() || {
            let turn = self.reactor.turn.lock();
            let soon = self.reactor.env.now() + LEASE;
            turn.next_deadline().is_some_and(|at| at <= soon)
        };
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.reactor.leave_role(self.depended_on);
    }
}

/// Powers of two, so that misses make tries rarer and a hit makes them regular again.
fn is_worth_it(missed: u32) -> bool {
    missed < 4
        || (missed < MAX_SKIPPED_SPINS && missed.is_power_of_two())
        || missed.is_multiple_of(MAX_SKIPPED_SPINS)
}
