//! Receive memory: filled by one reader at the end while messages are cut out of the front, also on other threads.

use std::{fmt, ptr::NonNull, slice};

use crate::owner::{CHUNK_OFFSET, Owner};
use crate::returns;

pub use crate::slice::Slice;

/// The unique writing end of a piece of receive memory.
///
/// Bytes go one way: [`spare`](Self::spare) is written, [`commit`](Self::commit) turns what was written into a
/// [`Slice`], and from then on nobody writes those bytes until every slice is gone and [`try_reset`](Self::try_reset)
/// starts again from the beginning. So the tail can be filled while other threads read what came before.
///
/// ```
/// use serverlink_message::chunk::Chunk;
///
/// let mut chunk = Chunk::with_capacity(1024);
/// chunk.spare()[..5].copy_from_slice(b"hello");
/// let hello = chunk.commit(5);
/// assert_eq!(&*hello, b"hello");
/// assert_eq!(chunk.remaining(), 1019);
///
/// assert!(!chunk.try_reset(), "somebody still reads");
/// drop(hello);
/// assert!(chunk.try_reset());
/// ```
pub struct Chunk {
    owner: Owner,
    start: NonNull<u8>,
    committed: usize,
    capacity: usize,
    /// References held beside the chunk's own, for slices to come: the count is another thread's as soon as that one
    /// drops slices, so it is touched once for many.
    prepaid: usize,
}

/// References taken at a time.
const BATCH: usize = 64;

impl Chunk {
    /// Memory for `bytes` bytes. It is zeroed once, here, and never again.
    pub fn with_capacity(bytes: usize) -> Chunk {
        let (owner, start) = Owner::zeroed::<CHUNK_OFFSET>(bytes);
        Chunk { owner, start, committed: 0, capacity: bytes, prepaid: 0 }
    }

    /// The same, and `None` if there is no memory for so many: for sizes that somebody else chose.
    pub fn try_with_capacity(bytes: usize) -> Option<Chunk> {
        let (owner, start) = Owner::try_zeroed::<CHUNK_OFFSET>(bytes)?;
        Some(Chunk { owner, start, committed: 0, capacity: bytes, prepaid: 0 })
    }

    /// The bytes not committed yet. What they hold is unspecified: zeros, or what an earlier use left there.
    #[inline]
    pub fn spare(&mut self) -> &mut [u8] {
        // SAFETY: the bytes from `committed` on belong to this unique end: no slice reaches past `committed`, and
        // `committed` goes back only when no slice is alive. They are initialised, by the zeroing or by an earlier use.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().add(self.committed), self.remaining()) }
    }

    /// Turns the first `n` bytes of [`spare`](Self::spare) into a slice of just these bytes.
    ///
    /// # Panics
    /// When `n` is more than [`remaining`](Self::remaining): nobody can have written so many.
    #[inline]
    pub fn commit(&mut self, n: usize) -> Slice {
        assert!(n <= self.remaining(), "more bytes were committed than the chunk had room for");
        // SAFETY: the chunk holds a reference, takes more with it, and gives one of those to the slice. Bytes below
        // `committed` are not written again while the slice holds it.
        unsafe {
            if self.prepaid == 0 {
                self.owner.retain(BATCH);
                self.prepaid = BATCH;
            }
            self.prepaid -= 1;
            let start = self.start.add(self.committed);
            self.committed += n;
            Slice::from_parts(self.owner, start, n, self.capacity <= returns::LARGEST)
        }
    }

    /// How many bytes may still be committed.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.capacity - self.committed
    }

    /// How many bytes there are in all.
    #[inline]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Starts again from the beginning if no slice is alive, and says whether it did. Nothing is freed or zeroed.
    #[inline]
    pub fn try_reset(&mut self) -> bool {
        returns::settle();
        // SAFETY: a chunk holds one reference and the prepaid ones.
        let unread = unsafe { self.owner.is_unique(1 + self.prepaid) };
        if unread {
            self.committed = 0;
        }
        unread
    }
}

/// Gives back the memory of received messages that this thread has dropped and not given back yet: of many small ones it does so for some at a time.
/// Nothing is lost without it: it is for a thread that goes to sleep.
///
/// ```
/// use serverlink_message::chunk::{self, Chunk};
///
/// let mut chunk = Chunk::with_capacity(1024);
/// let mut received = chunk.commit(9);
/// (0..3).for_each(|_| drop(received.split_to(3)));
/// chunk::settle();
/// ```
#[inline]
pub fn settle() {
    returns::settle();
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: these are all of the chunk's references; slices that are still alive have their own.
        unsafe { self.owner.release(1 + self.prepaid) };
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("committed", &self.committed).field("capacity", &self.capacity).finish()
    }
}

// SAFETY: the writing end is unique, so it may move to another thread; its memory is counted atomically.
unsafe impl Send for Chunk {}
// SAFETY: nothing can be written or read through `&Chunk`.
unsafe impl Sync for Chunk {}
