//! A run of memory in the linked list that stores what a ring holds: records, one behind the other.
//!
//! A record is an octet that says what it is and what follows: a value, or bytes with their number in one octet or in eight. So a
//! message of one short part lies there as its frame does on a wire, and is cut out in the same way ([`Consumer::lend`](super::Consumer::lend)).
//! What would not fit any more goes into the next block, behind an octet that says so.

use std::{marker::PhantomData, ptr, ptr::NonNull};

use crate::chunk::Slice;
use crate::copy::copy_short;
use crate::owner::{CHUNK_OFFSET, Owner};
#[cfg(loom)]
use crate::sync::UnsafeCell;
use crate::sync::{AtomicPtr, Ordering};

/// More bytes than these are not copied into a ring.
pub(super) const LONGEST_BYTES: usize = 2048;

/// The first block of a ring is small, because most rings are quiet; each one after it is twice as large, up to a limit that fits into a
/// processor's cache.
const FIRST: usize = 4 * 1024 - CHUNK_OFFSET;
const LARGEST: usize = 32 * 1024 - CHUNK_OFFSET;

/// What a record is. Bytes, and their number in an octet.
pub(super) const SHORT: u8 = 0;
/// Bytes, and their number in eight octets, the greatest first.
pub(super) const LONG: u8 = 2;
/// A value, at the next place that suits it.
pub(super) const VALUE: u8 = 0x80;
/// No record follows in this block.
pub(super) const END: u8 = 0xff;

/// What is in front of bytes.
pub(super) const SHORT_HEADER: usize = 2;
const LONG_HEADER: usize = 9;

/// Every value is content with that.
const ALIGN: usize = 8;

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

/// How much room a record of so many bytes takes.
#[inline(always)]
pub(super) const fn bytes_space(len: usize) -> usize {
    len + if len <= u8::MAX as usize { SHORT_HEADER } else { LONG_HEADER }
}

/// The same of a value, at most.
pub(super) const fn value_space<T>() -> usize {
    ALIGN + size_of::<T>()
}

impl<T> Block<T> {
    const FITS: () = assert!(
        align_of::<T>() <= ALIGN && value_space::<T>() <= FIRST && LONGEST_BYTES + LONG_HEADER < FIRST
    );

    /// A new block on the heap, not linked. `before`: how large the one before it is.
    pub(super) fn allocate(before: usize) -> *mut Block<T> {
        const { Self::FITS };
        let capacity = match cfg!(loom) {
            // Two values, so that few steps meet everything that can happen.
            true => 2 * value_space::<T>() + 1,
            false => (2 * (before + CHUNK_OFFSET) - CHUNK_OFFSET).clamp(FIRST, LARGEST),
        };
        let (memory, start) = Owner::zeroed::<CHUNK_OFFSET>(capacity);
        Box::into_raw(Box::new(Block {
            next: AtomicPtr::new(ptr::null_mut()),
            memory,
            start,
            capacity,
            #[cfg(loom)]
            cells: (0..capacity).map(|_| UnsafeCell::new(())).collect(),
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
        self.cells[_offset].with_mut(|_| ());
    }

    /// Somebody reads it.
    #[inline(always)]
    pub(super) fn note_read(&self, _offset: usize) {
        #[cfg(loom)]
        self.cells[_offset].with(|_| ());
    }
}

/// Where the value of a record lies.
///
/// # Safety
/// The record is within its block.
#[inline(always)]
unsafe fn value_at<T>(at: *mut u8) -> *mut T {
    let skipped = (at.addr() + 1).next_multiple_of(ALIGN) - at.addr();
    // SAFETY: the caller's promise.
    unsafe { at.add(skipped).cast() }
}

/// Gives how long the record is.
///
/// # Safety
/// `at` has room for a value ([`value_space`]), in memory that nobody else reads or writes.
#[inline(always)]
pub(super) unsafe fn write_value<T>(at: *mut u8, value: T) -> usize {
    // SAFETY: the caller's promise. No value needs a better place (`Block::FITS`).
    unsafe {
        let place = value_at::<T>(at);
        at.write(VALUE);
        place.write(value);
        place.add(1).addr() - at.addr()
    }
}

/// Gives how long the record is.
///
/// # Safety
/// As for [`write_value`], with room for these bytes ([`bytes_space`]).
#[inline(always)]
pub(super) unsafe fn write_bytes(at: *mut u8, bytes: &[u8]) -> usize {
    // SAFETY: the caller's promise; what nobody else knows cannot overlap `bytes`.
    unsafe {
        if let Ok(len) = u8::try_from(bytes.len()) {
            at.cast::<[u8; 2]>().write([SHORT, len]);
            copy_short(bytes.as_ptr(), at.add(SHORT_HEADER), bytes.len());
            return SHORT_HEADER + bytes.len();
        }
        at.write(LONG);
        at.add(1).cast::<[u8; 8]>().write((bytes.len() as u64).to_be_bytes());
        at.add(LONG_HEADER).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        LONG_HEADER + bytes.len()
    }
}

/// # Safety
/// A value was written at `at`, which happened before, and is read once. Gives how long the record is as well.
#[inline(always)]
pub(super) unsafe fn read_value<T>(at: *mut u8) -> (T, usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let place = value_at::<T>(at);
        (place.read(), place.add(1).addr() - at.addr())
    }
}

/// How long the header and the bytes of a record are.
///
/// # Safety
/// Bytes were written at `at`, which happened before; `kind` says in which form.
#[inline(always)]
pub(super) unsafe fn bytes_at(at: *mut u8, kind: u8) -> (usize, usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match kind {
            SHORT => (SHORT_HEADER, usize::from(at.add(1).read())),
            _ => (LONG_HEADER, u64::from_be_bytes(at.add(1).cast::<[u8; 8]>().read()) as usize),
        }
    }
}

/// # Safety
/// The caller gives up one reference to `memory`, in which so many bytes were written at `at`.
#[inline(always)]
pub(super) unsafe fn share_bytes(memory: Owner, at: *mut u8, len: usize) -> Slice {
    // SAFETY: the caller's promise: a place is within its memory and not null. Nobody writes a block again that has slices.
    unsafe { Slice::from_parts(memory, NonNull::new_unchecked(at), len, true) }
}
