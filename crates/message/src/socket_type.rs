//! The eleven patterns by name.

use std::{error::Error, fmt, str::FromStr};

/// What a socket does with messages: one of ZeroMQ's eleven patterns.
///
/// The wire announces it in READY (RFC 23 and RFC 37, property `Socket-Type`), and [`accepts`](Self::accepts) says which
/// two may talk.
///
/// ```
/// use serverlink_message::SocketType;
///
/// let mine: SocketType = "dealer".parse()?;
/// assert_eq!(mine.as_str(), "DEALER");
/// assert!(mine.accepts(SocketType::Router));
/// assert!(!mine.accepts(SocketType::Pub));
/// # Ok::<(), serverlink_message::UnknownSocketType>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketType {
    /// Exactly one peer, both ways (RFC 31).
    Pair,
    /// Sends to every subscriber that asked for the topic (RFC 29).
    Pub,
    /// Receives the topics it subscribed to (RFC 29).
    Sub,
    /// Sends a request, then waits for its reply (RFC 28).
    Req,
    /// Receives a request, then sends its reply (RFC 28).
    Rep,
    /// Sends in turn, receives fairly; a REQ without its strict order (RFC 28).
    Dealer,
    /// Addresses each peer by its routing id (RFC 28).
    Router,
    /// Receives fairly from pushers (RFC 30).
    Pull,
    /// Sends in turn to pullers (RFC 30).
    Push,
    /// A PUB that shows subscriptions to its application (RFC 29).
    Xpub,
    /// A SUB whose application sends subscriptions as messages (RFC 29).
    Xsub,
}

impl SocketType {
    /// Every type once.
    pub const ALL: [SocketType; 11] = [
        SocketType::Pair,
        SocketType::Pub,
        SocketType::Sub,
        SocketType::Req,
        SocketType::Rep,
        SocketType::Dealer,
        SocketType::Router,
        SocketType::Pull,
        SocketType::Push,
        SocketType::Xpub,
        SocketType::Xsub,
    ];

    /// The name as the wire spells it, for example `"ROUTER"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SocketType::Pair => "PAIR",
            SocketType::Pub => "PUB",
            SocketType::Sub => "SUB",
            SocketType::Req => "REQ",
            SocketType::Rep => "REP",
            SocketType::Dealer => "DEALER",
            SocketType::Router => "ROUTER",
            SocketType::Pull => "PULL",
            SocketType::Push => "PUSH",
            SocketType::Xpub => "XPUB",
            SocketType::Xsub => "XSUB",
        }
    }

    /// Whether an application may send on it. XSUB may: its messages are subscriptions and what it says upstream.
    pub const fn can_send(self) -> bool {
        !matches!(self, SocketType::Sub | SocketType::Pull)
    }

    /// Whether an application may receive from it. XPUB may: it reads subscriptions.
    pub const fn can_receive(self) -> bool {
        !matches!(self, SocketType::Pub | SocketType::Push)
    }

    /// Whether a socket of this type may talk to a peer of type `peer`. Symmetric.
    pub const fn accepts(self, peer: SocketType) -> bool {
        use SocketType::*;
        match self {
            Pair => matches!(peer, Pair),
            Pub | Xpub => matches!(peer, Sub | Xsub),
            Sub | Xsub => matches!(peer, Pub | Xpub),
            Req => matches!(peer, Rep | Router),
            Rep => matches!(peer, Req | Dealer),
            Dealer => matches!(peer, Rep | Dealer | Router),
            Router => matches!(peer, Req | Dealer | Router),
            Pull => matches!(peer, Push),
            Push => matches!(peer, Pull),
        }
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SocketType {
    type Err = UnknownSocketType;

    /// Reads a name in any case. The error lists the names there are.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        SocketType::ALL
            .into_iter()
            .find(|socket_type| socket_type.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownSocketType::new(name))
    }
}

/// A name that is none of the eleven socket types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSocketType {
    name: String,
}

impl UnknownSocketType {
    /// Longer names are cut: they can come from a peer, and end in logs.
    const MAX_SHOWN_CHARS: usize = 32;

    fn new(name: &str) -> Self {
        Self { name: name.chars().take(Self::MAX_SHOWN_CHARS).collect() }
    }
}

impl fmt::Display for UnknownSocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no socket type {:?}; the types are ", self.name)?;
        for (index, socket_type) in SocketType::ALL.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{socket_type}")?;
        }
        Ok(())
    }
}

impl Error for UnknownSocketType {}
