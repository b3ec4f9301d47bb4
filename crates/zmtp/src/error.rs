//! What can be wrong with a connection's bytes, and whose fault it is.

use serverlink_message::SocketType;
use thiserror::Error;

use crate::greeting::MechanismName;
use crate::mechanism::Denial;
use crate::version::Version;

/// Whose fault an error is, and so who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The other process sent what it must not send, or cannot be talked to.
    Peer,
    /// We were asked for something that cannot be put on the wire.
    Local,
}

/// Why a connection cannot go on.
///
/// Every one of them is final for its connection: close it. No byte after the offending one is looked at, and no other
/// connection is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// RFC 37: only ZMTP 3 has security mechanisms, so an older peer cannot be who this socket wants.
    #[error("the peer speaks ZMTP {version}, which knows no security; this socket uses {mechanism}")]
    TooOldForMechanism {
        /// What its first octets show.
        version: Version,
        /// Ours.
        mechanism: MechanismName,
    },
    /// RFC 37: the mechanisms of both greetings must be the same.
    #[error("the peer wants the security mechanism {theirs}, this socket uses {ours}: configure both alike")]
    MechanismMismatch {
        /// Ours.
        ours: MechanismName,
        /// Theirs.
        theirs: MechanismName,
    },
    /// A frame of ZMTP 1.0 has its flags counted in its length, and this one has no room for them.
    #[error("the peer sent a ZMTP 1.0 frame of length 0: the stream is out of step or not ZMTP")]
    FrameWithoutFlags,
    /// Before ZMTP 3.0 the first frame is the peer's routing id.
    #[error("the peer sent no routing id as its first frame, as peers before ZMTP 3.0 do: it is not ZMTP")]
    NoIdentityFrame,
    /// Bits 3 to 7 of a frame's flags are reserved and must be zero; of ZMTP 1.0's, bits 1 to 7.
    #[error(
        "the peer sent a frame with reserved flags set (flags {flags:#04x}): the stream is out of step or not ZMTP"
    )]
    ReservedFlags {
        /// The octet as it came.
        flags: u8,
    },
    /// A command is always a single frame.
    #[error("the peer sent a command frame that announces more frames (flags {flags:#04x})")]
    MoreOnCommand {
        /// The octet as it came.
        flags: u8,
    },
    /// Sizes have 63 bits.
    #[error("the peer sent a frame of {size} octets, and no frame has more than 2^63-1")]
    SizeOutOfRange {
        /// The size as it came.
        size: u64,
    },
    /// See [`Limits`](crate::Limits).
    #[error("the peer sent {what} of {size}, and the limit is {limit}")]
    LimitExceeded {
        /// What is too large, with its unit.
        what: Limited,
        /// What the peer announced. The bytes themselves may never have come.
        size: u64,
        /// The bound it passed.
        limit: u64,
    },
    /// What came is within the limits, and the system gives no memory to join it. It is dropped; the peer did nothing wrong.
    #[error(
        "there is no memory for a frame of {size} octets that the peer sent: lower `max_message_bytes`, or give the process more"
    )]
    NoMemory {
        /// Octets of its body.
        size: u64,
    },
    /// A command ends before a field it must have, or goes on after the last.
    #[error("the peer sent a malformed {command} command: {why}")]
    MalformedCommand {
        /// Its name, or "unnamed".
        command: &'static str,
        /// Which field is wrong, and how.
        why: &'static str,
    },
    /// Only commands of the mechanism may come before the peer is ready.
    #[error("the peer sent a message before the handshake was over")]
    MessageInHandshake,
    /// NULL knows READY and ERROR and nothing else.
    #[error("the peer sent the command \"{name}\" where the {mechanism} handshake has no place for it")]
    UnexpectedCommand {
        /// Printable form of its name.
        name: String,
        /// The mechanism in use.
        mechanism: &'static str,
    },
    /// Both sides would wait for each other: a mechanism with roles needs one of each.
    #[error(
        "the peer is a server of the mechanism {mechanism}, and so is this socket: one of the two must be its client"
    )]
    TwoServers {
        /// The mechanism of both.
        mechanism: MechanismName,
    },
    /// A box of CURVE was sealed with another key than the peer must have, or changed on its way.
    #[error(
        "the {command} of the peer cannot be opened: it has another key than it is expected to have, or the command was changed on its way"
    )]
    CannotOpen {
        /// Its name.
        command: &'static str,
    },
    /// Nonces count up, so this MESSAGE was recorded and sent again, or its order was changed.
    #[error(
        "the peer sent a MESSAGE with the nonce {nonce} after one with {last}: it was replayed or reordered on its way"
    )]
    StaleNonce {
        /// The one that came.
        nonce: u64,
        /// The highest before it.
        last: u64,
    },
    /// After a CURVE handshake nothing is taken that is not sealed.
    #[error("the peer sent \"{name}\" in clear, where everything has to be sealed")]
    NotSealed {
        /// Printable form of how it begins.
        name: String,
    },
    /// Whoever judges peers did not let this one in.
    #[error("the peer is not let in: {0}")]
    Denied(Denial),
    /// Nobody is there to judge peers, and without one none is let in.
    #[error(
        "nobody judges the peer's credentials: give the socket an authenticator, or bind a handler to inproc://zeromq.zap.01"
    )]
    NobodyJudges,
    /// The peer's READY does not say what kind of socket it is, so no pattern can be followed.
    #[error("the peer's READY names no Socket-Type")]
    SocketTypeMissing,
    /// The peer names a socket type that this library does not have.
    #[error("the peer is a \"{theirs}\" socket, a type unknown here; this socket is {ours}")]
    SocketTypeUnknown {
        /// Ours.
        ours: SocketType,
        /// Printable form of what it sent.
        theirs: String,
    },
    /// The two patterns do not fit (RFC 37, "The Socket-Type Property").
    #[error("the peer is a {theirs} socket and cannot talk to this {ours} socket")]
    SocketTypeMismatch {
        /// Ours.
        ours: SocketType,
        /// Theirs.
        theirs: SocketType,
    },
    /// A property that decides something came twice, so it decides nothing.
    #[error("the peer's READY has the property {name} twice")]
    DuplicateProperty {
        /// Its name.
        name: &'static str,
    },
    /// A ROUTER cannot address this peer by the routing id that it chose.
    #[error("the peer announced an unusable routing id: {why}")]
    InvalidIdentity {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The peer sent ERROR. Do not come back soon with the same credentials.
    #[error("the peer refused the connection: {reason}")]
    RefusedByPeer {
        /// Its reason in printable form; it has no defined meaning.
        reason: String,
    },
    /// Our own handshake settings cannot be put on the wire. Nothing was sent.
    #[error("the handshake cannot be started: {why}")]
    InvalidConfig {
        /// Which setting, and what it must be.
        why: &'static str,
    },
}

impl WireError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            WireError::InvalidConfig { .. } | WireError::NoMemory { .. } | WireError::NobodyJudges => {
                Fault::Local
            }
            _ => Fault::Peer,
        }
    }
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Limited {
    /// [`Limits::max_frame_bytes`](crate::Limits::max_frame_bytes)
    #[error("a frame (octets)")]
    Frame,
    /// [`Limits::max_message_bytes`](crate::Limits::max_message_bytes)
    #[error("a message (octets)")]
    Message,
    /// [`Limits::max_message_parts`](crate::Limits::max_message_parts)
    #[error("a message (parts)")]
    MessageParts,
    /// [`Limits::max_command_bytes`](crate::Limits::max_command_bytes)
    #[error("a command (octets)")]
    Command,
    /// [`Limits::max_subscription_bytes`](crate::Limits::max_subscription_bytes)
    #[error("a topic (octets)")]
    Subscription,
    /// [`Limits::max_handshake_bytes`](crate::Limits::max_handshake_bytes)
    #[error("a handshake (octets)")]
    Handshake,
    /// [`Limits::max_metadata_properties`](crate::Limits::max_metadata_properties)
    #[error("a READY (properties)")]
    MetadataProperties,
}

/// Refuses a `size` above its `limit`.
pub(crate) fn check_limit(what: Limited, size: u64, limit: u64) -> Result<(), WireError> {
    if size > limit {
        return Err(WireError::LimitExceeded { what, size, limit });
    }
    Ok(())
}

/// Octets of a peer's text that are repeated in an error.
const MAX_SHOWN_LEN: usize = 64;

/// What a peer sent, in a form that is safe to print and of bounded length.
pub(crate) fn printable(text: &[u8]) -> String {
    let shown = text[..text.len().min(MAX_SHOWN_LEN)].escape_ascii();
    if text.len() > MAX_SHOWN_LEN { format!("{shown}...") } else { shown.to_string() }
}
