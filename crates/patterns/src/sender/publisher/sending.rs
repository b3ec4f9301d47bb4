//! Who gets a message.

use slotmap::SecondaryMap;

use super::sets::Found;
use super::{ATTACHED, Peer, Publisher};
use crate::outcome::TargetSet;
use crate::{DropReason, PipeId, Reserve};

impl Publisher {
    pub(in crate::sender) fn reserve(&mut self, first: &[u8]) -> Reserve {
        self.targets.clear();
        self.left_out.clear();
        self.found = None;
        if self.is_plain {
            self.find_subscribers(first);
        } else {
            self.find_by_rule(first);
        }
        let (targets, left_out) = self.current();
        if left_out.is_empty() && !targets.is_empty() {
            return if self.waits { Reserve::All } else { Reserve::Many };
        }
        self.reserve_with_some_left_out()
    }

    fn reserve_with_some_left_out(&mut self) -> Reserve {
        let (is_for_nobody, leaves_out) = {
            let (targets, left_out) = self.current();
            (targets.is_empty(), !left_out.is_empty())
        };
        if self.waits && leaves_out {
            self.rollback();
            return Reserve::WouldBlock;
        }
        if !is_for_nobody {
            return Reserve::Many;
        }
        let reason = if leaves_out { DropReason::HighWaterMark } else { DropReason::NoSubscriber };
        self.commit();
        if let Some(manual) = &mut self.manual {
            manual.keep_taken();
        }
        Reserve::Nobody(reason)
    }

    #[inline]
    pub(in crate::sender) fn targets(&self) -> &[PipeId] {
        self.current().0
    }

    /// Under which name they are known again.
    #[inline]
    pub(in crate::sender) fn target_set(&self) -> Option<TargetSet> {
        Some(self.sets.get(self.found?)?.name)
    }

    /// Who gets the reserved message, and who is left out.
    #[inline]
    fn current(&self) -> (&[PipeId], &[PipeId]) {
        match self.found.and_then(|found| self.sets.get(found)) {
            Some(set) => (&set.targets, &set.left_out),
            None => (&self.targets, &self.left_out),
        }
    }

    #[inline]
    pub(in crate::sender) fn commit(&mut self) {
        self.dropped += self.current().1.len() as u64;
        self.targets.clear();
        self.left_out.clear();
        self.found = None;
    }

    pub(in crate::sender) fn rollback(&mut self) {
        self.targets.clear();
        self.left_out.clear();
        self.found = None;
        if let Some(manual) = &mut self.manual {
            manual.give_back_next(self.round);
            self.choose_way();
        }
    }

    /// Topics decide.
    #[inline]
    fn find_subscribers(&mut self, first: &[u8]) {
        self.path.clear();
        self.path.extend(self.interests.topics_met_by(first));
        self.find_those_on_path();
    }

    /// The group decides.
    fn find_members(&mut self, group: &[u8]) {
        self.path.clear();
        self.path.extend(self.interests.topic_named(group));
        match self.unasked.is_empty() {
            true => self.find_those_on_path(),
            false => self.find_members_and_unasked(),
        }
    }

    /// Few are unasked, so they are found anew each time.
    #[inline(never)]
    fn find_members_and_unasked(&mut self) {
        self.round += 1;
        let Publisher { interests, peers, round, targets, left_out, path, unasked, .. } = self;
        for &node in &*path {
            interests.for_each_holder(node, |pipe| note(pipe, peers, *round, targets, left_out));
        }
        unasked.iter().for_each(|&pipe| note(pipe, peers, *round, targets, left_out));
        self.found = self.sets.compare(&self.targets, &self.left_out);
    }

    #[inline]
    fn find_those_on_path(&mut self) {
        // What was remembered of those who are waited for says nothing of whether they have room.
        if !self.waits || self.full == 0 {
            self.found = self.sets.find(&self.path);
        }
        match self.found {
            Some(found) => self.count_left_out(found),
            None => self.find_anew(),
        }
    }

    #[inline]
    fn count_left_out(&mut self, found: Found) {
        let Publisher { sets, peers, .. } = self;
        for &pipe in sets.get(found).map_or(&[][..], |set| &set.left_out) {
            peers.get_mut(pipe).expect(ATTACHED).missed += 1;
        }
    }

    #[inline(never)]
    fn find_anew(&mut self) {
        self.round += 1;
        let Publisher { interests, peers, round, targets, left_out, path, .. } = self;
        for &node in &*path {
            interests.for_each_holder(node, |pipe| note(pipe, peers, *round, targets, left_out));
        }
        if !self.waits || self.full == 0 {
            self.found = self.sets.keep(&self.path, &self.targets, &self.left_out);
        }
    }

    /// By groups, with globs, inverted, or for one subscriber alone: apart, so that the plain case does not pay for it.
    #[inline(never)]
    fn find_by_rule(&mut self, first: &[u8]) {
        if self.is_exact {
            return self.find_members(first);
        }
        self.round += 1;
        let round = self.round;
        let alone = self.manual.as_mut().and_then(|manual| manual.take_next(round));
        let Publisher { interests, peers, targets, left_out, is_inverted, .. } = self;
        if !*is_inverted && alone.is_none() {
            interests.for_each_match(first, |pipe| note(pipe, peers, round, targets, left_out));
        } else {
            interests.for_each_match(first, |pipe| peers.get_mut(pipe).expect(ATTACHED).found_in = round);
            for (pipe, peer) in peers.iter_mut().filter(|(_, peer)| (peer.found_in == round) != *is_inverted)
            {
                if alone.is_none_or(|alone| alone == pipe) {
                    peer.choose(pipe, targets, left_out);
                }
            }
            self.choose_way();
        }
        self.found = self.sets.compare(&self.targets, &self.left_out);
    }
}

/// A subscriber was found, perhaps again.
#[inline]
fn note(
    pipe: PipeId,
    peers: &mut SecondaryMap<PipeId, Peer>,
    round: u64,
    targets: &mut Vec<PipeId>,
    left_out: &mut Vec<PipeId>,
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
    fn choose(&mut self, pipe: PipeId, targets: &mut Vec<PipeId>, left_out: &mut Vec<PipeId>) {
        if self.is_writable {
            targets.push(pipe);
        } else {
            left_out.push(pipe);
            self.missed += 1;
        }
    }
}
