use std::collections::BTreeSet;

use serverlink_message::Message;

use crate::{DropReason, Verdict};

/// The groups that a DISH joined (RFC 48): all of a name counts, and joining is idempotent.
#[derive(Debug, Default)]
pub(super) struct Groups {
    joined: BTreeSet<Box<[u8]>>,
}

impl Groups {
    /// The group, then the body. A RADIO filters too, but it may still send what was left a moment ago.
    pub(super) fn handle(&self, message: &Message) -> Verdict {
        if message.part_count() != 2 {
            return Verdict::Discard(DropReason::PartCount);
        }
        match self.contains(message.first().as_bytes()) {
            true => Verdict::Deliver,
            false => Verdict::Discard(DropReason::NotSubscribed),
        }
    }

    pub(super) fn contains(&self, group: &[u8]) -> bool {
        self.joined.contains(group)
    }

    /// False if it was joined already.
    pub(super) fn join(&mut self, group: &[u8]) -> bool {
        self.joined.insert(group.into())
    }

    /// False if it was not joined.
    pub(super) fn leave(&mut self, group: &[u8]) -> bool {
        self.joined.remove(group)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.joined.iter().map(|name| name.to_vec())
    }

    pub(super) fn len(&self) -> usize {
        self.joined.len()
    }
}
