use crate::turns::Turns;
use crate::{AttachRefusal, Attached, PipeId};

/// Round robin over the pipes that have room: PUSH, DEALER and REQ; PAIR with its one pipe.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    turns: Turns,
    reserved: Option<PipeId>,
    is_exclusive: bool,
}

impl Balancer {
    pub(super) fn exclusive() -> Balancer {
        Balancer { is_exclusive: true, ..Balancer::default() }
    }

    pub(super) fn attach(&mut self, pipe: PipeId) -> Attached {
        if self.turns.contains(pipe) {
            return Attached::default();
        }
        if let Err(why) = self.judge() {
            return Attached { reject: true, why: Some(why), ..Attached::default() };
        }
        self.turns.insert(pipe, true);
        Attached::default()
    }

    pub(super) fn judge(&self) -> Result<(), AttachRefusal> {
        if self.is_exclusive && self.turns.len() == 1 { Err(AttachRefusal::PairTaken) } else { Ok(()) }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) {
        self.turns.remove(pipe);
    }

    #[inline]
    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        self.turns.set_ready(pipe, writable);
    }

    #[inline]
    pub(super) fn reserve(&mut self) -> Option<PipeId> {
        self.reserved = self.turns.current();
        self.reserved
    }

    #[inline]
    pub(super) fn sole(&self) -> Option<PipeId> {
        self.turns.sole()
    }

    #[inline]
    pub(super) fn commit(&mut self) {
        if let Some(pipe) = self.reserved.take() {
            self.turns.advance(pipe);
        }
    }

    #[inline]
    pub(super) fn rollback(&mut self) {
        self.reserved = None;
    }

    pub(super) fn is_ready(&self) -> bool {
        self.turns.current().is_some()
    }
}
