//! What several outboxes have in common: frames that are there once for all of them.
//!
//! The subscribers of a *cohort* stand at the same position and take the same messages. A message for all of them goes into the
//! cohort's log, and not into each outbox. When the log is *cut*, each gets its share: a few bytes as a copy, more by reference. Until
//! then the outboxes only know how much it is ([`Tail`]), so that their marks and counters are exact at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::arena::ArenaPool;

/// A share up to this is copied, so that a few messages do not pin a large arena in each queue.
const COPIED_BYTES: usize = 2 * 1024;

slotmap::new_key_type! {
    /// Names a cohort of its socket.
    pub(crate) struct CohortId;
}

/// How much of the log every member has still to get. Behind the send lock, like all of it: the atomics only spare another one.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Tail {
    #[inline]
    pub(crate) fn messages(&self) -> usize {
        self.messages.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Whole messages, framed once for many connections.
#[derive(Default)]
pub(crate) struct Log {
    frames: Vec<u8>,
    tail: Arc<Tail>,
}

/// What each member of a cohort is to get.
pub(crate) struct Share {
    pub(crate) messages: usize,
    pub(crate) frames: Frames,
}

/// Its bytes.
pub(crate) enum Frames {
    Copied(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl Log {
    pub(crate) fn tail(&self) -> &Arc<Tail> {
        &self.tail
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    #[inline]
    pub(crate) fn messages(&self) -> usize {
        self.tail.messages()
    }

    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.frames.len()
    }

    /// Adds one message; gives its frames.
    #[inline]
    pub(crate) fn append(&mut self, pool: &mut ArenaPool, encode: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.frames.capacity() == 0 {
            self.frames = pool.take_large();
        }
        let from = self.frames.len();
        encode(&mut self.frames);
        self.tail.messages.store(self.tail.messages() + 1, Ordering::Relaxed);
        self.tail.bytes.store(self.frames.len(), Ordering::Relaxed);
        &self.frames[from..]
    }

    /// Ends what was logged so far: from here on it is the members'. Give the share back with [`Share::retire`].
    pub(crate) fn cut(&mut self, pool: &mut ArenaPool) -> Share {
        let messages = self.tail.messages.swap(0, Ordering::Relaxed);
        self.tail.bytes.store(0, Ordering::Relaxed);
        let frames = std::mem::take(&mut self.frames);
        let frames = match frames.len() <= COPIED_BYTES {
            true => Frames::Copied(frames),
            false => Frames::Shared(pool.lend(frames)),
        };
        Share { messages, frames }
    }
}

impl Share {
    /// Every member has its own by now.
    pub(crate) fn retire(self, log: &mut Log) {
        if let Frames::Copied(mut frames) = self.frames
            && log.frames.capacity() == 0
        {
            frames.clear();
            log.frames = frames;
        }
    }
}
