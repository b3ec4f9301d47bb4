//! A port that several drivers share: leader and followers.
//!
//! Completion ports do not nest, so the drivers of an I/O thread are *members* of one port. Whoever waits becomes its
//! *leader*, takes events for all members and rings those whose events came. A thread that waits while another leads is a
//! *follower*: it sleeps until it has events of its own or is handed the lead. So nobody's events wait for a thread that
//! is busy elsewhere, and exactly one thread at a time is inside the system's port.
//!
//! The [`Outer`] is the follower of last resort. It leads only while there are members that nobody masked, and gives the
//! lead to any driver that asks, because a caller who waits for his own events should not get them from another thread.
//!
//! Who waits and who leads is decided at the [`Desk`](desk::Desk), under one lock that nobody holds while waiting.

mod desk;
mod driver;
mod outer;
mod sync;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::Event;
use desk::{Call, Desk};
pub(crate) use driver::{Driver, Remote};
pub(crate) use outer::Outer;
/// Only Windows has ports that do not nest.
#[cfg(any(windows, test))]
pub(crate) use outer::OuterWaker;
use sync::{Arc, Mutex, MutexGuard};

slotmap::new_key_type! {
    /// One driver of a port.
    pub(crate) struct MemberId;
}

/// The part of a port that knows the system.
pub(crate) trait Well: fmt::Debug + Send + Sync + 'static {
    /// Waits up to `timeout` (`None`: without end) and appends what happened, with the member whose source it is about.
    /// One thread at a time calls it.
    fn take(&self, taken: &mut Vec<(MemberId, Event)>, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends the take that is going on, or else the next one.
    fn interrupt(&self) -> io::Result<()>;
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Port<W> {
    desk: Mutex<Desk>,
    well: W,
}

impl<W: Well> Port<W> {
    pub(crate) fn new(well: W) -> Arc<Port<W>> {
        Arc::new(Port { desk: Mutex::new(Desk::new()), well })
    }

    pub(crate) fn well(&self) -> &W {
        &self.well
    }

    /// Queues an event that was known at once, from any thread. Not to be called with a lock that [`Well::take`] wants.
    pub(crate) fn report(&self, member: MemberId, event: Event) {
        let queued = self.desk().queue(member, event);
        // An event that nobody is left for goes here, without the lock: it may own memory whose owner is foreign code.
        if let Ok(call) = queued {
            self.make(call);
        }
    }

    /// The leader's part: what it took goes to the members.
    fn hand_out(&self, taken: &mut Vec<(MemberId, Event)>) {
        let (mut calls, mut undeliverable) = (Vec::new(), Vec::new());
        let mut desk = self.desk();
        for (member, event) in taken.drain(..) {
            match desk.queue(member, event) {
                // Inside the port is only the leader, who looks at the desk next.
                Ok(Some(Call::Interrupt) | None) => {}
                Ok(Some(call)) => calls.push(call),
                Err(event) => undeliverable.push(event),
            }
        }
        drop(desk);
        calls.into_iter().for_each(|call| self.make(Some(call)));
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        sync::lock(&self.desk)
    }

    /// Makes a thread look at the desk again.
    fn make(&self, call: Option<Call>) {
        // A port that cannot be posted to fails whoever waits in it, and so wakes him.
        let _ = self.try_make(call);
    }

    fn try_make(&self, call: Option<Call>) -> io::Result<()> {
        match call {
            Some(Call::Ring(bell)) => bell.notify_one(),
            Some(Call::Interrupt) => self.well.interrupt()?,
            None => {}
        }
        Ok(())
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
