//! A run of slots in the linked list that stores a ring's values.

use std::{mem::MaybeUninit, ptr};

use crate::sync::{AtomicPtr, Ordering, UnsafeCell};

/// Slots in a block. A power of two, so that wrapping indices still name the right slot. Small under loom, which tries
/// every interleaving.
pub(super) const SLOTS: usize = if cfg!(loom) { 2 } else { 64 };

pub(super) struct Block<T> {
    /// The block after this one; null while this is the last.
    next: AtomicPtr<Block<T>>,
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
}

impl<T> Block<T> {
    /// A new block on the heap, not linked.
    pub(super) fn allocate() -> *mut Block<T> {
        Box::into_raw(Box::new(Block {
            next: AtomicPtr::new(ptr::null_mut()),
            slots: std::array::from_fn(|_| UnsafeCell::new(MaybeUninit::uninit())),
        }))
    }

    /// # Safety
    /// `block` came from [`allocate`](Self::allocate), its values were taken, and nobody uses it any more.
    pub(super) unsafe fn free(block: *mut Block<T>) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(block) });
    }

    /// Ordered by the index that made the value behind it visible, hence relaxed.
    #[inline]
    pub(super) fn next(&self) -> *mut Block<T> {
        self.next.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_next(&self, next: *mut Block<T>) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// # Safety
    /// The slot of `index` is empty, and only the producer calls this.
    #[inline]
    pub(super) unsafe fn write(&self, index: usize, value: T) {
        // SAFETY: the consumer reads this slot only after the producer has counted it.
        self.slots[index % SLOTS].with_mut(|slot| unsafe { (*slot).write(value) });
    }

    /// # Safety
    /// The slot of `index` holds a value that the producer has counted; it is taken once, and only by the consumer.
    #[inline]
    pub(super) unsafe fn read(&self, index: usize) -> T {
        // SAFETY: the producer writes this slot again only after the consumer has given the whole block back.
        self.slots[index % SLOTS].with(|slot| unsafe { (*slot).assume_init_read() })
    }
}
