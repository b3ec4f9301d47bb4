//! For a peer of ZMTP 1.0: what is about to be written, in its form.
//!
//! Only a batch that is out has that form. What waits keeps the form in which everything is queued, so a pipe may meet a peer
//! of any version on its next connection.

use std::mem;

use serverlink_driver::Buffer;
use serverlink_zmtp::v1::rewrite_outgoing;

use super::Segment;

/// Subscriptions and the like; commands are not made for such a peer.
#[cold]
pub(super) fn rewrite_control(control: &mut Vec<u8>) {
    let frames = mem::take(control);
    rewrite_outgoing(&frames, control);
}

impl Segment {
    /// The same messages. Bodies that are written by reference still are.
    #[cold]
    pub(super) fn rewritten(self) -> Segment {
        let mut rewritten = Segment { messages: self.messages, ..Segment::default() };
        for buffer in self.chain {
            match buffer {
                Buffer::Owned(frames) => rewrite_outgoing(&frames, &mut rewritten.arena),
                frames @ Buffer::Shared(_) if self.shares_frames => {
                    rewrite_outgoing(frames.as_bytes(), &mut rewritten.arena);
                }
                body @ Buffer::Shared(_) => {
                    let frames = mem::take(&mut rewritten.arena);
                    rewritten.chain_bytes += frames.len() + body.as_bytes().len();
                    rewritten.chain.extend([Buffer::Owned(frames), body]);
                }
            }
        }
        rewrite_outgoing(&self.arena, &mut rewritten.arena);
        rewritten
    }
}
