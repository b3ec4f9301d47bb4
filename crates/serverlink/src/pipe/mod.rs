//! What stands between a socket and one peer: an outbox and an inbox, or for inproc a pair of rings.
//!
//! The two ends live behind the socket's two locks, so that sending and receiving never meet.

pub(crate) mod arena;
pub(crate) mod bump;
pub(crate) mod high_water;
pub(crate) mod inbox;
pub(crate) mod link;
pub(crate) mod outbox;
pub(crate) mod rewind;

use inbox::Inbox;
pub(crate) use link::{RingInlet, RingOutlet};
use outbox::Outbox;

/// The sending end of a pipe.
pub(crate) enum Outlet {
    Wire(Box<Outbox>),
    Ring(RingOutlet),
}

impl Outlet {
    /// Messages that wait for the system.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Outlet::Wire(outbox) => outbox.queued(),
            Outlet::Ring(_) => 0,
        }
    }
}

/// The receiving end of a pipe.
pub(crate) enum Inlet {
    Wire(Box<Inbox>),
    Ring(RingInlet),
}
