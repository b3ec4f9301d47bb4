//! The popping end.

use std::{fmt, ptr};

use super::{
    block::{Block, SLOTS},
    shared::Shared,
};
use crate::sync::{Arc, Ordering, spin_loop};

/// How often the published index is read before the producer's own line is disturbed.
const PATIENCE: u32 = if cfg!(loom) { 1 } else { 16 };

/// A look that finds so many values tells of a stream: the next look may be patient.
const STREAM: usize = if cfg!(loom) { 2 } else { 16 };

/// The popping end of a [ring](super). Dropping it drops what waits.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// The block of the value taken last; null before the first one.
    block: *mut Block<T>,
    /// Values taken so far. Counts go round; only their differences mean something.
    index: usize,
    /// Values known to be there.
    end: usize,
    /// Whether values came in numbers when they were last looked for.
    streaming: bool,
    /// Whose turn it is among the mailboxes for empty blocks.
    turn: usize,
    /// All the weight released so far; goes round.
    weight: usize,
}

impl<T> Consumer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Consumer<T> {
        Consumer { shared, block: ptr::null_mut(), index: 0, end: 0, streaming: false, turn: 0, weight: 0 }
    }

    /// Takes the value that waits longest, held ones too. `None` when there is none, which is final once
    /// [`is_producer_gone`](Self::is_producer_gone) was true *before* this call.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.index == self.end && !self.look() {
            return None;
        }
        if self.index.is_multiple_of(SLOTS) {
            self.enter_next_block();
        }
        // SAFETY: `look` acquired the count that includes this value, and the index grows below: it is taken once.
        let value = unsafe { (*self.block).read(self.index) };
        self.index = self.index.wrapping_add(1);
        self.shared.read.values.store(self.index, Ordering::Release);
        Some(value)
    }

    /// Takes the weight of a popped value off what waits. What a value weighs is between the two ends; see
    /// [`Producer::add_weight`](super::Producer::add_weight).
    #[inline]
    pub fn release_weight(&mut self, weight: usize) {
        self.weight = self.weight.wrapping_add(weight);
        self.shared.read.weight.store(self.weight, Ordering::Release);
    }

    /// Whether nothing waits, held values counted. Never waits for one, so it is the check to make before going to sleep.
    #[inline]
    pub fn is_empty(&mut self) -> bool {
        if self.index == self.end {
            self.end = self.shared.written.load(Ordering::Acquire);
        }
        self.index == self.end
    }

    /// How many values wait, held ones counted, as of now. The producer can only make it more.
    pub fn backlog(&self) -> usize {
        self.shared.written.load(Ordering::Acquire).wrapping_sub(self.index)
    }

    /// Whether the producer was dropped. It may have left values behind.
    #[inline]
    pub fn is_producer_gone(&self) -> bool {
        self.shared.is_producer_gone()
    }

    /// Asks the shared indices for more values; the published one first, so that a stream goes on undisturbed.
    #[inline(never)]
    fn look(&mut self) -> bool {
        let mut patience = if self.streaming { PATIENCE } else { 0 };
        let found = loop {
            let published = self.shared.published.load(Ordering::Acquire);
            let found = published.wrapping_sub(self.index);
            // Values that were found while held put the consumer ahead of `published`: the difference is negative then.
            if found as isize > 0 {
                break found;
            }
            if patience == 0 {
                break self.shared.written.load(Ordering::Acquire).wrapping_sub(self.index);
            }
            patience -= 1;
            spin_loop();
        };
        self.streaming = found >= STREAM;
        self.end = self.index.wrapping_add(found);
        found > 0
    }

    #[inline(never)]
    fn enter_next_block(&mut self) {
        let emptied = self.block;
        if emptied.is_null() {
            self.block = self.shared.first();
            return;
        }
        // SAFETY: the block is the consumer's until it is given back, and a value behind it means that it was linked.
        self.block = unsafe { (*emptied).next() };
        // SAFETY: its last value was taken, and the pointer to it was replaced above.
        unsafe { self.shared.recycle(emptied, &mut self.turn) };
    }
}

impl<T> Drop for Consumer<T> {
    /// Drops what waits now, because values may pin memory. What is pushed later goes with the ring.
    fn drop(&mut self) {
        self.shared.set_consumer_gone();
        let written = self.shared.written.load(Ordering::Acquire);
        let leaving = Leaving(self);
        while leaving.0.index != written {
            drop(leaving.0.pop());
        }
    }
}

/// Says where the consumer stood, also when dropping a value panics: the rest is dropped with the ring, each once.
struct Leaving<'a, T>(&'a mut Consumer<T>);

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        let Consumer { shared, block, .. } = &*self.0;
        if !block.is_null() {
            shared.leave_in(*block);
        }
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("popped", &self.index).finish_non_exhaustive()
    }
}

// SAFETY: the end is unique and its blocks are shared with the producer only by the protocol above; values come from the
// producer's thread, hence `T: Send`.
unsafe impl<T: Send> Send for Consumer<T> {}
// SAFETY: through `&Consumer` only atomics can be read.
unsafe impl<T: Send> Sync for Consumer<T> {}
