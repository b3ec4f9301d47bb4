//! The two halves of a driver on Windows.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::datagram::{Datagrams, OsDatagrams};
use super::iocp::{self, Iocp};
use super::polling::{self, Polled};
use super::source::{Listener, OsListener, OsStream, Stream};
use crate::driver::unsupported;
use crate::port::{self, Port};
use crate::{Address, Events, Kind, ListenOptions, StreamOptions};

#[derive(Debug)]
pub(crate) enum Driver {
    Iocp(port::Driver<Iocp>),
    Polled(port::Driver<Polled>),
}

impl Driver {
    /// A driver with a port of its own.
    pub(crate) fn open(kind: Kind) -> io::Result<Driver> {
        match kind {
            Kind::Iocp => Ok(Driver::Iocp(port::Driver::open(&Port::new(Iocp::open()?)))),
            Kind::Polling => Ok(Driver::Polled(port::Driver::open(&Port::new(Polled::open()?)))),
            _ => Err(unsupported(kind)),
        }
    }

    pub(crate) fn remote(&self) -> Remote {
        match self {
            Driver::Iocp(driver) => Remote::Iocp(driver.remote()),
            Driver::Polled(driver) => Remote::Polled(driver.remote()),
        }
    }

    #[inline]
    pub(crate) fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Driver::Iocp(driver) => driver.wait(events, timeout),
            Driver::Polled(driver) => driver.wait(events, timeout),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Remote {
    Iocp(port::Remote<Iocp>),
    Polled(port::Remote<Polled>),
}

impl Remote {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Remote::Iocp(_) => Kind::Iocp,
            Remote::Polled(_) => Kind::Polling,
        }
    }

    pub(crate) fn reports_closed(&self) -> bool {
        match self {
            Remote::Iocp(_) => true,
            Remote::Polled(_) => false,
        }
    }

    pub(crate) fn source_count(&self) -> usize {
        match self {
            Remote::Iocp(remote) => remote.port().well().source_count(remote.member()),
            Remote::Polled(remote) => remote.port().well().source_count(remote.member()),
        }
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        match self {
            Remote::Iocp(remote) => remote.wake(),
            Remote::Polled(remote) => remote.wake(),
        }
    }

    pub(crate) fn bind(&self, address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        match (self, address) {
            (Remote::Polled(_), Address::Ipc(_)) => Err(polling::unsupported_pipe()),
            _ => OsListener::bind(address, options),
        }
    }

    pub(crate) fn listen(&self, listener: OsListener) -> Result<Listener, (OsListener, io::Error)> {
        match self {
            Remote::Iocp(remote) => Ok(Listener::Iocp(iocp::Listener::register(remote, listener)?)),
            Remote::Polled(remote) => Ok(Listener::Polled(polling::Listener::register(remote, listener)?)),
        }
    }

    pub(crate) fn adopt(&self, stream: OsStream) -> Result<Stream, (OsStream, io::Error)> {
        match self {
            Remote::Iocp(remote) => Ok(Stream::Iocp(iocp::Stream::adopt(remote, stream)?)),
            Remote::Polled(remote) => Ok(Stream::Polled(polling::Stream::adopt(remote, stream)?)),
        }
    }

    pub(crate) fn adopt_datagrams(
        &self,
        socket: OsDatagrams,
    ) -> Result<Arc<Datagrams>, (OsDatagrams, io::Error)> {
        Ok(Arc::new(match self {
            Remote::Iocp(remote) => Datagrams::Iocp(iocp::Datagrams::adopt(remote, socket)?),
            Remote::Polled(remote) => Datagrams::Polled(polling::Datagrams::adopt(remote, socket)?),
        }))
    }

    pub(crate) fn connect(&self, target: &Address, options: &StreamOptions) -> io::Result<Stream> {
        match self {
            Remote::Iocp(remote) => Ok(Stream::Iocp(iocp::Stream::connect(remote, target, options)?)),
            Remote::Polled(remote) => Ok(Stream::Polled(polling::Stream::connect(remote, target, options)?)),
        }
    }
}
