//! What an I/O thread waits on: ports do not nest, so its drivers share one.

use std::io;
use std::time::Duration;

use super::driver::{Driver, Remote};
use super::iocp::Iocp;
use super::polling::Polled;
use crate::Kind;
use crate::driver::unsupported;
use crate::port::{self, Port};

#[derive(Debug)]
pub(crate) enum Outer {
    Iocp(port::Outer<Iocp>),
    Polled(port::Outer<Polled>),
}

impl Outer {
    pub(crate) fn open(kind: Kind) -> io::Result<Outer> {
        match kind {
            Kind::Iocp => Ok(Outer::Iocp(port::Outer::new(Port::new(Iocp::open()?)))),
            Kind::Polling => Ok(Outer::Polled(port::Outer::new(Port::new(Polled::open()?)))),
            _ => Err(unsupported(kind)),
        }
    }

    pub(crate) fn waker(&self) -> OuterWaker {
        match self {
            Outer::Iocp(outer) => OuterWaker::Iocp(outer.waker()),
            Outer::Polled(outer) => OuterWaker::Polled(outer.waker()),
        }
    }

    pub(crate) fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Outer::Iocp(outer) => outer.wait(ready, timeout),
            Outer::Polled(outer) => outer.wait(ready, timeout),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum OuterWaker {
    Iocp(port::OuterWaker<Iocp>),
    Polled(port::OuterWaker<Polled>),
}

impl OuterWaker {
    pub(crate) fn open_driver(&self) -> Driver {
        match self {
            OuterWaker::Iocp(outer) => Driver::Iocp(outer.open_driver()),
            OuterWaker::Polled(outer) => Driver::Polled(outer.open_driver()),
        }
    }

    pub(crate) fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        match (self, driver) {
            (OuterWaker::Iocp(outer), Remote::Iocp(driver)) => outer.add(driver, token),
            (OuterWaker::Polled(outer), Remote::Polled(driver)) => outer.add(driver, token),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the driver and the outer poller are of different kinds",
            )),
        }
    }

    pub(crate) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        match self {
            OuterWaker::Iocp(outer) => outer.set_masked(token, masked),
            OuterWaker::Polled(outer) => outer.set_masked(token, masked),
        }
    }

    pub(crate) fn rest(&self) -> io::Result<()> {
        match self {
            OuterWaker::Iocp(outer) => outer.rest(),
            OuterWaker::Polled(outer) => outer.rest(),
        }
    }

    pub(crate) fn remove(&self, token: u64) -> io::Result<()> {
        match self {
            OuterWaker::Iocp(outer) => outer.remove(token),
            OuterWaker::Polled(outer) => outer.remove(token),
        }
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        match self {
            OuterWaker::Iocp(outer) => outer.wake(),
            OuterWaker::Polled(outer) => outer.wake(),
        }
    }

    /// `None` disarms.
    pub(crate) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        match self {
            OuterWaker::Iocp(outer) => outer.arm(after),
            OuterWaker::Polled(outer) => outer.arm(after),
        }
    }
}
