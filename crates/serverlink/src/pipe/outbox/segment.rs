//! A run of whole messages, framed: what is filled, sealed and written at once.

use std::sync::Arc;

use serverlink_driver::{Batch, Buffer};
use serverlink_message::Part;

/// See the module's page.
#[derive(Default)]
pub(super) struct Segment {
    /// Full buffers, in front of the arena.
    pub(super) chain: Vec<Buffer>,
    pub(super) arena: Vec<u8>,
    pub(super) chain_bytes: usize,
    pub(super) messages: usize,
    /// What the chain shares is whole frames, not the body of one.
    pub(super) shares_frames: bool,
    /// Lent parts that were copied.
    pub(super) kept: Option<Arc<Kept>>,
}

/// Parts that stay until the bytes that were copied out of them are written: a buffer without bytes of its own, which is dropped as all others are,
/// without a lock.
#[derive(Default)]
pub(super) struct Kept(Vec<Part>);

impl Segment {
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.chain_bytes + self.arena.len()
    }

    /// The header is at the arena's end; the body follows it by reference.
    pub(super) fn push_shared(&mut self, part: Part) {
        let arena = std::mem::take(&mut self.arena);
        self.chain_bytes += arena.len() + part.len();
        self.chain.push(Buffer::Owned(arena));
        self.chain.push(Buffer::Shared(Arc::new(part)));
    }

    #[cold]
    pub(super) fn keep(&mut self, part: Part) {
        let kept = self.kept.get_or_insert_default();
        Arc::get_mut(kept).expect("it is shared when the segment is handed out").0.push(part);
    }

    #[inline(always)]
    pub(super) fn push_into(self, batch: &mut Batch) {
        for buffer in self.chain {
            batch.push(buffer);
        }
        if !self.arena.is_empty() {
            batch.push(Buffer::Owned(self.arena));
        }
        if let Some(kept) = self.kept {
            batch.push(Buffer::Shared(kept));
        }
    }

    /// It is not written: what others own of it, to be dropped without a lock.
    pub(super) fn spend(self, spent: &mut Vec<Buffer>) {
        spent.extend(self.chain);
        spent.extend(self.kept.map(|kept| Buffer::Shared(kept)));
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &[]
    }
}
