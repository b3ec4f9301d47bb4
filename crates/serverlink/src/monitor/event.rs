//! What a monitor tells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_message::SocketType;

use super::cause::Cause;
use crate::endpoint::Endpoint;
use crate::peer::Peer;

/// Something that happened to a socket, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When it happened, by the clock of its context: the machine's, or a simulation's.
    pub at: Instant,
    /// The socket's number in its context: [`Socket::id`](crate::Socket::id).
    pub socket: u64,
    /// The socket's own type.
    pub socket_type: SocketType,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a socket. Peers over inproc have no connection and are not told of.
///
/// Events of one connection have the same `registration`, as in
/// [`ConnectionReport::registration`](crate::ConnectionReport::registration); no later connection of the socket has it again.
/// `endpoint` is the listener's or dialer's, as the application wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The socket listens. `endpoint` has the port that the system chose.
    Listening {
        /// Where.
        endpoint: Endpoint,
    },
    /// The socket does not listen there any more.
    ListenerClosed {
        /// Where it did.
        endpoint: Endpoint,
    },
    /// A peer connected to a listener, or a connection that the application made was adopted; the handshake begins.
    Accepted {
        /// The listener's endpoint, or the adopted stream's own.
        endpoint: Endpoint,
        /// The connection.
        registration: u64,
        /// Who came, where the system knows: an ipc peer has no name.
        peer_address: Option<Endpoint>,
    },
    /// A connection that came was lost before it began: the driver did not take it.
    AcceptFailed {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// The system's words.
        error: String,
    },
    /// A listener accepts nobody for now: the system has no descriptors or memory left, or
    /// [`max_connections`](crate::Options::max_connections) are open. Who comes waits in the system's queue. Told once;
    /// [`AcceptResumed`](EventKind::AcceptResumed) follows.
    AcceptPaused {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// Why, as a sentence or in the system's words.
        reason: String,
    },
    /// A listener that had paused accepts again.
    AcceptResumed {
        /// The listener's endpoint.
        endpoint: Endpoint,
    },
    /// A peer came that none of the [`accept_filters`](crate::Options::accept_filters) lets in. Its connection is closed, and nothing was read
    /// from it. Counted in [`Stats::filtered`](crate::Stats::filtered).
    AcceptFiltered {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// Who it was, as a sentence.
        reason: String,
    },
    /// A dialer reached its peer; the handshake begins.
    Connected {
        /// The dialer's endpoint.
        endpoint: Endpoint,
        /// The connection.
        registration: u64,
        /// Which address of the peer answered.
        peer_address: Option<Endpoint>,
    },
    /// The handshake is done and messages can flow.
    Established {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// The connection.
        registration: u64,
        /// Where the peer is, where the system knows.
        peer_address: Option<Endpoint>,
        /// What the peer is. `None`: it speaks ZMTP 1.0, which does not tell.
        socket_type: Option<SocketType>,
        /// The routing id it announced; empty if none.
        routing_id: Vec<u8>,
        /// The version of ZMTP that it speaks, major and minor; zeros where a STREAM speaks none.
        version: (u8, u8),
        /// All that it said of itself.
        peer: Arc<Peer>,
    },
    /// A ROUTER gave the peer no name. A peer that came to a listener was refused in its handshake, and comes back if it is a dialer; one over
    /// inproc waits, and is let in when the name is free. One that the ROUTER itself dialed stays connected, and is neither written nor read.
    RoutingIdRefused {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// The routing id that it announced.
        routing_id: Vec<u8>,
        /// Why not.
        why: String,
    },
    /// A ROUTER's peer lost its routing id to a newer connection, and is closed.
    HandedOver {
        /// The old connection's endpoint.
        endpoint: Endpoint,
        /// The name that has a new owner.
        routing_id: Vec<u8>,
        /// Messages of it that were not read, and are dropped.
        discarded: usize,
    },
    /// A connection attempt or handshake came to nothing.
    HandshakeFailed {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// The connection that was to be.
        registration: u64,
        /// Where the peer is, where the system knows.
        peer_address: Option<Endpoint>,
        /// Why, for programs.
        cause: Cause,
        /// Why, as a sentence.
        reason: String,
    },
    /// An established connection has ended.
    Disconnected {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// The connection.
        registration: u64,
        /// Where the peer was, where the system knows.
        peer_address: Option<Endpoint>,
        /// What the peer was. `None`: it spoke ZMTP 1.0.
        socket_type: Option<SocketType>,
        /// The routing id it had announced; empty if none.
        routing_id: Vec<u8>,
        /// Why, for programs.
        cause: Cause,
        /// Why, as a sentence.
        reason: String,
    },
    /// The system reports no more events for this socket: its connections are closed, its listeners and dialers are gone, and calls that would
    /// wait fail with [`Error::Io`](crate::Error::Io). Close the socket and open another.
    DriverFailed {
        /// The system's words.
        error: String,
    },
    /// A dialer tries again after `delay`.
    Retrying {
        /// The dialer's endpoint.
        endpoint: Endpoint,
        /// Attempts since the last established connection.
        attempt: u32,
        /// The pause, chance included.
        delay: Duration,
        /// Why, for programs.
        cause: Cause,
        /// Why, as a sentence.
        trouble: String,
    },
    /// A dialer tries no more, because of [`reconnect_stop`](crate::Options::reconnect_stop). What was queued for its peer is dropped and
    /// counted ([`Stats::dropped_with_peer`](crate::Stats::dropped_with_peer)), and the socket is as if it had disconnected. Connect again to
    /// start anew.
    GaveUp {
        /// The dialer's endpoint.
        endpoint: Endpoint,
        /// How the last attempt, or connection, ended, for programs.
        cause: Cause,
        /// The same as a sentence.
        trouble: String,
    },
}

impl EventKind {
    /// One word for logs: `listening`, `established`, `disconnected`, ...
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::Listening { .. } => "listening",
            EventKind::ListenerClosed { .. } => "listener_closed",
            EventKind::Accepted { .. } => "accepted",
            EventKind::AcceptFailed { .. } => "accept_failed",
            EventKind::AcceptPaused { .. } => "accept_paused",
            EventKind::AcceptResumed { .. } => "accept_resumed",
            EventKind::AcceptFiltered { .. } => "accept_filtered",
            EventKind::Connected { .. } => "connected",
            EventKind::Established { .. } => "established",
            EventKind::RoutingIdRefused { .. } => "routing_id_refused",
            EventKind::HandedOver { .. } => "handed_over",
            EventKind::HandshakeFailed { .. } => "handshake_failed",
            EventKind::Disconnected { .. } => "disconnected",
            EventKind::DriverFailed { .. } => "driver_failed",
            EventKind::Retrying { .. } => "retrying",
            EventKind::GaveUp { .. } => "gave_up",
        }
    }

    /// The listener's or dialer's endpoint, where the event has one.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            EventKind::Listening { endpoint }
            | EventKind::ListenerClosed { endpoint }
            | EventKind::Accepted { endpoint, .. }
            | EventKind::AcceptFailed { endpoint, .. }
            | EventKind::AcceptPaused { endpoint, .. }
            | EventKind::AcceptResumed { endpoint }
            | EventKind::AcceptFiltered { endpoint, .. }
            | EventKind::Connected { endpoint, .. }
            | EventKind::Established { endpoint, .. }
            | EventKind::RoutingIdRefused { endpoint, .. }
            | EventKind::HandedOver { endpoint, .. }
            | EventKind::HandshakeFailed { endpoint, .. }
            | EventKind::Disconnected { endpoint, .. }
            | EventKind::Retrying { endpoint, .. }
            | EventKind::GaveUp { endpoint, .. } => Some(endpoint),
            EventKind::DriverFailed { .. } => None,
        }
    }

    /// Where the peer is, in events of a connection and where the system knows.
    pub fn peer_address(&self) -> Option<&Endpoint> {
        match self {
            EventKind::Accepted { peer_address, .. }
            | EventKind::Connected { peer_address, .. }
            | EventKind::Established { peer_address, .. }
            | EventKind::HandshakeFailed { peer_address, .. }
            | EventKind::Disconnected { peer_address, .. } => peer_address.as_ref(),
            _ => None,
        }
    }

    /// The connection, in events of one.
    pub fn registration(&self) -> Option<u64> {
        match self {
            EventKind::Accepted { registration, .. }
            | EventKind::Connected { registration, .. }
            | EventKind::Established { registration, .. }
            | EventKind::HandshakeFailed { registration, .. }
            | EventKind::Disconnected { registration, .. } => Some(*registration),
            _ => None,
        }
    }

    /// The routing id that the event is about, if it is about one.
    pub fn routing_id(&self) -> Option<&[u8]> {
        match self {
            EventKind::Established { routing_id, .. }
            | EventKind::RoutingIdRefused { routing_id, .. }
            | EventKind::HandedOver { routing_id, .. }
            | EventKind::Disconnected { routing_id, .. } => Some(routing_id),
            _ => None,
        }
    }

    /// Why a connection ended or an attempt failed, in the events that tell of that.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            EventKind::HandshakeFailed { cause, .. }
            | EventKind::Disconnected { cause, .. }
            | EventKind::Retrying { cause, .. }
            | EventKind::GaveUp { cause, .. } => Some(*cause),
            _ => None,
        }
    }
}
