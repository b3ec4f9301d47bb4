//! Who is measured.

use std::{fmt, str::FromStr};

use super::find;
use crate::Error;

/// A competitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The kernel without a library: pre-framed 64 KiB batches, blocking ping-pong.
    Raw,
    /// The same, with one owned message per frame at the receiver.
    RawOwned,
    /// libzmq, loaded at run time.
    Libzmq,
    /// nng, loaded at run time; speaks a protocol of its own.
    Nng,
    /// The crate `omq-tokio`, its blocking interface.
    OmqBlocking,
    /// The crate `omq-tokio` on a runtime of one thread.
    OmqCurrentThread,
    /// The crate `omq-tokio`, its exclusive sockets.
    OmqExclusive,
    /// The crate `monocoque-rs`, with the flushes that its coalescing needs.
    Monocoque,
    /// The crate `zeromq` on a runtime of one thread.
    Zeromq,
    /// The crate `rzmq`.
    Rzmq,
    /// ServerLink.
    Serverlink,
    /// ServerLink where nobody spins before he sleeps; round trips only.
    ServerlinkNoSpin,
    /// ServerLink, with several messages for each call.
    ServerlinkBatch,
}

impl Peer {
    /// Every competitor.
    pub const ALL: [Peer; 13] = [
        Peer::Raw,
        Peer::RawOwned,
        Peer::Libzmq,
        Peer::Nng,
        Peer::OmqBlocking,
        Peer::OmqCurrentThread,
        Peer::OmqExclusive,
        Peer::Monocoque,
        Peer::Zeromq,
        Peer::Rzmq,
        Peer::Serverlink,
        Peer::ServerlinkNoSpin,
        Peer::ServerlinkBatch,
    ];

    /// Those that need no other program to play them.
    pub const HERE: [Peer; 7] = [
        Peer::Raw,
        Peer::RawOwned,
        Peer::Libzmq,
        Peer::Nng,
        Peer::Serverlink,
        Peer::ServerlinkNoSpin,
        Peer::ServerlinkBatch,
    ];

    /// Those that are measured where nobody says which.
    pub const USUAL: [Peer; 5] = [Peer::Raw, Peer::RawOwned, Peer::Libzmq, Peer::Nng, Peer::Serverlink];

    /// The name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Peer::Raw => "raw",
            Peer::RawOwned => "raw-owned",
            Peer::Libzmq => "libzmq",
            Peer::Nng => "nng",
            Peer::OmqBlocking => "omq-blocking",
            Peer::OmqCurrentThread => "omq-ct",
            Peer::OmqExclusive => "omq-exclusive",
            Peer::Monocoque => "monocoque",
            Peer::Zeromq => "zeromq",
            Peer::Rzmq => "rzmq",
            Peer::Serverlink => "serverlink",
            Peer::ServerlinkNoSpin => "serverlink-no-spin",
            Peer::ServerlinkBatch => "serverlink-batch",
        }
    }

    /// The competitor of that name, or `all`.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is none.
    pub fn matching(name: &str) -> Result<Vec<Peer>, Error> {
        if name == "all" { Ok(Peer::ALL.to_vec()) } else { Ok(vec![name.parse()?]) }
    }

    /// Whether it is no library but what libraries stand on.
    pub fn is_kernel(self) -> bool {
        matches!(self, Peer::Raw | Peer::RawOwned)
    }

    /// Whether a program of its own plays it, `serverlink-bench-peers`: so that the library's build does not pay for the others.
    pub fn is_outside(self) -> bool {
        !Peer::HERE.contains(&self)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Peer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        find("peer", name, &Peer::ALL)
    }
}
