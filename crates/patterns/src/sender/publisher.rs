use serverlink_message::Message;
use slotmap::SecondaryMap;

use super::SubscriptionLoad;
use crate::trie::{Removed, Trie};
use crate::{DropReason, PatternOptions, PipeId, Reserve};

const ATTACHED: &str = "only attached pipes subscribe, and detaching cancels everything";

/// PUB and XPUB: to everyone who asked for it and has room, without ever waiting (RFC 29).
#[derive(Debug)]
pub(super) struct Publisher {
    subscriptions: Trie<PipeId>,
    peers: SecondaryMap<PipeId, Peer>,
    /// The number of the reservation; tells apart who it found already.
    round: u64,
    targets: Vec<PipeId>,
    /// How many pipes the reserved message leaves out.
    left_out: u64,
    dropped: u64,
    is_inverted: bool,
    /// XPUB.
    tells_application: bool,
}

#[derive(Debug)]
struct Peer {
    is_writable: bool,
    found_in: u64,
}

impl Publisher {
    pub(super) fn new(options: &PatternOptions, tells_application: bool) -> Publisher {
        Publisher {
            subscriptions: Trie::new(),
            peers: SecondaryMap::new(),
            round: 0,
            targets: Vec::new(),
            left_out: 0,
            dropped: 0,
            is_inverted: options.invert_matching,
            tells_application,
        }
    }

    pub(super) fn attach(&mut self, pipe: PipeId) {
        if !self.peers.contains_key(pipe) {
            self.peers.insert(pipe, Peer { is_writable: true, found_in: 0 });
        }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) -> Vec<Message> {
        self.peers.remove(pipe);
        self.targets.retain(|&target| target != pipe);
        self.cancel_all(pipe)
    }

    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        if let Some(peer) = self.peers.get_mut(pipe) {
            peer.is_writable = writable;
        }
    }

    pub(super) fn reserve(&mut self, first: &[u8]) -> Reserve {
        self.round += 1;
        self.left_out = 0;
        self.targets.clear();
        if self.is_inverted {
            self.find_others(first)
        } else {
            self.find_subscribers(first)
        }
        if !self.targets.is_empty() {
            return Reserve::Many;
        }
        let reason = if self.left_out == 0 { DropReason::NoSubscriber } else { DropReason::HighWaterMark };
        self.commit();
        Reserve::Nobody(reason)
    }

    #[inline]
    pub(super) fn targets(&self) -> &[PipeId] {
        &self.targets
    }

    #[inline]
    pub(super) fn commit(&mut self) {
        self.dropped += self.left_out;
        self.rollback();
    }

    #[inline]
    pub(super) fn rollback(&mut self) {
        self.left_out = 0;
        self.targets.clear();
    }

    pub(super) fn handle_subscribe(&mut self, pipe: PipeId, topic: &[u8]) -> Option<Message> {
        if !self.peers.contains_key(pipe) {
            return None;
        }
        let is_first = self.subscriptions.add(topic, pipe);
        (is_first && self.tells_application).then(|| told(1, topic))
    }

    pub(super) fn handle_cancel(&mut self, pipe: PipeId, topic: &[u8]) -> Option<Message> {
        let is_last = self.subscriptions.remove(topic, pipe) == Removed::Last;
        (is_last && self.tells_application).then(|| told(0, topic))
    }

    pub(super) fn cancel_all(&mut self, pipe: PipeId) -> Vec<Message> {
        let last = self.subscriptions.remove_all(pipe, self.tells_application);
        last.iter().map(|topic| told(0, topic)).collect()
    }

    pub(super) fn subscriber_count(&self) -> usize {
        self.subscriptions.holder_count()
    }

    pub(super) fn subscription_count(&self) -> usize {
        self.subscriptions.topic_count()
    }

    pub(super) fn load(&self, pipe: PipeId) -> SubscriptionLoad {
        let (topics, bytes) = self.subscriptions.load(pipe);
        SubscriptionLoad { topics, bytes }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn find_subscribers(&mut self, first: &[u8]) {
        let Publisher { subscriptions, peers, round, targets, left_out, .. } = self;
        subscriptions.for_each_match(first, |pipe| {
            let peer = peers.get_mut(pipe).expect(ATTACHED);
            if peer.found_in == *round {
                return;
            }
            peer.found_in = *round;
            if peer.is_writable { targets.push(pipe) } else { *left_out += 1 }
        });
    }

    /// Those who would *not* get it; also who never asked for anything.
    fn find_others(&mut self, first: &[u8]) {
        let Publisher { subscriptions, peers, round, targets, left_out, .. } = self;
        subscriptions.for_each_match(first, |pipe| peers.get_mut(pipe).expect(ATTACHED).found_in = *round);
        for (pipe, peer) in peers.iter().filter(|(_, peer)| peer.found_in != *round) {
            if peer.is_writable { targets.push(pipe) } else { *left_out += 1 }
        }
    }
}

/// The message form in which XPUB's application sees subscriptions: 1 or 0, then the topic.
fn told(kind: u8, topic: &[u8]) -> Message {
    let mut body = Vec::with_capacity(1 + topic.len());
    body.push(kind);
    body.extend_from_slice(topic);
    Message::from(body)
}
