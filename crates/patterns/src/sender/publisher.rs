mod interests;
mod manual;
mod notices;

use serverlink_message::Message;
use slotmap::SecondaryMap;

use super::SubscriptionLoad;
use crate::{BadGlob, DropReason, PatternOptions, PipeId, Reserve, Subject};
use interests::Interests;
use manual::Manual;
use notices::Notices;

const ATTACHED: &str = "only attached pipes subscribe, and detaching cancels everything";

/// PUB and XPUB: to everyone who asked for it and has room (RFC 29). It waits for nobody unless it is told to.
#[derive(Debug)]
pub(super) struct Publisher {
    /// What peers get.
    interests: Interests,
    peers: SecondaryMap<PipeId, Peer>,
    /// The number of the reservation; tells apart who it found already.
    round: u64,
    targets: Vec<PipeId>,
    /// How many pipes the reserved message leaves out.
    left_out: u64,
    dropped: u64,
    /// Topics alone decide, and nobody is waited for: the one question that a message costs when none of the rest is in use.
    is_plain: bool,
    is_inverted: bool,
    waits: bool,
    notices: Notices,
    manual: Option<Box<Manual>>,
}

#[derive(Debug)]
struct Peer {
    is_writable: bool,
    found_in: u64,
    /// Messages that it had no room for.
    missed: u64,
}

impl Publisher {
    pub(super) fn new(options: &PatternOptions, tells_application: bool) -> Publisher {
        let mut publisher = Publisher {
            interests: Interests::default(),
            peers: SecondaryMap::new(),
            round: 0,
            targets: Vec::new(),
            left_out: 0,
            dropped: 0,
            is_plain: true,
            is_inverted: options.invert_matching,
            waits: options.xpub_no_drop,
            notices: Notices::new(options, tells_application),
            manual: Manual::new(options),
        };
        publisher.choose_way();
        publisher
    }

    pub(super) fn attach(&mut self, pipe: PipeId) {
        if !self.peers.contains_key(pipe) {
            self.peers.insert(pipe, Peer { is_writable: true, found_in: 0, missed: 0 });
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

    /// Whether a message could be sent now, as far as can be told without it: one that waits for full subscribers may find that its own
    /// have room.
    pub(super) fn is_ready(&self) -> bool {
        !self.waits || self.peers.is_empty() || self.peers.values().any(|peer| peer.is_writable)
    }

    // ---- sending

    pub(super) fn reserve(&mut self, first: &[u8]) -> Reserve {
        if !self.is_plain {
            return self.reserve_by_rule(first);
        }
        self.round += 1;
        self.left_out = 0;
        self.targets.clear();
        self.find_subscribers(first);
        if !self.targets.is_empty() {
            return Reserve::Many;
        }
        self.reserve_nobody()
    }

    /// With globs, inverted, waiting, or for one subscriber alone: apart, so that the plain case does not pay for it.
    #[inline(never)]
    fn reserve_by_rule(&mut self, first: &[u8]) -> Reserve {
        self.round += 1;
        self.left_out = 0;
        self.targets.clear();
        self.find_by_rule(first);
        if self.waits && self.left_out > 0 {
            self.rollback();
            return Reserve::WouldBlock;
        }
        match (self.targets.is_empty(), self.waits) {
            (true, _) => self.reserve_nobody(),
            (false, true) => Reserve::All,
            (false, false) => Reserve::Many,
        }
    }

    fn reserve_nobody(&mut self) -> Reserve {
        let reason = if self.left_out == 0 { DropReason::NoSubscriber } else { DropReason::HighWaterMark };
        self.commit();
        if let Some(manual) = &mut self.manual {
            manual.keep_taken();
        }
        Reserve::Nobody(reason)
    }

    #[inline]
    pub(super) fn targets(&self) -> &[PipeId] {
        &self.targets
    }

    #[inline]
    pub(super) fn commit(&mut self) {
        self.dropped += self.left_out;
        self.left_out = 0;
        self.targets.clear();
    }

    pub(super) fn rollback(&mut self) {
        self.left_out = 0;
        self.targets.clear();
        if let Some(manual) = &mut self.manual {
            manual.give_back_next(self.round);
            self.choose_way();
        }
    }

    fn find_subscribers(&mut self, first: &[u8]) {
        let Publisher { interests, peers, round, targets, left_out, .. } = self;
        interests.for_each_topic(first, |pipe| note(pipe, peers, *round, targets, left_out));
    }

    fn find_by_rule(&mut self, first: &[u8]) {
        let round = self.round;
        let alone = self.manual.as_mut().and_then(|manual| manual.take_next(round));
        let Publisher { interests, peers, targets, left_out, is_inverted, .. } = self;
        if !*is_inverted && alone.is_none() {
            interests.for_each_match(first, |pipe| note(pipe, peers, round, targets, left_out));
            return;
        }
        interests.for_each_match(first, |pipe| peers.get_mut(pipe).expect(ATTACHED).found_in = round);
        for (pipe, peer) in peers.iter_mut().filter(|(_, peer)| (peer.found_in == round) != *is_inverted) {
            if alone.is_none_or(|alone| alone == pipe) {
                peer.choose(pipe, targets, left_out);
            }
        }
        self.choose_way();
    }

    /// After every change of what decides.
    fn choose_way(&mut self) {
        let is_for_one = self.manual.as_ref().is_some_and(|manual| manual.has_next());
        self.is_plain = !self.is_inverted && !self.waits && !is_for_one && !self.interests.has_globs();
    }

    // ---- subscriptions

    pub(super) fn handle_subscribe(
        &mut self,
        pipe: PipeId,
        subject: Subject<'_>,
    ) -> Result<Option<Message>, BadGlob> {
        if !self.peers.contains_key(pipe) {
            return Ok(None);
        }
        if let Some(manual) = &mut self.manual {
            manual.asked.add(pipe, subject)?;
            return Ok(Some(self.notices.of_each(true, subject)));
        }
        let is_first = self.interests.add(pipe, subject)?;
        self.choose_way();
        Ok(self.notices.on_subscribe(pipe, subject, is_first, &self.interests))
    }

    pub(super) fn handle_cancel(&mut self, pipe: PipeId, subject: Subject<'_>) -> Option<Message> {
        if let Some(manual) = &mut self.manual {
            manual.asked.remove(pipe, subject);
            return Some(self.notices.of_each(false, subject));
        }
        let removed = self.interests.remove(pipe, subject);
        self.choose_way();
        self.notices.on_cancel(pipe, subject, removed, &self.interests)
    }

    pub(super) fn cancel_all(&mut self, pipe: PipeId) -> Vec<Message> {
        let told = self.notices.of_departures(self.manual.is_some());
        let gone = self.interests.remove_all(pipe, told);
        let messages = match &mut self.manual {
            Some(manual) => self.notices.on_manual_departure(manual.forget(pipe)),
            None => self.notices.on_departure(pipe, gone, &self.interests),
        };
        self.choose_way();
        messages
    }

    /// XPUB in manual mode: the application received a subscription or a cancellation of this peer.
    pub(super) fn on_received(&mut self, pipe: Option<PipeId>) {
        let pipe = pipe.filter(|&pipe| self.peers.contains_key(pipe));
        if let Some(manual) = &mut self.manual {
            manual.on_received(pipe);
            self.choose_way();
        }
    }

    pub(super) fn last_subscriber(&self) -> Option<PipeId> {
        self.manual.as_ref()?.last()
    }

    pub(super) fn is_manual(&self) -> bool {
        self.manual.is_some()
    }

    /// XPUB in manual mode: what the application decides. False if the peer is gone.
    pub(super) fn subscribe_peer(&mut self, pipe: PipeId, subject: Subject<'_>) -> Result<bool, BadGlob> {
        if !self.peers.contains_key(pipe) {
            return Ok(false);
        }
        self.interests.add(pipe, subject)?;
        self.choose_way();
        Ok(true)
    }

    pub(super) fn unsubscribe_peer(&mut self, pipe: PipeId, subject: Subject<'_>) -> bool {
        self.interests.remove(pipe, subject);
        self.choose_way();
        self.peers.contains_key(pipe)
    }

    pub(super) fn subscriber_count(&self) -> usize {
        self.interests.holder_count()
    }

    pub(super) fn subscription_count(&self) -> usize {
        self.interests.len()
    }

    /// What the peer itself asked for.
    pub(super) fn load(&self, pipe: PipeId) -> SubscriptionLoad {
        self.asked().load(pipe)
    }

    pub(super) fn has_asked(&self, pipe: PipeId, subject: Subject<'_>) -> bool {
        self.asked().is_held_by(pipe, subject)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Who waits for the full leaves nobody out.
    pub(super) fn missed(&self, pipe: PipeId) -> u64 {
        if self.waits { 0 } else { self.peers.get(pipe).map_or(0, |peer| peer.missed) }
    }

    fn asked(&self) -> &Interests {
        self.manual.as_ref().map_or(&self.interests, |manual| &manual.asked)
    }
}

/// A subscriber was found, perhaps again.
#[inline]
fn note(
    pipe: PipeId,
    peers: &mut SecondaryMap<PipeId, Peer>,
    round: u64,
    targets: &mut Vec<PipeId>,
    left_out: &mut u64,
) {
    let peer = peers.get_mut(pipe).expect(ATTACHED);
    if peer.found_in == round {
        return;
    }
    peer.found_in = round;
    peer.choose(pipe, targets, left_out);
}

impl Peer {
    /// It is to get the message, if it has room.
    #[inline]
    fn choose(&mut self, pipe: PipeId, targets: &mut Vec<PipeId>, left_out: &mut u64) {
        if self.is_writable {
            targets.push(pipe);
        } else {
            *left_out += 1;
            self.missed += 1;
        }
    }
}
