//! What is there at this moment: reactors, listeners, and the state of every connection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serverlink_driver::{Credentials as PeerCredentials, Kind};
use serverlink_message::SocketType;

use crate::endpoint::Endpoint;
use crate::peer::Peer;

/// A context at one moment, from [`Context::report`](crate::Context::report).
///
/// Each reactor tells for itself, one after the other: two of them may be a moment apart.
///
/// ```
/// use std::time::Duration;
/// use serverlink::{ConnectionState, Context, Error, SocketType};
///
/// let context = Context::new()?;
/// let router = context.router().open()?;
/// let endpoint = router.bind("tcp://127.0.0.1:*")?;
/// let dealer = context.dealer().routing_id("worker-7").open()?;
/// dealer.connect(&endpoint.to_string())?;
/// router.wait_for_peers(1, Duration::from_secs(10))?;
///
/// let report = context.report();
/// println!("{} drives {} registrations", report.driver, report.registrations());
/// let accepted = report.connections().find(|connection| connection.socket_type == SocketType::Router);
/// let accepted = accepted.expect("its peer is there");
/// assert_eq!(accepted.state, ConnectionState::Open);
/// assert_eq!(accepted.routing_id.as_deref(), Some(&b"worker-7"[..]));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContextReport {
    /// The interface of the operating system that drives the connections.
    pub driver: Kind,
    /// Threads that serve the sockets whose users do not wait in a call.
    pub io_threads: usize,
    /// One for each socket that has, or had, a listener or a dialer; inproc needs none.
    pub reactors: Vec<ReactorReport>,
}

/// One reactor: the driver, and everything that is registered with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReactorReport {
    /// The I/O thread that serves it while no caller does, counted from 0.
    pub io_thread: usize,
    /// What that thread calls it: no two reactors of one thread ever have the same number.
    pub token: u64,
    /// System sockets that its driver knows: the listeners, those connections that have a
    /// [`registration`](ConnectionReport::registration), and for a moment one that is just being bound or closed.
    pub registrations: usize,
    /// Closed sockets whose last operation the system has not finished, where operations complete later (completion ports).
    pub closing: usize,
    /// Where its socket listens.
    pub listeners: Vec<ListenerReport>,
    /// Its connections, and the dialers that have none at the moment.
    pub connections: Vec<ConnectionReport>,
}

/// A listening socket of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerReport {
    /// The type of the socket that is bound there.
    pub socket_type: SocketType,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its registration, as in [`ConnectionReport::registration`].
    pub registration: u64,
}

/// A connection, or a dialer that has none at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// The type of the socket that it belongs to.
    pub socket_type: SocketType,
    /// The endpoint that the socket was bound or connected to.
    pub endpoint: Endpoint,
    /// Who is at the other end, where the system knows: an ipc peer that connected to us has no name, nor has who is behind a proxy.
    pub peer_address: Option<Endpoint>,
    /// The process at the other end, as the system vouches for it: over ipc, where the system tells. `None` over tcp.
    pub peer_credentials: Option<PeerCredentials>,
    /// Which side made it.
    pub origin: Origin,
    /// How far it is.
    pub state: ConnectionState,
    /// Who the peer is, by its handshake. `None` before that is done.
    pub peer: Option<Arc<Peer>>,
    /// The name under which a ROUTER knows the peer. `None` for other types, and for a peer that got no name.
    pub routing_id: Option<Vec<u8>>,
    /// The driver's name for its system socket, never used again in this reactor: a slot in the lower half, a generation in the
    /// upper. It stays from the attempt to the end, and a new attempt has a new one. `None` for a dialer between two attempts.
    pub registration: Option<u64>,
    /// How long it has been registered. For a dialer between two attempts: how long it has had no connection.
    pub age: Duration,
}

/// Which side made a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The peer connected to a listener of ours.
    Accepted,
    /// Nobody: it is bound, and receives datagrams from anybody.
    Bound,
    /// The application connected it and brought it: [`Socket::adopt`](crate::Socket::adopt).
    Adopted,
    /// We connected to the peer, and do so again when the connection is lost.
    Dialed,
}

/// How far a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The last attempt, or connection, has ended; the next attempt follows.
    Waiting {
        /// Attempts so far, since the last connection that lasted.
        attempt: u32,
        /// Until the next one.
        next_try_in: Duration,
    },
    /// The name in the endpoint is being looked up.
    Resolving,
    /// The system is connecting, or a SOCKS5 proxy is.
    Connecting,
    /// There is a connection; the two sides tell each other who they are.
    Handshake,
    /// Messages can flow.
    Open,
    /// The socket closes: everything is written, and the peer's end is awaited.
    Draining,
}

impl ContextReport {
    /// System sockets that are registered, over all reactors.
    pub fn registrations(&self) -> usize {
        self.reactors.iter().map(|reactor| reactor.registrations).sum()
    }

    /// The connections of all reactors.
    pub fn connections(&self) -> impl Iterator<Item = &ConnectionReport> {
        self.reactors.iter().flat_map(|reactor| &reactor.connections)
    }

    /// The listeners of all reactors.
    pub fn listeners(&self) -> impl Iterator<Item = &ListenerReport> {
        self.reactors.iter().flat_map(|reactor| &reactor.listeners)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Accepted => "accepted",
            Origin::Bound => "bound",
            Origin::Adopted => "adopted",
            Origin::Dialed => "dialed",
        })
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionState::Waiting { attempt, next_try_in } => {
                write!(f, "waiting after attempt {attempt}, next in {} ms", next_try_in.as_millis())
            }
            ConnectionState::Resolving => f.write_str("resolving"),
            ConnectionState::Connecting => f.write_str("connecting"),
            ConnectionState::Handshake => f.write_str("handshake"),
            ConnectionState::Open => f.write_str("open"),
            ConnectionState::Draining => f.write_str("draining"),
        }
    }
}
