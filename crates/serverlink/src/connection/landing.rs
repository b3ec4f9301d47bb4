//! Where a reactor's reads land: one chunk for all its connections.

use serverlink_driver::datagram::MAX_READ_BYTES;
use serverlink_message::chunk::{Chunk, Slice};

/// Large enough that one read takes what a busy connection has, small enough to stay in the cache.
const CHUNK_BYTES: usize = 256 * 1024;

/// With less room than this a new chunk is begun.
const ROOM_BYTES: usize = 32 * 1024;

/// Reads up to this size are copied: they must not keep a chunk alive for as long as their message lives.
const COPY_BYTES: usize = 1024;

/// How many filled pieces of memory one reactor keeps to be used again.
const MOST_KEPT: usize = 4;

/// Their bytes together.
const MOST_KEPT_BYTES: usize = 16 * 1024 * 1024;

/// Pieces for large frames are multiples of this, so that one serves frames of about the same length.
const PIECE_STEP_BYTES: usize = 64 * 1024;

/// The chunk that is being filled, and memory to go on with.
pub(crate) struct Landing {
    chunk: Chunk,
    /// Filled before. They are used again when their messages are gone: fresh memory costs more than a copy.
    kept: Vec<Chunk>,
    /// Asked for since `forget_unused` came last.
    used: bool,
    scratch: Vec<u8>,
}

impl Landing {
    pub(crate) fn new() -> Landing {
        Landing { chunk: Chunk::with_capacity(0), kept: Vec::new(), used: false, scratch: Vec::new() }
    }

    /// Room for a read of at most so many bytes.
    #[inline]
    pub(crate) fn spare(&mut self, most_bytes: usize) -> &mut [u8] {
        if self.chunk.remaining() < ROOM_BYTES && !(self.chunk.try_reset() && self.chunk.remaining() > 0) {
            self.begin_chunk();
        }
        let spare = self.chunk.spare();
        let room = spare.len().min(most_bytes);
        &mut spare[..room]
    }

    /// Room for a read of any datagram. It is only looked at: nothing of it stays here.
    pub(crate) fn datagram(&mut self) -> &mut [u8] {
        if self.chunk.remaining() < MAX_READ_BYTES
            && !(self.chunk.try_reset() && self.chunk.remaining() >= MAX_READ_BYTES)
        {
            self.begin_chunk();
        }
        &mut self.chunk.spare()[..MAX_READ_BYTES]
    }

    #[cold]
    fn begin_chunk(&mut self) {
        let next = self.take_kept(CHUNK_BYTES).unwrap_or_else(|| Chunk::with_capacity(CHUNK_BYTES));
        let full = std::mem::replace(&mut self.chunk, next);
        self.keep(full);
    }

    /// How much the next read may bring behind what came last.
    pub(crate) fn remaining(&self) -> usize {
        // With less a new chunk is begun.
        if self.chunk.remaining() < ROOM_BYTES { 0 } else { self.chunk.remaining() }
    }

    /// The first `count` bytes of the spare room, to be kept.
    pub(crate) fn take(&mut self, count: usize) -> Slice {
        if count <= COPY_BYTES {
            Slice::copy_from(&self.chunk.spare()[..count])
        } else {
            self.chunk.commit(count)
        }
    }

    /// The same bytes, only to be looked at.
    pub(crate) fn peek(&mut self, count: usize) -> &[u8] {
        &self.chunk.spare()[..count]
    }

    // ---- pieces for large frames

    /// Memory of at least so many bytes. `None`: there is none.
    pub(crate) fn piece(&mut self, bytes: usize) -> Option<Chunk> {
        let bytes = bytes.checked_next_multiple_of(PIECE_STEP_BYTES)?;
        self.take_kept(bytes).or_else(|| Chunk::try_with_capacity(bytes))
    }

    /// The one that was used last is the one that the processor still has.
    fn take_kept(&mut self, bytes: usize) -> Option<Chunk> {
        self.used = true;
        let fits = |chunk: &mut Chunk| (bytes..=2 * bytes).contains(&chunk.capacity()) && chunk.try_reset();
        let at = self.kept.iter_mut().rposition(fits)?;
        Some(self.kept.remove(at))
    }

    /// Memory that may be used again when the messages in it are gone.
    pub(crate) fn keep(&mut self, chunk: Chunk) {
        if chunk.capacity() < CHUNK_BYTES || chunk.capacity() > MOST_KEPT_BYTES {
            return;
        }
        self.kept.push(chunk);
        while self.kept.len() > MOST_KEPT
            || self.kept.iter().map(Chunk::capacity).sum::<usize>() > MOST_KEPT_BYTES
        {
            self.kept.remove(0);
        }
    }

    pub(crate) fn keeps_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Gives back what nobody asked for since this was called last. True if there is nothing any more.
    pub(crate) fn forget_unused(&mut self) -> bool {
        if !std::mem::take(&mut self.used) {
            self.kept = Vec::new();
            self.scratch = Vec::new();
        }
        self.kept.is_empty()
    }

    /// Empty memory for what has to move.
    pub(crate) fn take_scratch(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.try_reserve(bytes).ok()?;
        Some(scratch)
    }

    pub(crate) fn give_scratch_back(&mut self, scratch: Vec<u8>) {
        if scratch.capacity() <= CHUNK_BYTES {
            self.scratch = scratch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that fills chunk after chunk and drops what it took goes on in the same memory.
    #[test]
    fn memory_is_used_again_when_its_messages_are_gone() {
        let mut landing = Landing::new();
        let mut starts = std::collections::BTreeSet::new();
        let mut last = Slice::new();
        for _ in 0..50 {
            landing.spare(usize::MAX);
            starts.insert(landing.chunk.spare().as_ptr() as usize);
            // The end of what was read is a cut message, which holds the chunk until the rest of it is here.
            drop(last.split_to(last.len()));
            last = landing.take(CHUNK_BYTES - 100);
        }
        assert_eq!(starts.len(), 2, "one that is read into, and one that the cut message lies in");
    }

    #[test]
    fn what_nobody_asks_for_is_given_back() {
        let mut landing = Landing::new();
        let piece = landing.piece(CHUNK_BYTES).expect("memory");
        landing.keep(piece);
        assert!(landing.keeps_any());
        assert!(!landing.forget_unused(), "it was asked for since");
        assert!(landing.forget_unused());
        assert!(!landing.keeps_any());
    }

    #[test]
    fn little_is_kept_and_nothing_of_the_wrong_size() {
        let mut landing = Landing::new();
        for _ in 0..3 * MOST_KEPT {
            landing.keep(Chunk::with_capacity(2 * CHUNK_BYTES));
        }
        assert_eq!(landing.kept.len(), MOST_KEPT);
        landing.keep(Chunk::with_capacity(1024));
        assert_eq!(landing.kept.len(), MOST_KEPT);
        landing.keep(Chunk::with_capacity(MOST_KEPT_BYTES));
        assert_eq!(landing.kept.len(), 1, "they share one bound");
        let small = landing.piece(CHUNK_BYTES).expect("memory");
        assert_eq!(small.capacity(), CHUNK_BYTES, "a large piece is not for a small frame");
    }

    #[test]
    fn a_size_for_which_there_is_no_memory_is_an_answer() {
        assert!(Landing::new().piece(usize::MAX / 2).is_none());
        assert!(Landing::new().piece(usize::MAX).is_none());
    }
}
