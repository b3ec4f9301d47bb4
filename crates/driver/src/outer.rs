//! What an I/O thread waits on: the drivers that nobody drives.

use std::io;
use std::time::Duration;

#[cfg(windows)]
use crate::driver::DriverKind;
use crate::driver::{RemoteKind, unsupported};
#[cfg(unix)]
use crate::unix;
#[cfg(windows)]
use crate::windows;
use crate::{Driver, Kind, Remote, sim};

/// The waiting half of an outer poller: it says which of the drivers added to it have something to report.
///
/// It only looks: the events stay in the driver until somebody waits there with [`Duration::ZERO`], and until then the driver is named again.
#[derive(Debug)]
pub struct Outer(pub(crate) OuterKind);

#[derive(Debug)]
pub(crate) enum OuterKind {
    #[cfg(unix)]
    Unix(unix::Outer),
    #[cfg(windows)]
    Windows(windows::Outer),
    Simulated(sim::Outer),
}

impl Outer {
    /// Opens an outer poller on the real machine for drivers of the same kind.
    ///
    /// # Errors
    /// As [`Driver::open`](crate::Driver::open); a simulated one comes from [`World::outer`](sim::World::outer).
    pub fn open(kind: Kind) -> io::Result<Outer> {
        match kind {
            #[cfg(unix)]
            Kind::Epoll | Kind::Polling => Ok(Outer(OuterKind::Unix(unix::Outer::open(kind)?))),
            #[cfg(windows)]
            Kind::Iocp | Kind::Polling => Ok(Outer(OuterKind::Windows(windows::Outer::open(kind)?))),
            _ => Err(unsupported(kind)),
        }
    }

    /// The shared half.
    pub fn waker(&self) -> OuterWaker {
        OuterWaker(match &self.0 {
            #[cfg(unix)]
            OuterKind::Unix(outer) => OuterWakerKind::Unix(outer.waker()),
            #[cfg(windows)]
            OuterKind::Windows(outer) => OuterWakerKind::Windows(outer.waker()),
            OuterKind::Simulated(outer) => OuterWakerKind::Simulated(outer.waker()),
        })
    }

    /// Waits until a driver that is not masked has something to report, somebody wakes it, the armed timer runs off or the time is
    /// over; appends the tokens of such drivers. It may also return early with nothing, and does when a signal came.
    pub fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        match &mut self.0 {
            #[cfg(unix)]
            OuterKind::Unix(outer) => outer.wait(ready, timeout),
            #[cfg(windows)]
            OuterKind::Windows(outer) => outer.wait(ready, timeout),
            OuterKind::Simulated(outer) => {
                outer.wait(ready);
                Ok(())
            }
        }
    }
}

/// The shared half of an [`Outer`]: any thread may use it at any time.
#[derive(Clone, Debug)]
pub struct OuterWaker(pub(crate) OuterWakerKind);

#[derive(Clone, Debug)]
pub(crate) enum OuterWakerKind {
    #[cfg(unix)]
    Unix(unix::OuterWaker),
    #[cfg(windows)]
    Windows(windows::OuterWaker),
    Simulated(sim::OuterWaker),
}

impl OuterWaker {
    /// Opens a driver that can be added here. Where pollers nest it is a driver like any other; completion ports do not nest, so there it shares the
    /// outer poller's port: each source still has one registration, and whoever waits takes events for all of them.
    ///
    /// # Errors
    /// As [`Driver::open`].
    pub fn open_driver(&self) -> io::Result<Driver> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => Driver::open(outer.kind()),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => Ok(Driver(DriverKind::Windows(outer.open_driver()))),
            OuterWakerKind::Simulated(outer) => Ok(outer.open_driver()),
        }
    }

    /// Whoever drove one of the drivers stops for now, and leaves it masked or removed. A shared port must not stay without anybody who waits there
    /// while others depend on it; where pollers nest there is nothing to do.
    ///
    /// # Errors
    /// Of the system, where nobody can be woken.
    pub fn rest(&self) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(_) => Ok(()),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.rest(),
            OuterWakerKind::Simulated(_) => Ok(()),
        }
    }

    /// Adds a driver under a token of the caller's choice, unmasked.
    ///
    /// # Errors
    /// `AlreadyExists` for a token or a driver that is there, `InvalidInput` for a driver of another machine or for `u64::MAX`.
    pub fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        if token == u64::MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the token u64::MAX is taken"));
        }
        match (&self.0, &driver.0) {
            #[cfg(unix)]
            (OuterWakerKind::Unix(outer), RemoteKind::Unix(driver)) => outer.add(driver, token),
            #[cfg(windows)]
            (OuterWakerKind::Windows(outer), RemoteKind::Windows(driver)) => outer.add(driver, token),
            (OuterWakerKind::Simulated(outer), RemoteKind::Simulated(driver)) => outer.add(driver, token),
            #[cfg(any(unix, windows))]
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the driver and the outer poller belong to different machines",
            )),
        }
    }

    /// Stops reporting a driver: somebody drives it. Masking twice is masking once.
    ///
    /// # Errors
    /// `NotFound` for a token that was not added.
    pub fn mask(&self, token: u64) -> io::Result<()> {
        self.set_masked(token, true)
    }

    /// Reports a driver again, at once if it has something to report now. Whoever drove it [rests](OuterWaker::rest), whatever the outcome.
    ///
    /// # Errors
    /// `NotFound` for a token that was not added.
    pub fn unmask(&self, token: u64) -> io::Result<()> {
        self.set_masked(token, false)
    }

    fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => outer.set_masked(token, masked),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.set_masked(token, masked),
            OuterWakerKind::Simulated(outer) => outer.set_masked(token, masked),
        }
    }

    /// Forgets a driver.
    ///
    /// # Errors
    /// `NotFound` for a token that was not added.
    pub fn remove(&self, token: u64) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => outer.remove(token),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.remove(token),
            OuterWakerKind::Simulated(outer) => outer.remove(token),
        }
    }

    /// Ends the wait that is going on, or else the next one.
    pub fn wake(&self) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => outer.wake(),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.wake(),
            OuterWakerKind::Simulated(outer) => {
                outer.wake();
                Ok(())
            }
        }
    }

    /// Ends the wait that is going on then, or else the next one, after that time. It does not end a wait now, and arming again moves it.
    pub fn arm(&self, after: Duration) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => outer.arm(Some(after)),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.arm(Some(after)),
            OuterWakerKind::Simulated(outer) => {
                outer.arm(Some(after));
                Ok(())
            }
        }
    }

    /// Takes back the last [`arm`](OuterWaker::arm), if it has not run off yet.
    pub fn disarm(&self) -> io::Result<()> {
        match &self.0 {
            #[cfg(unix)]
            OuterWakerKind::Unix(outer) => outer.arm(None),
            #[cfg(windows)]
            OuterWakerKind::Windows(outer) => outer.arm(None),
            OuterWakerKind::Simulated(outer) => {
                outer.arm(None);
                Ok(())
            }
        }
    }
}
