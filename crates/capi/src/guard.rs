//! The border between C and Rust: no unwind crosses it, pointers become references, answers become return values.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::errno::{self, Answer, EFAULT, EINVAL, Errno, fail};
use crate::table::{Handled, Inside};

/// Runs a call. What fails sets `errno` and gives `failed`; so does a panic, with `EFAULT`.
#[inline]
pub fn call<T>(failed: T, body: impl FnOnce() -> Answer<T>) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(Errno(code))) => {
            errno::set(code);
            failed
        }
        Err(_) => {
            errno::set(EFAULT);
            failed
        }
    }
}

/// Runs a call that gives 0, or -1 and `errno`.
#[inline]
pub fn status(body: impl FnOnce() -> Answer<()>) -> c_int {
    call(-1, || body().map(|()| 0))
}

/// What a handle stands for; `code` if it is none.
#[expect(clippy::inline_always, reason = "as `Table::enter`")]
#[inline(always)]
pub fn enter<T: Handled>(handle: *const c_void, code: c_int) -> Answer<Inside<T>> {
    T::table().enter(handle).ok_or(Errno(code))
}

/// The bytes at `start`; null is none.
///
/// # Safety
/// `start` is null, or `len` bytes can be read there until the call that this is for has ended.
#[inline]
pub unsafe fn bytes<'a>(start: *const c_void, len: usize) -> Answer<&'a [u8]> {
    match start.is_null() {
        true if len == 0 => Ok(&[]),
        true => fail(EFAULT),
        // SAFETY: the caller's.
        false => Ok(unsafe { std::slice::from_raw_parts(start.cast(), len) }),
    }
}

/// A string of C; null is `EFAULT`.
///
/// # Safety
/// `text` is null, or ends with a zero byte and can be read until the call that this is for has ended.
pub unsafe fn text<'a>(text: *const c_char) -> Answer<&'a CStr> {
    if text.is_null() {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    Ok(unsafe { CStr::from_ptr(text) })
}

/// A text of C, in UTF-8; null and others are `EINVAL`.
///
/// # Safety
/// As [`text`].
pub unsafe fn utf8<'a>(place: *const c_char) -> Answer<&'a str> {
    // SAFETY: the caller's.
    unsafe { text(place) }.ok().and_then(|text| text.to_str().ok()).ok_or(Errno(EINVAL))
}

/// A handle that a place of the program holds.
///
/// # Safety
/// The place is null or can be read.
pub unsafe fn handle_at(place: *mut *mut c_void) -> Answer<*mut c_void> {
    if place.is_null() {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    Ok(unsafe { place.read_unaligned() })
}

/// As a call of C gives it: a length that does not fit is the largest that does.
pub fn length(bytes: usize) -> c_int {
    c_int::try_from(bytes).unwrap_or(c_int::MAX)
}

/// Writes where C wants an answer; null is `EFAULT`.
///
/// # Safety
/// `place` is null, or can be written.
pub unsafe fn answer<T>(place: *mut T, value: T) -> Answer<()> {
    if place.is_null() {
        return fail(EFAULT);
    }
    // SAFETY: the caller's; what C passes need not be aligned.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(status(|| panic!("a fault of ours")), -1);
        assert_eq!(errno::get(), EFAULT);
        let _ = std::panic::take_hook();
    }
}
