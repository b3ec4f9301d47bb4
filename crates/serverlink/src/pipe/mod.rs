//! What stands between a socket and one peer: an outbox and an inbox, or for inproc a pair of rings.
//!
//! The two ends live behind the socket's two locks, so that sending and receiving never meet.

pub(crate) mod arena;
pub(crate) mod bump;
pub(crate) mod high_water;
pub(crate) mod inbox;
pub(crate) mod lane;
pub(crate) mod link;
pub(crate) mod log;
pub(crate) mod outbox;
pub(crate) mod rewind;

use inbox::Inbox;
pub(crate) use link::{RingInlet, RingOutlet};
use outbox::Outbox;

/// The sending end of a pipe.
pub(crate) enum Outlet {
    Wire(Box<Outbox>),
    /// Apart, as the outbox is: the table of a socket with many connections has a place of this size for each.
    Ring(Box<RingOutlet>),
}

impl Outlet {
    /// Messages that wait for the system.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Outlet::Wire(outbox) => outbox.queued(),
            Outlet::Ring(_) => 0,
        }
    }

    /// Their bytes.
    pub(crate) fn queued_bytes(&self) -> usize {
        match self {
            Outlet::Wire(outbox) => outbox.queued_bytes(),
            Outlet::Ring(_) => 0,
        }
    }

    /// Messages that the system took, or the peer's ring.
    pub(crate) fn sent(&self) -> u64 {
        match self {
            Outlet::Wire(outbox) => outbox.sent(),
            Outlet::Ring(outlet) => outlet.sent().0,
        }
    }

    /// Their bytes: on a wire with everything that is written there.
    pub(crate) fn sent_bytes(&self) -> u64 {
        match self {
            Outlet::Wire(outbox) => outbox.sent_bytes(),
            Outlet::Ring(outlet) => outlet.sent().1,
        }
    }

    /// Messages that were given up for want of room; what the pattern left out is not among them.
    pub(crate) fn missed(&self) -> u64 {
        match self {
            Outlet::Wire(outbox) => outbox.missed,
            Outlet::Ring(outlet) => outlet.missed,
        }
    }
}

/// The receiving end of a pipe.
pub(crate) enum Inlet {
    Wire(Box<Inbox>),
    Ring(Box<RingInlet>),
}

impl Inlet {
    /// Messages that were taken out.
    pub(crate) fn taken(&self) -> u64 {
        match self {
            Inlet::Wire(inbox) => inbox.taken,
            Inlet::Ring(inlet) => inlet.taken_in_all().0,
        }
    }

    /// Bytes that came in; of a ring those of what was taken.
    pub(crate) fn received_bytes(&self) -> u64 {
        match self {
            Inlet::Wire(inbox) => inbox.received_bytes(),
            Inlet::Ring(inlet) => inlet.taken_in_all().1,
        }
    }

    /// Whole messages that wait; of a wire those that scan has counted.
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Inlet::Wire(inbox) => inbox.whole_messages(),
            Inlet::Ring(inlet) => inlet.backlog(),
        }
    }
}
