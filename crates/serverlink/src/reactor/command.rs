//! What a thread without the role asks of the one that has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::{Key, Listener, Stream};
use serverlink_patterns::PipeId;
use serverlink_zmtp::WireError;

use super::describe::Inquiry;
use super::failure::Failure;
use crate::endpoint::Endpoint;
use crate::monitor::Trouble;
use crate::options::Options;
use crate::report::Origin;
use crate::resolver::Answered;
use crate::security::Verdict;
use crate::socket::core::Core;

slotmap::new_key_type! {
    /// Names a dialer of one reactor.
    pub(crate) struct DialerId;
}

/// A request to a reactor. All of them may come late: their keys then name nothing, and nothing happens.
pub(crate) enum Command {
    /// Accept connections from here on.
    Listen(Box<NewListener>),
    /// Take in a stream that the application made, or a socket for datagrams.
    TakeIn(Box<NewStream>),
    /// Stop accepting; what was accepted stays.
    Unlisten(Key),
    /// Connect, and connect again.
    Dial(Box<NewDialer>),
    /// Stop connecting, and give the connection and what is queued for it up.
    StopDialing(PipeId),
    /// A resolver is done.
    Resolved(DialerId, Answered),
    /// Writing failed; what has come in is still to be read.
    WriteFailed(Key, std::io::Error),
    /// Close this connection.
    Break(Key, Farewell),
    /// Close this connection when all that is queued for it is written, and do not connect again.
    HangUp(Key),
    /// The peer sent a PING with this ttl.
    Pinged(Key, Duration),
    /// Somebody has judged the credentials of this connection's peer.
    Judged(Key, Box<Verdict>),
    /// The application has made room.
    Resume(Key),
    /// Finish what is queued until `deadline` (`None`: for ever), then close everything of this socket.
    CloseSocket { core: Arc<Core>, deadline: Option<Instant> },
    /// The I/O thread cannot wait any more, or this reactor is broken.
    Fail(Failure),
    /// A closing socket has written something.
    Progress,
    /// Tell what is here.
    Describe(Inquiry),
}

/// A listener that is registered already.
pub(crate) struct NewListener {
    pub(crate) core: Arc<Core>,
    pub(crate) settings: Arc<Options>,
    pub(crate) listener: Listener,
    pub(crate) endpoint: Endpoint,
}

/// A stream that is registered already: connected by the application, or bound for datagrams.
pub(crate) struct NewStream {
    pub(crate) core: Arc<Core>,
    pub(crate) stream: Stream,
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: Origin,
}

/// Whom to connect to.
pub(crate) struct NewDialer {
    pub(crate) core: Arc<Core>,
    pub(crate) settings: Arc<Options>,
    pub(crate) endpoint: Endpoint,
    pub(crate) pipe: PipeId,
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum Farewell {
    /// The peer closed it.
    PeerClosed,
    /// The peer did not keep to the protocol, or refused us.
    Wire(WireError),
    /// The pattern has no place for this peer.
    TurnedAway(String),
    /// An attempt to reach the peer took longer than the option allows.
    ConnectTimeout,
    /// The handshake took too long.
    HandshakeTimeout,
    /// Nothing was heard for too long.
    HeartbeatTimeout,
    /// The system reported an error.
    Io(std::io::Error),
    /// Its routing id went to a newer connection.
    HandedOver,
    /// This side closed it.
    Closed,
    /// There is no way through the proxy.
    Socks(Box<Trouble>),
}
