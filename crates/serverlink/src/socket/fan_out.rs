//! One message to many: framed once, and put once where they all have it.
//!
//! Peers that got the same messages for a while form a cohort and share a log ([`crate::pipe::log`]). Everybody else is appended to
//! alone. Who is in a cohort is the business of this file; when a log is cut for its members, of `cohort.rs`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serverlink_patterns::{PipeId, TargetSet};
use slotmap::SlotMap;

use super::announce::{Announce, note_unannounced};
use super::cohort::Cohort;
use super::content::{Content, goes_by_parts};
use super::copies::Copies;
use super::core::{Core, SendSide};
use super::send::{After, More, encode, leave, replace_queued};
use crate::payload::Outgoing;
use crate::pipe::Outlet;
use crate::pipe::log::CohortId;
use crate::pipe::outbox::Next;

/// How many connections one call writes to itself; the rest is left to the I/O thread, so that a
/// publisher with many quiet subscribers is not held up.
const INLINE_WRITES: usize = 4;

/// Fewer are not worth a log.
const COHORT_FROM: usize = 4;

/// After a pause this long in its deliveries, a publisher counts as quiet and writes at once.
const QUIET: Duration = Duration::from_micros(20);

/// PUB, XPUB, XSUB: what one socket knows of those it sends the same to.
#[derive(Default)]
pub(crate) struct FanOut {
    pub(super) cohorts: SlotMap<CohortId, Cohort>,
    by_set: BTreeMap<TargetSet, CohortId>,
    last: Option<(TargetSet, CohortId)>,
    /// Those of a message that goes to each alone; kept for its memory.
    targets: Vec<PipeId>,
    /// The I/O thread was asked to flush and has not begun.
    pub(super) flush_asked: bool,
    /// The I/O thread looks again and again for what nobody flushed: calls write only what is full.
    pub(super) streaming: bool,
    /// When the last write to any of its peers ended, or somebody woke one, as far as it was noted.
    pub(super) last_delivery: Option<Instant>,
    /// Outboxes that had something to be written when the I/O thread looked last, and how many writes they had seen.
    pub(super) aged: Vec<(PipeId, u64)>,
    /// Rings with messages behind which nobody looked who sleeps: see `announce.rs`.
    pub(super) unannounced: Vec<PipeId>,
}

/// What a message leaves to be done when it is with everybody.
#[derive(Default)]
pub(super) struct Aftermath {
    pub(super) more: More,
    /// Who has no room any more.
    pub(super) full: Vec<PipeId>,
    /// Whether nothing was written for a while, once somebody asked.
    quiet: Option<bool>,
}

impl FanOut {
    #[inline]
    fn cohort_of(&mut self, set: TargetSet) -> Option<CohortId> {
        if let Some((last, cohort)) = self.last
            && last == set
        {
            return Some(cohort);
        }
        let &cohort = self.by_set.get(&set)?;
        self.last = Some((set, cohort));
        Some(cohort)
    }

    fn found_cohort(&mut self, set: TargetSet, targets: &[PipeId]) {
        let cohort = self.cohorts.insert(Cohort::new(set, targets));
        self.by_set.insert(set, cohort);
    }

    /// Gives those who were in it.
    pub(super) fn forget_cohort(&mut self, id: CohortId) -> Vec<PipeId> {
        let Some(cohort) = self.cohorts.remove(id) else { return Vec::new() };
        self.by_set.remove(&cohort.set);
        self.last = None;
        cohort.members
    }

    /// Somebody will flush what is appended now, without being asked again.
    #[inline]
    pub(super) fn is_attended(&self) -> bool {
        self.streaming || self.flush_asked
    }
}

impl Aftermath {
    pub(super) fn is_quiet(&mut self, core: &Core, fan_out: &FanOut) -> bool {
        let is_over = |at| core.now().saturating_duration_since(at) > QUIET;
        *self.quiet.get_or_insert_with(|| fan_out.last_delivery.is_none_or(is_over))
    }
}

impl SendSide {
    /// To every target of the reservation. Apart, so that a message to one peer does not pay for it.
    #[inline(never)]
    pub(super) fn deliver_to_many(&mut self, core: &Core, outgoing: &mut Outgoing<'_>) -> After {
        let set = if core.options.conflate { None } else { self.sender.target_set() };
        let by_parts = goes_by_parts(outgoing);
        match set.and_then(|set| self.fan_out.cohort_of(set)) {
            Some(cohort) if !by_parts => self.deliver_to_cohort(core, cohort, outgoing),
            _ => self.deliver_to_each(core, set, outgoing, by_parts),
        }
    }

    /// Once into the log, and to those alone who are not in step.
    fn deliver_to_cohort(&mut self, core: &Core, id: CohortId, outgoing: &mut Outgoing<'_>) -> After {
        if self.fan_out.cohorts[id].log.is_empty() && !self.gather(id) {
            let set = self.fan_out.cohorts[id].set;
            self.dissolve(id);
            return self.deliver_to_each(core, Some(set), outgoing, false);
        }
        let mut aftermath = Aftermath::default();
        if !self.fan_out.cohorts[id].strangers.is_empty() {
            self.deliver_to_strangers(core, id, outgoing, &mut aftermath);
        }
        let cohort = &mut self.fan_out.cohorts[id];
        cohort.append(&mut self.pool, |frames| encode(outgoing, frames));
        if cohort.is_full() {
            self.cut_to_write(id, &mut aftermath);
        } else if cohort.log.messages() == 1 {
            core.unflushed.store(true, Ordering::Relaxed);
            if !self.fan_out.is_attended() {
                self.begin_log(core, id, &mut aftermath);
            }
        }
        self.conclude_fan_out(aftermath)
    }

    /// The first message of a log, and nobody is going to flush it.
    #[cold]
    fn begin_log(&mut self, core: &Core, id: CohortId, aftermath: &mut Aftermath) {
        if !aftermath.is_quiet(core, &self.fan_out) {
            return self.ask_to_flush(aftermath);
        }
        let members = self.cut(id);
        let SendSide { outlets, dirty, .. } = self;
        for pipe in members {
            let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else { continue };
            if aftermath.more.write.len() < INLINE_WRITES {
                outbox.begin_flush();
                aftermath.more.write.push(pipe);
            } else {
                leave(core, outbox, dirty, pipe);
            }
        }
        if !self.dirty.is_empty() {
            self.ask_to_flush(aftermath);
        }
    }

    #[cold]
    fn deliver_to_strangers(
        &mut self,
        core: &Core,
        id: CohortId,
        outgoing: &mut Outgoing<'_>,
        aftermath: &mut Aftermath,
    ) {
        let strangers = std::mem::take(&mut self.fan_out.cohorts[id].strangers);
        let set = self.fan_out.cohorts[id].set;
        self.deliver_to_these(core, &strangers, Some(set), outgoing, false, aftermath);
        if let Some(cohort) = self.fan_out.cohorts.get_mut(id) {
            cohort.strangers.extend(strangers);
        }
    }

    /// To each alone. Those who keep getting the same are a cohort from then on.
    fn deliver_to_each(
        &mut self,
        core: &Core,
        set: Option<TargetSet>,
        outgoing: &mut Outgoing<'_>,
        by_parts: bool,
    ) -> After {
        let mut aftermath = Aftermath::default();
        let mut targets = std::mem::take(&mut self.fan_out.targets);
        targets.clear();
        targets.extend_from_slice(self.sender.targets());
        let steady = self.deliver_to_these(core, &targets, set, outgoing, by_parts, &mut aftermath);
        if let Some(set) = set
            && steady >= COHORT_FROM
            && self.fan_out.cohort_of(set).is_none()
        {
            self.fan_out.found_cohort(set, &targets);
        }
        self.fan_out.targets = targets;
        self.conclude_fan_out(aftermath)
    }

    /// Gives how many of them keep getting the same.
    fn deliver_to_these(
        &mut self,
        core: &Core,
        targets: &[PipeId],
        set: Option<TargetSet>,
        outgoing: &Outgoing<'_>,
        by_parts: bool,
        aftermath: &mut Aftermath,
    ) -> usize {
        let content = Content::of(outgoing, by_parts, std::mem::take(&mut self.encoded));
        let (mut copies, mut steady, mut rings) = (None, 0, Announce::Nothing);
        let is_attended = self.fan_out.is_attended();
        for &pipe in targets {
            match self.outlets.get_mut(pipe) {
                Some(Outlet::Wire(outbox)) => {
                    if let Some(cohort) = outbox.cohort() {
                        match set == Some(self.fan_out.cohorts[cohort].set) {
                            // Too large for the log, and for all of them: they stay in step.
                            true => self.settle(cohort),
                            false => self.part_from_cohort(cohort, pipe, targets.len()),
                        }
                    }
                    steady += usize::from(self.append_to_one(core, pipe, set, &content, aftermath));
                }
                Some(Outlet::Ring(outlet)) => {
                    let copies = copies.get_or_insert_with(|| Copies::of(outgoing, &mut self.bump));
                    if copies.push_to(outlet) {
                        rings = rings.max(match is_attended {
                            true => note_unannounced(core, outlet, pipe, &mut self.fan_out.unannounced),
                            false => Announce::All,
                        });
                    } else {
                        self.sent.at_high_water_mark += 1;
                        outlet.missed += 1;
                        self.full_rings.push(pipe);
                        aftermath.full.push(pipe);
                    }
                }
                None => {}
            }
        }
        self.encoded = content.frames;
        match rings {
            Announce::Nothing => {}
            Announce::Many => self.announce_many(targets, aftermath),
            Announce::All => self.announce(core, targets, aftermath),
        }
        steady
    }

    /// To one peer on a wire. True if it keeps getting the same as the others.
    fn append_to_one(
        &mut self,
        core: &Core,
        pipe: PipeId,
        set: Option<TargetSet>,
        content: &Content,
        aftermath: &mut Aftermath,
    ) -> bool {
        let SendSide { outlets, pool, sent, dirty, fan_out, .. } = self;
        let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else { return false };
        if core.options.conflate {
            replace_queued(outbox, sent);
        }
        content.append_to(outbox, pool);
        let is_steady = outbox.note_company(set);
        let may_write = aftermath.more.write.len() < INLINE_WRITES;
        let next = outbox.after_publication(|| may_write && aftermath.is_quiet(core, fan_out));
        match next {
            Next::WriteNow => aftermath.more.write.push(pipe),
            Next::Leave | Next::AskIoThread => {
                leave(core, outbox, dirty, pipe);
                aftermath.more.ask_to_flush |= !fan_out.is_attended();
            }
            Next::Nothing => {}
        }
        // Whoever is written now tells by that whether there is room.
        if !outbox.has_credit() && !core.options.conflate && next != Next::WriteNow {
            aftermath.full.push(pipe);
        }
        is_steady
    }

    pub(super) fn ask_to_flush(&mut self, aftermath: &mut Aftermath) {
        aftermath.more.ask_to_flush |= !self.fan_out.is_attended();
    }

    #[inline]
    fn conclude_fan_out(&mut self, aftermath: Aftermath) -> After {
        let Aftermath { more, full, .. } = aftermath;
        full.into_iter().for_each(|pipe| self.sender.set_writable(pipe, false));
        if more.write.is_empty() && more.wake.is_empty() && !more.ask_to_flush {
            return After::Nothing;
        }
        self.fan_out.flush_asked |= more.ask_to_flush;
        After::more(more)
    }

    /// Whether every target can take a message. A ring is only known to be full when it is asked.
    #[inline(never)]
    pub(super) fn have_all_room(&mut self) -> bool {
        let set = self.sender.target_set();
        let cohort = set.and_then(|set| self.fan_out.cohort_of(set));
        let SendSide { sender, outlets, full_rings, fan_out, .. } = self;
        let targets = match cohort {
            // Its members are on wires.
            Some(cohort) => &*fan_out.cohorts[cohort].strangers,
            None => sender.targets(),
        };
        let is_full = |pipe: &PipeId| match outlets.get_mut(*pipe) {
            Some(Outlet::Ring(outlet)) => !outlet.has_room(),
            _ => false,
        };
        let full: Vec<PipeId> = targets.iter().copied().filter(is_full).collect();
        full.iter().for_each(|&pipe| sender.set_writable(pipe, false));
        full_rings.extend(&full);
        full.is_empty()
    }
}
