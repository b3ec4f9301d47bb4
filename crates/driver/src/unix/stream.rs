//! A registered stream socket.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, sockopt};

use super::foreign;
use super::identity::Identity;
use super::registry::Registry;
use super::selector::Raised;
use super::socket::{self, OsStream};
use super::{credentials, loopback, tcp_options};
use crate::batch::MAX_SLICES;
use crate::borrowed::Borrowed;
use crate::{Address, Batch, Credentials, Event, Events, Key, Read, StreamOptions, Written};

#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
/// There the socket itself is told to raise no signal.
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::empty();

#[derive(Debug)]
pub(crate) struct Stream {
    key: Key,
    fd: OwnedFd,
    registry: Arc<Registry>,
    peer: Option<Address>,
    /// The selector knows the socket.
    selected: bool,
    /// The attempt to connect has not been reported yet.
    connecting: AtomicBool,
    /// The last write was, or is about to be, cut short. Only then is `Writable` worth an event.
    wants_write: AtomicBool,
    /// The selector has reported the end, or may have.
    ended: AtomicBool,
    closed: AtomicBool,
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
    pub(super) fn adopt(
        registry: &Arc<Registry>,
        stream: OsStream,
    ) -> Result<Arc<Stream>, (OsStream, io::Error)> {
        let _admitted = match foreign::admit(&stream.fd, stream.foreign) {
            Ok(admitted) => admitted,
            Err(error) => return Err((stream, error)),
        };
        registry.add_stream(stream, |key, stream| Stream::new(registry, key, stream, State::Connected))
    }

    /// Starts to connect a new socket, and registers it.
    pub(super) fn connect(
        registry: &Arc<Registry>,
        target: &Address,
        options: &StreamOptions,
    ) -> io::Result<Arc<Stream>> {
        let fd = socket::create(target)?;
        socket::set_buffers(&fd, options)?;
        if let Address::Tcp(address) = target {
            tcp_options::prepare(&fd, address.is_ipv6(), options)?;
            loopback::unpace(&fd, target);
            if let Some(source) = options.source {
                bind_source(&fd, source)?;
            }
        }
        // The attempt comes before the registration: a socket that was never connected counts as hung up.
        let attempt = socket::with_address(target, |target| Ok(target.connect(&fd)))?;
        let stream = OsStream::new(fd, Some(target.clone()));
        match attempt {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => registry
                .add_stream(stream, |key, stream| Stream::new(registry, key, stream, State::Connecting))
                .map_err(|(_, error)| error),
            Err(error) => {
                registry.add_refused(error.into(), |key| Stream::new(registry, key, stream, State::Refused))
            }
        }
    }

    fn new(registry: &Arc<Registry>, key: Key, stream: OsStream, state: State) -> Arc<Stream> {
        Arc::new(Stream {
            key,
            fd: stream.fd,
            registry: Arc::clone(registry),
            peer: stream.peer,
            selected: state != State::Refused,
            connecting: AtomicBool::new(state == State::Connecting),
            wants_write: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Errno::NOTCONN.into());
        }
        // A read of nothing returns nothing, which would look like the end.
        if into.is_empty() {
            return Ok(Read::Bytes(0));
        }
        match rustix::io::retry_on_intr(|| rustix::net::recv(&self.fd, &mut *into, RecvFlags::empty())) {
            Ok((0, _)) => Ok(Read::End),
            Ok((count, _)) => Ok(Read::Bytes(count)),
            Err(Errno::AGAIN) => Ok(Read::WouldBlock),
            Err(error) => Err(error.into()),
        }
    }

    #[inline]
    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        count < room && !self.ended.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        if self.closed.load(Ordering::Relaxed) {
            return Written::Failed(batch, Errno::NOTCONN.into());
        }
        // Before the call: the edge may come, and be reported by another thread, before this one returns from it. The kernel's
        // own locks order the two: whoever sees that edge comes after the call that found the socket full.
        self.wants_write.store(true, Ordering::Release);
        while batch.remaining_bytes() > 0 {
            match self.send(&batch) {
                Ok((count, offered)) => {
                    batch.advance(count);
                    // The kernel took less because it is full: asking again would only say so.
                    if count < offered {
                        return Written::Blocked(batch);
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Written::Blocked(batch),
                // Also the one that says that memory is short: the socket is not full, so no edge would ever come and tell when to go on.
                Err(error) => return Written::Failed(batch, error.into()),
            }
        }
        self.wants_write.store(false, Ordering::Release);
        Written::Done(batch)
    }

    /// Keeps nothing, so what the kernel does not take stays with the caller.
    pub(crate) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Errno::NOTCONN.into());
        }
        // As in `write`.
        self.wants_write.store(true, Ordering::Release);
        while borrowed.remaining_bytes() > 0 {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let (count, offered) = borrowed.fill_slices(&mut slices);
            match self.send_gathered(&slices[..count]) {
                Ok(sent) => {
                    borrowed.advance(sent);
                    if sent < offered {
                        return Ok(());
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        self.wants_write.store(false, Ordering::Release);
        Ok(())
    }

    pub(crate) fn wait_writable(&self, at_most: Duration) -> bool {
        let timeout = Timespec {
            tv_sec: at_most.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        !self.closed.load(Ordering::Relaxed)
            && poll(&mut [PollFd::new(&self.fd, PollFlags::OUT)], Some(&timeout)).is_ok_and(|ready| ready > 0)
    }

    /// One call: how much the kernel took of how much.
    #[inline]
    fn send(&self, batch: &Batch) -> rustix::io::Result<(usize, usize)> {
        if batch.is_single() {
            let bytes = batch.current();
            return Ok((rustix::net::send(&self.fd, bytes, SEND_FLAGS)?, bytes.len()));
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = batch.fill_slices(&mut slices);
        let slices = &slices[..count];
        Ok((self.send_gathered(slices)?, slices.iter().map(|slice| slice.len()).sum()))
    }

    #[inline]
    fn send_gathered(&self, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
        rustix::net::sendmsg(&self.fd, slices, &mut SendAncillaryBuffer::default(), SEND_FLAGS)
    }

    pub(crate) fn shutdown_write(&self) {
        if !self.closed.load(Ordering::Relaxed) {
            // It fails only where there is no connection any more, which the next read tells.
            let _ = rustix::net::shutdown(&self.fd, Shutdown::Write);
        }
    }

    pub(crate) fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) || self.registry.is_left_behind() {
            return;
        }
        self.registry.forget(self.key);
        if self.selected {
            self.registry.selector.remove_closing(&self.fd);
        }
        // It fails where there is no connection any more, and then there is nobody to tell.
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Both);
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        self.peer.clone()
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        socket::local_address(&self.fd)
    }

    pub(crate) fn credentials(&self) -> Option<Credentials> {
        // Each connection is asked, and of most the answer is known without the system.
        if matches!(self.peer, Some(Address::Tcp(_))) { None } else { credentials::of(&self.fd) }
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        Identity::of(&self.fd)
    }

    /// What the first event says about an attempt to connect.
    fn report_connected(&self, raised: Raised, events: &mut Events) {
        if !raised.writable {
            return;
        }
        self.connecting.store(false, Ordering::Relaxed);
        let outcome = match sockopt::socket_error(&self.fd).flatten() {
            Ok(()) if self.is_own_peer() => Err(Errno::CONNREFUSED),
            outcome => outcome,
        };
        let connected = outcome.is_ok();
        events.push(Event::Connected(self.key, outcome.map_err(io::Error::from)));
        if connected {
            // kqueue tells of input apart and perhaps before, so it is tried in any case.
            self.report(Raised { readable: true, ..raised }, events);
        }
    }

    /// Whether TCP connected the socket to itself. It does when nobody listens on a local port that the system then happens to choose for our own
    /// end; such a connection would keep the port from the server that is to come back.
    fn is_own_peer(&self) -> bool {
        matches!(self.peer, Some(Address::Tcp(_))) && self.local_address() == self.peer
    }

    /// Turns readiness into events. Only the waiting half calls it.
    pub(super) fn report(&self, raised: Raised, events: &mut Events) {
        if self.connecting.load(Ordering::Relaxed) {
            return self.report_connected(raised, events);
        }
        // Before the event: whoever reads in between keeps the mark, or gets it back with the event.
        if raised.ended {
            self.ended.store(true, Ordering::Release);
        }
        if raised.readable {
            events.push(Event::Readable(self.key));
        }
        if raised.writable && self.wants_write.load(Ordering::Acquire) {
            events.push(Event::Writable(self.key));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

/// Our end, before there is another.
fn bind_source(fd: &OwnedFd, source: SocketAddr) -> io::Result<()> {
    // A port of ours may still be that of a connection which has just ended.
    if source.port() != 0 {
        sockopt::set_socket_reuseaddr(fd, true)?;
    }
    rustix::net::bind(fd, &source).map_err(|error| {
        let error = io::Error::from(error);
        let message = format!("the source address {source} cannot be used: {error}");
        io::Error::new(error.kind(), message)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Kind;
    use crate::unix::driver::Driver;

    #[test]
    fn a_connection_to_itself_is_refused() {
        let any = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
        let fd = socket::create(&any).expect("descriptors enough");
        socket::with_address(&any, |any| Ok(any.bind(&fd)?)).expect("a free port");
        let own = rustix::net::getsockname(&fd)
            .ok()
            .and_then(socket::to_address)
            .expect("a bound socket has an address");
        // Loopback answers within the call, or else the event tells.
        let _ = socket::with_address(&own, |own| Ok(own.connect(&fd)?));

        let mut driver = Driver::open(Kind::native()).expect("the native driver");
        let registry = &driver.remote().registry;
        let stream = OsStream::new(fd, Some(own));
        let stream = registry
            .add_stream(stream, |key, stream| Stream::new(registry, key, stream, State::Connecting))
            .expect("a first registration");
        let mut events = Events::new();
        while events.is_empty() {
            driver.wait(&mut events, Some(Duration::from_secs(30))).expect("a driver that works");
        }
        match events.next() {
            Some(Event::Connected(key, Err(error))) => {
                assert_eq!((key, error.kind()), (stream.key(), io::ErrorKind::ConnectionRefused));
            }
            event => panic!("connected to itself: {event:?}"),
        }
    }
}
