//! A part that stands in front of many messages.

use std::fmt;

use crate::{Message, Part, chunk::Slice};

/// A part that is put in front of one message after the other, and shared by all of them: the address of the peer they come from.
///
/// A message of one part that gets it in front needs no allocation, and neither part is moved.
///
/// ```
/// use serverlink_message::{Message, Part, front::Front};
///
/// let mut address = Front::new(Part::from("alice"));
/// let mut message = Message::from("hello");
/// address.put_before(&mut message);
/// assert_eq!(message, Message::from_parts(["alice", "hello"]));
/// ```
#[derive(Clone)]
pub struct Front(
    /// Of memory that holds the part, and counts who shares it.
    Slice,
);

impl Front {
    /// The part is copied out of whatever larger memory it is a piece of.
    pub fn new(mut part: Part) -> Front {
        part.detach();
        Front(Slice::from_owner(part))
    }

    /// The part.
    #[inline]
    pub fn part(&self) -> &Part {
        let owner = self.0.owner().expect("`new` made it with one");
        // SAFETY: `new` had it hold a part, and this slice's reference lasts as long as the borrow.
        unsafe { owner.held() }
    }

    /// Whether a reference to it was bought already.
    #[inline]
    pub(crate) const fn is_prepaid(&self) -> bool {
        self.0.is_prepaid()
    }

    /// The message of this and `head`, where a reference is prepaid.
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub(crate) fn before(&mut self, head: Part) -> Message {
        debug_assert!(self.is_prepaid());
        match self.0.lend_prepaid() {
            // SAFETY: it holds a part, and what was lent is the message's from now on.
            Some(owner) => unsafe { Message::behind_front(owner, head) },
            None => Message::from(head),
        }
    }

    /// Adds it at the beginning of `message`. An atomic operation is needed only for every 64th.
    #[inline]
    pub fn put_before(&mut self, message: &mut Message) {
        if message.is_head_alone()
            && let Some(owner) = self.0.lend()
        {
            // SAFETY: it holds a part, and what was lent is the message's from now on.
            unsafe { message.share_front(owner) };
        } else {
            message.push_front(self.part().clone());
        }
    }
}

impl PartialEq for Front {
    fn eq(&self, other: &Front) -> bool {
        self.part() == other.part()
    }
}

impl Eq for Front {}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Front").field(self.part()).finish()
    }
}
