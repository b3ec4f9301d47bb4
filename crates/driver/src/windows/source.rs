//! The system's objects before and after their one registration.

use std::io;
use std::os::windows::io::OwnedSocket;

use super::iocp;
use super::socket::{TcpOsListener, TcpOsStream};
use crate::{Address, Batch, Interest, Key, ListenOptions, Read, Unregistered, Written};

#[derive(Debug)]
pub(crate) enum OsListener {
    Tcp(TcpOsListener),
}

impl OsListener {
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        match address {
            Address::Tcp(address) => Ok(OsListener::Tcp(TcpOsListener::bind(address, options)?)),
            Address::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    pub(crate) fn local_address(&self) -> &Address {
        match self {
            OsListener::Tcp(listener) => &listener.local,
        }
    }
}

/// A connected stream. Dropping it closes it.
#[derive(Debug)]
pub(crate) enum OsStream {
    Tcp(TcpOsStream),
}

impl OsStream {
    pub(crate) fn from_foreign(socket: OwnedSocket) -> Result<OsStream, Unregistered<OwnedSocket>> {
        Ok(OsStream::Tcp(TcpOsStream::from_foreign(socket)?))
    }
}

#[derive(Debug)]
pub(crate) enum Listener {
    Iocp(iocp::Listener),
}

impl Listener {
    pub(crate) fn key(&self) -> Key {
        match self {
            Listener::Iocp(listener) => listener.key(),
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        match self {
            Listener::Iocp(listener) => {
                Ok(listener.accept()?.map(|(stream, peer)| (OsStream::Tcp(stream), peer)))
            }
        }
    }

    pub(crate) fn rearm(&self) {
        match self {
            Listener::Iocp(listener) => listener.rearm(),
        }
    }

    pub(crate) fn local_address(&self) -> &Address {
        match self {
            Listener::Iocp(listener) => listener.local_address(),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Stream {
    Iocp(iocp::Stream),
}

impl Stream {
    pub(crate) fn key(&self) -> Key {
        match self {
            Stream::Iocp(stream) => stream.key(),
        }
    }

    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match self {
            Stream::Iocp(stream) => stream.read(into),
        }
    }

    #[inline]
    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        match self {
            Stream::Iocp(stream) => stream.is_drained_by(count, room),
        }
    }

    #[inline]
    pub(crate) fn write(&self, batch: Batch) -> Written {
        match self {
            Stream::Iocp(stream) => stream.write(batch),
        }
    }

    pub(crate) fn shutdown_write(&self) {
        match self {
            Stream::Iocp(stream) => stream.shutdown_write(),
        }
    }

    #[inline]
    pub(crate) fn rearm(&self, interest: Interest) {
        match self {
            Stream::Iocp(stream) => stream.rearm(interest),
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Stream::Iocp(stream) => stream.close(),
        }
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        match self {
            Stream::Iocp(stream) => stream.peer_address(),
        }
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        match self {
            Stream::Iocp(stream) => stream.local_address(),
        }
    }
}
