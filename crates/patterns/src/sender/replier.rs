use slotmap::SecondaryMap;

use crate::dialogue::{Asker, Reply};
use crate::{DropReason, Framing, PipeId, Reserve};

/// REP: back to whoever asked, without ever waiting (RFC 28).
///
/// Peers are told apart by their pipes, so two that announce the same routing id are both served.
#[derive(Debug, Default)]
pub(super) struct Replier {
    writable: SecondaryMap<PipeId, bool>,
    is_reserved: bool,
    dropped: u64,
}

impl Replier {
    pub(super) fn attach(&mut self, pipe: PipeId) {
        if !self.writable.contains_key(pipe) {
            self.writable.insert(pipe, true);
        }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) {
        self.writable.remove(pipe);
    }

    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        if let Some(known) = self.writable.get_mut(pipe) {
            *known = writable;
        }
    }

    pub(super) fn reserve(&mut self, reply: &mut Reply) -> Reserve {
        self.is_reserved = false;
        let asker = match reply.check_send() {
            Ok(asker) => asker,
            Err(refusal) => return Reserve::Refused(refusal),
        };
        let reason = match asker {
            Asker::Gone => DropReason::PeerGone,
            Asker::Pipe(pipe) => match self.writable.get(pipe) {
                Some(true) => {
                    self.is_reserved = true;
                    return Reserve::One { pipe, framing: Framing::Prefix };
                }
                Some(false) => DropReason::HighWaterMark,
                None => DropReason::PeerGone,
            },
        };
        self.dropped += 1;
        reply.finish();
        Reserve::Nobody(reason)
    }

    /// Only if something is reserved: a commit after `Nobody` must not end a dialogue that began since.
    pub(super) fn commit(&mut self, reply: &mut Reply) {
        if self.is_reserved {
            self.is_reserved = false;
            reply.finish();
        }
    }

    pub(super) fn rollback(&mut self) {
        self.is_reserved = false;
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}
