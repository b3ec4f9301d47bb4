//! The dynamic socket: every operation, checked at run time against the socket's type.

#[cfg(any(unix, windows))]
mod admit;
mod adopt;
mod announce;

pub(crate) mod attach;
mod batch;
mod calls;
pub(crate) mod close;
mod cohort;
mod content;
mod copies;
pub(crate) mod core;
pub(crate) mod datagrams;
mod describe;
mod detach;
pub(crate) mod drive;
pub(crate) mod endpoints;
mod examine;
mod fan_flush;
mod fan_out;
mod future;
mod groups;
mod handover;
mod hang_up;
mod heirs;
mod inproc;
mod input;
mod judge;
mod large;
mod look;
mod own_words;
mod peers;
mod ping;
mod recv;
pub(crate) mod send;
mod settings;
mod short;
mod side;
mod stats;
mod subscribe;
mod subscribers;
mod telling;
mod topics;
pub(crate) mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serverlink_message::{Part, SocketType};
use serverlink_patterns::Subject;

pub use self::close::CloseReport;
pub use self::future::{RecvFuture, SendFuture};
pub use self::telling::Readiness;
pub use self::topics::{SubscriberId, Subscription};

use self::core::Core;
use crate::adopt::{AdoptError, ForeignSocket};
use crate::context::core::ContextCore;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::options::Options;

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

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
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

    /// Stops listening on an endpoint that [`bind`](Socket::bind) gave, and waits for that: the endpoint is free when this returns.
    /// Connections made through it stay.
    ///
    /// # Errors
    /// [`Error::NoSuchEndpoint`] if it is not bound there.
    pub fn unbind(&self, endpoint: &str) -> Result<(), Error> {
        self.core.unbind(endpoint)
    }

    /// The same, and ends the connections made through it, each when what is queued for it is written. Their dialers go on trying. Over inproc they
    /// stay. libzmq: `zmq_unbind`.
    ///
    /// # Errors
    /// As [`unbind`](Socket::unbind).
    ///
    /// ```
    /// use std::time::Duration;
    /// use serverlink::{Context, Error, EventKind};
    ///
    /// let context = Context::new()?;
    /// let (pull, push) = (context.pull().open()?, context.push().open()?);
    /// let endpoint = pull.bind("tcp://127.0.0.1:*")?.to_string();
    /// push.connect(&endpoint)?;
    /// pull.wait_for_peers(1, Duration::from_secs(10))?;
    ///
    /// let monitor = pull.monitor();
    /// pull.as_socket().unbind_and_hang_up(&endpoint)?;
    /// (&monitor).into_iter().find(|event| matches!(event.kind, EventKind::Disconnected { .. })).expect("the socket is open");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn unbind_and_hang_up(&self, endpoint: &str) -> Result<(), Error> {
        self.core.unbind(endpoint)?;
        self.core.hang_up_on_all_of(&endpoint.parse()?);
        Ok(())
    }

    /// Connects to an endpoint, and again whenever the connection is lost. Returns at once: the peer need not be there
    /// yet, and what is sent meanwhile is queued up to the high-water mark.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`]; [`Error::Io`] if the system has no descriptors left.
    pub fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.core.connect(endpoint, None)
    }

    /// PEER, STREAM: connects, and tells the routing id by which the peer is addressed from now on, also over all reconnects. For a PEER these are
    /// the four octets of its number, the highest first. libzmq: `zmq_connect_peer`.
    ///
    /// # Errors
    /// As [`connect`](Socket::connect); [`Error::InvalidOption`] with [`Options::immediate`], [`Error::NotSupported`] for other types.
    pub fn connect_peer(&self, endpoint: &str) -> Result<Part, Error> {
        self.core.connect_peer(endpoint)
    }

    /// ROUTER, STREAM: connects, and calls the peer `routing_id` whatever it calls itself. It can be sent to at once.
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
