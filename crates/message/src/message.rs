//! A whole message.

use std::{fmt, iter::FusedIterator, mem, ops::Index, slice};

use crate::{Part, rest::Rest};

/// A whole message: one or more [`Part`]s, sent and received as one.
///
/// A single small part costs no allocation; cloning shares the bytes.
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
    head: Part,
    rest: Rest,
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
        for part in parts {
            message.rest.push_back(part.into());
        }
        message
    }

    #[inline]
    const fn of(head: Part) -> Message {
        Message { head, rest: Rest::EMPTY, origin: 0 }
    }

    /// The first part. There always is one.
    #[inline]
    pub const fn first(&self) -> &Part {
        &self.head
    }

    /// The part at `index`, counted from 0.
    #[inline]
    pub fn part(&self, index: usize) -> Option<&Part> {
        match index.checked_sub(1) {
            None => Some(&self.head),
            Some(index) => self.rest.as_slice().get(index),
        }
    }

    /// How many parts. Never 0.
    #[inline]
    pub fn part_count(&self) -> usize {
        1 + self.rest.len()
    }

    /// Whether there is more than one part.
    #[inline]
    pub fn is_multipart(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The parts in order.
    #[inline]
    pub fn iter(&self) -> Parts<'_> {
        Parts { head: Some(&self.head), rest: self.rest.as_slice().iter() }
    }

    /// The parts in order, moved out.
    #[inline]
    pub fn into_parts(self) -> IntoParts {
        IntoParts { head: Some(self.head), rest: self.rest }
    }

    /// Adds a part at the end.
    #[inline]
    pub fn push_back(&mut self, part: impl Into<Part>) {
        self.rest.push_back(part.into());
    }

    /// Adds a part at the beginning, as an address is put before a message.
    #[inline]
    pub fn push_front(&mut self, part: impl Into<Part>) {
        let second = mem::replace(&mut self.head, part.into());
        self.rest.push_front(second);
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
        let second = self.rest.pop_front()?;
        Some(mem::replace(&mut self.head, second))
    }

    /// The bytes of all parts together.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.rest.as_slice().iter().fold(self.head.len(), |sum, part| sum.saturating_add(part.len()))
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
        self.rest.as_mut_slice().iter_mut().for_each(Part::detach);
    }
}

impl Default for Message {
    fn default() -> Message {
        Message::new()
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Message) -> bool {
        self.head == other.head && self.rest.as_slice() == other.rest.as_slice()
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
pub struct IntoParts {
    head: Option<Part>,
    rest: Rest,
}

impl Iterator for IntoParts {
    type Item = Part;

    #[inline]
    fn next(&mut self) -> Option<Part> {
        self.head.take().or_else(|| self.rest.pop_front())
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = usize::from(self.head.is_some()) + self.rest.len();
        (len, Some(len))
    }
}

impl DoubleEndedIterator for IntoParts {
    #[inline]
    fn next_back(&mut self) -> Option<Part> {
        self.rest.pop_back().or_else(|| self.head.take())
    }
}

impl ExactSizeIterator for IntoParts {}
impl FusedIterator for IntoParts {}

impl fmt::Debug for IntoParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.head).entries(self.rest.as_slice()).finish()
    }
}
