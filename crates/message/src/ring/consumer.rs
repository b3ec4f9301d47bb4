//! The popping end.

use std::{fmt, ptr, slice};

use super::{
    block::{Block, END, HEADER, Header, VALUE, read_header, read_value, record_len, share_bytes},
    shared::Shared,
};
use crate::sync::{Arc, Ordering, spin_loop};
use crate::{Message, Part};

/// How often the published index is read before the producer's own line is disturbed.
const PATIENCE: u32 = if cfg!(loom) { 1 } else { 16 };

/// A look that finds so many values tells of a stream: the next look may be patient.
const STREAM: usize = if cfg!(loom) { 2 } else { 16 };

/// References to a block that are bought at a time, for slices of its bytes.
const BATCH: usize = 64;

/// Stands for the block before the first one.
static NOTHING: Header = END;

/// The popping end of a [ring](super). Dropping it drops what waits.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// The block of the value taken last; null before the first one.
    block: *mut Block<T>,
    /// Where the next record is, if it is in this block.
    at: *mut u8,
    /// References to the block's memory held for slices to come.
    prepaid: usize,
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
        let at = ptr::from_ref(&NOTHING).cast_mut().cast();
        let (block, index, end) = (ptr::null_mut(), 0, 0);
        Consumer { shared, block, at, prepaid: 0, index, end, streaming: false, turn: 0, weight: 0 }
    }

    /// Takes the value that waits longest, held ones too. `None` when there is none, which is final once
    /// [`is_producer_gone`](Self::is_producer_gone) was true *before* this call.
    ///
    /// # Panics
    /// Where bytes wait: see [`pop_into`](Consumer::pop_into).
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let header = self.next_header()?;
        assert!(header == VALUE, "a ring of bytes is read with `pop_into`");
        // SAFETY: `next_header` found a value here, and steps over it below: it is taken once.
        let value = unsafe { read_value(self.at) };
        self.step(size_of::<T>());
        Some(value)
    }

    /// Takes what waits longest, and drops it.
    fn discard(&mut self) {
        match self.next_header() {
            Some(VALUE) => drop(self.pop()),
            Some(len) => self.step(len as usize),
            None => {}
        }
    }

    /// What the next record is, which `at` points to then.
    #[inline(always)]
    fn next_header(&mut self) -> Option<Header> {
        if self.index == self.end && !self.look() {
            return None;
        }
        self.note_read();
        // SAFETY: `look` acquired the count that includes the record behind the last one, or else in the next block.
        let mut header = unsafe { read_header(self.at) };
        if header == END {
            self.enter_next_block();
            self.note_read();
            // SAFETY: as above; a block is entered for a record at its beginning.
            header = unsafe { read_header(self.at) };
        }
        Some(header)
    }

    /// Behind a record.
    #[inline(always)]
    fn step(&mut self, body_len: usize) {
        // SAFETY: behind a record there is always room for the header of the next one.
        self.at = unsafe { self.at.add(record_len(body_len)) };
        self.index = self.index.wrapping_add(1);
        self.shared.read.values.store(self.index, Ordering::Release);
    }

    #[inline(always)]
    fn note_read(&self) {
        if cfg!(loom) && !self.block.is_null() {
            // SAFETY: the consumer's block lives until it is given back.
            let block = unsafe { &*self.block };
            block.note_read(self.at.addr() - block.start().as_ptr().addr());
        }
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
        } else {
            self.return_references();
            // SAFETY: the block is the consumer's until it is given back, and a record behind it means that it was linked.
            self.block = unsafe { (*emptied).next() };
            // SAFETY: its last record was taken, and the pointer to it was replaced above.
            unsafe { self.shared.recycle(emptied, &mut self.turn) };
        }
        // SAFETY: the block is linked, and the consumer's from now on.
        self.at = unsafe { (*self.block).start() }.as_ptr();
    }

    /// Those that were bought for slices which were not made.
    fn return_references(&mut self) {
        if self.prepaid > 0 {
            // SAFETY: they are the consumer's, and the block holds one more.
            unsafe { (*self.block).memory().release(self.prepaid) };
            self.prepaid = 0;
        }
    }
}

impl Consumer<Message> {
    /// Takes the message that waits longest, held ones too, and says how many bytes it has. `None`: there is none, and `into` is as it was. What
    /// was pushed as [bytes](super::Producer::try_push_bytes) becomes a message of one part; more bytes than a part has room for in place
    /// stay where they are, and pin a block of the ring (32 KiB at most) until they are dropped or [detached](Part::detach).
    ///
    /// ```
    /// use serverlink_message::{Message, ring};
    ///
    /// let (mut producer, mut consumer) = ring::channel::<Message>();
    /// assert!(producer.try_push_bytes(b"hello", 1000).is_ok());
    /// let mut message = Message::new();
    /// assert_eq!(consumer.pop_into(&mut message), Some(5));
    /// assert_eq!(message[0], "hello");
    /// ```
    #[expect(clippy::inline_always, reason = "a call would move the message once more")]
    #[inline(always)]
    pub fn pop_into(&mut self, into: &mut Message) -> Option<usize> {
        let header = self.next_header()?;
        if header == VALUE {
            return Some(self.take_value(into));
        }
        let len = header as usize;
        if len > Part::INLINE_MAX {
            if self.prepaid == 0 {
                self.buy_references();
            }
            self.prepaid -= 1;
            // SAFETY: one of the bought references is given up, and the record was written before it was counted.
            *into = Message::from(Part::from(unsafe { share_bytes((*self.block).memory(), self.at, len) }));
        } else {
            // SAFETY: so many bytes are in the record.
            let bytes = unsafe { slice::from_raw_parts(self.at.add(HEADER), len) };
            *into = Message::from(Part::copy_from(bytes));
        }
        self.step(len);
        Some(len)
    }

    #[inline(never)]
    fn take_value(&mut self, into: &mut Message) -> usize {
        // SAFETY: the caller found a value here, and it is stepped over below.
        *into = unsafe { read_value(self.at) };
        self.step(size_of::<Message>());
        into.len_bytes()
    }

    #[inline(never)]
    fn buy_references(&mut self) {
        // SAFETY: the consumer's block holds a reference.
        unsafe { (*self.block).memory().retain(BATCH) };
        self.prepaid = BATCH;
    }
}

impl<T> Drop for Consumer<T> {
    /// Drops what waits now, because values may pin memory. What is pushed later goes with the ring.
    fn drop(&mut self) {
        self.shared.set_consumer_gone();
        let written = self.shared.written.load(Ordering::Acquire);
        let leaving = Leaving(self);
        while leaving.0.index != written {
            leaving.0.discard();
        }
    }
}

/// Says where the consumer stood, also when dropping a value panics: the rest is dropped with the ring, each once.
struct Leaving<'a, T>(&'a mut Consumer<T>);

impl<T> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        self.0.return_references();
        let Consumer { shared, block, at, .. } = &*self.0;
        if !block.is_null() {
            shared.leave_at(*block, *at);
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
