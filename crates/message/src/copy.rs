//! Copying a few bytes.

use std::ptr;

/// Copies up to 128 bytes without calling `memcpy`, which costs more than the copy: blocks of a fixed size that may overlap cover
/// every length.
///
/// # Safety
/// As for `ptr::copy_nonoverlapping`.
#[inline(always)]
pub(crate) unsafe fn copy_short(source: *const u8, target: *mut u8, len: usize) {
    // SAFETY: the caller's promise; each branch touches only offsets below `len`.
    unsafe {
        if len > 128 {
            ptr::copy_nonoverlapping(source, target, len);
        } else if len > 32 {
            copy::<[u8; 32]>(source, target, 0);
            if len > 64 {
                copy::<[u8; 32]>(source, target, 32);
                copy::<[u8; 32]>(source, target, len - 64);
            }
            copy::<[u8; 32]>(source, target, len - 32);
        } else if len >= 16 {
            copy::<[u8; 16]>(source, target, 0);
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
