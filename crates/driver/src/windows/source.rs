//! The system's objects before and after their one registration.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::iocp;
use super::pipe::{Pipe, PipeOsListener};
use super::pipe_name;
use super::polling;
use super::socket::{self, SocketOsListener, SocketOsStream};
use super::unix_socket;
use crate::borrowed::Borrowed;
use crate::{Address, Batch, Credentials, Interest, Key, ListenOptions, Read, Written};

#[derive(Debug)]
pub(crate) enum OsListener {
    Socket(SocketOsListener),
    Pipe(PipeOsListener),
}

impl OsListener {
    pub(crate) fn bind(address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        match address {
            Address::Tcp(address) => Ok(OsListener::Socket(SocketOsListener::bind(address, options)?)),
            Address::Ipc(path) if path == Path::new("*") => {
                OsListener::bind(&Address::Ipc(pipe_name::fresh_path()), options)
            }
            Address::Ipc(path) if unix_socket::are_chosen_for(path)? => {
                Ok(OsListener::Socket(unix_socket::bind(path, options)?))
            }
            Address::Ipc(path) => Ok(OsListener::Pipe(PipeOsListener::bind(path, options)?)),
        }
    }

    pub(crate) fn local_address(&self) -> Address {
        match self {
            OsListener::Socket(listener) => listener.local.clone(),
            OsListener::Pipe(listener) => listener.maker.local.clone(),
        }
    }
}

/// A connected stream. Dropping it closes it.
#[derive(Debug)]
pub(crate) enum OsStream {
    Socket(SocketOsStream),
    Pipe(PipeOsStream),
}

/// An end of a pipe whose peer came.
#[derive(Debug)]
pub(crate) struct PipeOsStream {
    pub(super) pipe: iocp::Registered<Pipe>,
}

impl OsStream {
    /// Who is at the other end.
    pub(super) fn peer(&self) -> Option<Address> {
        match self {
            OsStream::Socket(stream) => stream.peer.clone(),
            OsStream::Pipe(_) => None,
        }
    }

    /// Which process is at the other end of a pipe.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        match self {
            OsStream::Socket(_) => None,
            OsStream::Pipe(stream) => stream.pipe.credentials(),
        }
    }

    /// Closes it, and lets the peer know that nobody read what it sent.
    pub(super) fn reset(self) {
        if let OsStream::Socket(stream) = self {
            // It fails where the connection is gone already.
            let _ = socket::reset_when_closed(&stream.socket);
        }
    }
}

#[derive(Debug)]
pub(crate) enum Listener {
    Iocp(iocp::Listener),
    Polled(polling::Listener),
}

impl Listener {
    pub(crate) fn key(&self) -> Key {
        match self {
            Listener::Iocp(listener) => listener.key(),
            Listener::Polled(listener) => listener.key(),
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        match self {
            Listener::Iocp(listener) => listener.accept(),
            Listener::Polled(listener) => listener.accept(),
        }
    }

    pub(crate) fn rearm(&self) {
        match self {
            Listener::Iocp(listener) => listener.rearm(),
            Listener::Polled(listener) => listener.rearm(),
        }
    }

    pub(crate) fn local_address(&self) -> &Address {
        match self {
            Listener::Iocp(listener) => listener.local_address(),
            Listener::Polled(listener) => listener.local_address(),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Stream {
    Iocp(iocp::Stream),
    Polled(polling::Stream),
}

impl Stream {
    pub(crate) fn key(&self) -> Key {
        match self {
            Stream::Iocp(stream) => stream.key(),
            Stream::Polled(stream) => stream.key(),
        }
    }

    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match self {
            Stream::Iocp(stream) => stream.read(into),
            Stream::Polled(stream) => stream.read(into),
        }
    }

    #[inline]
    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        match self {
            Stream::Iocp(stream) => stream.is_drained_by(count, room),
            Stream::Polled(stream) => stream.is_drained_by(count, room),
        }
    }

    #[inline]
    pub(crate) fn write(&self, batch: Batch) -> Written {
        match self {
            Stream::Iocp(stream) => stream.write(batch),
            Stream::Polled(stream) => stream.write(batch),
        }
    }

    pub(crate) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        match self {
            Stream::Iocp(stream) => stream.write_borrowed(borrowed),
            Stream::Polled(stream) => stream.write_borrowed(borrowed),
        }
    }

    /// Not worth a call of its own: only sockets that are watched tell when they are writable.
    pub(crate) fn wait_writable(&self, _at_most: Duration) -> bool {
        false
    }

    pub(crate) fn reports_writable(&self) -> bool {
        matches!(self, Stream::Polled(_))
    }

    pub(crate) fn shutdown_write(&self) -> bool {
        match self {
            Stream::Iocp(stream) => stream.shutdown_write(),
            Stream::Polled(stream) => stream.shutdown_write(),
        }
    }

    #[inline]
    pub(crate) fn rearm(&self, interest: Interest) {
        match self {
            Stream::Iocp(stream) => stream.rearm(interest),
            Stream::Polled(stream) => stream.rearm(interest),
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Stream::Iocp(stream) => stream.close(),
            Stream::Polled(stream) => stream.close(),
        }
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        match self {
            Stream::Iocp(stream) => stream.peer_address(),
            Stream::Polled(stream) => stream.peer_address(),
        }
    }

    pub(crate) fn credentials(&self) -> Option<Credentials> {
        match self {
            Stream::Iocp(stream) => stream.credentials(),
            // Pipes are not for it.
            Stream::Polled(_) => None,
        }
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        match self {
            Stream::Iocp(stream) => stream.local_address(),
            Stream::Polled(stream) => stream.local_address(),
        }
    }
}
