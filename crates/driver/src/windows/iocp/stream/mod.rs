//! A registered stream: at most one operation waits for input, at most one writes.

mod sending;
mod shared;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use shared::Shared;

use super::channel::Channel;
use super::registered::{Registered, SystemObject};
use super::source::Source;
use super::{Home, Iocp};
use crate::borrowed::Borrowed;
use crate::port::{MemberId, Port, Remote};
use crate::windows::pipe::Pipe;
use crate::windows::pipe_name::pipe_name;
use crate::windows::socket::{self, SocketOsStream, Taken};
use crate::windows::source::{OsStream, PipeOsStream};
use crate::windows::{tcp_options, unix_socket};
use crate::{Address, Batch, Credentials, Event, Interest, Key, Read, StreamOptions, Written};

/// A stream in the hands of a program. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Arc<Shared>,
    port: Arc<Port<Iocp>>,
}

impl Stream {
    /// Registers a connected stream.
    pub(crate) fn adopt(remote: &Remote<Iocp>, stream: OsStream) -> Result<Stream, (OsStream, io::Error)> {
        let iocp = remote.port().well();
        let (key, channel, peer, local) = match stream {
            OsStream::Socket(SocketOsStream { socket, peer, local }) => {
                match iocp.register(remote.member(), socket) {
                    Ok((key, socket)) => (key, socket.map(Channel::Socket), peer, local),
                    Err((socket, error)) => {
                        return Err((OsStream::Socket(SocketOsStream { socket, peer, local }), error));
                    }
                }
            }
            // It joined the port of its listener when it began to wait for a peer.
            OsStream::Pipe(PipeOsStream { pipe }) if pipe.is_of(&iocp.port) => {
                let local = pipe.local.clone();
                (iocp.name(remote.member()), pipe.map(Channel::Pipe), None, local)
            }
            OsStream::Pipe(stream) => {
                let error = stream.pipe.belongs_elsewhere();
                return Err((OsStream::Pipe(stream), error));
            }
        };
        channel.stop_blocking();
        let stream = Stream::new(remote, key, Some(channel), peer, local);
        stream.shared.set_connected();
        stream.rearm(Interest::Readable);
        Ok(stream)
    }

    /// Makes a socket or the end of a pipe, registers it and starts to connect it.
    pub(crate) fn connect(
        remote: &Remote<Iocp>,
        target: &Address,
        options: &StreamOptions,
    ) -> io::Result<Stream> {
        match target {
            Address::Tcp(target) => Stream::connect_tcp(remote, target, options),
            Address::Ipc(path) if unix_socket::are_chosen_for(path)? => {
                Stream::connect_path(remote, path, unix_socket::connect(path, options)?, Channel::Socket)
            }
            Address::Ipc(path) => {
                Stream::connect_path(remote, path, Pipe::connect(&pipe_name(path)?), Channel::Pipe)
            }
        }
    }

    fn connect_tcp(
        remote: &Remote<Iocp>,
        target: &SocketAddr,
        options: &StreamOptions,
    ) -> io::Result<Stream> {
        let socket = TcpStream::from(socket::create(target.into())?);
        socket.set_nonblocking(true)?;
        socket::set_buffers(&socket, options)?;
        tcp_options::check(options)?;
        tcp_options::set(&socket, target.into(), options)?;
        // An overlapped attempt takes no socket that has no address.
        tcp_options::bind_source(&socket, target, options)?;
        let (key, socket) =
            remote.port().well().register(remote.member(), socket).map_err(|(_, error)| error)?;
        let stream =
            Stream::new(remote, key, Some(socket.map(Channel::Socket)), Some(Address::Tcp(*target)), None);
        stream.shared.start_connecting(target, stream.port.well());
        Ok(stream)
    }

    /// In the file system an attempt is over at once: either somebody waited there, or not.
    fn connect_path<T: SystemObject>(
        remote: &Remote<Iocp>,
        path: &Path,
        attempt: io::Result<T>,
        channel: impl FnOnce(T) -> Channel,
    ) -> io::Result<Stream> {
        let iocp = remote.port().well();
        let (key, channel, outcome) = match attempt {
            Ok(object) => {
                let (key, object) = iocp.register(remote.member(), object).map_err(|(_, error)| error)?;
                (key, Some(object.map(channel)), Ok(()))
            }
            Err(error) => (iocp.name(remote.member()), None, Err(error)),
        };
        let stream = Stream::new(remote, key, channel, Some(Address::Ipc(path.to_owned())), None);
        stream.shared.connect_at_once(outcome, iocp);
        Ok(stream)
    }

    fn new(
        remote: &Remote<Iocp>,
        key: Key,
        channel: Option<Registered<Channel>>,
        peer: Option<Address>,
        local: Option<Address>,
    ) -> Stream {
        let source = Source::new(key, remote.member());
        let shared = Arc::new(Shared::new(source, channel, peer, local));
        Stream { shared, port: Arc::clone(remote.port()) }
    }

    /// Calls `f` and reports the events that it found. The source lives on meanwhile, so that nothing is reported behind its end.
    fn call(&self, f: impl FnOnce(&Arc<Shared>, &Iocp, &mut Vec<(MemberId, Event)>)) {
        let mut events = Vec::new();
        self.shared.source().hold();
        f(&self.shared, self.port.well(), &mut events);
        for (member, event) in events {
            self.port.report(member, event);
        }
        self.port.well().release(self.shared.clone());
    }

    #[cfg(test)]
    pub(super) fn home(&self) -> Arc<dyn Home> {
        self.shared.clone()
    }

    #[cfg(test)]
    pub(super) fn cancel(&self) {
        self.shared.channel().as_ref().expect("it is open").cancel();
    }

    pub(crate) fn key(&self) -> Key {
        self.shared.source().key
    }

    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match &*self.shared.channel() {
            None => Err(io::ErrorKind::NotConnected.into()),
            // A read of nothing returns nothing, which would look like the end.
            Some(_) if into.is_empty() => Ok(Read::Bytes(0)),
            Some(channel) => channel.read(into),
        }
    }

    /// The operation that `rearm` starts is over at once if there is more, or the end: nothing can be missed.
    #[inline]
    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        count < room
    }

    #[inline]
    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        let channel = self.shared.channel();
        let Some(channel) = &*channel else {
            return Written::Failed(batch, io::ErrorKind::NotConnected.into());
        };
        match channel.write(&mut batch) {
            Ok(Taken::All) => Written::Done(batch),
            Ok(Taken::Part) => self.shared.write_rest(channel, batch, self.port.well()),
            Err(error) => Written::Failed(batch, error),
        }
    }

    /// Nothing is started that outlives the call: no operation may own memory that is only borrowed.
    pub(crate) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        match &*self.shared.channel() {
            None => Err(io::ErrorKind::NotConnected.into()),
            Some(channel) => channel.write_borrowed(borrowed),
        }
    }

    pub(crate) fn shutdown_write(&self) -> bool {
        self.shared.channel().as_ref().is_none_or(|channel| channel.shutdown_write())
    }

    /// Nobody asks for `Writable`: a write that does not fit is pending.
    pub(crate) fn rearm(&self, interest: Interest) {
        if interest == Interest::Readable {
            self.call(|shared, iocp, events| shared.arm(iocp, events));
        }
    }

    pub(crate) fn close(&self) {
        if self.shared.close() {
            self.port.well().release(self.shared.clone());
        }
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        self.shared.peer().cloned()
    }

    pub(crate) fn credentials(&self) -> Option<Credentials> {
        match &**self.shared.channel().as_ref()? {
            Channel::Socket(_) => None,
            Channel::Pipe(pipe) => pipe.credentials(),
        }
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        self.shared.local_address()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}
