mod interests;
mod manual;
mod notices;
mod sending;
mod sets;

use serverlink_message::Message;
use slotmap::SecondaryMap;

use super::SubscriptionLoad;
use crate::trie::NodeId;
use crate::{BadGlob, PatternOptions, PipeId, Subject};
use interests::Interests;
use manual::Manual;
use notices::Notices;
use sets::{Found, Sets};

const ATTACHED: &str = "only attached pipes subscribe, and detaching cancels everything";

/// PUB and XPUB: to everyone who asked for it and has room (RFC 29); RADIO: to everyone who joined its group (RFC 48). It waits for nobody unless it is told to.
#[derive(Debug)]
pub(super) struct Publisher {
    /// What peers get.
    interests: Interests,
    peers: SecondaryMap<PipeId, Peer>,
    /// RADIO: those of them who get everything.
    unasked: Vec<PipeId>,
    /// The number of the reservation; tells apart who it found already.
    round: u64,
    targets: Vec<PipeId>,
    /// The pipes that the reserved message leaves out.
    left_out: Vec<PipeId>,
    /// Where both are, if not there.
    found: Option<Found>,
    sets: Sets,
    /// The nodes that a message meets in the tree of topics.
    path: Vec<NodeId>,
    /// Peers that have no room.
    full: usize,
    dropped: u64,
    /// Topics alone decide: the one question that a message costs when none of the rest is in use.
    is_plain: bool,
    is_inverted: bool,
    /// RADIO: every octet of a topic counts, and of the message's first part.
    is_exact: bool,
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
            unasked: Vec::new(),
            round: 0,
            targets: Vec::new(),
            left_out: Vec::new(),
            found: None,
            sets: Sets::default(),
            path: Vec::new(),
            full: 0,
            dropped: 0,
            is_plain: true,
            is_inverted: options.invert_matching,
            is_exact: false,
            waits: options.xpub_no_drop,
            notices: Notices::new(options, tells_application),
            manual: Manual::new(options),
        };
        publisher.choose_way();
        publisher
    }

    /// RADIO.
    pub(super) fn of_groups(options: &PatternOptions) -> Publisher {
        let mut publisher = Publisher { is_exact: true, ..Publisher::new(options, false) };
        publisher.choose_way();
        publisher
    }

    /// From now on. Subscriptions stay as they are, and manual mode that was on stays on.
    pub(super) fn reconfigure(&mut self, options: &PatternOptions) {
        self.waits = options.xpub_no_drop;
        self.is_inverted = options.invert_matching;
        self.notices.reconfigure(options);
        match &mut self.manual {
            Some(manual) => manual.reconfigure(options),
            None => self.manual = Manual::new(options),
        }
        self.on_change();
    }

    pub(super) fn attach(&mut self, pipe: PipeId) {
        if !self.peers.contains_key(pipe) {
            self.peers.insert(pipe, Peer { is_writable: true, found_in: 0, missed: 0 });
            self.forget_sets();
        }
    }

    pub(super) fn send_everything_to(&mut self, pipe: PipeId) {
        if self.is_exact && self.peers.contains_key(pipe) && !self.unasked.contains(&pipe) {
            self.unasked.push(pipe);
            self.forget_sets();
        }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) -> Vec<Message> {
        self.forget_sets();
        self.unasked.retain(|&unasked| unasked != pipe);
        self.targets.retain(|&target| target != pipe);
        if let Some(peer) = self.peers.remove(pipe) {
            self.full -= usize::from(!peer.is_writable);
        }
        self.cancel_all(pipe)
    }

    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        let Some(peer) = self.peers.get_mut(pipe) else { return };
        if peer.is_writable == writable {
            return;
        }
        peer.is_writable = writable;
        if writable {
            self.full -= 1;
        } else {
            self.full += 1;
        }
        // Who waits for the full gets on with the same peers as before.
        if !self.waits {
            self.forget_sets();
        }
    }

    /// Whether a message could be sent now, as far as can be told without it: one that waits for full subscribers may find that its own
    /// have room.
    pub(super) fn is_ready(&self) -> bool {
        !self.waits || self.peers.is_empty() || self.peers.values().any(|peer| peer.is_writable)
    }

    fn forget_sets(&mut self) {
        if let Some(set) = self.found.take().and_then(|found| self.sets.get(found)) {
            self.targets.clone_from(&set.targets);
            self.left_out.clone_from(&set.left_out);
        }
        self.sets.forget();
    }

    /// After every change of what decides.
    fn on_change(&mut self) {
        self.forget_sets();
        self.choose_way();
    }

    fn choose_way(&mut self) {
        let is_for_one = self.manual.as_ref().is_some_and(|manual| manual.has_next());
        self.is_plain = !self.is_inverted && !self.is_exact && !is_for_one && !self.interests.has_globs();
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
        self.on_change();
        Ok(self.notices.on_subscribe(pipe, subject, is_first, &self.interests))
    }

    pub(super) fn handle_cancel(&mut self, pipe: PipeId, subject: Subject<'_>) -> Option<Message> {
        if let Some(manual) = &mut self.manual {
            manual.asked.remove(pipe, subject);
            return Some(self.notices.of_each(false, subject));
        }
        let removed = self.interests.remove(pipe, subject);
        self.on_change();
        self.notices.on_cancel(pipe, subject, removed, &self.interests)
    }

    pub(super) fn cancel_all(&mut self, pipe: PipeId) -> Vec<Message> {
        let told = self.notices.of_departures(self.manual.is_some());
        let gone = self.interests.remove_all(pipe, told);
        let messages = match &mut self.manual {
            Some(manual) => self.notices.on_manual_departure(manual.forget(pipe)),
            None => self.notices.on_departure(pipe, gone, &self.interests),
        };
        self.on_change();
        messages
    }

    /// XPUB in manual mode: the application received a subscription or a cancellation of this peer.
    pub(super) fn on_received(&mut self, pipe: Option<PipeId>) {
        let pipe = pipe.filter(|&pipe| self.peers.contains_key(pipe));
        if let Some(manual) = &mut self.manual {
            manual.on_received(pipe);
            self.on_change();
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
        self.on_change();
        Ok(true)
    }

    pub(super) fn unsubscribe_peer(&mut self, pipe: PipeId, subject: Subject<'_>) -> bool {
        self.interests.remove(pipe, subject);
        self.on_change();
        self.peers.contains_key(pipe)
    }

    pub(super) fn subscriber_count(&self) -> usize {
        self.interests.holder_count()
    }

    pub(super) fn subscription_count(&self) -> usize {
        self.interests.len()
    }

    pub(super) fn for_each_subscription(&self, visit: impl FnMut(Subject<'_>, usize)) {
        self.interests.for_each(visit);
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
