//! An outer poller over drivers, on a unix system.

use std::io;
use std::time::Duration;

use super::driver::Remote;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::outer_epoll;
use super::outer_polling;
use crate::Kind;
use crate::driver::unsupported;

#[derive(Debug)]
pub(crate) enum Outer {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll(outer_epoll::Outer),
    Polling(outer_polling::Outer),
}

#[derive(Clone, Debug)]
pub(crate) enum OuterWaker {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll(outer_epoll::OuterWaker),
    Polling(outer_polling::OuterWaker),
}

impl Outer {
    pub(crate) fn open(kind: Kind) -> io::Result<Outer> {
        match kind {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Kind::Epoll => Ok(Outer::Epoll(outer_epoll::Outer::open()?)),
            Kind::Polling => Ok(Outer::Polling(outer_polling::Outer::open()?)),
            _ => Err(unsupported(kind)),
        }
    }

    pub(crate) fn waker(&self) -> OuterWaker {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Outer::Epoll(outer) => OuterWaker::Epoll(outer.waker()),
            Outer::Polling(outer) => OuterWaker::Polling(outer.waker()),
        }
    }

    pub(crate) fn wait(&mut self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Outer::Epoll(outer) => outer.wait(ready, timeout),
            Outer::Polling(outer) => outer.wait(ready, timeout),
        }
    }
}

impl OuterWaker {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(_) => Kind::Epoll,
            OuterWaker::Polling(_) => Kind::Polling,
        }
    }

    pub(crate) fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(outer) => outer.add(driver, token),
            OuterWaker::Polling(outer) => outer.add(driver, token),
        }
    }

    pub(crate) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(outer) => outer.set_masked(token, masked),
            OuterWaker::Polling(outer) => outer.set_masked(token, masked),
        }
    }

    pub(crate) fn remove(&self, token: u64) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(outer) => outer.remove(token),
            OuterWaker::Polling(outer) => outer.remove(token),
        }
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(outer) => outer.wake(),
            OuterWaker::Polling(outer) => outer.wake(),
        }
    }

    /// `None` disarms.
    pub(crate) fn arm(&self, after: Option<Duration>) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            OuterWaker::Epoll(outer) => outer.arm(after),
            OuterWaker::Polling(outer) => outer.arm(after),
        }
    }
}

/// The error for a token that was not added.
pub(super) fn unknown_token(token: u64) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no driver was added under the token {token}"))
}
