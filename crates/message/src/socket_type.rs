//! The patterns by name.

use std::{error::Error, fmt, str::FromStr};

/// What a socket does with messages: one of ZeroMQ's patterns.
///
/// The first eleven are the classic ones. Those from [`Server`](Self::Server) to [`Channel`](Self::Channel) are younger: libzmq has them as
/// drafts. Their messages have one part of the application's, see [`has_single_part`](Self::has_single_part).
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
    /// Octets from and to programs that know nothing of ZMTP, each connection addressed by a routing id. Nothing announces it.
    Stream,
    /// Addresses each CLIENT by a number (RFC 41).
    Server,
    /// Sends in turn to servers, receives fairly (RFC 41).
    Client,
    /// Sends to every DISH that joined the message's group (RFC 48).
    Radio,
    /// Receives the groups that it joined (RFC 48).
    Dish,
    /// Receives fairly from SCATTERs (RFC 49).
    Gather,
    /// Sends in turn to GATHERs (RFC 49).
    Scatter,
    /// Addresses each other PEER by a number, dialed or not (RFC 51).
    Peer,
    /// Exactly one peer, both ways (RFC 52).
    Channel,
    /// Datagrams of udp from and to any address. Nothing announces it: there is no ZMTP.
    Dgram,
}

impl SocketType {
    /// Every type once.
    pub const ALL: [SocketType; 21] = [
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
        SocketType::Stream,
        SocketType::Server,
        SocketType::Client,
        SocketType::Radio,
        SocketType::Dish,
        SocketType::Gather,
        SocketType::Scatter,
        SocketType::Peer,
        SocketType::Channel,
        SocketType::Dgram,
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
            SocketType::Stream => "STREAM",
            SocketType::Server => "SERVER",
            SocketType::Client => "CLIENT",
            SocketType::Radio => "RADIO",
            SocketType::Dish => "DISH",
            SocketType::Gather => "GATHER",
            SocketType::Scatter => "SCATTER",
            SocketType::Peer => "PEER",
            SocketType::Channel => "CHANNEL",
            SocketType::Dgram => "DGRAM",
        }
    }

    /// Whether an application may send on it. XSUB may: its messages are subscriptions and what it says upstream.
    pub const fn can_send(self) -> bool {
        !matches!(self, SocketType::Sub | SocketType::Pull | SocketType::Dish | SocketType::Gather)
    }

    /// Whether an application may receive from it. XPUB may: it reads subscriptions.
    pub const fn can_receive(self) -> bool {
        !matches!(self, SocketType::Pub | SocketType::Push | SocketType::Radio | SocketType::Scatter)
    }

    /// Whether the application's part of a message is one and no more: the types of RFC 41, 48, 49, 51 and 52, and STREAM, whose octets have no
    /// parts at all, and DGRAM, whose datagrams have none either. What addresses a message stands in front of it as a part of its own, see [`has_address`](Self::has_address).
    pub const fn has_single_part(self) -> bool {
        use SocketType::*;
        matches!(self, Client | Scatter | Gather | Channel) || self.has_address()
    }

    /// Of those, the types whose messages have two parts for the application: an address and the body. SERVER and PEER: the four octets of the
    /// peer's number, the highest first. RADIO and DISH: the group. STREAM: the routing id of the connection. DGRAM: the address of the other end, as text.
    pub const fn has_address(self) -> bool {
        use SocketType::*;
        matches!(self, Server | Peer | Radio | Dish | Stream | Dgram)
    }

    /// Whether a socket of this type may talk to a peer of type `peer`. Symmetric. STREAM and DGRAM talk to no socket: their peers speak no ZMTP.
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
            Stream | Dgram => false,
            Server => matches!(peer, Client),
            Client => matches!(peer, Server),
            Radio => matches!(peer, Dish),
            Dish => matches!(peer, Radio),
            Gather => matches!(peer, Scatter),
            Scatter => matches!(peer, Gather),
            Peer => matches!(peer, Peer),
            Channel => matches!(peer, Channel),
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

/// A name that is none of the socket types.
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
