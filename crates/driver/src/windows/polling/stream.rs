//! A stream socket that is watched.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::watched::{Watched, has_failed};
use super::{Polled, Source, Wanted};
use crate::borrowed::Borrowed;
use crate::port::{Port, Remote};
use crate::windows::socket::{self, SocketOsStream, Taken};
use crate::windows::source::OsStream;
use crate::windows::tcp_options;
use crate::{Address, Batch, Event, Interest, Key, Read, StreamOptions, Written};

/// A stream in the hands of a program. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Arc<Shared>,
    remote: Remote<Polled>,
}

#[derive(Debug)]
pub(super) struct Shared {
    watched: Watched<TcpStream>,
    peer: Option<Address>,
    /// The attempt to connect has not been reported yet.
    connecting: AtomicBool,
}

/// How a stream begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connected,
    Connecting,
    /// The attempt failed in the call itself.
    Refused,
}

impl Stream {
    /// Registers a connected socket.
    pub(crate) fn adopt(remote: &Remote<Polled>, stream: OsStream) -> Result<Stream, (OsStream, io::Error)> {
        match stream {
            OsStream::Socket(stream) => {
                // One from outside may be blocking still.
                if let Err(error) = stream.socket.set_nonblocking(true) {
                    return Err((OsStream::Socket(stream), error));
                }
                Stream::register(remote, stream, State::Connected)
                    .map_err(|(stream, error)| (OsStream::Socket(stream), error))
            }
            OsStream::Pipe(_) => Err((stream, unsupported_pipe())),
        }
    }

    /// Starts to connect a new socket, and registers it.
    pub(crate) fn connect(
        remote: &Remote<Polled>,
        target: &Address,
        options: &StreamOptions,
    ) -> io::Result<Stream> {
        let Address::Tcp(target) = target else { return Err(unsupported_pipe()) };
        let socket = TcpStream::from(socket::create(target.into())?);
        socket.set_nonblocking(true)?;
        socket::set_buffers(&socket, options)?;
        tcp_options::check(options)?;
        tcp_options::set(&socket, target.into(), options)?;
        if options.source.is_some() {
            tcp_options::bind_source(&socket, target, options)?;
        }
        let attempt = socket::connect_to(&socket, target);
        let stream = SocketOsStream { socket, peer: Some(Address::Tcp(*target)), local: None };
        let state = if attempt.is_ok() { State::Connecting } else { State::Refused };
        let stream = Stream::register(remote, stream, state).map_err(|(_, error)| error)?;
        if let Err(error) = attempt {
            stream.polled().refuse(stream.key(), error)?;
        }
        Ok(stream)
    }

    fn register(
        remote: &Remote<Polled>,
        stream: SocketOsStream,
        state: State,
    ) -> Result<Stream, (SocketOsStream, io::Error)> {
        let SocketOsStream { socket, peer, .. } = stream;
        let polled = remote.port().well();
        let wanted = if state == State::Connecting { Wanted::WRITABLE } else { Wanted::READABLE };
        let mut made = None;
        polled.name(remote.member(), |key| {
            let shared = Arc::new(Shared {
                watched: Watched::new(key, socket, wanted),
                peer: peer.clone(),
                connecting: AtomicBool::new(state == State::Connecting),
            });
            Source::Stream(made.insert(shared).clone())
        });
        let shared = made.expect("it was made with its name");
        let begun = if state == State::Refused { Ok(()) } else { shared.watched.begin(polled) };
        match begun {
            Ok(()) => Ok(Stream { shared, remote: remote.clone() }),
            Err(error) => {
                let socket = shared.watched.take(polled).expect("nobody else has it");
                Err((SocketOsStream { socket, peer, local: None }, error))
            }
        }
    }

    fn polled(&self) -> &Polled {
        self.port().well()
    }

    fn port(&self) -> &Arc<Port<Polled>> {
        self.remote.port()
    }

    pub(crate) fn key(&self) -> Key {
        self.shared.watched.key()
    }

    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match &*self.shared.watched.socket() {
            None => Err(io::ErrorKind::NotConnected.into()),
            // A read of nothing returns nothing, which would look like the end.
            Some(_) if into.is_empty() => Ok(Read::Bytes(0)),
            Some(socket) => socket::read(socket, into),
        }
    }

    /// What is there when `rearm` is called is reported, the end too: nothing can be missed.
    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        count < room
    }

    #[inline]
    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        let socket = self.shared.watched.socket();
        let Some(socket) = &*socket else {
            return Written::Failed(batch, io::ErrorKind::NotConnected.into());
        };
        match socket::write(socket, &mut batch) {
            Ok(Taken::All) => Written::Done(batch),
            Ok(Taken::Part) => Written::Blocked(batch),
            Err(error) => Written::Failed(batch, error),
        }
    }

    pub(crate) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        match &*self.shared.watched.socket() {
            None => Err(io::ErrorKind::NotConnected.into()),
            Some(socket) => socket::write_borrowed(socket, borrowed),
        }
    }

    pub(crate) fn shutdown_write(&self) -> bool {
        if let Some(socket) = &*self.shared.watched.socket() {
            socket::shutdown_write(socket);
        }
        true
    }

    pub(crate) fn rearm(&self, interest: Interest) {
        if let Err(error) = self.shared.watched.rearm(self.polled(), interest) {
            self.port().report(self.remote.member(), Event::Error(self.key(), error));
        }
    }

    pub(crate) fn close(&self) {
        if let Some(socket) = self.shared.watched.take(self.polled()) {
            socket::shutdown_write(&socket);
        }
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        self.shared.peer.clone()
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        self.shared.watched.socket().as_ref()?.local_addr().ok().map(Address::Tcp)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// Turns readiness into events, and asks again for what was not told. Only the waiting half calls it.
    pub(super) fn raised(&self, polled: &Polled, raised: &::polling::Event, report: &mut dyn FnMut(Event)) {
        if self.connecting.load(Ordering::Relaxed) {
            self.raised_while_connecting(polled, raised.writable, has_failed(raised), report);
        } else {
            self.watched.raised(polled, raised, report);
        }
    }

    fn raised_while_connecting(
        &self,
        polled: &Polled,
        writable: bool,
        failed: bool,
        report: &mut dyn FnMut(Event),
    ) {
        let wanted = match &*self.watched.socket() {
            None => return,
            Some(_) if !writable && !failed => Wanted::WRITABLE,
            Some(socket) => {
                self.connecting.store(false, Ordering::Relaxed);
                let outcome = self.outcome(socket, failed);
                let connected = outcome.is_ok();
                report(Event::Connected(self.watched.key(), outcome));
                if !connected {
                    return;
                }
                Wanted::READABLE
            }
        };
        if let Err(error) = self.watched.want(polled, |before| *before = wanted) {
            report(Event::Error(self.watched.key(), error));
        }
    }

    fn outcome(&self, socket: &TcpStream, failed: bool) -> io::Result<()> {
        match socket.take_error()? {
            Some(error) => Err(error),
            None if failed => Err(io::ErrorKind::ConnectionRefused.into()),
            None if socket.local_addr().ok().map(Address::Tcp) == self.peer => {
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            None => Ok(()),
        }
    }
}

/// This poller watches sockets only.
pub(in crate::windows) fn unsupported_pipe() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "the driver `polling` has no ipc on Windows; use the driver `iocp`, or tcp",
    )
}
