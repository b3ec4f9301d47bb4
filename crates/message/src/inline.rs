//! A few bytes, kept in place.

use std::{mem::MaybeUninit, slice};

use crate::copy::copy_short;

/// Up to [`Inline::MAX`] bytes in 47, so that a tag makes it 48.
#[derive(Clone, Copy)]
pub(crate) struct Inline {
    /// At most `MAX`, and so many of `bytes` are initialised.
    len: u8,
    bytes: [MaybeUninit<u8>; Inline::MAX],
}

impl Inline {
    pub(crate) const MAX: usize = 46;

    pub(crate) const EMPTY: Inline = Inline { len: 0, bytes: [MaybeUninit::uninit(); Inline::MAX] };

    /// Copies `source` if it fits.
    #[inline]
    pub(crate) fn copy_of(source: &[u8]) -> Option<Inline> {
        if source.len() > Inline::MAX {
            return None;
        }
        let mut inline = Inline::EMPTY;
        inline.len = source.len() as u8;
        // SAFETY: `source` is at most MAX bytes long and cannot overlap a local that was just made.
        unsafe { copy_short(source.as_ptr(), inline.bytes.as_mut_ptr().cast(), source.len()) };
        Some(inline)
    }

    /// The first `len` bytes.
    #[expect(clippy::inline_always, reason = "as `Part::take_from`")]
    #[inline(always)]
    pub(crate) fn first_of(bytes: &[u8; Inline::MAX], len: usize) -> Inline {
        assert!(len <= Inline::MAX, "so many bytes do not fit");
        // SAFETY: what is initialised is also something that need not be.
        let bytes =
            unsafe { std::mem::transmute::<[u8; Inline::MAX], [MaybeUninit<u8>; Inline::MAX]>(*bytes) };
        Inline { len: len as u8, bytes }
    }

    /// So many zeros, if they fit.
    #[inline]
    pub(crate) const fn zeroed(len: usize) -> Option<Inline> {
        if len > Inline::MAX {
            return None;
        }
        Some(Inline { len: len as u8, bytes: [MaybeUninit::new(0); Inline::MAX] })
    }

    #[inline]
    pub(crate) const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().cast()
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialised: `copy_of` is the only way to a length above zero.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.len as usize) }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }
}
