//! `ZMQ_FD`: a descriptor for event loops, which is readable when a look at `ZMQ_EVENTS` is worth it.
//!
//! It rings when the socket becomes ready, when something arrives after a look, and after a call that leaves the socket ready. A look ends the
//! ringing, and so does a receive that finds nothing: a loop that sleeps on the descriptor neither misses anything nor spins.

use std::sync::Arc;
use std::task::Waker;

use serverlink::{Alert, Error, Interest, Readiness, Socket};

use crate::bell::{Bell, RawFd};
use crate::errno::{Answer, EMFILE};
use crate::system_error::code_of;

/// See the module's page.
pub(crate) struct Signal {
    bell: Arc<Bell>,
    alert: Alert,
}

impl Signal {
    pub(crate) fn new(socket: &Socket) -> Answer<Signal> {
        let bell = Arc::new(Bell::new().map_err(|error| code_of(&error, EMFILE))?);
        let alert = Alert::new(socket, Interest::BOTH, Waker::from(Arc::clone(&bell)));
        let signal = Signal { bell, alert };
        let _ = signal.alert.arm();
        // What is ready already was not announced.
        signal.ring();
        Ok(signal)
    }

    pub(crate) fn descriptor(&self) -> RawFd {
        self.bell.descriptor()
    }

    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// What can be done now. What changes from here on rings.
    pub(crate) fn look(&self) -> Result<Readiness, Error> {
        self.bell.clear();
        self.alert.arm()
    }

    /// A receive found nothing, so there is nothing to look for.
    pub(crate) fn found_nothing(&self) {
        match self.look() {
            Ok(ready) if !ready.readable => {}
            _ => self.ring(),
        }
    }

    /// The program may go on at once in the same direction.
    pub(crate) fn after_call(&self, interest: Interest) {
        let worth_a_look = match self.alert.arm() {
            Ok(ready) => ready.readable && interest.readable || ready.writable && interest.writable,
            Err(_) => true,
        };
        if worth_a_look {
            self.ring();
        }
    }
}
