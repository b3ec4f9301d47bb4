//! Why connections end and attempts fail, as a type for programs beside the sentence for people.

use std::fmt;
use std::io;

use serverlink_zmtp::WireError;
use serverlink_zmtp::socks::SocksFailure;

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
    /// The peer does not accept our credentials, and said so by a number of ZAP: 300, 400 or 500.
    DeniedByPeer(u16),
    /// This side does not accept the peer's credentials: 300, it cannot be judged now; 400, they are not good; 500, judging failed.
    Denied(u16),
    /// Nobody on this side judges credentials, and the socket's security wants somebody to.
    NobodyJudges,
    /// Both sides have another mechanism of security, or the same role in it.
    Mechanism,
    /// What the peer sent cannot be opened with the keys that it must have, or was not sealed, or was replayed or reordered on its way.
    Cryptography,
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
    /// The name in the endpoint, or that of the SOCKS5 proxy, could not be resolved.
    Unresolved,
    /// The SOCKS5 proxy of [`socks_proxy`](crate::Options::socks_proxy) was reached and did not connect to the peer. That the proxy itself was not
    /// reached, or was silent, is told as of a peer, with a sentence that names it.
    Socks(SocksFailure),
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
            Cause::DeniedByPeer(_) => "denied_by_peer",
            Cause::Denied(_) => "denied",
            Cause::NobodyJudges => "nobody_judges",
            Cause::Mechanism => "mechanism",
            Cause::Cryptography => "cryptography",
            Cause::Refused => "refused",
            Cause::ConnectTimeout => "connect_timeout",
            Cause::HandshakeTimeout => "handshake_timeout",
            Cause::HeartbeatTimeout => "heartbeat_timeout",
            Cause::HandedOver => "handed_over",
            Cause::Closed => "closed",
            Cause::Unresolved => "unresolved",
            Cause::Socks(_) => "socks",
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
            Farewell::Wire(error) => cause_of(error),
            Farewell::TurnedAway(_) => Cause::Refused,
            Farewell::ConnectTimeout => Cause::ConnectTimeout,
            Farewell::HandshakeTimeout => Cause::HandshakeTimeout,
            Farewell::HeartbeatTimeout => Cause::HeartbeatTimeout,
            Farewell::Io(error) => Cause::System(error.kind()),
            Farewell::HandedOver => Cause::HandedOver,
            Farewell::Closed => Cause::Closed,
            Farewell::Socks(trouble) => trouble.cause,
        }
    }
}

fn cause_of(error: &WireError) -> Cause {
    match error {
        WireError::RefusedByPeer { reason } => match reason.as_str() {
            "300" => Cause::DeniedByPeer(300),
            "400" => Cause::DeniedByPeer(400),
            "500" => Cause::DeniedByPeer(500),
            _ => Cause::RefusedByPeer,
        },
        WireError::Denied(denial) => Cause::Denied(denial.status()),
        WireError::NobodyJudges => Cause::NobodyJudges,
        WireError::MechanismMismatch { .. }
        | WireError::TooOldForMechanism { .. }
        | WireError::TwoServers { .. } => Cause::Mechanism,
        WireError::CannotOpen { .. } | WireError::StaleNonce { .. } | WireError::NotSealed { .. } => {
            Cause::Cryptography
        }
        _ => Cause::Protocol,
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
            Farewell::Socks(trouble) => f.write_str(&trouble.sentence),
        }
    }
}
