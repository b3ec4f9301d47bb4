//! The pushing end.

use std::{fmt, ptr};

use super::{
    block::{Block, END, LONGEST_BYTES, bytes_space, value_space, write_bytes, write_value},
    shared::Shared,
};
use crate::Message;
use crate::sync::{Arc, Ordering};

/// Most values in a row that are held before the index which the consumer polls moves again.
const BATCH: usize = if cfg!(loom) { 2 } else { 64 };

/// What became of a pushed value. It is in the queue either way, and [`Consumer::pop`](super::Consumer::pop) finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The consumer sees it where it polls, together with all that was held before.
    Published,
    /// The consumer had a backlog when it was last looked at, and finds this value when that is done.
    Held,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The pushing end of a [ring](super). Dropping it leaves what was pushed to the consumer.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    /// The block the next record goes into if it fits; null before the first.
    block: *mut Block<T>,
    /// Where it goes.
    at: *mut u8,
    /// What is left of the block behind that, without the octet that ends it.
    left: usize,
    /// All octets of blocks that lie before that; goes round.
    position: usize,
    /// Values pushed so far. Counts go round; only their differences mean something.
    index: usize,
    /// The consumer's index when it was last looked at.
    read: usize,
    published: usize,
    /// How many values may still be held before the next is published.
    holdable: usize,
    /// Whose turn it is among the mailboxes for empty blocks.
    turn: usize,
    /// All the weight added so far; goes round.
    weight: usize,
    /// The consumer's when it was last looked at.
    released: usize,
}

impl<T> Producer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Producer<T> {
        Producer {
            shared,
            block: ptr::null_mut(),
            at: ptr::null_mut(),
            left: 0,
            position: 0,
            index: 0,
            read: 0,
            published: 0,
            holdable: 0,
            turn: 0,
            weight: 0,
            released: 0,
        }
    }

    /// Pushes `value` unless `limit` values wait already; `usize::MAX` is no limit. The count is exact.
    ///
    /// It does not look whether the consumer is gone; see [`is_consumer_gone`](Self::is_consumer_gone).
    ///
    /// # Errors
    /// The value comes back when the queue is at its limit. Nothing has changed.
    #[inline]
    pub fn try_push(&mut self, value: T, limit: usize) -> Result<Pushed, T> {
        if !self.has_room(limit) {
            return Err(value);
        }
        self.make_room(value_space::<T>());
        // SAFETY: there is room, and the place is the producer's until the record is counted.
        let len = unsafe { write_value(self.at, value) };
        Ok(self.count(len))
    }

    /// Room for a record that is no longer than that.
    #[inline(always)]
    fn make_room(&mut self, space: usize) {
        if space > self.left {
            self.enter_next_block();
        }
        self.note_write();
    }

    /// A record of this length was written.
    #[inline(always)]
    fn count(&mut self, len: usize) -> Pushed {
        // SAFETY: there was room for the record, and there is for the octet that ends the block.
        self.at = unsafe { self.at.add(len) };
        self.left -= len;
        self.position = self.position.wrapping_add(len);
        self.index = self.index.wrapping_add(1);
        // Release: the record, and the link to its block, come before the count, and so does the position.
        self.shared.written.position.store(self.position, Ordering::Release);
        self.shared.written.values.store(self.index, Ordering::Release);
        if self.holdable > 0 {
            self.holdable -= 1;
            return Pushed::Held;
        }
        self.publish();
        Pushed::Published
    }

    #[inline(always)]
    fn note_write(&self) {
        if cfg!(loom) {
            // SAFETY: the producer has its block until the consumer finds something in the next.
            let block = unsafe { &*self.block };
            block.note_write(self.at.addr() - block.start().as_ptr().addr());
        }
    }

    /// Publishes what is held. Needed only for speed: a held value is found without it.
    #[inline(never)]
    pub fn publish(&mut self) {
        let before = self.published;
        self.published = self.index;
        self.shared.published.position.store(self.position, Ordering::Release);
        self.shared.published.values.store(self.index, Ordering::Release);
        self.read = self.shared.read.values.load(Ordering::Acquire);
        // So many values keep the consumer busy that announcing the next ones can wait as long. It may be ahead of what was
        // published, having found held values by itself: then the difference is negative, and nothing is held.
        let unread = before.wrapping_sub(self.read) as isize;
        self.holdable = unread.clamp(0, BATCH as isize - 1) as usize;
    }

    /// How many values wait, as of now. The consumer can only make it fewer.
    #[inline]
    pub fn backlog(&mut self) -> usize {
        self.read = self.shared.read.values.load(Ordering::Acquire);
        self.index.wrapping_sub(self.read)
    }

    /// How many values were ever pushed. On a machine of 32 bits the count goes round.
    pub fn pushed(&self) -> usize {
        self.index
    }

    /// Whether [`try_push`](Self::try_push) would take a value. The consumer's index is only looked at where the last look
    /// does not answer it.
    #[inline]
    pub fn has_room(&mut self, limit: usize) -> bool {
        self.index.wrapping_sub(self.read) < limit || self.backlog() < limit
    }

    /// Adds the weight of a value that was pushed, for limits that do not count values: the consumer takes it off
    /// again when it has popped the value.
    #[inline]
    pub fn add_weight(&mut self, weight: usize) {
        self.weight = self.weight.wrapping_add(weight);
    }

    /// All the weight that was ever added. On a machine of 32 bits it goes round.
    pub fn added_weight(&self) -> usize {
        self.weight
    }

    /// The weight of what waits, as of now. The consumer can only make it less.
    #[inline]
    pub fn waiting_weight(&mut self) -> usize {
        self.released = self.shared.read.weight.load(Ordering::Acquire);
        self.weight.wrapping_sub(self.released)
    }

    /// Whether what waits weighs `limit` or more. The consumer is only looked at where the last look does not answer it.
    #[inline]
    pub fn waiting_weight_reaches(&mut self, limit: usize) -> bool {
        self.weight.wrapping_sub(self.released) >= limit && self.waiting_weight() >= limit
    }

    /// How many values [`try_push`](Self::try_push) takes before it refuses at `limit`, as of now.
    #[inline]
    pub fn free_slots(&mut self, limit: usize) -> usize {
        limit.saturating_sub(self.backlog())
    }

    /// Whether the consumer was dropped. What is pushed then is dropped with the producer.
    #[inline]
    pub fn is_consumer_gone(&self) -> bool {
        self.shared.is_consumer_gone()
    }

    #[inline(never)]
    fn enter_next_block(&mut self) {
        // SAFETY: the consumer leaves a block only for a record in the next, and there is none yet: it is still ours.
        let current = unsafe { self.block.as_ref() };
        let next = self.shared.fresh_block(&mut self.turn, current.map_or(0, Block::capacity));
        match current {
            None => self.shared.set_first(next),
            Some(current) => {
                self.note_write();
                // SAFETY: behind every record there is room for this.
                unsafe { self.at.write(END) };
                self.position = self.position.wrapping_add(self.left + 1);
                current.set_next(next);
            }
        }
        self.block = next;
        // SAFETY: the block is nobody else's.
        let next = unsafe { &*next };
        self.at = next.start().as_ptr();
        self.left = next.capacity() - 1;
    }
}

impl Producer<Message> {
    /// Most bytes that [`try_push_bytes`](Self::try_push_bytes) takes.
    pub const LONGEST_BYTES: usize = LONGEST_BYTES;

    /// Copies a message of one part into the queue, unless `limit` messages wait already. What is small costs less in this way than as a
    /// [`Message`]: it is all the consumer's processor has to fetch. See [`Consumer::pop_into`](super::Consumer::pop_into).
    ///
    /// # Errors
    /// The queue is at its limit. Nothing has changed.
    ///
    /// # Panics
    /// Where there are more bytes than [`LONGEST_BYTES`](Self::LONGEST_BYTES).
    #[inline]
    pub fn try_push_bytes(&mut self, body: &[u8], limit: usize) -> Result<Pushed, Full> {
        assert!(body.len() <= LONGEST_BYTES, "so many bytes are to be pushed as a message");
        if !self.has_room(limit) {
            return Err(Full);
        }
        self.make_room(bytes_space(body.len()));
        // SAFETY: there is room, and the place is the producer's until the record is counted.
        let len = unsafe { write_bytes(self.at, body) };
        Ok(self.count(len))
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.publish();
        self.shared.set_producer_gone();
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("pushed", &self.index).finish_non_exhaustive()
    }
}

// SAFETY: the end is unique and its blocks are shared with the consumer only by the protocol above; values move to the
// consumer's thread, hence `T: Send`.
unsafe impl<T: Send> Send for Producer<T> {}
// SAFETY: through `&Producer` only atomics can be read.
unsafe impl<T: Send> Sync for Producer<T> {}
