//! The dynamic socket: every operation, checked at run time against the socket's type.

mod adopt;
pub(crate) mod attach;
pub(crate) mod close;
pub(crate) mod core;
mod describe;
pub(crate) mod drive;
mod endpoints;
mod future;
mod handover;
mod heirs;
mod inproc;
mod input;
mod look;
mod own_words;
mod peers;
mod ping;
mod recv;
pub(crate) mod send;
mod stats;
mod subscribe;
mod subscribers;
mod topics;
pub(crate) mod write;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_message::{Message, SocketType};
use serverlink_patterns::Subject;

pub use self::close::CloseReport;
pub use self::future::{RecvFuture, SendFuture};
pub use self::topics::SubscriberId;

use self::close::deadline_of;
use self::core::Core;
use self::drive::For;
use crate::adopt::{AdoptError, ForeignSocket};
use crate::context::core::ContextCore;
use crate::endpoint::Endpoint;
use crate::error::{Error, SendError};
use crate::monitor::{Callback, Event, Monitor};
use crate::options::Options;
use crate::payload::{Carrier, Outgoing, Payload};
use crate::peer::Peer;
use crate::report::ConnectionReport;
use crate::stats::{PeerStats, Stats};

/// A socket of any type.
///
/// The typed sockets stand on this one and are what most programs want. This one serves programs that choose the
/// type at run time; an operation that its type does not have is answered with [`Error::NotSupported`].
///
/// It is `Send` and `Sync`, and every call takes `&self`: threads may send and receive at the same time, and several may
/// wait in the same call. Messages that one thread sends to one peer arrive in their order.
///
/// Dropping a socket closes it with the linger of its [`Options`] in the background; dropping never blocks.
pub struct Socket {
    core: Arc<Core>,
}

/// What a socket could do without waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A receive would give a message.
    pub readable: bool,
    /// A send would find a peer with room.
    pub writable: bool,
}

impl Socket {
    pub(crate) fn open(socket_type: SocketType, options: Options, context: Arc<ContextCore>) -> Socket {
        let core = Core::new(socket_type, options, context, false);
        core.context.add_socket(&core);
        Socket { core }
    }

    /// One of the library's own.
    pub(crate) fn open_internal(
        socket_type: SocketType,
        options: Options,
        context: Arc<ContextCore>,
    ) -> Socket {
        let core = Core::new(socket_type, options, context, true);
        core.context.add_socket(&core);
        Socket { core }
    }

    // ---- endpoints

    /// Listens on an endpoint. Gives the endpoint that was really bound, with the port that the system chose for `*`.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`], [`Error::AddressInUse`], [`Error::AddressNotAvailable`], [`Error::Io`];
    /// the socket is as it was.
    pub fn bind(&self, endpoint: &str) -> Result<Endpoint, Error> {
        self.core.bind(endpoint)
    }

    /// Stops listening on an endpoint that [`bind`](Socket::bind) gave. Connections made through it stay.
    ///
    /// # Errors
    /// [`Error::NoSuchEndpoint`] if it is not bound there.
    pub fn unbind(&self, endpoint: &str) -> Result<(), Error> {
        self.core.unbind(endpoint)
    }

    /// Connects to an endpoint, and again whenever the connection is lost. Returns at once: the peer need not be there
    /// yet, and what is sent meanwhile is queued up to the high-water mark.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`]; [`Error::Io`] if the system has no descriptors left.
    pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.core.connect(endpoint, None)
    }

    /// ROUTER: connects, and calls the peer `routing_id` whatever it calls itself. It can be sent to at once.
    ///
    /// # Errors
    /// As [`connect`](Socket::connect), and [`Error::InvalidOption`] if the id is in use, empty, longer than 255
    /// bytes, or begins with a zero byte.
    pub fn connect_as(&self, endpoint: &str, routing_id: &[u8]) -> Result<(), Error> {
        self.core.connect(endpoint, Some(routing_id))
    }

    /// Gives up an endpoint that [`connect`](Socket::connect) was called with, its connection and what is queued for it.
    ///
    /// # Errors
    /// [`Error::NoSuchEndpoint`] if it is not connected there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), Error> {
        self.core.disconnect(endpoint)
    }

    /// Takes in a connected stream socket that the application made: it becomes a connection as an accepted one does, belongs to this socket
    /// from now on, and is not connected again when it ends. Gives the endpoint under which reports and the monitor show it: its own address, or an
    /// `ipc://` without a path if it has none.
    ///
    /// The socket becomes non-blocking, and with it every duplicate of its handle.
    ///
    /// # Errors
    /// What is no connected stream, or is registered already, perhaps through a duplicate, is given back as it came, with the reason.
    pub fn adopt<S: ForeignSocket>(&self, stream: S) -> Result<Endpoint, AdoptError<S>> {
        self.core.adopt(stream.into()).map_err(|refused| refused.map(S::from))
    }

    /// Listens on a listening socket that the application made, or was given by a service manager. Gives the endpoint, as
    /// [`bind`](Socket::bind) does, and [`unbind`](Socket::unbind) ends it. The file of an `ipc://` listener stays: it is its maker's.
    ///
    /// The socket becomes non-blocking, and with it every duplicate of its handle.
    ///
    /// # Errors
    /// What does not listen, or is registered already, perhaps through a duplicate, is given back as it came, with the reason.
    pub fn listen_on<S: ForeignSocket>(&self, listener: S) -> Result<Endpoint, AdoptError<S>> {
        self.core.listen_on(listener.into()).map_err(|refused| refused.map(S::from))
    }

    /// The endpoint of the last successful [`bind`](Socket::bind) or [`connect`](Socket::connect).
    pub fn last_endpoint(&self) -> Option<Endpoint> {
        if self.core.context.is_left_behind() {
            return None;
        }
        self.core.topology.lock().last_endpoint.clone()
    }

    // ---- sending

    /// Sends a message; waits while no peer has room, at most for the socket's `send_timeout`.
    ///
    /// The message is queued for a peer when this returns; it may still be lost with that peer.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Unroutable`], [`Error::WrongState`], [`Error::NotSupported`],
    /// [`Error::Terminated`], [`Error::Interrupted`]. The message comes back, and no peer has seen any of it.
    pub fn send<M: Payload>(&self, message: M) -> Result<(), SendError<M>> {
        let mut carrier = message.into_carrier();
        match self.core.try_send(&mut carrier.outgoing()) {
            Ok(true) => Ok(()),
            Ok(false) => self.send_waiting(carrier, self.send_deadline_from_options()),
            Err(error) => Err(SendError { error, message: M::from_carrier(carrier) }),
        }
    }

    /// Sends a message if a peer has room now.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] if none has; others as [`send`](Socket::send). The message comes back.
    pub fn try_send<M: Payload>(&self, message: M) -> Result<(), SendError<M>> {
        let mut carrier = message.into_carrier();
        let error = match self.core.try_send(&mut carrier.outgoing()) {
            Ok(true) => return Ok(()),
            Ok(false) => Error::WouldBlock,
            Err(error) => error,
        };
        Err(SendError { error, message: M::from_carrier(carrier) })
    }

    /// Sends a message; waits up to `deadline`, whatever the socket's own timeout is.
    ///
    /// # Errors
    /// As [`send`](Socket::send).
    pub fn send_deadline<M: Payload>(&self, message: M, deadline: Instant) -> Result<(), SendError<M>> {
        self.send_waiting(message.into_carrier(), Some(deadline))
    }

    fn send_waiting<M: Payload>(
        &self,
        mut carrier: M::Carrier,
        deadline: Option<Instant>,
    ) -> Result<(), SendError<M>> {
        let attempt = || Ok(self.core.try_send(&mut carrier.outgoing())?.then_some(()));
        let sent = self.core.wait_until(For::Credit, deadline, attempt);
        sent.map_err(|error| SendError { error, message: M::from_carrier(carrier) })
    }

    /// Sends a message without blocking a thread. Any executor can run the future; dropping it before it is ready sends
    /// nothing. The socket's timeout does not apply.
    pub fn send_async<M: Payload>(&self, message: M) -> SendFuture<'_, M> {
        SendFuture::new(&self.core, message)
    }

    fn send_deadline_from_options(&self) -> Option<Instant> {
        let timeout = self.core.options.send_timeout?;
        deadline_of(self.core.now(), Some(timeout))
    }

    // ---- receiving

    /// Receives the next message, fairly from all peers; waits for it, at most for the socket's `recv_timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::WrongState`], [`Error::NotSupported`], [`Error::Terminated`],
    /// [`Error::Interrupted`]. Nothing was taken.
    #[inline]
    pub fn recv(&self) -> Result<Message, Error> {
        let mut message = Message::new();
        if !self.core.try_recv_into(&mut message)? {
            self.recv_waiting(&mut message, self.recv_deadline_from_options())?;
        }
        Ok(message)
    }

    fn recv_deadline_from_options(&self) -> Option<Instant> {
        let timeout = self.core.options.recv_timeout?;
        deadline_of(self.core.now(), Some(timeout))
    }

    /// Receives a message if one is there. It also reads what has just come in, where nobody else does.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] if none is; others as [`recv`](Socket::recv).
    pub fn try_recv(&self) -> Result<Message, Error> {
        match self.core.try_recv_once()? {
            Some(message) => Ok(message),
            None => self.core.recv_polling()?.ok_or(Error::WouldBlock),
        }
    }

    /// Receives the next message; waits up to `deadline`, whatever the socket's own timeout is.
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<Message, Error> {
        let mut message = Message::new();
        self.recv_waiting(&mut message, Some(deadline))?;
        Ok(message)
    }

    fn recv_waiting(&self, into: &mut Message, deadline: Option<Instant>) -> Result<(), Error> {
        self.core.wait_until(For::Message, deadline, || Ok(self.core.try_recv_into(into)?.then_some(())))
    }

    /// Receives without blocking a thread. Any executor can run the future; dropping it loses nothing. The socket's timeout
    /// does not apply.
    pub fn recv_async(&self) -> RecvFuture<'_> {
        RecvFuture::new(&self.core)
    }

    /// Receives the next message and tells who sent it: type, routing id, version, address, properties. `None`: the message is the
    /// library's own, as a ROUTER's notification is. Waits as [`recv`](Socket::recv) does.
    ///
    /// For applications that need to know more of a peer than a ROUTER's routing id; [`recv`](Socket::recv) costs less. Where a dialer was
    /// connected again before the message was taken, it is the newer connection's peer.
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_with_peer(&self) -> Result<(Message, Option<Arc<Peer>>), Error> {
        match self.core.try_recv_with_peer()? {
            Some(found) => Ok(found),
            None => self.recv_with_peer_until(self.recv_deadline_from_options()),
        }
    }

    /// A message and who sent it, if one is there. See [`recv_with_peer`](Socket::recv_with_peer).
    ///
    /// # Errors
    /// As [`try_recv`](Socket::try_recv).
    pub fn try_recv_with_peer(&self) -> Result<(Message, Option<Arc<Peer>>), Error> {
        match self.core.try_recv_with_peer()? {
            Some(found) => Ok(found),
            None => self.core.poll_and(|| self.core.try_recv_with_peer())?.ok_or(Error::WouldBlock),
        }
    }

    /// The next message and who sent it; waits up to `deadline`. See [`recv_with_peer`](Socket::recv_with_peer).
    ///
    /// # Errors
    /// As [`recv`](Socket::recv).
    pub fn recv_with_peer_deadline(&self, deadline: Instant) -> Result<(Message, Option<Arc<Peer>>), Error> {
        self.recv_with_peer_until(Some(deadline))
    }

    fn recv_with_peer_until(&self, deadline: Option<Instant>) -> Result<(Message, Option<Arc<Peer>>), Error> {
        self.core.wait_until(For::Message, deadline, || self.core.try_recv_with_peer())
    }

    // ---- subscriptions

    /// SUB, XSUB: asks for messages whose first part begins with `topic`; the empty topic asks for all. Subscriptions
    /// count: one that is made twice has to be cancelled twice. They survive reconnects.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for other types, [`Error::TooLarge`] for a topic above 64 KiB.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.core.subscribe(Subject::Topic(topic.as_ref()))
    }

    /// Cancels one subscription. One that was never made is ignored.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for types other than SUB and XSUB.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.core.unsubscribe(Subject::Topic(topic.as_ref()))
    }

    // ---- looking

    /// What could be done now without waiting.
    pub fn readiness(&self) -> Readiness {
        self.core.readiness()
    }

    /// Waits until at least `count` peers are connected and through the handshake; gives how many are.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after `patience`.
    pub fn wait_for_peers(&self, count: usize, patience: Duration) -> Result<usize, Error> {
        self.wait_for_count(count, patience, || self.core.topology.lock().peers)
    }

    /// PUB, XPUB: waits until at least `count` peers have a subscription in force, which ends the slow joiner's
    /// guesswork; gives how many have.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after `patience`.
    pub fn wait_for_subscribers(&self, count: usize, patience: Duration) -> Result<usize, Error> {
        self.wait_for_count(count, patience, || self.core.send.lock().sender.subscriber_count())
    }

    fn wait_for_count(
        &self,
        count: usize,
        patience: Duration,
        now: impl Fn() -> usize,
    ) -> Result<usize, Error> {
        let deadline = deadline_of(self.core.now(), Some(patience));
        self.core.wait_until(For::Change, deadline, || {
            self.core.check_open()?;
            let found = now();
            Ok((found >= count).then_some(found))
        })
    }

    /// Tells what happens to this socket's connections from now on, each event once. Costs nothing while no monitor is open.
    pub fn monitor(&self) -> Monitor {
        if self.core.context.is_left_behind() {
            // Nothing is told there any more.
            return Monitor::ended();
        }
        self.core.monitor.open()
    }

    /// Calls `callback` for every event from now on, until the socket is closed.
    ///
    /// It is called by whichever thread the event happens on, an I/O thread perhaps: it should be quick. It runs without locks of the
    /// library and may call it, closing excepted; calls come one at a time and in the order of the events. A panic of it is caught. It must not
    /// own this socket, which would then never be closed.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let pull = context.pull().open()?;
    /// let (tell, told) = mpsc::channel();
    /// pull.on_event(move |event| tell.send(event.to_string()).expect("somebody listens"));
    /// pull.bind("inproc://here")?;
    /// assert_eq!(told.recv().expect("an event"), format!("PULL {}: listens on inproc://here", pull.as_socket().id()));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn on_event(&self, callback: impl FnMut(&Event) + Send + 'static) {
        if self.core.context.is_left_behind() {
            return;
        }
        self.core.monitor.add(Callback::new(callback));
    }

    /// Its number in its context, counted from 1: what events, counters and the stats endpoint call it. No other socket of the
    /// context ever has it.
    pub fn id(&self) -> u64 {
        self.core.id
    }

    /// The state of its connections at this moment, and of the dialers that have none. What goes over inproc has no connection.
    ///
    /// Whoever drives them is asked, and answers in between; nothing is kept for this while nobody asks.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        if self.core.context.is_left_behind() {
            return Vec::new();
        }
        self.core.connections()
    }

    /// Who is connected and through the handshake at this moment, over all transports, in no particular order.
    pub fn peers(&self) -> Vec<Arc<Peer>> {
        self.core.peers()
    }

    /// Counters since the socket was opened.
    pub fn stats(&self) -> Stats {
        if self.core.context.is_left_behind() {
            return Stats::default();
        }
        self.core.stats()
    }

    /// Counters of each peer: those that are connected, and those that it connects to.
    pub fn peer_stats(&self) -> Vec<PeerStats> {
        if self.core.context.is_left_behind() {
            return Vec::new();
        }
        self.core.peer_stats()
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    /// Its type.
    pub fn socket_type(&self) -> SocketType {
        self.core.kind
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    // ---- its end

    /// Closes the socket: stops listening, writes what is queued for at most `linger`, and tells what was left.
    ///
    /// Blocks until then. Zero drops what the system does not take at once.
    pub fn close(self, linger: Duration) -> CloseReport {
        self.core.close_and_wait(linger)
    }

    /// For a handle that shares the socket with the one who uses it, whose calls end.
    pub(crate) fn begin_closing(&self) {
        self.core.begin_closing(self.core.options.linger);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.core.context.is_left_behind() {
            // Its end would be the parent's business too.
            std::mem::forget(Arc::clone(&self.core));
        } else if !self.core.is_closed() {
            self.core.begin_closing(self.core.options.linger);
        }
    }
}

/// So that what takes any socket takes a `Socket` too.
impl AsRef<Socket> for Socket {
    fn as_ref(&self) -> &Socket {
        self
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("type", &self.core.kind).finish_non_exhaustive()
    }
}

impl Core {
    /// One attempt, subscriptions of XSUB included.
    #[inline]
    pub(crate) fn try_send(self: &Arc<Self>, outgoing: &mut Outgoing<'_>) -> Result<bool, Error> {
        if self.subscribes() && self.take_subscription(outgoing)? {
            return Ok(true);
        }
        self.try_send_once(outgoing)
    }

    pub(crate) fn readiness(self: &Arc<Self>) -> Readiness {
        if self.context.is_left_behind() {
            return Readiness::default();
        }
        let readable = self.poll_readable();
        Readiness { readable, writable: self.poll_writable() }
    }

    pub(crate) fn is_writable(&self) -> bool {
        let mut send = self.send.lock();
        send.look_at_full_rings();
        match &self.dialogue {
            Some(dialogue) => send.sender.is_ready(&dialogue.lock()),
            None => send.sender.is_ready(&send.silent),
        }
    }
}
