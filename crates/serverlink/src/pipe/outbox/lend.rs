//! Large bodies that are written from their caller's memory.
//!
//! The writer token goes out with everything that is queued, and with the header of a message whose body comes last. The body
//! itself never enters the outbox if the kernel takes all of it; otherwise a copy of it is put behind the batch, which is then a batch
//! like any other.

use serverlink_driver::Writer;
use serverlink_zmtp::frame::{self, Header};

use super::{ArenaPool, Outbox, SEGMENTS_PER_WRITE, Token, Write, Writing};

/// Bodies from this size on are lent. Below it a copy costs less than a system call of its own.
pub(crate) const LEND_BYTES: usize = 16 * 1024;

/// So many times at most the number of sends that do not wait is doubled.
const MOST_DOUBLINGS: u32 = 6;

/// What happened to a connection since the holder of its token last asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Nothing,
    Writable,
    /// It is gone.
    Gone,
}

/// Whether it is worth while to wait for the kernel: the more often it was not, the more seldom it is tried.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    misses: u32,
    skip: u32,
}

impl Patience {
    /// Asked for each body that the kernel did not take at once.
    pub(crate) fn is_there(&mut self) -> bool {
        let there = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        there
    }

    /// How a wait ended.
    pub(crate) fn learn(&mut self, taken: bool) {
        self.misses = if taken { 0 } else { (self.misses + 1).min(MOST_DOUBLINGS) };
        self.skip = if taken { 0 } else { 1 << self.misses };
    }
}

impl Outbox {
    /// Whether a message with such a body may be written from where it lies.
    pub(crate) fn can_lend(&self, body_len: usize) -> bool {
        body_len >= LEND_BYTES
            && self.writer.is_some()
            && matches!(self.writing, Writing::Nobody)
            && self.sealed.len() < SEGMENTS_PER_WRITE
            && self.rewrite.is_none()
    }

    /// Frames a message of which only the header is copied, and hands out the writer token: the body follows the batch.
    pub(crate) fn lend(&mut self, body_len: usize, pool: &mut ArenaPool) -> Write {
        self.make_room(pool);
        let header = Header { more: false, command: false, body_len: body_len as u64 };
        frame::put_header(&mut self.open.arena, header);
        self.open.messages += 1;
        self.queued += 1;
        let write = self.begin_write().expect("nobody writes, and there is something to write");
        if let Writing::Taken(token) = &mut self.writing {
            token.layout.lengthen(body_len);
            self.closed_bytes += body_len;
        }
        write
    }

    /// The holder of the token waits for the kernel with it, or no longer.
    pub(crate) fn wait_for_kernel(&mut self, waits: bool) {
        if let Writing::Taken(token) = &mut self.writing {
            token.waited_for = waits;
        }
    }

    /// Somebody waits with the token for the kernel to take a body.
    pub(crate) fn is_waited_for(&self) -> bool {
        matches!(&self.writing, Writing::Taken(token) if token.waited_for)
    }

    /// What the holder of the token has to know; forgets that the connection became writable.
    pub(crate) fn take_news(&mut self) -> News {
        match &mut self.writing {
            Writing::Taken(Token { orphaned: true, .. }) => News::Gone,
            Writing::Taken(token) => match std::mem::take(&mut token.writable) {
                true => News::Writable,
                false => News::Nothing,
            },
            Writing::Nobody | Writing::Blocked(..) => News::Nothing,
        }
    }

    /// Whether its connection tells when the kernel takes more. Where the driver keeps what was cut, nobody can wait with a body.
    pub(crate) fn hears_of_kernel(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::reports_writable)
    }
}
