//! A few bytes, kept in place.

use std::{mem::MaybeUninit, ptr, slice};

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
        unsafe { copy_small(source.as_ptr(), inline.bytes.as_mut_ptr().cast(), source.len()) };
        Some(inline)
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

/// Copies up to 48 bytes without calling `memcpy`, which costs more than the copy: two overlapping halves of a fixed size
/// cover every length in between.
///
/// # Safety
/// As for `ptr::copy_nonoverlapping`, and `len` is at most 48.
#[inline(always)]
unsafe fn copy_small(source: *const u8, target: *mut u8, len: usize) {
    // SAFETY: each branch touches only offsets below `len`.
    unsafe {
        if len >= 16 {
            copy::<[u8; 16]>(source, target, 0);
            if len > 32 {
                copy::<[u8; 16]>(source, target, 16);
            }
            copy::<[u8; 16]>(source, target, len - 16);
        } else if len >= 8 {
            copy::<[u8; 8]>(source, target, 0);
            copy::<[u8; 8]>(source, target, len - 8);
        } else if len >= 4 {
            copy::<[u8; 4]>(source, target, 0);
            copy::<[u8; 4]>(source, target, len - 4);
        } else if len > 0 {
            copy::<u8>(source, target, 0);
            copy::<u8>(source, target, len / 2);
            copy::<u8>(source, target, len - 1);
        }
    }
}

/// # Safety
/// `source` is valid for reading and `target` for writing a `T` at byte `offset`.
#[inline(always)]
unsafe fn copy<T>(source: *const u8, target: *mut u8, offset: usize) {
    // SAFETY: the caller's promise; unaligned access needs no alignment.
    unsafe {
        let value = ptr::read_unaligned(source.add(offset).cast::<T>());
        ptr::write_unaligned(target.add(offset).cast::<T>(), value);
    }
}
