//! A whole message.

use std::{fmt, iter::FusedIterator, mem, ops::Index, slice};

use crate::{Part, beside::Beside, owner::Owner, rest::Rest};

/// A whole message: one or more [`Part`]s, sent and received as one.
///
/// A single small part costs no allocation, and neither does an address that the library put before it; cloning shares the bytes.
///
/// ```
/// use serverlink_message::Message;
///
/// let mut message = Message::from("hello");
/// message.push_front("address");
/// assert_eq!(message.part_count(), 2);
/// assert_eq!(message[1], "hello");
///
/// let (address, body) = message.split_first();
/// assert_eq!(address, "address");
/// assert_eq!(body, Some(Message::from("hello")));
/// ```
#[derive(Clone)]
pub struct Message {
    /// The first part, or the second where one in front is shared with other messages.
    head: Part,
    beside: Beside,
    origin: u64,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Message>() == 64 && align_of::<Message>() == 8);

impl Message {
    /// A message of one empty part.
    #[inline]
    pub const fn new() -> Message {
        Message::of(Part::new())
    }

    /// A message of these parts, in this order; of one empty part when there are none.
    pub fn from_parts<I: IntoIterator<Item = P>, P: Into<Part>>(parts: I) -> Message {
        let mut parts = parts.into_iter();
        let Some(head) = parts.next() else { return Message::new() };
        let mut message = Message::of(head.into());
        parts.for_each(|part| message.push_back(part));
        message
    }

    #[inline]
    const fn of(head: Part) -> Message {
        Message { head, beside: Beside::NOTHING, origin: 0 }
    }

    /// The first part. There always is one.
    #[inline]
    pub fn first(&self) -> &Part {
        self.beside.front().unwrap_or(&self.head)
    }

    /// The part at `index`, counted from 0.
    #[inline]
    pub fn part(&self, index: usize) -> Option<&Part> {
        match index.checked_sub(1) {
            None => Some(self.first()),
            Some(index) => self.behind_first().get(index),
        }
    }

    /// How many parts. Never 0.
    #[inline]
    pub fn part_count(&self) -> usize {
        1 + self.behind_first().len()
    }

    /// Whether there is more than one part.
    #[inline]
    pub fn is_multipart(&self) -> bool {
        !self.beside.is_nothing() && !self.behind_first().is_empty()
    }

    /// The parts in order.
    #[inline]
    pub fn iter(&self) -> Parts<'_> {
        Parts { head: Some(self.first()), rest: self.behind_first().iter() }
    }

    /// The parts in order, moved out.
    #[inline]
    pub fn into_parts(self) -> IntoParts {
        IntoParts(Some(self))
    }

    /// Adds a part at the end.
    #[inline]
    pub fn push_back(&mut self, part: impl Into<Part>) {
        self.own_parts().1.push_back(part.into());
    }

    /// Adds a part at the beginning, as an address is put before a message.
    #[inline]
    pub fn push_front(&mut self, part: impl Into<Part>) {
        let (head, rest) = self.own_parts();
        rest.push_front(mem::replace(head, part.into()));
    }

    /// The first part, and the message of the others if there are any. They keep the origin.
    #[inline]
    pub fn split_first(mut self) -> (Part, Option<Message>) {
        match self.pop_front() {
            Some(first) => (first, Some(self)),
            None => (self.head, None),
        }
    }

    /// Takes the first part off when another one follows it. A message never loses its last part.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Part> {
        if let Some(rest) = self.beside.rest_mut() {
            let second = rest.pop_front()?;
            return Some(mem::replace(&mut self.head, second));
        }
        let front = self.beside.front().cloned();
        self.beside = Beside::NOTHING;
        front
    }

    /// The bytes of all parts together.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.behind_first().iter().fold(self.first().len(), |sum, part| sum.saturating_add(part.len()))
    }

    /// Which peer it came from: a number the socket gave that peer, 0 for none. It takes no part in comparisons.
    #[inline]
    pub const fn origin(&self) -> u64 {
        self.origin
    }

    /// Says which peer it came from; 0 for none.
    #[inline]
    pub const fn set_origin(&mut self, origin: u64) {
        self.origin = origin;
    }

    /// Copies out every part that keeps more in memory than itself. See [`Part::detach`].
    pub fn detach(&mut self) {
        self.head.detach();
        // One in front is a copy of its own.
        if let Some(rest) = self.beside.rest_mut() {
            rest.as_mut_slice().iter_mut().for_each(Part::detach);
        }
    }

    /// It has one part, and no memory for more.
    #[inline]
    pub(crate) const fn is_head_alone(&self) -> bool {
        self.beside.is_nothing()
    }

    /// With a part in front that other messages have too.
    ///
    /// # Safety
    /// `owner` holds a [`Part`], and the caller gives up one reference to it.
    #[inline]
    pub(crate) unsafe fn behind_front(owner: Owner, head: Part) -> Message {
        // SAFETY: the caller's.
        Message { head, beside: unsafe { Beside::shared_front(owner) }, origin: 0 }
    }

    /// Puts a part in front that other messages have too, where the head is alone.
    ///
    /// # Safety
    /// `owner` holds a [`Part`], and the caller gives up one reference to it.
    #[inline]
    pub(crate) unsafe fn share_front(&mut self, owner: Owner) {
        debug_assert!(self.is_head_alone());
        // SAFETY: the caller's.
        self.beside = unsafe { Beside::shared_front(owner) };
    }

    #[inline]
    fn behind_first(&self) -> &[Part] {
        match self.beside.front() {
            Some(_) => slice::from_ref(&self.head),
            None => self.beside.rest().as_slice(),
        }
    }

    /// The head, which is the first part then, and the parts behind it: none of them shared with other messages.
    #[inline]
    fn own_parts(&mut self) -> (&mut Part, &mut Rest) {
        if let Some(front) = self.beside.front() {
            let second = mem::replace(&mut self.head, front.clone());
            let mut rest = Rest::EMPTY;
            rest.push_front(second);
            self.beside = Beside::from(rest);
        }
        let rest = self.beside.rest_mut().expect("what was in front is now the head");
        (&mut self.head, rest)
    }
}

impl Default for Message {
    fn default() -> Message {
        Message::new()
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.iter().eq(other)
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")?;
        f.debug_list().entries(self).finish()
    }
}

impl Index<usize> for Message {
    type Output = Part;

    /// The part at `index`.
    ///
    /// # Panics
    /// When there are not so many parts; [`Message::part`] answers instead.
    #[inline]
    fn index(&self, index: usize) -> &Part {
        match self.part(index) {
            Some(part) => part,
            None => no_such_part(index, self.part_count()),
        }
    }
}

#[cold]
#[inline(never)]
fn no_such_part(index: usize, count: usize) -> ! {
    panic!("part {index} of a message that has {count}");
}

impl<P: Into<Part>> From<P> for Message {
    /// A message of one part.
    #[inline]
    fn from(part: P) -> Message {
        Message::of(part.into())
    }
}

impl From<Vec<Part>> for Message {
    /// A message of these parts; of one empty part when there are none.
    fn from(parts: Vec<Part>) -> Message {
        Message::from_parts(parts)
    }
}

impl<P: Into<Part>> FromIterator<P> for Message {
    fn from_iter<I: IntoIterator<Item = P>>(parts: I) -> Message {
        Message::from_parts(parts)
    }
}

impl<P: Into<Part>> Extend<P> for Message {
    fn extend<I: IntoIterator<Item = P>>(&mut self, parts: I) {
        parts.into_iter().for_each(|part| self.push_back(part));
    }
}

impl<'a> IntoIterator for &'a Message {
    type Item = &'a Part;
    type IntoIter = Parts<'a>;

    #[inline]
    fn into_iter(self) -> Parts<'a> {
        self.iter()
    }
}

impl IntoIterator for Message {
    type Item = Part;
    type IntoIter = IntoParts;

    #[inline]
    fn into_iter(self) -> IntoParts {
        self.into_parts()
    }
}

/// The parts of a message in order. Made by [`Message::iter`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    head: Option<&'a Part>,
    rest: slice::Iter<'a, Part>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a Part;

    #[inline]
    fn next(&mut self) -> Option<&'a Part> {
        self.head.take().or_else(|| self.rest.next())
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = usize::from(self.head.is_some()) + self.rest.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for Parts<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.rest.next_back().or_else(|| self.head.take())
    }
}

impl ExactSizeIterator for Parts<'_> {}
impl FusedIterator for Parts<'_> {}

/// The parts of a message in order, moved out of it. Made by [`Message::into_parts`].
pub struct IntoParts(Option<Message>);

impl Iterator for IntoParts {
    type Item = Part;

    #[inline]
    fn next(&mut self) -> Option<Part> {
        self.0.as_mut()?.pop_front().or_else(|| Some(self.0.take()?.head))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.0.as_ref().map_or(0, Message::part_count);
        (len, Some(len))
    }
}

impl DoubleEndedIterator for IntoParts {
    #[inline]
    fn next_back(&mut self) -> Option<Part> {
        self.0.as_mut()?.own_parts().1.pop_back().or_else(|| Some(self.0.take()?.head))
    }
}

impl ExactSizeIterator for IntoParts {}
impl FusedIterator for IntoParts {}

impl fmt::Debug for IntoParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().flatten()).finish()
    }
}
