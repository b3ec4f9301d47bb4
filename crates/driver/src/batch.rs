//! The memory of one write.

use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

/// How many slices one system call takes: enough to fill a socket buffer, well under every system's `IOV_MAX`.
pub(crate) const MAX_SLICES: usize = 64;
/// How long one slice is at most. Windows counts its bytes in 32 bits.
pub(crate) const MAX_SLICE_BYTES: usize = 1 << 30;

/// Bytes that a driver may keep until they are written.
pub enum Buffer {
    /// Bytes of this batch alone; given back for reuse.
    Owned(Vec<u8>),
    /// Bytes that others hold too. `as_ref` must return the same bytes each time.
    Shared(Arc<dyn AsRef<[u8]> + Send + Sync>),
}

impl Buffer {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Buffer::Owned(bytes) => bytes,
            Buffer::Shared(owner) => (**owner).as_ref(),
        }
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Buffer {
        Buffer::Owned(bytes)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Buffer::Owned(_) => "Owned",
            Buffer::Shared(_) => "Shared",
        };
        write!(f, "{name}({} bytes)", self.as_bytes().len())
    }
}

/// Buffers that are written one after the other, and how far the writing came.
#[derive(Debug, Default)]
pub struct Batch {
    buffers: Vec<Buffer>,
    /// The first buffer that is not wholly written.
    current: usize,
    /// How much of it is written.
    offset: usize,
    written_bytes: usize,
    remaining_bytes: usize,
}

impl Batch {
    /// An empty batch.
    pub const fn new() -> Batch {
        Batch { buffers: Vec::new(), current: 0, offset: 0, written_bytes: 0, remaining_bytes: 0 }
    }

    /// Appends a buffer.
    pub fn push(&mut self, buffer: impl Into<Buffer>) {
        let buffer = buffer.into();
        self.remaining_bytes += buffer.as_bytes().len();
        self.buffers.push(buffer);
    }

    /// Bytes not yet written.
    #[inline]
    pub fn remaining_bytes(&self) -> usize {
        self.remaining_bytes
    }

    /// Bytes written so far.
    #[inline]
    pub fn written_bytes(&self) -> usize {
        self.written_bytes
    }

    /// The buffers, for reuse. What was written is forgotten.
    pub fn into_buffers(self) -> Vec<Buffer> {
        self.buffers
    }

    /// Takes the buffers out and leaves an empty batch that keeps its allocation.
    pub fn drain(&mut self) -> impl Iterator<Item = Buffer> {
        (self.current, self.offset, self.written_bytes, self.remaining_bytes) = (0, 0, 0, 0);
        self.buffers.drain(..)
    }

    /// What is not yet written of the current buffer.
    #[inline]
    pub(crate) fn current(&self) -> &[u8] {
        self.buffers
            .get(self.current)
            .and_then(|buffer| buffer.as_bytes().get(self.offset..))
            .unwrap_or_default()
    }

    /// Whether the current buffer is the last one.
    #[inline]
    pub(crate) fn is_single(&self) -> bool {
        self.current + 1 >= self.buffers.len()
    }

    /// Fills `slices` with what is to be written next; returns how many it filled.
    pub(crate) fn fill_slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let mut count = 0;
        for bytes in self.pending().take(MAX_SLICES) {
            slices[count] = IoSlice::new(&bytes[..bytes.len().min(MAX_SLICE_BYTES)]);
            count += 1;
            // What follows the rest of a slice that was cut has to wait for it.
            if bytes.len() > MAX_SLICE_BYTES {
                break;
            }
        }
        count
    }

    /// What is to be written next, in one piece of at most so many bytes. Empty only if nothing is left.
    #[cfg(windows)]
    pub(crate) fn next_piece(&self, limit: usize) -> &[u8] {
        let bytes = self.pending().next().unwrap_or_default();
        &bytes[..bytes.len().min(limit)]
    }

    /// What is not yet written, buffer by buffer; none is empty.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.buffers.iter().skip(self.current + 1).map(Buffer::as_bytes);
        std::iter::once(self.current()).chain(rest).filter(|bytes| !bytes.is_empty())
    }

    /// Notes that `count` more bytes were written. For drivers, and for bytes that were written before they were pushed,
    /// as [`Writer::write_borrowed`](crate::Writer::write_borrowed) does.
    ///
    /// # Panics
    /// When so many do not remain.
    #[inline]
    pub fn advance(&mut self, mut count: usize) {
        self.written_bytes += count;
        self.remaining_bytes -= count;
        while let Some(buffer) = self.buffers.get(self.current) {
            let left = buffer.as_bytes().len() - self.offset;
            if count < left {
                self.offset += count;
                return;
            }
            count -= left;
            self.current += 1;
            self.offset = 0;
        }
    }
}

impl From<Vec<Buffer>> for Batch {
    fn from(buffers: Vec<Buffer>) -> Batch {
        let remaining_bytes = buffers.iter().map(|buffer| buffer.as_bytes().len()).sum();
        Batch { buffers, remaining_bytes, ..Batch::new() }
    }
}

impl From<Vec<u8>> for Batch {
    fn from(bytes: Vec<u8>) -> Batch {
        Batch::from(vec![Buffer::Owned(bytes)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(batch: &Batch) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = batch.fill_slices(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn cursor_walks_over_empty_and_shared_buffers() {
        let mut batch = Batch::new();
        batch.push(vec![1, 2]);
        batch.push(Vec::new());
        batch.push(Buffer::Shared(Arc::new([3u8, 4, 5])));
        let all = [1, 2, 3, 4, 5];
        for written in 0..=all.len() {
            assert_eq!(gathered(&batch), &all[written..]);
            assert_eq!((batch.written_bytes(), batch.remaining_bytes()), (written, all.len() - written));
            if written < all.len() {
                batch.advance(1);
            }
        }
        assert_eq!(batch.drain().count(), 3);
        assert_eq!((batch.written_bytes(), batch.remaining_bytes()), (0, 0));
    }

    #[test]
    fn takes_at_most_the_slices_of_one_call() {
        let mut batch = Batch::from((0..MAX_SLICES + 3).map(|_| Buffer::Owned(vec![7])).collect::<Vec<_>>());
        assert_eq!(gathered(&batch).len(), MAX_SLICES);
        batch.advance(MAX_SLICES);
        assert_eq!(gathered(&batch).len(), 3);
    }
}
