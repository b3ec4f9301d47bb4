//! The popping end.

use std::{fmt, ptr, slice};

use super::{
    block::{Block, END, SHORT, SHORT_HEADER, VALUE, bytes_at, read_value, share_bytes},
    shared::Shared,
};
use crate::sync::{Arc, Ordering, spin_loop};
use crate::{Message, Part, chunk::Slice};

/// How often the published index is read, while a stream goes on, for another number of values, before the producer's own line is disturbed.
const PATIENCE: u32 = if cfg!(loom) { 1 } else { 16 };

/// How long it is left alone in between: each look has both processors fetch its line.
const PAUSE: u32 = if cfg!(loom) { 1 } else { 4 };

/// A look that finds so many values tells of a stream: the next look may be patient.
const STREAM: usize = if cfg!(loom) { 2 } else { 16 };

/// References to a block that are bought at a time, for slices of its bytes.
const BATCH: usize = 64;

/// Stands for the block before the first one.
static NOTHING: u8 = END;

/// The popping end of a [ring](super). Dropping it drops what waits.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// The block of the value taken last; null before the first one.
    block: *mut Block<T>,
    /// Where the next record is, if it is in this block.
    at: *mut u8,
    /// References to the block's memory held for slices to come.
    prepaid: usize,
    /// All octets of blocks up to the end of this one, and up to the last value known to be there; both go round.
    block_end: usize,
    position: usize,
    /// How many bytes were lent.
    lent: usize,
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
        Consumer {
            shared,
            block: ptr::null_mut(),
            at,
            prepaid: 0,
            block_end: 0,
            position: 0,
            lent: 0,
            index: 0,
            end: 0,
            streaming: false,
            turn: 0,
            weight: 0,
        }
    }

    /// Takes the value that waits longest, held ones too. `None` when there is none, which is final once
    /// [`is_producer_gone`](Self::is_producer_gone) was true *before* this call.
    ///
    /// # Panics
    /// Where bytes wait: see [`pop_into`](Consumer::pop_into).
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let kind = self.next_kind()?;
        assert!(kind == VALUE, "a ring of bytes is read with `pop_into`");
        // SAFETY: `next_kind` found a value here, and it is stepped over below: it is taken once.
        let (value, len) = unsafe { read_value(self.at) };
        self.step(len);
        Some(value)
    }

    /// Takes what waits longest, and drops it.
    fn discard(&mut self) {
        match self.next_kind() {
            Some(VALUE) => drop(self.pop()),
            Some(kind) => {
                // SAFETY: `next_kind` found bytes here.
                let (header_len, len) = unsafe { bytes_at(self.at, kind) };
                self.step(header_len + len);
            }
            None => {}
        }
    }

    /// What the next record is, which `at` points to then.
    #[inline(always)]
    fn next_kind(&mut self) -> Option<u8> {
        if self.index == self.end && !self.look() {
            return None;
        }
        self.note_read();
        // SAFETY: `look` acquired the count that includes the record behind the last one, or else in the next block.
        let mut kind = unsafe { self.at.read() };
        if kind == END {
            self.enter_next_block();
            self.note_read();
            // SAFETY: as above; a block is entered for a record at its beginning.
            kind = unsafe { self.at.read() };
        }
        Some(kind)
    }

    /// Behind a record.
    #[inline(always)]
    fn step(&mut self, len: usize) {
        // SAFETY: behind a record there is at least the octet that ends the block.
        self.at = unsafe { self.at.add(len) };
        self.index = self.index.wrapping_add(1);
        self.shared.read.values.store(self.index, Ordering::Release);
    }

    /// How many values are known to wait. There may be more.
    #[inline]
    pub fn known(&self) -> usize {
        self.end.wrapping_sub(self.index)
    }

    /// Lends the bytes of records that are known to wait and lie in one piece, at most so many. None: take the next value, then ask again.
    ///
    /// Short bytes (255 at most) lie there as ZMTP frames them: an octet 0, their number in an octet, and they themselves. Whoever cuts such
    /// frames off the front may go on until there is anything else, [`known`](Self::known) values were cut, or the slice ends. They count as
    /// waiting until [`take_back`](Self::take_back), before which nothing else may be done with this end. What is cut shares the memory.
    pub fn lend(&mut self, most_bytes: usize) -> Slice {
        if self.known() == 0 || self.block.is_null() {
            return Slice::new();
        }
        // SAFETY: the consumer's block lives until it is given back.
        let block = unsafe { &*self.block };
        let left = block.start().as_ptr().addr() + block.capacity() - self.at.addr();
        let known = self.position.wrapping_sub(self.block_end.wrapping_sub(left));
        self.lent = known.min(left).min(most_bytes);
        self.pay_reference();
        if cfg!(loom) {
            let from = block.capacity() - left;
            (from..from + self.lent).for_each(|offset| block.note_read(offset));
        }
        // SAFETY: a bought reference is given up. The producer wrote all up to `position` before it said so, or is in a later block and writes
        // no more to this one; what lies behind the last record, or pads a value, was zeroed or written once, and nobody looks behind
        // the first octet that is no short frame's.
        unsafe { share_bytes(block.memory(), self.at, self.lent) }
    }

    /// Takes back what was [lent](Self::lend) but for the last `rest` bytes, and says how many values were cut off before those.
    ///
    /// # Panics
    /// Where that is no number of whole short frames, or more than were known.
    pub fn take_back(&mut self, rest: usize) -> usize {
        let cut = std::mem::take(&mut self.lent).checked_sub(rest).expect("no more comes back than was lent");
        let (mut passed, mut values) = (0, 0);
        while passed < cut {
            assert!(values < self.known(), "no more is cut than is known");
            // SAFETY: a known record lies here, or the octet behind which it is in the next block.
            let kind = unsafe { self.at.add(passed).read() };
            assert!(kind == SHORT, "only short frames are cut");
            // SAFETY: it is a short one, so this octet is its own.
            let len = unsafe { self.at.add(passed + 1).read() };
            passed += SHORT_HEADER + usize::from(len);
            values += 1;
        }
        assert!(passed == cut && values <= self.known(), "whole frames are cut, and no more than are known");
        // SAFETY: it was lent, and so is within the block.
        self.at = unsafe { self.at.add(cut) };
        self.index = self.index.wrapping_add(values);
        self.shared.read.values.store(self.index, Ordering::Release);
        values
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
            self.end = self.shared.written.values.load(Ordering::Acquire);
            self.position = self.shared.written.position.load(Ordering::Acquire);
        }
        self.index == self.end
    }

    /// How many values wait, held ones counted, as of now. The producer can only make it more.
    pub fn backlog(&self) -> usize {
        self.shared.written.values.load(Ordering::Acquire).wrapping_sub(self.index)
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
        let mut before = 0;
        let Shared { published, written, .. } = &*self.shared;
        let (found, reached) = loop {
            let found = published.values.load(Ordering::Acquire).wrapping_sub(self.index);
            // Who takes each value of a stream as it comes has both processors fetch every line from each other.
            let enough = if patience > 0 { STREAM as isize } else { 1 };
            // Values that were found while held put the consumer ahead of `published`: the difference is negative then.
            if found as isize >= enough {
                break (found, published);
            }
            if patience == 0 {
                break (written.values.load(Ordering::Acquire).wrapping_sub(self.index), written);
            }
            // They come: the rest of them is worth waiting for.
            patience = if found == before { patience - 1 } else { PATIENCE };
            before = found;
            (0..PAUSE).for_each(|_| spin_loop());
        };
        // Behind the values: it is theirs or that of later ones.
        self.position = reached.position.load(Ordering::Acquire);
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
        let block = unsafe { &*self.block };
        self.at = block.start().as_ptr();
        self.block_end = self.block_end.wrapping_add(block.capacity());
    }

    /// One reference for a slice, out of those that are bought.
    #[inline(always)]
    fn pay_reference(&mut self) {
        if self.prepaid == 0 {
            self.buy_references();
        }
        self.prepaid -= 1;
    }

    #[inline(never)]
    fn buy_references(&mut self) {
        // SAFETY: the consumer's block holds a reference.
        unsafe { (*self.block).memory().retain(BATCH) };
        self.prepaid = BATCH;
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
        let kind = self.next_kind()?;
        if kind == VALUE {
            return Some(self.take_value(into));
        }
        // SAFETY: `next_kind` found bytes here.
        let (header_len, len) = unsafe { bytes_at(self.at, kind) };
        // SAFETY: they are behind their header.
        let start = unsafe { self.at.add(header_len) };
        if len > Part::INLINE_MAX {
            self.pay_reference();
            // SAFETY: one of the bought references is given up, and the bytes were written before they were counted.
            let bytes = unsafe { share_bytes((*self.block).memory(), start, len) };
            *into = Message::from(Part::from(bytes));
        } else {
            // SAFETY: so many bytes were written there.
            let bytes = unsafe { slice::from_raw_parts(start, len) };
            *into = Message::from(Part::copy_from(bytes));
        }
        self.step(header_len + len);
        Some(len)
    }

    #[inline(never)]
    fn take_value(&mut self, into: &mut Message) -> usize {
        // SAFETY: the caller found a value here, and it is stepped over below.
        let (message, len) = unsafe { read_value::<Message>(self.at) };
        // Before what `into` held is dropped, which may unwind.
        self.step(len);
        *into = message;
        into.len_bytes()
    }
}

impl<T> Drop for Consumer<T> {
    /// Drops what waits now, because values may pin memory. What is pushed later goes with the ring.
    fn drop(&mut self) {
        self.shared.set_consumer_gone();
        let written = self.shared.written.values.load(Ordering::Acquire);
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
