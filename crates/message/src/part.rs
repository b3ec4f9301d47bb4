//! One part of a message.

use std::ops::{Bound, RangeBounds};

use crate::{chunk::Slice, inline::Inline};

/// One part of a message: some bytes that can be cloned, sent and cut without copying them.
///
/// Up to [`INLINE_MAX`](Part::INLINE_MAX) bytes are kept in place, longer ones are shared. A received part may be a slice
/// of a large receive buffer and keep all of it in memory: call [`detach`](Part::detach) on what you keep for long.
///
/// Dropping parts of such a buffer one after the other costs no atomic operation: a thread gives them back together. So it may keep one buffer,
/// 256 KiB at most, until it drops parts of another one, waits in a socket, or ends.
///
/// ```
/// use serverlink_message::Part;
///
/// let part = Part::from("topic.temperature");
/// assert_eq!(part, "topic.temperature");
/// assert_eq!(part.slice(6..).unwrap(), "temperature");
/// assert!(part.slice(6..99).is_none());
/// ```
#[derive(Clone)]
pub struct Part(Repr);

#[derive(Clone)]
enum Repr {
    Inline(Inline),
    Shared(Slice),
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Part>() == 48 && size_of::<Option<Part>>() == 48);

impl Part {
    /// Parts up to this many bytes are kept in place, without an allocation.
    pub const INLINE_MAX: usize = Inline::MAX;

    /// A part without bytes.
    #[inline]
    pub const fn new() -> Part {
        Part(Repr::Inline(Inline::EMPTY))
    }

    /// A copy of `bytes`: in place if they fit, else in one allocation.
    #[inline]
    pub fn copy_from(bytes: &[u8]) -> Part {
        match Inline::copy_of(bytes) {
            Some(inline) => Part(Repr::Inline(inline)),
            None => Part(Repr::Shared(Slice::copy_from(bytes))),
        }
    }

    /// The first `len` of these bytes, in place. All are copied, which takes less than to ask how many.
    ///
    /// # Panics
    /// When `len` is more than there are.
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub(crate) fn first_of(bytes: &[u8; Part::INLINE_MAX], len: usize) -> Part {
        Part(Repr::Inline(Inline::first_of(bytes, len)))
    }

    /// Bytes that live for ever. Never copied.
    #[inline]
    pub const fn from_static(bytes: &'static [u8]) -> Part {
        Part(Repr::Shared(Slice::from_static(bytes)))
    }

    /// The bytes of `owner`, without copying them. `owner` is dropped with the last part that shares them, on whichever
    /// thread that is.
    ///
    /// ```
    /// # use serverlink_message::Part;
    /// let part = Part::from_owner(vec![7_u8; 100_000].into_boxed_slice());
    /// assert_eq!(part.len(), 100_000);
    /// ```
    pub fn from_owner<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Part {
        Part(Repr::Shared(Slice::from_owner(owner)))
    }

    /// As [`from_owner`](Part::from_owner), for an owner whose end tells somebody something: a socket that copies the bytes, because they are few, keeps
    /// `owner` all the same until it has written them.
    ///
    /// ```
    /// use serverlink_message::Part;
    ///
    /// assert!(Part::lent([1, 2, 3]).is_lent());
    /// assert!(!Part::from_owner([1, 2, 3]).is_lent());
    /// ```
    pub fn lent<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Part {
        Part(Repr::Shared(Slice::lent(owner)))
    }

    /// Whether the bytes were [lent](Part::lent).
    #[inline]
    pub const fn is_lent(&self) -> bool {
        match &self.0 {
            Repr::Inline(_) => false,
            Repr::Shared(slice) => slice.is_lent(),
        }
    }

    /// So many zeros, to be filled in through [`as_ptr_for_c`](Part::as_ptr_for_c); `None` where there is no memory for them.
    #[inline]
    pub fn try_zeroed(len: usize) -> Option<Part> {
        match Inline::zeroed(len) {
            Some(inline) => Some(Part(Repr::Inline(inline))),
            None => Slice::try_zeroed(len).map(|slice| Part(Repr::Shared(slice))),
        }
    }

    /// Where the bytes begin, for interfaces by which programs write into messages. Valid until this part is moved, changed or dropped.
    ///
    /// Writing through it is as unsafe as it looks: only while nobody else reads the part or what it shares its bytes with, and never where the
    /// bytes live for ever.
    #[inline]
    pub fn as_ptr_for_c(&mut self) -> *mut u8 {
        match &mut self.0 {
            Repr::Inline(inline) => inline.as_mut_ptr(),
            Repr::Shared(slice) => slice.start().as_ptr(),
        }
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(inline) => inline.as_bytes(),
            Repr::Shared(slice) => slice.as_bytes(),
        }
    }

    /// How many bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        match &self.0 {
            Repr::Inline(inline) => inline.len(),
            Repr::Shared(slice) => slice.len(),
        }
    }

    /// Whether there are no bytes.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the bytes are kept in place.
    #[inline]
    pub const fn is_inline(&self) -> bool {
        matches!(self.0, Repr::Inline(_))
    }

    /// The bytes in `range` as a part of their own. Shares memory with this one when they are too many to be kept in
    /// place. `None` when `range` does not lie within this part.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Option<Part> {
        let (from, to) = bounds(range, self.len())?;
        let bytes = self.as_bytes().get(from..to)?;
        Some(match (Inline::copy_of(bytes), &self.0) {
            (Some(inline), _) => Part(Repr::Inline(inline)),
            (None, Repr::Shared(slice)) => Part(Repr::Shared(slice.share(from, to - from))),
            (None, Repr::Inline(_)) => unreachable!("a range of what fits in place fits in place"),
        })
    }

    /// Cuts `skipped` bytes and then `n` off the front of `slice`, and holds those `n` from now on: a copy in place if they fit there, else shared. What it held
    /// before must be bytes in place, or a piece of the same memory, whose share goes back without an atomic operation: so who receives one frame after
    /// the other into one part counts nothing. False, and nothing changed: it holds something else, which has to be dropped first.
    ///
    /// ```
    /// use serverlink_message::{Part, chunk::Slice};
    ///
    /// let mut wire = Slice::from(b"..hello".to_vec());
    /// let mut part = Part::new();
    /// assert!(part.take_from(&mut wire, 2, 5));
    /// assert_eq!(part, "hello");
    /// ```
    ///
    /// # Panics
    /// When `skipped + n` is past the end.
    #[expect(
        clippy::inline_always,
        reason = "as `Slice::split_to`: it is where each received message is made"
    )]
    #[inline(always)]
    pub fn take_from(&mut self, slice: &mut Slice, skipped: usize, n: usize) -> bool {
        if let Repr::Shared(held) = &mut self.0
            && !slice.take_back(held)
        {
            return false;
        }
        slice.advance(skipped);
        let taken = if n > Part::INLINE_MAX { Part::from(slice.split_to(n)) } else { slice.split_to_part(n) };
        // What is left of it owns nothing.
        std::mem::forget(std::mem::replace(self, taken));
        true
    }

    /// Drops the part. Cheaper than `drop` where nobody else shares its bytes, as those of a message that was just filled in and sent by copy.
    #[inline]
    pub fn drop_alone(self) {
        if let Repr::Shared(slice) = self.0 {
            slice.drop_alone();
        }
    }

    /// Copies the bytes out if they keep more in memory than themselves, as a slice of a receive buffer does.
    ///
    /// Do this to parts that live long: one part of 50 bytes can pin a buffer of many thousands.
    pub fn detach(&mut self) {
        if let Repr::Shared(slice) = &self.0
            && slice.pins_more_than_itself()
        {
            *self = Part::copy_from(slice);
        }
    }
}

/// `range` as a half-open pair, checked for overflow only.
fn bounds(range: impl RangeBounds<usize>, len: usize) -> Option<(usize, usize)> {
    let from = match range.start_bound() {
        Bound::Included(&from) => from,
        Bound::Excluded(&before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1)?,
        Bound::Excluded(&to) => to,
        Bound::Unbounded => len,
    };
    Some((from, to))
}

impl From<Slice> for Part {
    /// Shares the slice's memory; nothing is copied, however few bytes there are.
    #[inline]
    fn from(slice: Slice) -> Part {
        Part(Repr::Shared(slice))
    }
}

impl From<Vec<u8>> for Part {
    /// Takes the buffer over; copies it only when the bytes fit in place.
    #[inline]
    fn from(bytes: Vec<u8>) -> Part {
        match Inline::copy_of(&bytes) {
            Some(inline) => Part(Repr::Inline(inline)),
            None => Part(Repr::Shared(Slice::from(bytes))),
        }
    }
}
