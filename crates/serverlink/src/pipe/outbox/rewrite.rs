//! For a peer of ZMTP 1.0, or without ZMTP: what is about to be written, in its form.
//!
//! Only a batch that is out has that form. What waits keeps the form in which everything is queued, so a pipe may meet a peer
//! of any version on its next connection.

use std::mem;

use serverlink_driver::Buffer;
use serverlink_zmtp::raw::strip_outgoing;
use serverlink_zmtp::v1::rewrite_outgoing;

use super::{Form, Segment};

/// Subscriptions and the like; commands are not made for such a peer.
#[cold]
pub(super) fn rewrite_control(control: &mut Vec<u8>, form: Form) {
    let frames = mem::take(control);
    form.rewrite(&frames, control);
}

impl Form {
    fn rewrite(self, frames: &[u8], out: &mut Vec<u8>) {
        match self {
            Form::Frames => out.extend_from_slice(frames),
            Form::V1 => rewrite_outgoing(frames, out),
            Form::Octets => strip_outgoing(frames, out),
        }
    }
}

impl Segment {
    /// The same messages. Bodies that are written by reference still are.
    #[cold]
    pub(super) fn rewritten(self, form: Form) -> Segment {
        let mut rewritten = Segment { messages: self.messages, ..Segment::default() };
        for buffer in self.chain {
            match buffer {
                Buffer::Owned(frames) => form.rewrite(&frames, &mut rewritten.arena),
                frames @ Buffer::Shared(_) if self.shares_frames => {
                    form.rewrite(frames.as_bytes(), &mut rewritten.arena);
                }
                body @ Buffer::Shared(_) => {
                    let frames = mem::take(&mut rewritten.arena);
                    rewritten.chain_bytes += frames.len() + body.as_bytes().len();
                    rewritten.chain.extend([Buffer::Owned(frames), body]);
                }
            }
        }
        form.rewrite(&self.arena, &mut rewritten.arena);
        rewritten
    }
}
