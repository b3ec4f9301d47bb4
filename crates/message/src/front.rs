//! A part that stands in front of many messages.

use std::fmt;

use crate::{Message, Part, owner::Owner};

/// References bought at once: one atomic operation for so many messages.
const BATCH: u32 = 64;

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
pub struct Front {
    /// Holds the part.
    owner: Owner,
    /// References held beyond the first one, for messages to come.
    prepaid: u32,
}

impl Front {
    /// The part is copied out of whatever larger memory it is a piece of.
    pub fn new(mut part: Part) -> Front {
        part.detach();
        Front { owner: Owner::hold(part).0, prepaid: 0 }
    }

    /// The part.
    #[inline]
    pub fn part(&self) -> &Part {
        // SAFETY: `new` had it hold a part, and this one's reference lasts as long as the borrow.
        unsafe { self.owner.held() }
    }

    /// Adds it at the beginning of `message`.
    #[inline]
    pub fn put_before(&mut self, message: &mut Message) {
        if self.prepaid == 0 {
            // SAFETY: this one holds a reference.
            unsafe { self.owner.retain(BATCH as usize) };
            self.prepaid = BATCH;
        }
        // SAFETY: it holds a part, and one of the prepaid references becomes the message's.
        if unsafe { message.share_front(self.owner) } {
            self.prepaid -= 1;
        } else {
            message.push_front(self.part().clone());
        }
    }
}

impl Clone for Front {
    fn clone(&self) -> Front {
        // SAFETY: this one holds a reference.
        unsafe { self.owner.retain(1) };
        Front { owner: self.owner, prepaid: 0 }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // SAFETY: these are all the references this one holds, and it is gone after this.
        unsafe { self.owner.release(1 + self.prepaid as usize) };
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
