//! Output memory, used again instead of allocated again.

use std::collections::VecDeque;
use std::sync::Arc;

/// How much one segment of an outbox holds, give or take a message: nearly two of the largest packets that a kernel makes of what it is given, 64 KiB
/// less their headers. A little more than a whole number of them would cost a tiny packet behind each.
pub(crate) const SEGMENT_BYTES: usize = 118 * 1024;

/// The same for nearly one.
pub(crate) const SHORT_SEGMENT_BYTES: usize = 55 * 1024;

/// Arenas at most this large stay with their outbox while it is idle.
const KEEP_IDLE_BYTES: usize = 1024;

/// How many large arenas one socket keeps.
const KEEP_LARGE: usize = 8;

/// Large arenas that no outbox needs at the moment, shared by the outboxes of one socket.
#[derive(Default)]
pub(crate) struct ArenaPool {
    large: Vec<Vec<u8>>,
    /// Those that several outboxes have, to be used again when the last of them is done.
    lent: VecDeque<Arc<Vec<u8>>>,
}

impl ArenaPool {
    /// An arena to go on with where a stream just filled one.
    #[inline(never)]
    pub(crate) fn take_large(&mut self) -> Vec<u8> {
        self.large
            .pop()
            .or_else(|| self.take_returned())
            .unwrap_or_else(|| Vec::with_capacity(SEGMENT_BYTES + SEGMENT_BYTES / 8))
    }

    /// For several outboxes; the memory comes back by itself.
    pub(crate) fn lend(&mut self, arena: Vec<u8>) -> Arc<Vec<u8>> {
        let lent = Arc::new(arena);
        if self.lent.len() == KEEP_LARGE {
            self.lent.pop_front();
        }
        self.lent.push_back(Arc::clone(&lent));
        lent
    }

    /// Apart, so that taking one from the pool stays small where it is inlined.
    #[inline(never)]
    fn take_returned(&mut self) -> Option<Vec<u8>> {
        let returned = self.lent.iter().position(|lent| Arc::strong_count(lent) == 1)?;
        let mut arena = Arc::into_inner(self.lent.remove(returned)?)?;
        arena.clear();
        (arena.capacity() >= SEGMENT_BYTES).then_some(arena)
    }

    /// Gives memory back. A small arena goes to `idle`, the outbox's own, so that ping-pong never
    /// allocates; a large one is shared, so that idle connections hold none.
    pub(crate) fn give_back(&mut self, mut arena: Vec<u8>, idle: &mut Vec<u8>) {
        arena.clear();
        if arena.capacity() <= KEEP_IDLE_BYTES {
            if idle.capacity() == 0 {
                *idle = arena;
            }
        } else if arena.capacity() >= SEGMENT_BYTES
            && arena.capacity() <= 4 * SEGMENT_BYTES
            && self.large.len() < KEEP_LARGE
        {
            self.large.push(arena);
        }
    }
}
