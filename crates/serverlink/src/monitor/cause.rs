//! Why connections end and attempts fail, as a type for programs beside the sentence for people.

use std::fmt;
use std::io;

use serverlink_zmtp::WireError;

use crate::reactor::Farewell;

/// Why a connection ended, or an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The peer closed the connection, or its machine reset it.
    PeerClosed,
    /// The peer did not keep to the protocol.
    Protocol,
    /// The peer refused us in the handshake, and said why.
    RefusedByPeer,
    /// This side refused the peer: its routing id is taken, this PAIR has its peer, it went past a limit.
    Refused,
    /// No address answered within `connect_timeout`.
    ConnectTimeout,
    /// Connecting and the handshake took longer than `handshake_timeout`.
    HandshakeTimeout,
    /// Nothing was heard of the peer for longer than its heartbeat allows.
    HeartbeatTimeout,
    /// A ROUTER gave the peer's routing id to a newer connection.
    HandedOver,
    /// This side closed it.
    Closed,
    /// The name in the endpoint could not be resolved.
    Unresolved,
    /// The system reported an error, such as [`ConnectionRefused`](io::ErrorKind::ConnectionRefused).
    System(io::ErrorKind),
}

/// Why an attempt to connect came to nothing, for the dialer.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    pub(crate) sentence: String,
}

impl Cause {
    /// One word for logs and labels: `peer_closed`, `protocol`, ... [`System`](Cause::System) is `system`, whatever its kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::PeerClosed => "peer_closed",
            Cause::Protocol => "protocol",
            Cause::RefusedByPeer => "refused_by_peer",
            Cause::Refused => "refused",
            Cause::ConnectTimeout => "connect_timeout",
            Cause::HandshakeTimeout => "handshake_timeout",
            Cause::HeartbeatTimeout => "heartbeat_timeout",
            Cause::HandedOver => "handed_over",
            Cause::Closed => "closed",
            Cause::Unresolved => "unresolved",
            Cause::System(_) => "system",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Trouble {
    pub(crate) fn unresolved(sentence: impl Into<String>) -> Trouble {
        Trouble { cause: Cause::Unresolved, sentence: sentence.into() }
    }
}

impl From<&io::Error> for Trouble {
    fn from(error: &io::Error) -> Trouble {
        Trouble { cause: Cause::System(error.kind()), sentence: error.to_string() }
    }
}

impl From<&Farewell> for Trouble {
    fn from(farewell: &Farewell) -> Trouble {
        Trouble { cause: farewell.cause(), sentence: farewell.to_string() }
    }
}

impl Farewell {
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Farewell::PeerClosed => Cause::PeerClosed,
            Farewell::Wire(WireError::RefusedByPeer { .. }) => Cause::RefusedByPeer,
            Farewell::Wire(_) => Cause::Protocol,
            Farewell::TurnedAway(_) => Cause::Refused,
            Farewell::ConnectTimeout => Cause::ConnectTimeout,
            Farewell::HandshakeTimeout => Cause::HandshakeTimeout,
            Farewell::HeartbeatTimeout => Cause::HeartbeatTimeout,
            Farewell::Io(error) => Cause::System(error.kind()),
            Farewell::HandedOver => Cause::HandedOver,
            Farewell::Closed => Cause::Closed,
        }
    }
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Farewell::PeerClosed => f.write_str("the peer closed the connection"),
            Farewell::Wire(error) => write!(f, "{error}"),
            Farewell::TurnedAway(why) => write!(f, "turned away: {why}"),
            Farewell::ConnectTimeout => f.write_str("nobody answered within the connect_timeout"),
            Farewell::HandshakeTimeout => f.write_str("the handshake took too long"),
            Farewell::HeartbeatTimeout => f.write_str("nothing was heard from the peer for too long"),
            Farewell::Io(error) => write!(f, "the system reported: {error}"),
            Farewell::HandedOver => f.write_str("its routing id went to a newer connection"),
            Farewell::Closed => f.write_str("closed by this side"),
        }
    }
}
