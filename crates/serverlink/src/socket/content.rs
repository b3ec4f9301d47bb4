//! A message as it goes to each of many connections: its frames, or where they are large its parts by reference.

use serverlink_message::Part;

use super::send::encode;
use crate::payload::Outgoing;
use crate::pipe::arena::ArenaPool;
use crate::pipe::outbox::{BY_REFERENCE_BYTES, Outbox};

/// See the module's page.
#[derive(Default)]
pub(super) struct Content {
    pub(super) frames: Vec<u8>,
    /// Where something of it is large or lent.
    parts: Vec<Part>,
}

impl Content {
    /// Uses the memory of `frames` for the message's.
    pub(super) fn of(outgoing: &Outgoing<'_>, by_parts: bool, mut frames: Vec<u8>) -> Content {
        frames.clear();
        if by_parts {
            return Content { frames, parts: parts_of(outgoing) };
        }
        encode(outgoing, &mut frames);
        Content { frames, parts: Vec::new() }
    }

    #[inline]
    pub(super) fn append_to(&self, outbox: &mut Outbox, pool: &mut ArenaPool) {
        let Some(last) = self.parts.len().checked_sub(1) else {
            return outbox.append_encoded(&self.frames, pool);
        };
        for (index, part) in self.parts.iter().enumerate() {
            outbox.append_part(part.clone(), index < last, pool);
        }
    }
}

/// Whether a part of it is large, or to be kept until it is written.
pub(super) fn goes_by_parts(outgoing: &Outgoing<'_>) -> bool {
    match outgoing {
        Outgoing::Bytes(bytes) => bytes.len() >= BY_REFERENCE_BYTES,
        Outgoing::Message(message) => {
            message.iter().any(|part| part.len() >= BY_REFERENCE_BYTES || part.is_lent())
        }
    }
}

/// Each part once, for all who get it.
fn parts_of(outgoing: &Outgoing<'_>) -> Vec<Part> {
    match outgoing {
        Outgoing::Bytes(bytes) => vec![Part::from(*bytes)],
        Outgoing::Message(message) => message.iter().cloned().collect(),
    }
}
