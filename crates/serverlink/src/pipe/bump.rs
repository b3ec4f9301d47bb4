//! Memory for borrowed bodies that go to another socket of the process: many in one allocation, because a body that one
//! thread allocates and another frees costs more than everything else about it.

use serverlink_message::Part;
use serverlink_message::chunk::{Chunk, Slice};

/// What one allocation holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// Larger bodies have an allocation of their own: they would pin more than they save.
const LARGEST_BYTES: usize = 2048;

/// See the module's page.
pub(crate) struct Bump {
    chunk: Chunk,
}

impl Bump {
    pub(crate) fn new() -> Bump {
        Bump { chunk: Chunk::with_capacity(0) }
    }

    /// A part with these bytes.
    #[inline]
    pub(crate) fn part(&mut self, bytes: &[u8]) -> Part {
        if bytes.len() <= Part::INLINE_MAX {
            return Part::copy_from(bytes);
        }
        Part::from(self.slice(bytes))
    }

    /// These bytes, to be shared by many parts.
    #[inline]
    pub(crate) fn slice(&mut self, bytes: &[u8]) -> Slice {
        if bytes.len() > LARGEST_BYTES {
            return Slice::copy_from(bytes);
        }
        if self.chunk.remaining() < bytes.len() {
            self.make_room();
        }
        self.chunk.spare()[..bytes.len()].copy_from_slice(bytes);
        self.chunk.commit(bytes.len())
    }

    #[cold]
    fn make_room(&mut self) {
        if self.chunk.capacity() == 0 || !self.chunk.try_reset() {
            self.chunk = Chunk::with_capacity(CHUNK_BYTES);
        }
    }
}
