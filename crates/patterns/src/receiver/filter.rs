use serverlink_message::Message;

use crate::trie::{Removed, Trie};
use crate::{DropReason, PatternOptions, Verdict};

/// The subscriptions of a SUB or XSUB socket.
#[derive(Debug)]
pub(super) struct Filter {
    topics: Trie<()>,
    /// XSUB passes on what publishers send: what it asked for is for others.
    is_active: bool,
    inverted: bool,
}

impl Filter {
    pub(super) fn for_sub(options: &PatternOptions) -> Filter {
        Filter { topics: Trie::new(), is_active: true, inverted: options.invert_matching }
    }

    pub(super) fn for_xsub() -> Filter {
        Filter { topics: Trie::new(), is_active: false, inverted: false }
    }

    pub(super) fn handle(&self, message: &Message) -> Verdict {
        // Publishers filter too, but one may still send what was cancelled a moment ago.
        if self.is_active && self.topics.matches(message.first()) == self.inverted {
            return Verdict::Discard(DropReason::NotSubscribed);
        }
        Verdict::Deliver
    }

    pub(super) fn subscribe(&mut self, topic: &[u8]) -> bool {
        self.topics.add(topic, ())
    }

    pub(super) fn unsubscribe(&mut self, topic: &[u8]) -> Option<bool> {
        match self.topics.remove(topic, ()) {
            Removed::NotHeld => None,
            Removed::Repeated | Removed::Shared => Some(false),
            Removed::Last => Some(true),
        }
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.topics.topics()
    }

    pub(super) fn subscription_count(&self) -> usize {
        self.topics.topic_count()
    }
}
