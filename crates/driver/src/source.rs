//! Sources: OS objects before and after their one registration.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::borrowed::Borrowed;
#[cfg(unix)]
use crate::unix::{self, Datagrams, OsDatagrams};
#[cfg(windows)]
use crate::windows::{self, Datagrams, OsDatagrams};
use crate::{Address, Batch, Credentials, Key, ListenOptions, sim};

/// A bound, listening socket that no driver knows yet. Dropping it closes it; an ipc path is unlinked.
#[derive(Debug)]
pub struct OsListener(pub(crate) OsListenerKind);

#[derive(Debug)]
pub(crate) enum OsListenerKind {
    #[cfg(unix)]
    Unix(unix::OsListener),
    #[cfg(windows)]
    Windows(windows::OsListener),
    Simulated(sim::OsListener),
}

impl OsListener {
    /// Binds and listens on the real machine; [`Remote::bind`](crate::Remote::bind) does it where the driver is.
    ///
    /// A socket file that nobody answers is taken over; one that a live process holds is `AddrInUse`, and so is any other kind of file.
    pub fn bind(address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        #[cfg(unix)]
        return Ok(OsListener(OsListenerKind::Unix(unix::OsListener::bind(address, options)?)));
        #[cfg(windows)]
        return Ok(OsListener(OsListenerKind::Windows(windows::OsListener::bind(address, options)?)));
        #[cfg(not(any(unix, windows)))]
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("no driver for {address} with {options:?} on this system"),
        ))
    }

    /// Where it listens, with the port that the system chose.
    pub fn local_address(&self) -> Address {
        match &self.0 {
            #[cfg(unix)]
            OsListenerKind::Unix(listener) => listener.local_address().clone(),
            #[cfg(windows)]
            OsListenerKind::Windows(listener) => listener.local_address(),
            OsListenerKind::Simulated(listener) => listener.local_address().clone(),
        }
    }
}

/// A connected socket that no driver knows yet: accepted, and not adopted. Dropping it closes it.
#[derive(Debug)]
pub struct OsStream(pub(crate) OsStreamKind);

#[derive(Debug)]
pub(crate) enum OsStreamKind {
    #[cfg(unix)]
    Unix(unix::OsStream),
    #[cfg(any(unix, windows))]
    Datagrams(OsDatagrams),
    #[cfg(windows)]
    Windows(windows::OsStream),
    Simulated(sim::OsStream),
}

impl OsStream {
    /// Which process is at the other end, as far as the system tells. `None` for tcp.
    pub fn credentials(&self) -> Option<Credentials> {
        match &self.0 {
            #[cfg(unix)]
            OsStreamKind::Unix(stream) => stream.credentials(),
            #[cfg(any(unix, windows))]
            OsStreamKind::Datagrams(_) => None,
            #[cfg(windows)]
            OsStreamKind::Windows(stream) => stream.credentials(),
            OsStreamKind::Simulated(stream) => stream.credentials(),
        }
    }
}

/// A registration that failed: nothing changed, and the object is still the caller's.
pub struct Unregistered<T> {
    /// What was to be registered.
    pub object: T,
    /// Why it was not.
    pub error: io::Error,
}

impl<T> Unregistered<T> {
    pub(crate) fn foreign(object: T) -> Unregistered<T> {
        let error = io::Error::new(
            io::ErrorKind::InvalidInput,
            "the socket and the driver belong to different machines: one is simulated",
        );
        Unregistered { object, error }
    }
}

impl<T> fmt::Debug for Unregistered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unregistered").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Unregistered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the driver did not take the socket: {}", self.error)
    }
}

impl<T> std::error::Error for Unregistered<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<T> From<Unregistered<T>> for io::Error {
    /// Drops the object.
    fn from(failure: Unregistered<T>) -> io::Error {
        failure.error
    }
}

/// What a caller wants to hear about next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// [`Event::Readable`](crate::Event::Readable).
    Readable,
    /// [`Event::Writable`](crate::Event::Writable).
    Writable,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes are in the buffer. Zero only for an empty buffer.
    Bytes(usize),
    /// Nothing now; `Readable` will come.
    WouldBlock,
    /// The peer will send nothing more.
    End,
}

/// What became of a write. Whatever it was, the memory has an owner.
#[derive(Debug)]
#[must_use = "it holds the batch"]
pub enum Written {
    /// The kernel took everything; the memory is back for reuse.
    Done(Batch),
    /// The kernel took what the batch's cursor says; write the rest after `Writable`.
    Blocked(Batch),
    /// The driver owns the batch and writes it. [`Event::Written`](crate::Event::Written) brings it back; until then nothing else may be written.
    Pending,
    /// The connection takes nothing more. The cursor says what the kernel took before.
    Failed(Batch, io::Error),
}

/// A registered listener. Closed by [`close`](Listener::close) or when dropped.
#[derive(Debug)]
pub struct Listener(pub(crate) ListenerKind);

#[derive(Debug)]
pub(crate) enum ListenerKind {
    #[cfg(unix)]
    Unix(unix::Listener),
    #[cfg(windows)]
    Windows(windows::Listener),
    Simulated(sim::Listener),
}

impl Listener {
    /// Its name in [`Event::Acceptable`](crate::Event::Acceptable).
    pub fn key(&self) -> Key {
        match &self.0 {
            #[cfg(unix)]
            ListenerKind::Unix(listener) => listener.key(),
            #[cfg(windows)]
            ListenerKind::Windows(listener) => listener.key(),
            ListenerKind::Simulated(listener) => listener.key(),
        }
    }

    /// Takes one waiting connection and who made it (an ipc peer has no name). `None`: nobody waits.
    ///
    /// # Errors
    /// The process or the system is out of descriptors or memory: the connection still waits, so the caller keeps its
    /// mark and tries again after it closed something or some time passed. Connections that died while they waited are skipped.
    pub fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        match &self.0 {
            #[cfg(unix)]
            ListenerKind::Unix(listener) => {
                Ok(listener.accept()?.map(|(stream, peer)| (OsStream(OsStreamKind::Unix(stream)), peer)))
            }
            #[cfg(windows)]
            ListenerKind::Windows(listener) => {
                Ok(listener.accept()?.map(|(stream, peer)| (OsStream(OsStreamKind::Windows(stream)), peer)))
            }
            ListenerKind::Simulated(listener) => {
                Ok(listener.accept()?.map(|(stream, peer)| (OsStream(OsStreamKind::Simulated(stream)), peer)))
            }
        }
    }

    /// Asks for the next `Acceptable`, after `accept` said that nobody waits. Free on an edge-triggered driver.
    pub fn rearm(&self) {
        match &self.0 {
            #[cfg(unix)]
            ListenerKind::Unix(_) => {}
            #[cfg(windows)]
            ListenerKind::Windows(listener) => listener.rearm(),
            ListenerKind::Simulated(listener) => listener.rearm(),
        }
    }

    /// Where it listens, with the port that the system chose.
    pub fn local_address(&self) -> Address {
        match &self.0 {
            #[cfg(unix)]
            ListenerKind::Unix(listener) => listener.local_address().clone(),
            #[cfg(windows)]
            ListenerKind::Windows(listener) => listener.local_address().clone(),
            ListenerKind::Simulated(listener) => listener.local_address().clone(),
        }
    }

    /// Stops listening. Connections that nobody accepted are reset.
    pub fn close(self) {}
}

/// A registered stream: its one owner reads and ends it, by [`close`](Stream::close) or by dropping it. Others write through a [`Writer`].
#[derive(Debug)]
pub struct Stream(pub(crate) StreamKind);

/// The right to write to a stream, and nothing else: it can neither read, nor close, nor register it. Clones share the stream.
///
/// It does not keep the stream open. Once the owner has closed it, writing gives the batch back with `NotConnected`.
#[derive(Clone, Debug)]
pub struct Writer(StreamKind);

#[derive(Clone, Debug)]
pub(crate) enum StreamKind {
    #[cfg(unix)]
    Unix(std::sync::Arc<unix::Stream>),
    #[cfg(any(unix, windows))]
    Datagrams(std::sync::Arc<Datagrams>),
    #[cfg(windows)]
    Windows(std::sync::Arc<windows::Stream>),
    Simulated(std::sync::Arc<sim::Stream>),
}

impl Stream {
    /// Its name in events.
    pub fn key(&self) -> Key {
        self.0.key()
    }

    /// Reads what is there, in one system call. One reader at a time.
    ///
    /// # Errors
    /// `NotConnected` after [`close`](Stream::close); otherwise what ended the connection, for good.
    #[inline]
    pub fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.read(into),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.read(into),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.read(into),
            StreamKind::Simulated(stream) => stream.read(into),
        }
    }

    /// Whether a read that brought `count` bytes into a buffer of `room` emptied the socket, so that an event will come for whatever follows and the
    /// caller may clear its mark as if the read had said `WouldBlock`. Never true when the end may have been reported already.
    #[inline]
    pub fn is_drained_by(&self, count: usize, room: usize) -> bool {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.is_drained_by(count, room),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => false,
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.is_drained_by(count, room),
            StreamKind::Simulated(stream) => stream.is_drained_by(count, room),
        }
    }

    /// A handle for those who only write.
    pub fn writer(&self) -> Writer {
        Writer(self.0.clone())
    }

    /// Writes as [`Writer::write`] does. One writer at a time, whatever handle it uses.
    #[inline]
    pub fn write(&self, batch: Batch) -> Written {
        self.0.write(batch)
    }

    /// Tells the peer that nothing more comes, after what was written. Reading goes on.
    ///
    /// False: it cannot be told before the stream is closed. The pipes that are `ipc` on Windows have no half of a close; what was written to one
    /// stays readable for the peer when our end is closed, whatever we have not read. Datagrams have none either.
    pub fn shutdown_write(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.shutdown_write(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => return false,
            #[cfg(windows)]
            StreamKind::Windows(stream) => return stream.shutdown_write(),
            StreamKind::Simulated(stream) => stream.shutdown_write(),
        }
        true
    }

    /// Asks for the next event of this kind, after a call would have blocked. Free on an edge-triggered driver.
    #[inline]
    pub fn rearm(&self, interest: Interest) {
        self.0.rearm(interest);
    }

    /// Ends it: the registration is undone, the peer sees the end after what was written (or a reset, if there were bytes nobody read), and
    /// whatever its writers still try fails. Dropping the stream does the same.
    pub fn close(self) {}

    /// Who is at the other end. `None` for an accepted ipc stream, and while there is no connection.
    pub fn peer_address(&self) -> Option<Address> {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.peer_address(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => None,
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.peer_address(),
            StreamKind::Simulated(stream) => stream.peer_address(),
        }
    }

    /// Which process is at the other end, as far as the system tells. `None` for tcp, and once the stream is closed.
    pub fn credentials(&self) -> Option<Credentials> {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.credentials(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => None,
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.credentials(),
            StreamKind::Simulated(stream) => stream.credentials(),
        }
    }

    /// Our end. `None` for a connecting ipc stream, which has no name.
    pub fn local_address(&self) -> Option<Address> {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.local_address(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => None,
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.local_address(),
            StreamKind::Simulated(stream) => stream.local_address(),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// The name of its stream in events.
    pub fn key(&self) -> Key {
        self.0.key()
    }

    /// Writes as much as the kernel takes, in one system call for up to 64 buffers. One writer at a time; SIGPIPE is never raised.
    #[inline]
    pub fn write(&self, batch: Batch) -> Written {
        self.0.write(batch)
    }

    /// Writes the batch and, behind it, bytes that the driver may only look at: as much as the kernel takes at once, and it keeps
    /// nothing. The batch's cursor and what is left of `body` say how far it came.
    ///
    /// For large bodies that would otherwise be copied. If something is left, either call it again when the stream is writable
    /// (see [`reports_writable`](Writer::reports_writable)), or push a copy of the whole body, [`advance`](Batch::advance) over what is
    /// written of it, and [`write`](Writer::write). One writer at a time. Streams that cannot write without owning the memory
    /// (the pipes that are `ipc` on Windows) take nothing.
    ///
    /// # Errors
    /// The connection takes nothing more. What was taken before is noted.
    pub fn write_borrowed(&self, batch: &mut Batch, body: &mut &[u8]) -> io::Result<()> {
        let borrowed = &mut Borrowed::new(batch, body);
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.write_borrowed(borrowed),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => Ok(()),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.write_borrowed(borrowed),
            StreamKind::Simulated(stream) => stream.write_borrowed(borrowed),
        }
    }

    /// Whether [`Event::Writable`](crate::Event::Writable) follows a write that was cut short. False where the driver keeps the rest of a
    /// [`write`](Writer::write) instead: nothing tells when to go on with borrowed bytes.
    pub fn reports_writable(&self) -> bool {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(_) => true,
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.reports_writable(),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.reports_writable(),
            StreamKind::Simulated(stream) => stream.reports_writable(),
        }
    }

    /// Sleeps until the kernel takes bytes again, or the connection breaks, or so long; says whether a write is worth a try. Registrations, marks and
    /// events are not touched, and whoever waits in the driver is not woken.
    ///
    /// For a writer who is between two pieces of one large body and knows that the peer reads: it spares the way through the driver.
    /// False at once where the system has no such call for a single stream, and after a signal.
    pub fn wait_writable(&self, at_most: Duration) -> bool {
        match &self.0 {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.wait_writable(at_most),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(_) => false,
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.wait_writable(at_most),
            StreamKind::Simulated(stream) => stream.wait_writable(at_most),
        }
    }

    /// How many [datagrams](crate::datagram) the system refused since this was last called; none of streams of octets.
    #[inline]
    pub fn take_refused(&self) -> u64 {
        #[cfg(any(unix, windows))]
        if let StreamKind::Datagrams(socket) = &self.0 {
            return socket.take_refused();
        }
        0
    }

    /// Asks for [`Event::Writable`](crate::Event::Writable), after a write was [`Blocked`](Written::Blocked). Free on an edge-triggered driver.
    #[inline]
    pub fn rearm(&self) {
        self.0.rearm(Interest::Writable);
    }
}

impl StreamKind {
    fn key(&self) -> Key {
        match self {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.key(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.key(),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.key(),
            StreamKind::Simulated(stream) => stream.key(),
        }
    }

    #[inline]
    fn write(&self, batch: Batch) -> Written {
        match self {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.write(batch),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.write(batch),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.write(batch),
            StreamKind::Simulated(stream) => stream.write(batch),
        }
    }

    #[inline]
    fn rearm(&self, interest: Interest) {
        match self {
            #[cfg(unix)]
            StreamKind::Unix(_) => {}
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.rearm(interest),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.rearm(interest),
            StreamKind::Simulated(stream) => stream.rearm(interest),
        }
    }

    fn close(&self) {
        match self {
            #[cfg(unix)]
            StreamKind::Unix(stream) => stream.close(),
            #[cfg(any(unix, windows))]
            StreamKind::Datagrams(socket) => socket.close(),
            #[cfg(windows)]
            StreamKind::Windows(stream) => stream.close(),
            StreamKind::Simulated(stream) => stream.close(),
        }
    }
}
