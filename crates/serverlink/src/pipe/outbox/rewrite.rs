//! What is about to be written, in the form in which its peer reads it: that of ZMTP 1.0, without frames, as datagrams, or sealed.
//!
//! Only a batch that is out has that form. What waits keeps the form in which everything is queued, so a pipe may meet a peer
//! of any version, with or without encryption, on its next connection.

use std::mem;

use serverlink_driver::{Batch, Buffer};
use serverlink_zmtp::frame::Header;
use serverlink_zmtp::mechanism::curve::Sealer;
use serverlink_zmtp::raw::strip_outgoing;
use serverlink_zmtp::v1::rewrite_outgoing;

use super::datagrams::Target;
use super::{Layout, Outbox, SEGMENTS_PER_WRITE, Segment, Token, Write, Writing};
use crate::sync::later::drop_later;

/// Segments that are sealed for one write: others wait for the lock meanwhile.
const SEALED_SEGMENTS_PER_WRITE: usize = 2;

/// Into which form frames are brought.
#[derive(Debug)]
pub(crate) enum Rewrite {
    /// The peer speaks ZMTP 1.0.
    V1,
    /// The peer speaks no ZMTP: bodies alone.
    Octets,
    /// Each message is a datagram.
    Datagrams(Target),
    /// Everything is encrypted for this connection alone.
    Sealed(Sealer),
}

impl Outbox {
    /// What [`begin_write`](Outbox::begin_write) does, for such a peer.
    #[cold]
    pub(super) fn begin_rewritten_write(&mut self) -> Option<Write> {
        // Both are out meanwhile: should this unwind, nothing is written at all, and not what comes next in its old form.
        let (Some(writer), Some(mut rewrite)) = (self.writer.take(), self.rewrite.take()) else {
            return None;
        };
        // No batch of a connection before this one is out.
        self.orphaned_rewrite = None;
        self.flush_asked = false;
        let (mut batch, mut control) = (Batch::new(), Vec::new());
        rewrite.rewrite(&mem::take(&mut self.control), &mut control);
        let control_bytes = control.len();
        if !control.is_empty() {
            batch.push(Buffer::Owned(control));
        }
        let mut layout = Layout::new(true, control_bytes);
        self.seal();
        for _ in 0..rewrite.segments_per_write() {
            let Some(segment) = self.sealed.pop_front() else { break };
            self.closed_bytes -= segment.bytes();
            let segment = segment.rewritten(&mut rewrite);
            self.closed_bytes += segment.bytes();
            layout.push(segment.bytes(), segment.messages);
            segment.push_rewritten_into(&mut batch);
        }
        (self.writer, self.rewrite) = (Some(writer.clone()), Some(rewrite));
        self.writing = Writing::Taken(Token { layout, ..Token::default() });
        Some(Write { writer, batch })
    }
}

impl Rewrite {
    /// Appends whole frames in the other form.
    fn rewrite(&mut self, frames: &[u8], out: &mut Vec<u8>) {
        match self {
            Rewrite::V1 => rewrite_outgoing(frames, out),
            Rewrite::Octets => strip_outgoing(frames, out),
            // What a DISH joins is told to nobody; messages go another way.
            Rewrite::Datagrams(_) => {}
            Rewrite::Sealed(sealer) => {
                let cut = sealer.seal_frames(frames, out);
                assert!(cut.is_none(), "every body is here");
            }
        }
    }

    fn segments_per_write(&self) -> usize {
        match self {
            Rewrite::V1 | Rewrite::Octets | Rewrite::Datagrams(_) => SEGMENTS_PER_WRITE,
            Rewrite::Sealed(_) => SEALED_SEGMENTS_PER_WRITE,
        }
    }
}

impl Segment {
    /// The same messages.
    fn rewritten(self, rewrite: &mut Rewrite) -> Segment {
        match rewrite {
            Rewrite::V1 | Rewrite::Octets => self.reframed(rewrite),
            Rewrite::Datagrams(target) => self.into_datagrams(*target),
            Rewrite::Sealed(sealer) => self.sealed(sealer),
        }
    }

    /// Apart from the way of all others, so that theirs stays as short as it is.
    #[cold]
    fn push_rewritten_into(self, batch: &mut Batch) {
        self.push_into(batch);
    }

    /// Bodies that are written by reference still are.
    fn reframed(self, rewrite: &mut Rewrite) -> Segment {
        let mut rewritten = Segment { messages: self.messages, kept: self.kept, ..Segment::default() };
        for buffer in self.chain {
            match buffer {
                Buffer::Owned(frames) => rewrite.rewrite(&frames, &mut rewritten.arena),
                frames @ Buffer::Shared(_) if self.shares_frames => {
                    rewrite.rewrite(frames.as_bytes(), &mut rewritten.arena);
                }
                body @ Buffer::Shared(_) => {
                    let frames = mem::take(&mut rewritten.arena);
                    rewritten.chain_bytes += frames.len() + body.as_bytes().len();
                    rewritten.chain.extend([Buffer::Owned(frames), body]);
                }
            }
        }
        rewrite.rewrite(&self.arena, &mut rewritten.arena);
        rewritten
    }

    /// Nothing of it goes out as it lies in memory, so all of it is copied.
    fn sealed(self, sealer: &mut Sealer) -> Segment {
        let mut sealed = Vec::with_capacity(self.bytes() + self.bytes() / 8);
        // The last header of a buffer may stand alone: the next buffer is its body.
        let mut alone = None;
        let last = Buffer::Owned(self.arena);
        for buffer in self.chain.into_iter().chain([last]) {
            match (alone.take(), &buffer) {
                (Some(header), body) => seal_body(sealer, header, body.as_bytes(), &mut sealed),
                (None, frames) => alone = sealer.seal_frames(frames.as_bytes(), &mut sealed),
            }
            if let shared @ Buffer::Shared(_) = buffer {
                drop_later(shared);
            }
        }
        Segment { arena: sealed, messages: self.messages, kept: self.kept, ..Segment::default() }
    }
}

fn seal_body(sealer: &mut Sealer, header: Header, body: &[u8], sealed: &mut Vec<u8>) {
    debug_assert_eq!(header.body_len, body.len() as u64, "a body follows its header");
    sealer.seal(header.more, header.command, body, sealed);
}
