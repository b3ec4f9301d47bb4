//! The outer poller of a port: it names the members that nobody drives.

use std::io;
use std::time::{Duration, Instant};

use super::sync::{self, Arc};
use super::{Driver, MemberId, Port, Remote, Well};
use crate::Event;

/// The waiting half. There is one for a port.
#[derive(Debug)]
pub(crate) struct Outer<W: Well> {
    waker: OuterWaker<W>,
    /// Memory that a wait uses: empty between waits.
    taken: Vec<(MemberId, Event)>,
}

impl<W: Well> Outer<W> {
    pub(crate) fn new(port: Arc<Port<W>>) -> Outer<W> {
        Outer { waker: OuterWaker { port }, taken: Vec::new() }
    }

    pub(crate) fn waker(&self) -> OuterWaker<W> {
        self.waker.clone()
    }

    pub(crate) fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        let port = Arc::clone(&self.waker.port);
        let deadline = sync::deadline(timeout);
        let mut outcome = Ok(());
        let mut looked = false;
        let mut desk = port.desk();
        loop {
            let before = ready.len();
            desk.name_ready(ready);
            let ended = desk.outer.take_end(Instant::now());
            if ended || looked || outcome.is_err() || ready.len() > before {
                break;
            }
            looked = deadline.is_some_and(|deadline| deadline <= Instant::now());
            let until = deadline.into_iter().chain(desk.outer.armed()).min();
            if desk.lead_as_outer() {
                drop(desk);
                outcome = port.well.take(&mut self.taken, sync::left(until));
                port.hand_out(&mut self.taken);
                // A driver that waits goes first, each time.
                let call = port.desk().leave_as_outer();
                port.make(call);
                desk = port.desk();
            } else if !looked {
                desk.set_outer_asleep(true);
                let bell = Arc::clone(&desk.outer.bell);
                desk = sync::sleep(&bell, desk, until);
                desk.set_outer_asleep(false);
            }
        }
        outcome
    }
}

impl<W: Well> Drop for Outer<W> {
    fn drop(&mut self) {
        let call = self.waker.port.desk().leave_as_outer();
        self.waker.port.make(call);
    }
}

/// The shared half.
#[derive(Debug)]
pub(crate) struct OuterWaker<W> {
    port: Arc<Port<W>>,
}

impl<W: Well> OuterWaker<W> {
    pub(crate) fn open_driver(&self) -> Driver<W> {
        Driver::open(&self.port)
    }

    pub(crate) fn add(&self, driver: &Remote<W>, token: u64) -> io::Result<()> {
        if !Arc::ptr_eq(&self.port, driver.port()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the driver has a port of its own, and ports do not nest: open it with OuterWaker::open_driver",
            ));
        }
        let call = self.port.desk().add(driver.member(), token)?;
        self.port.try_make(call)
    }

    pub(crate) fn remove(&self, token: u64) -> io::Result<()> {
        self.port.desk().remove(token)
    }

    pub(crate) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        let mut desk = self.port.desk();
        let (call, outcome) = match desk.set_masked(token, masked) {
            Ok(call) => (call, Ok(())),
            // Whoever drove it stops all the same.
            Err(error) if !masked => (desk.rest(), Err(error)),
            Err(error) => (None, Err(error)),
        };
        drop(desk);
        self.port.try_make(call)?;
        outcome
    }

    pub(crate) fn rest(&self) -> io::Result<()> {
        let call = self.port.desk().rest();
        self.port.try_make(call)
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        let call = self.port.desk().wake_outer();
        self.port.try_make(call)
    }

    /// `None` disarms.
    pub(crate) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        let at = sync::deadline(after);
        let call = self.port.desk().arm_outer(at);
        self.port.try_make(call)
    }
}

impl<W> Clone for OuterWaker<W> {
    fn clone(&self) -> OuterWaker<W> {
        OuterWaker { port: Arc::clone(&self.port) }
    }
}
