//! What the two ends of a ring share.

use std::{ops::Deref, ptr};

use super::block::{Block, END, VALUE, bytes_at, read_value};
use crate::sync::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Empty blocks that wait to be used again. More than these are freed, so that a burst does not hold its memory for ever.
const RECYCLED: usize = if cfg!(loom) { 2 } else { 8 };

pub(super) struct Shared<T> {
    /// Values the producer has announced: what the consumer polls. Written once for a batch.
    pub(super) published: Padded<Reached>,
    /// Values there are. Written at every push, read only when `published` says that there is nothing.
    pub(super) written: Padded<Reached>,
    /// Values taken. Written at every pop.
    pub(super) read: Padded<Taken>,
    rare: Padded<Rare<T>>,
}

/// How far the producer came, in one cache line.
pub(super) struct Reached {
    pub(super) values: AtomicUsize,
    /// All octets of blocks up to there, or up to a later value.
    pub(super) position: AtomicUsize,
}

impl Reached {
    fn nothing() -> Reached {
        Reached { values: AtomicUsize::new(0), position: AtomicUsize::new(0) }
    }
}

/// What the consumer writes at every pop, in one cache line.
pub(super) struct Taken {
    pub(super) values: AtomicUsize,
    /// See [`Consumer::release_weight`](super::Consumer::release_weight).
    pub(super) weight: AtomicUsize,
}

/// What is touched once for a block or for a lifetime.
struct Rare<T> {
    /// Where the list begins: set by the producer with its first value, and by the consumer when it goes.
    first: AtomicPtr<Block<T>>,
    /// Where in `first` the consumer stood when it went; null: at the beginning.
    left_at: AtomicPtr<u8>,
    /// Mailboxes for empty blocks, each filled by the consumer and emptied by the producer, both going round in order.
    recycled: [AtomicPtr<Block<T>>; RECYCLED],
    producer_gone: AtomicBool,
    consumer_gone: AtomicBool,
}

impl<T> Shared<T> {
    pub(super) fn new() -> Shared<T> {
        Shared {
            published: Padded(Reached::nothing()),
            written: Padded(Reached::nothing()),
            read: Padded(Taken { values: AtomicUsize::new(0), weight: AtomicUsize::new(0) }),
            rare: Padded(Rare {
                first: AtomicPtr::new(ptr::null_mut()),
                left_at: AtomicPtr::new(ptr::null_mut()),
                recycled: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
                producer_gone: AtomicBool::new(false),
                consumer_gone: AtomicBool::new(false),
            }),
        }
    }

    /// Ordered by the index that made the first value visible, hence relaxed.
    pub(super) fn first(&self) -> *mut Block<T> {
        self.rare.first.load(Ordering::Relaxed)
    }

    pub(super) fn set_first(&self, block: *mut Block<T>) {
        self.rare.first.store(block, Ordering::Relaxed);
    }

    /// Consumer: leaves the block it stands in, and the rest of it, to whoever drops the ring.
    pub(super) fn leave_at(&self, block: *mut Block<T>, at: *mut u8) {
        self.set_first(block);
        self.rare.left_at.store(at, Ordering::Relaxed);
    }

    /// Consumer: gives an empty block back, or frees it when enough of them wait. `turn` is the consumer's own.
    ///
    /// # Safety
    /// All values of `block` were taken, and the caller uses it no more.
    pub(super) unsafe fn recycle(&self, block: *mut Block<T>, turn: &mut usize) {
        let mailbox = &self.rare.recycled[*turn % RECYCLED];
        // Acquire: the producer is done with the block it took from here before this one is put in its place.
        if mailbox.load(Ordering::Acquire).is_null() {
            // Release: the values were moved out before the producer writes new ones.
            mailbox.store(block, Ordering::Release);
            *turn = turn.wrapping_add(1);
        } else {
            // SAFETY: the caller's promise; the producer moved on to a later block long ago.
            unsafe { Block::free(block) };
        }
    }

    /// Producer: an unlinked block, used before if there is one. `turn` is the producer's own, `before` the size of its last block.
    pub(super) fn fresh_block(&self, turn: &mut usize, before: usize) -> *mut Block<T> {
        let mailbox = &self.rare.recycled[*turn % RECYCLED];
        let block = mailbox.load(Ordering::Acquire);
        if block.is_null() {
            return Block::allocate(before);
        }
        mailbox.store(ptr::null_mut(), Ordering::Release);
        *turn = turn.wrapping_add(1);
        // SAFETY: the consumer gave this block away and keeps no pointer to it.
        if !unsafe { (*block).is_unread() } {
            // SAFETY: as above. Its bytes stay for whoever still reads them.
            unsafe { Block::free(block) };
            return Block::allocate(before);
        }
        // SAFETY: as above.
        unsafe { (*block).set_next(ptr::null_mut()) };
        block
    }

    /// Release: whoever sees an end gone sees everything it did.
    pub(super) fn set_producer_gone(&self) {
        self.rare.producer_gone.store(true, Ordering::Release);
    }

    pub(super) fn is_producer_gone(&self) -> bool {
        self.rare.producer_gone.load(Ordering::Acquire)
    }

    pub(super) fn set_consumer_gone(&self) {
        self.rare.consumer_gone.store(true, Ordering::Release);
    }

    pub(super) fn is_consumer_gone(&self) -> bool {
        self.rare.consumer_gone.load(Ordering::Acquire)
    }
}

impl<T> Drop for Shared<T> {
    /// Both ends are gone. Drops the values that nobody took and frees every block.
    fn drop(&mut self) {
        let written = self.written.values.load(Ordering::Relaxed);
        let mut index = self.read.values.load(Ordering::Relaxed);
        let mut block = self.first();
        let mut at = self.rare.left_at.load(Ordering::Relaxed);
        if at.is_null() && !block.is_null() {
            // SAFETY: the first block is in the list.
            at = unsafe { (*block).start() }.as_ptr();
        }
        while index != written {
            // SAFETY: there is a record that was counted, here or in the next block.
            match unsafe { at.read() } {
                END => {
                    // SAFETY: behind the end the producer has linked the next block. Both ends are gone and this one's values were taken.
                    unsafe {
                        let next = (*block).next();
                        Block::free(block);
                        block = next;
                        at = (*block).start().as_ptr();
                    }
                    continue;
                }
                VALUE => {
                    // SAFETY: the value was counted and not taken.
                    let (value, len) = unsafe { read_value::<T>(at) };
                    // SAFETY: behind it there is at least the octet that ends the block.
                    at = unsafe { at.add(len) };
                    drop(value);
                }
                kind => {
                    // SAFETY: bytes were counted.
                    let (header_len, len) = unsafe { bytes_at(at, kind) };
                    // SAFETY: as above.
                    at = unsafe { at.add(header_len + len) };
                }
            }
            index = index.wrapping_add(1);
        }
        while !block.is_null() {
            // SAFETY: both ends are gone and all values were taken.
            unsafe {
                let next = (*block).next();
                Block::free(block);
                block = next;
            }
        }
        for mailbox in &self.rare.recycled {
            let block = mailbox.load(Ordering::Acquire);
            if !block.is_null() {
                // SAFETY: both ends are gone; blocks in mailboxes are in no list.
                unsafe { Block::free(block) };
            }
        }
    }
}

/// A value alone on its cache lines: two of them, since processors fetch them in pairs.
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

impl<T> Deref for Padded<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}
