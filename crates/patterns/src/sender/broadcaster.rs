use crate::turns::Turns;
use crate::{DropReason, PipeId, Reserve};

/// Everything to everyone: what an XSUB's application sends to the publishers.
#[derive(Debug, Default)]
pub(super) struct Broadcaster {
    turns: Turns,
    targets: Vec<PipeId>,
    /// How many pipes the reserved message leaves out.
    left_out: u64,
    dropped: u64,
}

impl Broadcaster {
    pub(super) fn attach(&mut self, pipe: PipeId) {
        if !self.turns.contains(pipe) {
            self.turns.insert(pipe, true);
        }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) {
        self.turns.remove(pipe);
        self.targets.retain(|&target| target != pipe);
    }

    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        self.turns.set_ready(pipe, writable);
    }

    pub(super) fn reserve(&mut self) -> Reserve {
        self.targets.clear();
        self.targets.extend(self.turns.ready());
        self.left_out = (self.turns.len() - self.targets.len()) as u64;
        if !self.targets.is_empty() {
            return Reserve::Many;
        }
        let reason = if self.left_out == 0 { DropReason::NoPeer } else { DropReason::HighWaterMark };
        self.commit();
        Reserve::Nobody(reason)
    }

    pub(super) fn targets(&self) -> &[PipeId] {
        &self.targets
    }

    pub(super) fn commit(&mut self) {
        self.dropped += self.left_out;
        self.rollback();
    }

    pub(super) fn rollback(&mut self) {
        self.left_out = 0;
        self.targets.clear();
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
