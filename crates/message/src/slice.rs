//! Shared, read-only bytes.

use std::{fmt, ops::Deref, ptr::NonNull, slice};

use crate::{
    Part,
    owner::{COPY_OFFSET, Owner},
    returns,
};

/// References bought at once by [`Slice::split_to`]: one atomic operation for so many messages.
const BATCH: u32 = 64;

/// A shared, read-only run of bytes. It keeps its memory alive; the last one frees it.
///
/// Made by [`Chunk::commit`](crate::chunk::Chunk::commit), from a `Vec<u8>`, or by cutting another slice. Turn it into a
/// [`Part`](crate::Part) with `Part::from` when it is to be handed to an application.
///
/// ```
/// use serverlink_message::chunk::Slice;
///
/// let mut rest = Slice::from(b"headbody".to_vec());
/// let head = rest.split_to(4);
/// assert_eq!((&*head, &*rest), (&b"head"[..], &b"body"[..]));
/// ```
pub struct Slice {
    /// `None`: the bytes live for ever.
    owner: Option<Owner>,
    start: NonNull<u8>,
    len: usize,
    /// References held beyond the first one, for slices that will be cut off this one.
    prepaid: u32,
    /// See [`Part::lent`].
    is_lent: bool,
    /// Others were cut out of the same memory, and it is not large: a reference may be given back later.
    lingers: bool,
}

impl Slice {
    /// No bytes. Costs nothing.
    pub const fn new() -> Slice {
        Slice::from_static(&[])
    }

    /// Bytes that live for ever.
    pub const fn from_static(bytes: &'static [u8]) -> Slice {
        Slice {
            owner: None,
            start: NonNull::from_ref(bytes).cast(),
            len: bytes.len(),
            prepaid: 0,
            is_lent: false,
            lingers: false,
        }
    }

    /// A private copy of `bytes`, in one allocation.
    pub fn copy_from(bytes: &[u8]) -> Slice {
        let (owner, start) = Owner::copy_of(bytes);
        Slice::sole(owner, start, bytes.len())
    }

    /// So many zeros, in one allocation; `None` where there is no memory for them.
    pub fn try_zeroed(len: usize) -> Option<Slice> {
        let (owner, start) = Owner::try_zeroed::<COPY_OFFSET>(len)?;
        Some(Slice::sole(owner, start, len))
    }

    /// The bytes of `owner`, which is kept until the last slice of them is dropped.
    pub fn from_owner<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Slice {
        let (owner, bytes) = Owner::hold(owner);
        Slice::sole(owner, bytes.cast(), bytes.len())
    }

    /// See [`Part::lent`].
    pub(crate) fn lent<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Slice {
        let mut slice = Slice::from_owner(owner);
        slice.is_lent = true;
        slice
    }

    #[inline]
    pub(crate) const fn is_lent(&self) -> bool {
        self.is_lent
    }

    const fn sole(owner: Owner, start: NonNull<u8>, len: usize) -> Slice {
        Slice { owner: Some(owner), start, len, prepaid: 0, is_lent: false, lingers: false }
    }

    /// Of memory that others have pieces of. `lingers`: [`returns`] may be slow with the reference.
    ///
    /// # Safety
    /// The caller gives up one reference to `owner`, and the `len` bytes at `start` are initialised, belong to that
    /// owner's memory and are never written again while a reference to it exists.
    pub(crate) unsafe fn from_parts(owner: Owner, start: NonNull<u8>, len: usize, lingers: bool) -> Slice {
        Slice { owner: Some(owner), start, len, prepaid: 0, is_lent: false, lingers }
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `owner` keeps the bytes alive, or they live for ever; nobody writes them while a slice of them exists.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// Where they begin. See [`Part::as_ptr_for_c`](crate::Part::as_ptr_for_c).
    pub(crate) const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How many bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Cuts off the first `n` bytes and returns them. Both share the memory.
    ///
    /// Cheap: an atomic operation is needed only for every 64th piece.
    ///
    /// # Panics
    /// When `n` is past the end.
    #[expect(
        clippy::inline_always,
        reason = "a call would move the slice once more, and be half of what a message costs here"
    )]
    #[inline(always)]
    pub fn split_to(&mut self, n: usize) -> Slice {
        self.check(n);
        let front = Slice {
            owner: self.lend(),
            start: self.start,
            len: n,
            prepaid: 0,
            is_lent: false,
            lingers: self.lingers,
        };
        self.skip(n);
        front
    }

    /// Drops the first `skipped` bytes from view, and cuts off the next `n`. `None`, and nothing changed: there are fewer, or no reference is prepaid.
    #[expect(clippy::inline_always, reason = "as `split_to`")]
    #[inline(always)]
    pub(crate) fn cut_prepaid(&mut self, skipped: usize, n: usize) -> Option<Slice> {
        if self.prepaid == 0 || skipped > self.len || n > self.len - skipped {
            return None;
        }
        self.prepaid -= 1;
        self.skip(skipped);
        let front = Slice {
            owner: self.owner,
            start: self.start,
            len: n,
            prepaid: 0,
            is_lent: false,
            lingers: self.lingers,
        };
        self.skip(n);
        Some(front)
    }

    /// The same bytes once more. As `clone`, for many of them in a row: an atomic operation is needed only for every 64th.
    ///
    /// ```
    /// use serverlink_message::chunk::Slice;
    ///
    /// let mut bytes = Slice::copy_from(b"for everybody");
    /// let copies: Vec<Slice> = (0..100).map(|_| bytes.share_again()).collect();
    /// assert!(copies.iter().all(|copy| **copy == *bytes));
    /// ```
    #[inline]
    pub fn share_again(&mut self) -> Slice {
        Slice { owner: self.lend(), prepaid: 0, is_lent: false, ..*self }
    }

    /// Cuts off the first `n` bytes as a part: a copy in place if it fits there, else shared. This is how a frame's body
    /// leaves a receive buffer.
    ///
    /// # Panics
    /// When `n` is past the end.
    #[inline]
    pub fn split_to_part(&mut self, n: usize) -> Part {
        if n > Part::INLINE_MAX {
            return Part::from(self.split_to(n));
        }
        self.check(n);
        let part = Part::copy_from(&self[..n]);
        self.skip(n);
        part
    }

    /// Drops the first `n` bytes from view.
    ///
    /// # Panics
    /// When `n` is past the end.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.check(n);
        self.skip(n);
    }

    /// Shortens the slice to its first `n` bytes; does nothing when it is shorter already.
    #[inline]
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
    }

    /// Takes over what another slice holds, if it is of the same memory or owns nothing; that one has no bytes afterwards. False: nothing changed.
    #[inline]
    pub(crate) fn take_back(&mut self, other: &mut Slice) -> bool {
        if other.owner.is_some() {
            if other.owner != self.owner {
                return false;
            }
            let Some(prepaid) = self.prepaid.checked_add(other.prepaid + 1) else { return false };
            self.prepaid = prepaid;
        }
        // Its references are counted in ours.
        (other.owner, other.len) = (None, 0);
        true
    }

    /// Extends this slice by `next` when `next` begins in the same memory exactly where this one ends.
    /// Says whether it did; `next` is never changed.
    #[inline]
    pub fn try_join(&mut self, next: &Slice) -> bool {
        // SAFETY: one past the end of the bytes is still inside, or at the end of, their memory.
        let end = unsafe { self.start.add(self.len) };
        let follows = self.owner.is_some() && self.owner == next.owner && end == next.start;
        if follows {
            self.len += next.len;
        }
        follows
    }

    /// Dropped, by somebody who is probably the only one to share the memory.
    #[inline]
    pub(crate) fn drop_alone(mut self) {
        if self.lingers {
            // To be counted costs less than to look.
            return;
        }
        if let Some(owner) = self.owner.take() {
            // SAFETY: these are all the references this slice held, and without its owner it has no use for them.
            unsafe { owner.release_the_last(1 + self.prepaid as usize) };
        }
        // There is nothing left to drop; whether there was would be asked once more.
        std::mem::forget(self);
    }

    /// Whether dropping this slice could free more memory than a copy of its bytes would take.
    pub(crate) fn pins_more_than_itself(&self) -> bool {
        // SAFETY: this slice holds a reference.
        self.owner.is_some_and(|owner| unsafe { owner.pinned_bytes() } > self.len)
    }

    /// The `n` bytes at `from`, shared. The caller has checked both.
    pub(crate) fn share(&self, from: usize, n: usize) -> Slice {
        let mut piece = self.clone();
        piece.advance(from);
        piece.truncate(n);
        piece
    }

    #[inline]
    fn check(&self, n: usize) {
        if n > self.len {
            past_the_end(n, self.len);
        }
    }

    #[inline]
    fn skip(&mut self, n: usize) {
        // SAFETY: `check` was called, so this points at most one past the end.
        self.start = unsafe { self.start.add(n) };
        self.len -= n;
    }

    /// What keeps the bytes alive, if anything has to.
    #[inline]
    pub(crate) const fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Whether a reference for somebody else was bought already.
    #[inline]
    pub(crate) const fn is_prepaid(&self) -> bool {
        self.prepaid > 0
    }

    /// That reference, if there is one.
    #[inline]
    pub(crate) const fn lend_prepaid(&mut self) -> Option<Owner> {
        if self.prepaid == 0 {
            return None;
        }
        self.prepaid -= 1;
        self.owner
    }

    /// One reference for somebody else, out of the prepaid ones.
    #[inline]
    pub(crate) fn lend(&mut self) -> Option<Owner> {
        let owner = self.owner?;
        if self.prepaid == 0 {
            // SAFETY: this slice holds a reference.
            unsafe { owner.retain(BATCH as usize) };
            self.prepaid = BATCH;
        }
        self.prepaid -= 1;
        Some(owner)
    }
}

#[cold]
#[inline(never)]
fn past_the_end(n: usize, len: usize) -> ! {
    panic!("{n} bytes were asked of a slice of {len}: frames are cut only where their bytes have come");
}

impl Drop for Slice {
    #[inline]
    fn drop(&mut self) {
        if let Some(owner) = self.owner {
            // SAFETY: these are all the references this slice holds, and it is gone after this.
            unsafe {
                match self.lingers && self.prepaid == 0 {
                    true => returns::give_back(owner, &returns::MEMORY),
                    false => owner.release(1 + self.prepaid as usize),
                }
            }
        }
    }
}

impl Clone for Slice {
    /// Shares the memory: one atomic operation.
    #[inline]
    fn clone(&self) -> Slice {
        if let Some(owner) = self.owner {
            // SAFETY: this slice holds a reference.
            unsafe { owner.retain(1) };
        }
        Slice { prepaid: 0, ..*self }
    }
}

impl Default for Slice {
    fn default() -> Slice {
        Slice::new()
    }
}

impl Deref for Slice {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<Vec<u8>> for Slice {
    /// Takes the buffer over; the bytes are not copied.
    fn from(bytes: Vec<u8>) -> Slice {
        Slice::from_owner(bytes)
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({:?})", crate::part_traits::Preview(self))
    }
}

// SAFETY: the bytes are only read, and the memory behind them is counted atomically.
unsafe impl Send for Slice {}
// SAFETY: as above; `prepaid` changes only through `&mut`.
unsafe impl Sync for Slice {}
