//! One message for many rings.

use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part};

use crate::payload::Outgoing;
use crate::pipe::RingOutlet;
use crate::pipe::bump::Bump;

/// Up to so many bytes are copied for everyone: that costs less than counting who still reads them.
const COPIED: usize = super::send::SHORT_BODY_MAX;

/// Each ring gets a message of its own, whose bytes are there once unless they are few.
pub(super) enum Copies<'a> {
    Copied(&'a [u8]),
    /// One part, with a count that is raised once for many.
    Shared(Slice),
    Cloned(Message),
}

impl<'a> Copies<'a> {
    pub(super) fn of(outgoing: &'a Outgoing<'_>, bump: &mut Bump) -> Copies<'a> {
        if let Some(body) = outgoing.only_part()
            && body.len() <= COPIED
        {
            return Copies::Copied(body);
        }
        match outgoing {
            Outgoing::Bytes(bytes) => Copies::Shared(bump.slice(bytes)),
            Outgoing::Message(message) => Copies::Cloned((**message).clone()),
        }
    }

    /// One more of them. False: there is no room for it.
    #[inline]
    pub(super) fn push_to(&mut self, outlet: &mut RingOutlet) -> bool {
        match self {
            Copies::Copied(body) => outlet.push_bytes(body),
            Copies::Shared(slice) => outlet.push(Message::from(Part::from(slice.share_again()))).is_ok(),
            Copies::Cloned(message) => outlet.push(message.clone()).is_ok(),
        }
    }
}
