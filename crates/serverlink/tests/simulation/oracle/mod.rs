//! What must be true, whatever happens. It knows nothing of how the library works, only what it promises, and is told what programs did
//! and saw.

mod events;
mod letters;
mod marks;
mod topics;

use std::fmt;

pub(crate) use events::Story;
pub(crate) use letters::{LONGEST, Letter, Way};
pub(crate) use marks::Marks;

use letters::Letters;
use topics::Topics;

/// Which promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// What one sends to another over one connection arrives in its order.
    Order,
    /// Nothing arrives twice, and nothing that was never sent.
    Once,
    /// What the pattern promises arrives; a break costs at most what the systems had.
    Loss,
    /// No queue is longer than its mark, none blocks before it, and the counters agree.
    Marks,
    /// Subscriptions stand again after every reconnect, and nobody gets what he did not ask for.
    Subscriptions,
    /// Each event is told once, in an order that can be.
    Events,
    /// Who left, left nothing behind.
    Leftovers,
}

/// A promise that was broken, and how.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) law: Law,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.what)
    }
}

/// A verdict on one step, or on a whole run.
pub(crate) type Verdict = Result<(), Complaint>;

pub(crate) fn demand(holds: bool, law: Law, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Complaint { law, what: what() }) }
}

/// What is known of everything that was sent and received in one run.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) letters: Letters,
    pub(crate) topics: Topics,
    /// Connections that were established and ended, as either side saw it.
    pub(crate) breaks: u64,
    /// Those of them that a sender saw: each costs at most what the systems had of its connection.
    pub(crate) breaks_of_senders: u64,
    /// Messages that the library counted as dropped, whatever for.
    pub(crate) counted_drops: u64,
    /// Bytes that lay in processes that died.
    pub(crate) bytes_in_the_dead: u64,
}

impl Oracle {
    /// A letter came. A publication is for those who asked for it.
    pub(crate) fn received(&mut self, receiver: usize, letter: &Letter) -> Verdict {
        if letter.way == Way::Published {
            self.topics.check(receiver, letter)?;
        }
        self.letters.received(receiver, letter)
    }

    /// The judgment at the end. `system_bytes`: what the systems hold for one connection.
    pub(crate) fn judge(&self, system_bytes: u64) -> Verdict {
        self.letters.check_order(self.breaks)?;
        let longest = LONGEST as u64;
        // A letter whose tail was in the systems is lost as a whole.
        let in_breaks = self.breaks_of_senders * (system_bytes + longest);
        let may_be_lost = in_breaks + self.counted_drops * longest + self.bytes_in_the_dead;
        self.letters.check_loss(may_be_lost)?;
        self.letters.check_promises()
    }
}
