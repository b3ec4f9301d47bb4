//! The two halves of a driver that is a member of a port.

use std::io;
use std::time::{Duration, Instant};

use super::sync::{self, Arc};
use super::{MemberId, Port, Well};
use crate::{Event, Events};

/// The waiting half. Dropping it gives up what it has not taken, and the lead.
#[derive(Debug)]
pub(crate) struct Driver<W: Well> {
    remote: Remote<W>,
    /// Memory that a wait uses: empty between waits.
    taken: Vec<(MemberId, Event)>,
}

impl<W: Well> Driver<W> {
    /// One more member of the port.
    pub(crate) fn open(port: &Arc<Port<W>>) -> Driver<W> {
        let port = Arc::clone(port);
        let member = port.desk().join();
        Driver { remote: Remote { port, member }, taken: Vec::new() }
    }

    pub(crate) fn remote(&self) -> Remote<W> {
        self.remote.clone()
    }

    pub(crate) fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let (port, me) = (Arc::clone(&self.remote.port), self.remote.member);
        let look = timeout == Some(Duration::ZERO);
        let until = if look { None } else { sync::deadline(timeout) };
        let mut outcome = Ok(());
        let mut looked = false;
        let mut desk = port.desk();
        while !desk.collect(me, events) && outcome.is_ok() && !looked {
            if desk.lead_as(me) {
                drop(desk);
                looked = look || until.is_some_and(|until| until <= Instant::now());
                let patience = if looked { Some(Duration::ZERO) } else { sync::left(until) };
                outcome = port.well.take(&mut self.taken, patience);
                port.hand_out(&mut self.taken);
                desk = port.desk();
                continue;
            }
            if let Some(call) = desk.ask_for_lead() {
                drop(desk);
                port.make(Some(call));
                desk = port.desk();
                continue;
            }
            looked = look || until.is_some_and(|until| until <= Instant::now());
            if !looked {
                let bell = desk.fall_asleep(me);
                desk = sync::sleep(&bell, desk, until);
                desk.wake_up(me);
            }
        }
        let call = desk.leave_as(me);
        drop(desk);
        port.make(call);
        outcome
    }
}

impl<W: Well> Drop for Driver<W> {
    fn drop(&mut self) {
        let (untaken, call) = self.remote.port.desk().part(self.remote.member);
        self.remote.port.make(call);
        drop(untaken);
    }
}

/// The submitting half.
#[derive(Debug)]
pub(crate) struct Remote<W> {
    port: Arc<Port<W>>,
    member: MemberId,
}

impl<W: Well> Remote<W> {
    pub(crate) fn port(&self) -> &Arc<Port<W>> {
        &self.port
    }

    pub(crate) fn member(&self) -> MemberId {
        self.member
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        let call = self.port.desk().wake_member(self.member);
        self.port.try_make(call)
    }
}

impl<W> Clone for Remote<W> {
    fn clone(&self) -> Remote<W> {
        Remote { port: Arc::clone(&self.port), member: self.member }
    }
}
