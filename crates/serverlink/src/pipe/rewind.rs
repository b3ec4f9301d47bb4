//! What of a broken connection's last batch has to be sent again on the next one.

use serverlink_driver::{Batch, Buffer};
use serverlink_zmtp::WireError;
use serverlink_zmtp::frame::{self, Parsed};
use serverlink_zmtp::mechanism::curve::Sealer;
use serverlink_zmtp::v1::{self, Incoming};

use super::outbox::rewrite::Rewrite;
use crate::sync::later::drop_later;

/// Whole messages, framed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unwritten {
    pub(crate) frames: Vec<u8>,
    pub(crate) messages: usize,
}

/// The messages of `batch` from the one on that was partly written; its first `control_bytes` are
/// control frames, which belong to the connection and go with it. A batch that was rewritten is turned back: what is sealed was sealed
/// for a connection that is gone.
pub(crate) fn unwritten_messages(
    batch: Batch,
    control_bytes: usize,
    rewritten: Option<&Rewrite>,
) -> Unwritten {
    let written = batch.written_bytes().saturating_sub(control_bytes);
    let bytes = gather(batch, control_bytes);
    match rewritten {
        None => unwritten_in(bytes, written, frame::parse_header),
        Some(Rewrite::Octets | Rewrite::Datagrams(_)) => Unwritten::default(),
        Some(Rewrite::V1) => {
            let mut left = unwritten_in(bytes, written, v1::parse_header);
            let ours = std::mem::take(&mut left.frames);
            Incoming::new().handle_input(&ours, &mut left.frames).expect("we rewrote these frames ourselves");
            left
        }
        Some(Rewrite::Sealed(sealer)) => unwritten_in_sealed(&bytes, written, sealer),
    }
}

/// Where a message ends is known only inside of the boxes.
fn unwritten_in_sealed(bytes: &[u8], written: usize, sealer: &Sealer) -> Unwritten {
    let (mut at, mut left) = (0, Unwritten::default());
    sealer.reopen(bytes, |sealed_len, header, body| {
        at += sealed_len;
        frame::put_header(&mut left.frames, header);
        left.frames.extend_from_slice(body);
        match header.more {
            true => {}
            false if at <= written => left.frames.clear(),
            false => left.messages += 1,
        }
    });
    left
}

/// A break is rare, so this copies rather than keeping the pieces apart.
fn gather(batch: Batch, skip: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for buffer in batch.into_buffers() {
        match buffer {
            Buffer::Owned(owned) => bytes.extend_from_slice(&owned),
            Buffer::Shared(shared) => {
                bytes.extend_from_slice((*shared).as_ref());
                drop_later(shared);
            }
        }
    }
    bytes.drain(..skip);
    bytes
}

fn unwritten_in(
    mut bytes: Vec<u8>,
    written: usize,
    parse_header: impl Fn(&[u8]) -> Result<Parsed, WireError>,
) -> Unwritten {
    let (mut at, mut keep_from, mut messages) = (0, 0, 0);
    while at < bytes.len() {
        let Ok(Parsed::Complete { header, header_len }) = parse_header(&bytes[at..]) else {
            panic!("an outbox holds whole frames that it framed itself");
        };
        at += header_len + usize::try_from(header.body_len).expect("the frame is in memory");
        if !header.more {
            if at <= written {
                keep_from = at;
            } else {
                messages += 1;
            }
        }
    }
    bytes.drain(..keep_from);
    Unwritten { frames: bytes, messages }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::put_frame(&mut bytes, false, b"one");
        frame::put_frame(&mut bytes, true, b"two");
        frame::put_frame(&mut bytes, false, b"and its end");
        frame::put_frame(&mut bytes, false, b"three");
        bytes
    }

    #[test]
    fn starts_at_the_message_that_was_cut() {
        let (one, two, all) = (5, 5 + 5 + 13, 5 + 5 + 13 + 7);
        for written in 0..=all {
            let left = unwritten_in(frames(), written, frame::parse_header);
            let (from, messages) = match written {
                _ if written >= all => (all, 0),
                _ if written >= two => (two, 1),
                _ if written >= one => (one, 2),
                _ => (0, 3),
            };
            assert_eq!(left, Unwritten { frames: frames()[from..].to_vec(), messages }, "{written} written");
        }
    }
}
