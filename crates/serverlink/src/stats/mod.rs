//! Counters, always on.
//!
//! They are kept where their subject is, under locks that are held anyway, and put together when somebody asks.

mod link;
mod prometheus;
mod round_trip;

use std::time::{Duration, SystemTime};

use serverlink_message::SocketType;

use crate::endpoint::Endpoint;
pub(crate) use link::{ConnectionCounts, LinkRecord};
pub use round_trip::RoundTrip;

/// What went through a socket since it was opened.
///
/// Taken under the socket's own locks, each half for itself: the two halves of one snapshot may be a
/// few messages apart. Fields that end in `queue` or `queue_bytes`, and `peers`, are levels; all others only grow.
///
/// Bytes are those of frames, as they go over a wire: headers and commands count, the handshake does not. What goes over
/// inproc is not framed: there it is the bytes of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages accepted by a send.
    pub sent: u64,
    /// Messages given to the application.
    pub received: u64,
    /// Bytes that the system took.
    pub sent_bytes: u64,
    /// Bytes that came in.
    pub received_bytes: u64,
    /// Copies of messages that were not queued because a peer was at its high-water mark, and datagrams that came while as many waited for the application.
    pub dropped_at_high_water_mark: u64,
    /// Messages that counted as sent and went nowhere: no subscriber, no such routing id, no peer, a datagram that the system refused.
    pub dropped_without_receiver: u64,
    /// Messages accepted by a send that were given up with the connection or the pipe they waited in.
    pub dropped_with_peer: u64,
    /// Subscriptions that were not taken, because their peer has as many as it may. Its connection ends.
    pub refused_subscriptions: u64,
    /// Messages that came and were not for the application: not subscribed, out of turn, malformed envelope, no datagram of a RADIO.
    pub discarded: u64,
    /// Messages that came from a peer whose routing id was taken over before they were read.
    pub discarded_at_handover: u64,
    /// Peers that none of the [`accept_filters`](crate::Options::accept_filters) let in.
    pub filtered: u64,
    /// Messages that wait for the system to take them, over all peers.
    pub send_queue: u64,
    /// Their bytes.
    pub send_queue_bytes: u64,
    /// Messages that wait for the application, over all peers, those that have left included.
    pub receive_queue: u64,
    /// Their bytes, and those of messages that are not here in full.
    pub receive_queue_bytes: u64,
    /// Peers that are connected and through the handshake. Over udp, where nobody says who is there, each endpoint that is bound or connected to
    /// counts as one, as it does in [`peer_stats`](crate::Socket::peer_stats).
    pub peers: u64,
    /// Times a peer came: handshakes that were done, from either side, and meetings over inproc.
    pub connections: u64,
    /// How many of them were a dialer's second or later connection.
    pub reconnects: u64,
    /// Attempts of dialers to connect.
    pub connection_attempts: u64,
}

/// What went between a socket and one peer: one that is connected, or one that a dialer connects to.
///
/// For a dialer's peer the counters go on over reconnects; for one that came to a listener they begin with its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStats {
    /// The peer's number, which no other peer of the socket ever has.
    pub id: u64,
    /// The endpoint that the socket was bound or connected to.
    pub endpoint: Endpoint,
    /// Where the peer is, where the system knows. `None` also while there is no connection.
    pub peer_address: Option<Endpoint>,
    /// What the peer said that it is; `None` before its first handshake, and for one of ZMTP 1.0.
    pub socket_type: Option<SocketType>,
    /// A ROUTER's name for the peer, else the routing id that the peer announced; empty if it has none.
    pub routing_id: Vec<u8>,
    /// How long it has been connected; `None`: it is not.
    pub connected_for: Option<Duration>,
    /// Messages that the system took, or over inproc the peer's ring.
    pub sent: u64,
    /// Messages that this peer had no room for: copies of a publisher, messages of a ROUTER that is not mandatory, what
    /// conflation replaced. A publisher counts anew with each connection.
    pub dropped: u64,
    /// Messages that were taken in from this peer, discarded ones included.
    pub received: u64,
    /// Bytes that the system took; see [`Stats`].
    pub sent_bytes: u64,
    /// Bytes that came in.
    pub received_bytes: u64,
    /// Messages that wait for the system to take them.
    pub send_queue: u64,
    /// Their bytes.
    pub send_queue_bytes: u64,
    /// Messages that wait for the application.
    pub receive_queue: u64,
    /// Their bytes, and those of messages that are not here in full.
    pub receive_queue_bytes: u64,
    /// Times the peer was connected.
    pub connections: u64,
    /// Attempts of the dialer to connect; 0 for a peer that came to a listener.
    pub connection_attempts: u64,
    /// From a PING to its PONG; `None` before the first, where heartbeats are off, and over inproc.
    pub round_trip: Option<RoundTrip>,
}

/// One socket in a [`ContextStats`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketStats {
    /// [`Socket::id`](crate::Socket::id).
    pub id: u64,
    /// Its type.
    pub socket_type: SocketType,
    /// Where it listens.
    pub bound: Vec<Endpoint>,
    /// Its counters.
    pub stats: Stats,
    /// The counters of its peers.
    pub peers: Vec<PeerStats>,
}

/// The counters of all open sockets of a context, from [`Context::stats`](crate::Context::stats).
///
/// Each socket is asked for itself, one after the other. What is closed is not here any more.
///
/// ```
/// use serverlink::{Context, Error};
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// pull.bind("inproc://work")?;
/// let push = context.push().open()?;
/// push.connect("inproc://work")?;
/// push.send("dig")?;
/// pull.recv()?;
///
/// let stats = context.stats();
/// let received: u64 = stats.sockets.iter().map(|socket| socket.stats.received).sum();
/// assert_eq!(received, 1);
/// assert!(stats.to_prometheus().contains("# TYPE serverlink_sent_messages_total counter"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextStats {
    /// When they were taken.
    pub at: SystemTime,
    /// The sockets, in the order in which they were opened.
    pub sockets: Vec<SocketStats>,
}

/// The counters behind the send lock.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) messages: u64,
    /// Of outlets that are gone.
    pub(crate) bytes: u64,
    pub(crate) at_high_water_mark: u64,
    pub(crate) without_receiver: u64,
    pub(crate) with_peer: u64,
    pub(crate) refused_subscriptions: u64,
}

/// The counters behind the receive lock.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) messages: u64,
    /// Counted for each read, not for each message.
    pub(crate) bytes: u64,
    pub(crate) discarded: u64,
    /// Datagrams: nobody can be held back.
    pub(crate) at_high_water_mark: u64,
    pub(crate) at_handover: u64,
}
