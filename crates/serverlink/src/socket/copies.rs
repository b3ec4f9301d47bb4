//! One message for many rings.

use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part};

use crate::payload::Outgoing;
use crate::pipe::bump::Bump;

/// Each ring gets a message of its own, whose bytes are there once.
pub(super) enum Copies {
    /// One part, with a count that is raised once for many.
    Shared(Slice),
    Cloned(Message),
}

impl Copies {
    pub(super) fn of(outgoing: &Outgoing<'_>, bump: &mut Bump) -> Copies {
        match outgoing {
            Outgoing::Bytes(bytes) if bytes.len() > Part::INLINE_MAX => Copies::Shared(bump.slice(bytes)),
            Outgoing::Bytes(bytes) => Copies::Cloned(Message::from(bump.part(bytes))),
            Outgoing::Message(message) => Copies::Cloned((**message).clone()),
        }
    }

    #[inline]
    /// One more of them.
    pub(super) fn next(&mut self) -> Message {
        match self {
            Copies::Shared(slice) => Message::from(Part::from(slice.share_again())),
            Copies::Cloned(message) => message.clone(),
        }
    }
}
