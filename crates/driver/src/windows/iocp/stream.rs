//! A registered stream: at most one operation waits for input, at most one writes.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::channel::{self, Channel};
use super::registered::Registered;
use super::source::{Home, Operation, Role, Source};
use super::{Iocp, Launched};
use crate::port::{MemberId, Port, Remote};
use crate::windows::pipe::Pipe;
use crate::windows::pipe_name::pipe_name;
use crate::windows::socket::{self, Taken, TcpOsStream};
use crate::windows::source::{OsStream, PipeOsStream};
use crate::windows::{error, lock};
use crate::{Address, Batch, Event, Interest, Key, Read, StreamOptions, Written};

/// A stream in the hands of a program. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Stream {
    shared: Arc<Shared>,
    port: Arc<Port<Iocp>>,
}

/// What operations in flight keep alive.
#[derive(Debug)]
struct Shared {
    source: Source,
    /// `None` once it is closed, and where an attempt failed before there was one. Calls that use the handle read, closing writes: no call hits a handle
    /// that the system gave to somebody else.
    channel: RwLock<Option<Registered<Channel>>>,
    closed: AtomicBool,
    peer: Option<Address>,
    connected: AtomicBool,
    /// How an attempt ended that was over at once.
    outcome: Mutex<Option<io::Result<()>>>,
    connect: Operation,
    receive: Operation,
    send: Operation,
    /// What the send in flight writes.
    outgoing: Mutex<Option<Outgoing>>,
}

#[derive(Debug)]
struct Outgoing {
    batch: Box<Batch>,
    /// The system had no memory for more than a little at a time.
    frugal: bool,
}

impl Stream {
    /// Registers a connected stream.
    pub(crate) fn adopt(remote: &Remote<Iocp>, stream: OsStream) -> Result<Stream, (OsStream, io::Error)> {
        let iocp = remote.port().well();
        let (key, channel, peer) = match stream {
            OsStream::Tcp(TcpOsStream { socket, peer }) => match iocp.register(remote.member(), socket) {
                Ok((key, socket)) => (key, socket.map(Channel::Socket), peer),
                Err((socket, error)) => return Err((OsStream::Tcp(TcpOsStream { socket, peer }), error)),
            },
            // It joined the port of its listener when it began to wait for a peer.
            OsStream::Pipe(PipeOsStream { pipe }) if pipe.is_of(&iocp.port) => {
                (iocp.name(remote.member()), pipe.map(Channel::Pipe), None)
            }
            OsStream::Pipe(stream) => {
                let error = stream.pipe.belongs_elsewhere();
                return Err((OsStream::Pipe(stream), error));
            }
        };
        channel.stop_blocking();
        let stream = Stream::new(remote, key, Some(channel), peer);
        stream.shared.connected.store(true, Ordering::Release);
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
            Address::Ipc(path) => Stream::connect_pipe(remote, path),
        }
    }

    fn connect_tcp(
        remote: &Remote<Iocp>,
        target: &SocketAddr,
        options: &StreamOptions,
    ) -> io::Result<Stream> {
        let socket = TcpStream::from(socket::create(target)?);
        socket.set_nonblocking(true)?;
        socket::set_buffers(&socket, options)?;
        socket::set_tcp_options(&socket, options)?;
        // An overlapped attempt takes no socket that has no address.
        socket::bind_to(&socket, &socket::any_like(target))?;
        let (key, socket) =
            remote.port().well().register(remote.member(), socket).map_err(|(_, error)| error)?;
        let stream = Stream::new(remote, key, Some(socket.map(Channel::Socket)), Some(Address::Tcp(*target)));
        stream.shared.start_connecting(target, stream.port.well());
        Ok(stream)
    }

    /// Opening a pipe is over at once: either somebody waited there, or not.
    fn connect_pipe(remote: &Remote<Iocp>, path: &Path) -> io::Result<Stream> {
        let name = pipe_name(path)?;
        let iocp = remote.port().well();
        let (key, channel, outcome) = match Pipe::connect(&name) {
            Ok(pipe) => {
                let (key, pipe) = iocp.register(remote.member(), pipe).map_err(|(_, error)| error)?;
                (key, Some(pipe.map(Channel::Pipe)), Ok(()))
            }
            Err(error) => (iocp.name(remote.member()), None, Err(error)),
        };
        let stream = Stream::new(remote, key, channel, Some(Address::Ipc(path.to_owned())));
        stream.shared.connect_at_once(outcome, iocp);
        Ok(stream)
    }

    fn new(
        remote: &Remote<Iocp>,
        key: Key,
        channel: Option<Registered<Channel>>,
        peer: Option<Address>,
    ) -> Stream {
        let shared = Arc::new(Shared {
            source: Source::new(key, remote.member()),
            channel: RwLock::new(channel),
            closed: AtomicBool::new(false),
            peer,
            connected: AtomicBool::new(false),
            outcome: Mutex::default(),
            connect: Operation::default(),
            receive: Operation::default(),
            send: Operation::default(),
            outgoing: Mutex::default(),
        });
        Stream { shared, port: Arc::clone(remote.port()) }
    }

    /// Calls `f` and reports the events that it found. The source lives on meanwhile, so that nothing is reported behind its end.
    fn call(&self, f: impl FnOnce(&Arc<Shared>, &Iocp, &mut Vec<(MemberId, Event)>)) {
        let mut events = Vec::new();
        self.shared.source.hold();
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
        self.shared.source.key
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
            Ok(Taken::Part) => self.write_rest(channel, batch),
            Err(error) => Written::Failed(batch, error),
        }
    }

    /// Leaves to the system what it does not take at once.
    fn write_rest(&self, channel: &Registered<Channel>, batch: Batch) -> Written {
        let mut outgoing = lock(&self.shared.outgoing);
        assert!(outgoing.is_none(), "one writer at a time: an earlier write of this stream is pending");
        *outgoing = Some(Outgoing { batch: Box::new(batch), frugal: false });
        match self.shared.send_on(channel, &mut outgoing, self.port.well()) {
            None => Written::Pending,
            Some((batch, Ok(()))) => Written::Done(*batch),
            Some((batch, Err(error))) => Written::Failed(*batch, error),
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
        if self.shared.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let channel = self.shared.channel.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(channel) = channel {
            channel.cancel();
            channel.shutdown_write();
        }
        self.port.well().release(self.shared.clone());
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        self.shared.peer.clone()
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        self.shared.channel().as_ref()?.local_address()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn channel(&self) -> RwLockReadGuard<'_, Option<Registered<Channel>>> {
        self.channel.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn push(&self, events: &mut Vec<(MemberId, Event)>, event: Event) {
        events.push((self.source.member, event));
    }

    fn start_connecting(self: &Arc<Self>, target: &SocketAddr, iocp: &Iocp) {
        let channel = self.channel();
        let Some(channel) = &*channel else { return };
        let Channel::Socket(socket) = &**channel else { return };
        let launched = iocp.launch(self.clone(), Role::Connect, channel.skips_packets, |overlapped| {
            channel::start_connecting(socket, target, overlapped)
        });
        match launched {
            Launched::Pending | Launched::Busy => {}
            Launched::Done(_) => self.connect_at_once(Ok(()), iocp),
            Launched::Failed(error) => self.connect_at_once(Err(error), iocp),
        }
    }

    /// The attempt was over before it could wait for anything. It is heard of like any other, and not if the stream is closed first.
    fn connect_at_once(self: &Arc<Self>, outcome: io::Result<()>, iocp: &Iocp) {
        *lock(&self.outcome) = Some(outcome);
        self.source.hold();
        iocp.post(self.clone(), Role::Connect);
    }

    /// The attempt is over. Of one that was closed nobody hears.
    fn connected(
        self: &Arc<Self>,
        outcome: io::Result<()>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        if self.is_closed() {
            return;
        }
        let outcome = match (outcome, &*self.channel()) {
            (Ok(()), Some(channel)) => channel.finish_connecting().and_then(|()| {
                let is_own_peer = channel.local_address() == self.peer;
                if is_own_peer { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
            }),
            (outcome, _) => outcome,
        };
        let connected = outcome.is_ok();
        self.connected.store(connected, Ordering::Release);
        self.push(events, Event::Connected(self.source.key, outcome));
        if connected {
            self.arm(iocp, events);
        }
    }

    /// Waits for input, unless that is being done.
    fn arm(self: &Arc<Self>, iocp: &Iocp, events: &mut Vec<(MemberId, Event)>) {
        let channel = self.channel();
        let Some(channel) = channel.as_ref().filter(|_| self.connected.load(Ordering::Acquire)) else {
            return;
        };
        let launched = iocp.launch(self.clone(), Role::Receive, channel.skips_packets, |overlapped| {
            channel.start_receive(overlapped)
        });
        match launched {
            Launched::Pending | Launched::Busy => {}
            // What went wrong is what the next read says.
            Launched::Done(_) | Launched::Failed(_) => self.push(events, Event::Readable(self.source.key)),
        }
    }

    fn received(
        self: &Arc<Self>,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        match outcome {
            _ if self.is_closed() => {}
            // Nobody but `close` cancels. The thread that started it may have ended.
            Err(error) if error::is_aborted(&error) || error::is_out_of_memory(&error) => {
                self.arm(iocp, events);
            }
            _ => self.push(events, Event::Readable(self.source.key)),
        }
    }

    /// Sends until the system has something to wait for. `Some`: the batch is back, and how it ended.
    fn send_on(
        self: &Arc<Self>,
        channel: &Registered<Channel>,
        outgoing: &mut Option<Outgoing>,
        iocp: &Iocp,
    ) -> Option<(Box<Batch>, io::Result<()>)> {
        let Outgoing { batch, frugal } = outgoing.as_mut()?;
        let ended = loop {
            if batch.remaining_bytes() == 0 {
                break Ok(());
            }
            let launched = iocp.launch(self.clone(), Role::Send, channel.skips_packets, |overlapped| {
                // SAFETY: `outgoing` keeps the batch until this operation came home. It belongs to this object, which the table of flights keeps alive.
                unsafe { channel.start_send(batch, *frugal, overlapped) }
            });
            match launched {
                Launched::Pending | Launched::Busy => return None,
                Launched::Done(count) => batch.advance(count),
                Launched::Failed(error) => break Err(channel::write_error(error)),
            }
        };
        outgoing.take().map(|outgoing| (outgoing.batch, ended))
    }

    fn sent(self: &Arc<Self>, outcome: io::Result<usize>, iocp: &Iocp, events: &mut Vec<(MemberId, Event)>) {
        let channel = self.channel();
        let mut outgoing = lock(&self.outgoing);
        let Some(Outgoing { batch, frugal }) = outgoing.as_mut() else { return };
        let failure = match outcome {
            Ok(count) => {
                batch.advance(count);
                None
            }
            Err(error) if error::is_out_of_memory(&error) => {
                *frugal = true;
                None
            }
            Err(error) if error::is_forgotten(&error) => {
                let count = channel.as_deref().and_then(|channel| channel.sent_unless_failed(batch, *frugal));
                batch.advance(count.unwrap_or(0));
                count.is_none().then(|| io::ErrorKind::ConnectionAborted.into())
            }
            Err(error) => Some(error),
        };
        let unwritten = batch.remaining_bytes() > 0;
        let ended = match (failure, &*channel) {
            (None, Some(channel)) => self.send_on(channel, &mut outgoing, iocp),
            (None, None) if unwritten => give_back(&mut outgoing, Err(closed_early())),
            (None, None) => give_back(&mut outgoing, Ok(())),
            (Some(error), Some(_)) if error::is_aborted(&error) => {
                give_back(&mut outgoing, Err(io::ErrorKind::ConnectionAborted.into()))
            }
            (Some(error), Some(_)) => give_back(&mut outgoing, Err(channel::write_error(error))),
            (Some(_), None) => give_back(&mut outgoing, Err(closed_early())),
        };
        if let Some((batch, ended)) = ended {
            self.push(events, Event::Written(self.source.key, batch, ended));
        }
    }
}

fn give_back(outgoing: &mut Option<Outgoing>, ended: io::Result<()>) -> Option<(Box<Batch>, io::Result<()>)> {
    outgoing.take().map(|outgoing| (outgoing.batch, ended))
}

fn closed_early() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the stream was closed before the system took everything",
    )
}

impl Home for Shared {
    fn source(&self) -> &Source {
        &self.source
    }

    fn operation(&self, role: Role) -> Option<&Operation> {
        match role {
            Role::Connect => Some(&self.connect),
            Role::Receive => Some(&self.receive),
            Role::Send => Some(&self.send),
            Role::Farewell => Some(&self.source.farewell),
            Role::Accept(_) => None,
        }
    }

    fn complete(
        self: Arc<Self>,
        role: Role,
        outcome: io::Result<usize>,
        iocp: &Iocp,
        events: &mut Vec<(MemberId, Event)>,
    ) {
        match role {
            Role::Connect => {
                let at_once = lock(&self.outcome).take();
                self.connected(at_once.unwrap_or(outcome.map(drop)), iocp, events);
            }
            Role::Receive => self.received(outcome, iocp, events),
            Role::Send => self.sent(outcome, iocp, events),
            Role::Accept(_) | Role::Farewell => {}
        }
    }
}
