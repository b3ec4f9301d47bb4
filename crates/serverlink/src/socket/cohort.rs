//! Peers that take the same messages and stand at the same position: who is in step, and when they get what was logged for them.

use serverlink_patterns::{PipeId, TargetSet};

use super::core::SendSide;
use super::fan_out::Aftermath;
use crate::pipe::Outlet;
use crate::pipe::arena::{ArenaPool, SHORT_SEGMENT_BYTES};
use crate::pipe::high_water::HighWater;
use crate::pipe::log::{CohortId, Log};

/// See the module's page.
pub(crate) struct Cohort {
    /// Whose messages these are: its members and its strangers together.
    pub(super) set: TargetSet,
    /// They share the log.
    pub(super) members: Vec<PipeId>,
    /// They get every message alone: rings, and who is not in step.
    pub(super) strangers: Vec<PipeId>,
    pub(super) log: Log,
    /// How much more may be logged before the first member reaches its mark.
    room: HighWater,
    /// Bytes that were cut and not written.
    unwritten: usize,
    /// How often the log was cut, and how often when the I/O thread looked last.
    cuts: u64,
    pub(super) seen_cuts: u64,
}

impl Cohort {
    /// Nobody is in step yet.
    pub(super) fn new(set: TargetSet, targets: &[PipeId]) -> Cohort {
        Cohort {
            set,
            members: Vec::new(),
            strangers: targets.to_vec(),
            log: Log::default(),
            room: HighWater::NONE,
            unwritten: 0,
            cuts: 0,
            seen_cuts: 0,
        }
    }

    /// One message for all members.
    #[inline]
    pub(super) fn append(&mut self, pool: &mut ArenaPool, encode: impl FnOnce(&mut Vec<u8>)) {
        self.log.append(pool, encode);
    }

    /// Enough to be written, or as much as some member may be given.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.log.bytes() + self.unwritten >= SHORT_SEGMENT_BYTES
            || !self.room.has_room(self.log.messages(), self.log.bytes())
    }

    /// Nobody has flushed it since the I/O thread looked last.
    pub(super) fn is_left(&mut self) -> bool {
        let is_left = !self.log.is_empty() && self.seen_cuts == self.cuts;
        self.seen_cuts = self.cuts;
        is_left
    }
}

impl SendSide {
    /// A log begins: takes in who is in step by now. False if nobody is.
    pub(super) fn gather(&mut self, id: CohortId) -> bool {
        let SendSide { fan_out, outlets, .. } = self;
        let Cohort { set, members, strangers, log, room, .. } = &mut fan_out.cohorts[id];
        strangers.retain(|&pipe| match outlets.get_mut(pipe) {
            Some(Outlet::Wire(outbox)) if outbox.may_join(*set) => {
                outbox.join(id, log.tail());
                members.push(pipe);
                false
            }
            Some(_) => true,
            None => false,
        });
        *room = HighWater::NONE;
        members.retain(|&pipe| match outlets.get(pipe) {
            Some(Outlet::Wire(outbox)) => {
                let HighWater { messages, bytes } = outbox.room();
                *room = HighWater { messages: room.messages.min(messages), bytes: room.bytes.min(bytes) };
                true
            }
            _ => false,
        });
        !members.is_empty()
    }

    /// Each member gets its share of the log, which is empty then. Gives the members.
    pub(super) fn cut(&mut self, id: CohortId) -> Vec<PipeId> {
        let SendSide { fan_out, outlets, pool, .. } = self;
        let cohort = &mut fan_out.cohorts[id];
        if !cohort.log.is_empty() {
            cohort.cuts += 1;
            cohort.unwritten += cohort.log.bytes();
            let share = cohort.log.cut(pool);
            for &pipe in &cohort.members {
                if let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) {
                    outbox.take_share(&share, pool);
                }
            }
            share.retire(&mut cohort.log);
        }
        cohort.members.clone()
    }

    /// There is enough to be written, or a member has reached its mark: whoever has nothing else to wait for is written now.
    #[inline(never)]
    pub(super) fn cut_to_write(&mut self, id: CohortId, aftermath: &mut Aftermath) {
        let members = self.cut(id);
        self.fan_out.cohorts[id].unwritten = 0;
        for pipe in members {
            let Some(Outlet::Wire(outbox)) = self.outlets.get_mut(pipe) else { continue };
            if outbox.seal_to_write() {
                aftermath.more.write.push(pipe);
            } else if !outbox.has_credit() {
                aftermath.full.push(pipe);
            }
        }
    }

    /// Something is about to happen to one member that the others have no part in, or only so many of them. What was logged is flushed as
    /// what is appended.
    #[cold]
    pub(super) fn part_from_cohort(&mut self, id: CohortId, pipe: PipeId, company: usize) {
        self.settle(id);
        let members = &mut self.fan_out.cohorts[id].members;
        if company * 2 >= members.len() {
            // Most of them leave, and would have to go one by one.
            return self.dissolve(id);
        }
        members.retain(|&member| member != pipe);
        self.fan_out.cohorts[id].strangers.push(pipe);
        self.leave_company(pipe);
    }

    /// Everybody goes its own way. The log is empty.
    pub(super) fn dissolve(&mut self, id: CohortId) {
        for pipe in self.fan_out.forget_cohort(id) {
            self.leave_company(pipe);
        }
    }

    fn leave_company(&mut self, pipe: PipeId) {
        if let Some(Outlet::Wire(outbox)) = self.outlets.get_mut(pipe) {
            outbox.part();
        }
    }

    /// Cuts a log that nobody writes now: those who have something from it are listed to be flushed.
    pub(super) fn settle(&mut self, id: CohortId) {
        if self.fan_out.cohorts[id].log.is_empty() {
            return;
        }
        let members = self.cut(id);
        let SendSide { outlets, dirty, .. } = self;
        for pipe in members {
            if let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe)
                && !std::mem::replace(&mut outbox.listed, true)
            {
                dirty.push(pipe);
            }
        }
    }

    /// Cuts every log; what they held waits to be flushed.
    pub(super) fn settle_all(&mut self) {
        let ids: Vec<CohortId> = self.fan_out.cohorts.keys().collect();
        for id in ids {
            self.settle(id);
            self.fan_out.cohorts[id].unwritten = 0;
        }
    }

    /// The pipe's connection, or the pipe itself, goes.
    pub(super) fn leave_cohort(&mut self, pipe: PipeId) {
        if let Some(Outlet::Wire(outbox)) = self.outlets.get(pipe)
            && let Some(cohort) = outbox.cohort()
        {
            self.part_from_cohort(cohort, pipe, 1);
        }
    }
}
