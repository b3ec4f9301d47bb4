//! A run of memory in the linked list that stores what a ring holds: records, one behind the other.
//!
//! A record is a header of eight octets and what it announces: a value, or so many bytes. What would not fit any more goes into the next
//! block, behind a header that says so.

use std::{marker::PhantomData, ptr, ptr::NonNull};

use crate::chunk::Slice;
use crate::copy::copy_short;
use crate::owner::{CHUNK_OFFSET, Owner};
#[cfg(loom)]
use crate::sync::UnsafeCell;
use crate::sync::{AtomicPtr, Ordering};

/// What is in front of a record. Everything lies at a multiple of it.
pub(super) const HEADER: usize = size_of::<Header>();

/// More bytes than these are not copied into a ring.
pub(super) const LONGEST_BYTES: usize = 2048;

/// The first block of a ring is small, because most rings are quiet; each one after it is twice as large, up to a limit that fits into a
/// processor's cache.
const FIRST: usize = 4 * 1024 - CHUNK_OFFSET;
const LARGEST: usize = 32 * 1024 - CHUNK_OFFSET;

pub(super) type Header = u64;

/// No record follows in this block.
pub(super) const END: Header = Header::MAX;
/// A value follows. Everything below is a number of bytes.
pub(super) const VALUE: Header = Header::MAX - 1;

pub(super) struct Block<T> {
    /// The block after this one; null while this is the last.
    next: AtomicPtr<Block<T>>,
    memory: Owner,
    start: NonNull<u8>,
    capacity: usize,
    /// By these loom sees who is at which place.
    #[cfg(loom)]
    cells: Vec<UnsafeCell<()>>,
    holds: PhantomData<T>,
}

/// How far a record with so much behind its header reaches.
#[inline(always)]
pub(super) const fn record_len(body_len: usize) -> usize {
    HEADER + body_len.next_multiple_of(HEADER)
}

impl<T> Block<T> {
    const FITS: () = assert!(
        align_of::<T>() <= HEADER && CHUNK_OFFSET.is_multiple_of(HEADER) && size_of::<T>() <= LONGEST_BYTES
    );

    /// A new block on the heap, not linked. `before`: how large the one before it is.
    pub(super) fn allocate(before: usize) -> *mut Block<T> {
        const { Self::FITS };
        let capacity = match cfg!(loom) {
            // Two values, so that few steps meet everything that can happen.
            true => 2 * record_len(size_of::<T>()) + HEADER,
            false => (2 * (before + CHUNK_OFFSET) - CHUNK_OFFSET).clamp(FIRST, LARGEST),
        };
        let (memory, start) = Owner::zeroed::<CHUNK_OFFSET>(capacity);
        Box::into_raw(Box::new(Block {
            next: AtomicPtr::new(ptr::null_mut()),
            memory,
            start,
            capacity,
            #[cfg(loom)]
            cells: (0..capacity / HEADER).map(|_| UnsafeCell::new(())).collect(),
            holds: PhantomData,
        }))
    }

    /// # Safety
    /// `block` came from [`allocate`](Self::allocate), its values were taken, and nobody uses it any more. Slices of its bytes may live on.
    pub(super) unsafe fn free(block: *mut Block<T>) {
        // SAFETY: the caller's promise.
        let block = unsafe { Box::from_raw(block) };
        // SAFETY: this is the block's own reference; slices have theirs.
        unsafe { block.memory.release(1) };
    }

    /// Whether no slice of its bytes is alive, so that they may be written again.
    pub(super) fn is_unread(&self) -> bool {
        // SAFETY: a block that is not being read holds one reference.
        unsafe { self.memory.is_unique(1) }
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn memory(&self) -> Owner {
        self.memory
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Ordered by the index that made the record behind it visible, hence relaxed.
    #[inline]
    pub(super) fn next(&self) -> *mut Block<T> {
        self.next.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_next(&self, next: *mut Block<T>) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// Somebody writes the record at this place.
    #[inline(always)]
    pub(super) fn note_write(&self, _offset: usize) {
        #[cfg(loom)]
        self.cells[_offset / HEADER].with_mut(|_| ());
    }

    /// Somebody reads it.
    #[inline(always)]
    pub(super) fn note_read(&self, _offset: usize) {
        #[cfg(loom)]
        self.cells[_offset / HEADER].with(|_| ());
    }
}

/// # Safety
/// `at` is a record's place with room for a value, in memory that nobody else reads or writes.
#[inline(always)]
pub(super) unsafe fn write_value<T>(at: *mut u8, value: T) {
    // SAFETY: the caller's promise. Places are multiples of eight, and no value needs more (`Block::FITS`).
    unsafe {
        at.cast::<Header>().write(VALUE);
        at.add(HEADER).cast::<T>().write(value);
    }
}

/// # Safety
/// As for [`write_value`], with room for these bytes.
#[inline(always)]
pub(super) unsafe fn write_bytes(at: *mut u8, bytes: &[u8]) {
    // SAFETY: the caller's promise; what nobody else knows cannot overlap `bytes`.
    unsafe {
        at.cast::<Header>().write(bytes.len() as Header);
        copy_short(bytes.as_ptr(), at.add(HEADER), bytes.len());
    }
}

/// # Safety
/// `at` is a place at which a header was written, which happened before.
#[inline(always)]
pub(super) unsafe fn read_header(at: *const u8) -> Header {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<Header>().read() }
}

/// # Safety
/// A value was written at `at`, and is read once.
#[inline(always)]
pub(super) unsafe fn read_value<T>(at: *const u8) -> T {
    // SAFETY: the caller's promise.
    unsafe { at.add(HEADER).cast::<T>().read() }
}

/// # Safety
/// The caller gives up one reference to `memory`, in which so many bytes were written at `at`.
#[inline(always)]
pub(super) unsafe fn share_bytes(memory: Owner, at: *mut u8, len: usize) -> Slice {
    // SAFETY: the caller's promise: a place is within its memory and not null. Nobody writes a block again that has slices.
    unsafe { Slice::from_parts(memory, NonNull::new_unchecked(at.add(HEADER)), len) }
}
