use serverlink_message::{Message, Part, SocketType};

use crate::PipeId;

/// What is known of a peer when its pipe is attached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerInfo {
    /// The routing id it announced; empty for an anonymous peer. Only ROUTER looks at it.
    pub routing_id: Vec<u8>,
    /// ROUTER: the name our own side gave to this connection. It wins over what the peer announced.
    pub connect_routing_id: Option<Vec<u8>>,
    /// The peer's socket type, once the handshake told it. `None` says that no connection stands behind the pipe
    /// yet (a ROUTER's named dialer may be sent to before it is connected); no connect notification is made then.
    pub socket_type: Option<SocketType>,
}

/// What attaching a pipe led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Attached {
    /// ROUTER: the id under which the peer is known, to be given to [`Receiver::attach`](crate::Receiver::attach).
    pub routing_id: Option<Part>,
    /// ROUTER handover: this pipe lost its name to the new one. Close it; drop and count what it had not delivered.
    pub displaced: Option<PipeId>,
    /// ROUTER: the peer got no name. Nothing can be sent to it and nothing is read from it.
    pub refused: bool,
    /// ROUTER: `[routing id][]`, to be queued for the application in front of the pipe's messages.
    pub notify: Option<Message>,
    /// The pipe was not attached and its connection must be closed.
    pub reject: bool,
    /// Why, if `refused` or `reject`.
    pub why: Option<AttachRefusal>,
}

/// Why a pipe was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachRefusal {
    /// PAIR talks to one peer at a time (RFC 31).
    #[error("this PAIR socket already has a peer")]
    PairTaken,
    /// ROUTER: another peer has the routing id, and handover is off or that id was given by our side.
    #[error("another peer already has this routing id")]
    DuplicateRoutingId,
    /// ROUTER: ids that begin with a zero octet are ours to give (RFC 37, Identity property).
    #[error("the peer announced a routing id that begins with a zero octet")]
    ReservedRoutingId,
    /// The application gave the endpoint up while the handshake was going on.
    #[error("the socket was disconnected from this endpoint meanwhile")]
    Disconnected,
}

/// What detaching a pipe led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Detached {
    /// ROUTER: `[routing id][]`, to be queued for the application behind the pipe's last message.
    pub notify: Option<Message>,
    /// XPUB: `[0 topic]` for each topic that lost its last subscriber.
    pub upstream: Vec<Message>,
}
