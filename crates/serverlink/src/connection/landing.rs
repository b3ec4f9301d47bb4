//! Where a reactor's reads land: one chunk for all its connections.

use serverlink_message::chunk::{Chunk, Slice};

/// Large enough that one read takes what a busy connection has, small enough to stay in the cache.
const CHUNK_BYTES: usize = 256 * 1024;

/// With less room than this a new chunk is begun.
const ROOM_BYTES: usize = 32 * 1024;

/// Reads up to this size are copied: they must not keep a chunk alive for as long as their message lives.
const COPY_BYTES: usize = 1024;

/// The chunk that is being filled.
pub(crate) struct Landing {
    chunk: Chunk,
}

impl Landing {
    pub(crate) fn new() -> Landing {
        Landing { chunk: Chunk::with_capacity(0) }
    }

    /// Room for a read of at most so many bytes.
    #[inline]
    pub(crate) fn spare(&mut self, most_bytes: usize) -> &mut [u8] {
        if self.chunk.remaining() < ROOM_BYTES && !(self.chunk.try_reset() && self.chunk.remaining() > 0) {
            self.chunk = Chunk::with_capacity(CHUNK_BYTES);
        }
        let spare = self.chunk.spare();
        let room = spare.len().min(most_bytes);
        &mut spare[..room]
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
}
