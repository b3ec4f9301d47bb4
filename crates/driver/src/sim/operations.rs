//! Operations in flight: what a completion port's drivers have under way, and how a closed source comes to its end.
//!
//! On a machine with epoll's laws there are none.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use super::handles::Handle;
use super::state::{Action, DriverId, State};
use crate::{Address, Batch, Event, Key};

/// What a source may have in flight, at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Connect,
    /// Completes when somebody waits to be accepted.
    Accept,
    /// Completes when there is something to read, and takes none of it.
    Receive,
    /// Owns a batch until all of it is taken.
    Send,
    /// Says that the handle is closed, for sources that have nothing else in flight too.
    Close,
}

/// A registered source as its driver sees it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) handle: Handle,
    pub(super) in_flight: BTreeSet<Operation>,
    /// The memory of the send in flight: in use until it came home, also after the source was closed.
    pub(super) sending: Option<Box<Batch>>,
    /// What a listener that was closed listened on: in use until its last operation came home.
    pub(super) listened_on: Option<Address>,
}

impl Source {
    pub(super) fn new(handle: Handle) -> Source {
        Source { handle, in_flight: BTreeSet::new(), sending: None, listened_on: None }
    }
}

impl State {
    pub(super) fn launch(&mut self, (driver, key): (DriverId, Key), operation: Operation) {
        if !self.faults.completions {
            return;
        }
        let Some(source) = self.drivers[driver].sources.get_mut(key) else { return };
        let launched = source.in_flight.insert(operation);
        if launched && operation == Operation::Receive && self.chance(self.faults.spurious) {
            self.after_latency(Action::Abort(driver, key));
        }
    }

    /// Completes an operation, if it is in flight; its event is the caller's to report. With epoll's laws every edge is reported.
    pub(super) fn land(&mut self, (driver, key): (DriverId, Key), operation: Operation) -> bool {
        if !self.faults.completions {
            return true;
        }
        let source = self.drivers[driver].sources.get_mut(key);
        source.is_some_and(|source| source.in_flight.remove(&operation))
    }

    /// A receive ends though nothing came, as when the thread that started it is gone: that says no more than that one should look.
    pub(super) fn abort_receive(&mut self, driver: DriverId, key: Key) {
        if self.land((driver, key), Operation::Receive) {
            self.report(driver, Event::Readable(key));
        }
    }

    /// Cancels what a source that is being closed has in flight. Each of them comes home in its own time; a listener's as soon as somebody waits
    /// again, because a call that frees an address waits for them, and no time passes in a call.
    pub(super) fn cancel(&mut self, (driver, key): (DriverId, Key)) {
        let Some(source) = self.drivers[driver].sources.get_mut(key) else { return };
        source.in_flight.insert(Operation::Close);
        let listened = source.listened_on.is_some();
        for operation in source.in_flight.clone() {
            let action = Action::ComeHome(driver, key, operation);
            if listened { self.after(Duration::ZERO, action) } else { self.after_latency(action) }
        }
    }

    /// A cancelled operation of a closed source ends. The last of them takes the key with it.
    pub(super) fn come_home(&mut self, driver: DriverId, key: Key, operation: Operation) {
        let Some(source) = self.drivers[driver].sources.get_mut(key) else { return };
        source.in_flight.remove(&operation);
        let over = source.in_flight.is_empty();
        match operation {
            Operation::Send => {
                if let Some(batch) = source.sending.take() {
                    self.report(
                        driver,
                        Event::Written(key, batch, Err(io::ErrorKind::ConnectionAborted.into())),
                    );
                }
            }
            Operation::Receive if self.chance(self.faults.spurious) => {
                self.report(driver, Event::Readable(key));
            }
            _ => {}
        }
        if over {
            self.drivers[driver].sources.remove(key);
            self.report(driver, Event::Closed(key));
        }
    }
}
