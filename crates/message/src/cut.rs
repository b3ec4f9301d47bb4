//! Messages out of received bytes, one after the other: what most of them need, and nothing that could fail.
//!
//! A message is made of what is in registers and nobody is given its address, not even somebody who would have to drop it, before it is where it is
//! wanted. What was written in small steps and is moved on in larger ones keeps the processor waiting for each, as long as all the rest takes.

use crate::{Message, Part, chunk::Slice, front::Front};

impl Message {
    /// Cuts `skipped` bytes and then a message of one part, of `len` bytes, off the front of `received`. `None`, and nothing changed: there are not so many
    /// bytes, or few behind them, or a reference to their memory would have to be bought. [`Slice::split_to_part`] does all that.
    ///
    /// ```
    /// use serverlink_message::{Message, chunk::Slice};
    ///
    /// let mut received = Slice::from([[1, 5], [2, 6]].concat().repeat(100));
    /// assert_eq!(Message::cut_from(&mut received, 1, 3), Some(Message::from(&[5, 2, 6])));
    /// assert_eq!(received.len(), 396);
    /// assert_eq!(Message::cut_from(&mut received, 0, 500), None);
    /// ```
    #[expect(clippy::inline_always, reason = "a call would hand it over in memory")]
    #[inline(always)]
    pub fn cut_from(received: &mut Slice, skipped: usize, len: usize) -> Option<Message> {
        Some(Message::from(cut_part(received, skipped, len)?))
    }

    /// The same, behind `front`, of which a reference must have been bought as well. [`Front::put_before`] does that.
    ///
    /// ```
    /// use serverlink_message::{Message, Part, chunk::Slice, front::Front};
    ///
    /// let mut received = Slice::from(b"body".repeat(100));
    /// let mut alice = Front::new(Part::from("alice"));
    /// assert_eq!(Message::cut_behind(&mut alice, &mut received, 0, 4), None);
    /// alice.put_before(&mut Message::from("the first"));
    /// assert_eq!(Message::cut_behind(&mut alice, &mut received, 0, 4), Some(Message::from_parts(["alice", "body"])));
    /// ```
    #[expect(clippy::inline_always, reason = "as `cut_from`")]
    #[inline(always)]
    pub fn cut_behind(
        front: &mut Front,
        received: &mut Slice,
        skipped: usize,
        len: usize,
    ) -> Option<Message> {
        if !front.is_prepaid() {
            return None;
        }
        let head = cut_part(received, skipped, len)?;
        Some(front.before(head))
    }
}

#[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
#[inline(always)]
fn cut_part(received: &mut Slice, skipped: usize, len: usize) -> Option<Part> {
    if len > Part::INLINE_MAX {
        return received.cut_prepaid(skipped, len).map(Part::from);
    }
    let part = Part::first_of(received.get(skipped..)?.first_chunk()?, len);
    received.advance(skipped + len);
    Some(part)
}
