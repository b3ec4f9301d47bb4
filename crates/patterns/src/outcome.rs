use std::num::NonZeroU64;

use serverlink_message::{Part, front::Front};

use crate::PipeId;

/// What [`Sender::reserve`](crate::Sender::reserve) decided about a message, from its first part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// Write the message to this pipe, then commit.
    One {
        /// Where it goes.
        pipe: PipeId,
        /// What has to be done to its parts on the way.
        framing: Framing,
    },
    /// Write the message to each of [`Sender::targets`](crate::Sender::targets), as it is, then commit.
    Many,
    /// As `Many`, and if one of them has no room after all nobody gets it: mark that one as full, roll back, and reserve again.
    All,
    /// No pipe can take it now. Nothing changed; try again when a pipe is attached or writable again.
    WouldBlock,
    /// The message counts as sent and goes nowhere. Already final: commit and rollback after it do nothing.
    Nobody(DropReason),
    /// The caller's mistake, or a routing id nobody has. Nothing changed and the caller keeps the message.
    Refused(Refusal),
}

/// The name of the pipes that a message goes to. As long as it is the same, so are they; a name never comes back with another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetSet(pub(crate) NonZeroU64);

/// How the parts of an outgoing message differ from what the application gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Not at all.
    AsIs,
    /// ROUTER, STREAM, SERVER, PEER: the first part was the address and is not written. A message that is nothing but an address leaves
    /// nothing to write: the shell rolls back and drops it ([`DropReason::AddressOnly`]).
    SkipFirst,
    /// REQ and REP: write the parts of [`Sender::prefix`](crate::Sender::prefix) first.
    Prefix,
}

/// What becomes of every message of one part that a pipe brings, as [`Receiver::handle`](crate::Receiver::handle) would have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Passage {
    /// It is the application's as it came.
    #[default]
    AsItCame,
    /// ROUTER, STREAM, SERVER, PEER: it is, behind its origin's address.
    Behind(Front),
    /// SUB: it is, if it begins so. Otherwise it is not.
    IfItBegins(Part),
}

/// Why a call is refused. The socket's state did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// REQ or REP out of step; the text says what comes first (EFSM).
    #[error("{0}")]
    WrongState(&'static str),
    /// ROUTER with `router_mandatory`, STREAM, SERVER, PEER: nobody has the routing id in the first part (EHOSTUNREACH).
    #[error("no connected peer has the routing id in the message's first part")]
    Unroutable,
    /// This socket type only receives (ENOTSUP).
    #[error("this socket type cannot send")]
    NotSendable,
    /// This socket type only sends (ENOTSUP).
    #[error("this socket type cannot receive")]
    NotReceivable,
}

/// Why a message was dropped, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// PUB, XPUB: no subscription asks for it. The ordinary case, not a loss.
    NoSubscriber,
    /// XSUB: nobody is connected.
    NoPeer,
    /// PUB, XPUB, XSUB, REP, ROUTER: every pipe it should go to is at its high-water mark.
    HighWaterMark,
    /// ROUTER: nobody has that routing id.
    Unroutable,
    /// ROUTER: a routing id and nothing behind it.
    AddressOnly,
    /// REP: the peer that asked is gone.
    PeerGone,
    /// SUB, DISH: no subscription or group of ours asks for it.
    NotSubscribed,
    /// REQ, REP: delimiter or body missing.
    MalformedEnvelope,
    /// REQ: from another peer than the one asked, or with the number of another request.
    UnexpectedReply,
    /// REQ, REP: it came when nothing was awaited.
    OutOfTurn,
    /// PUB, PUSH, RADIO, SCATTER: peers have nothing to say to this socket type.
    NotReceivable,
    /// CLIENT, SERVER, GATHER, PEER, CHANNEL: it has several parts. DISH: it has not exactly two.
    PartCount,
}

/// What becomes of a message taken from a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the application's.
    Deliver,
    /// Drop it, count it, take the next one.
    Discard(DropReason),
}
