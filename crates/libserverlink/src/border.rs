//! The border between C and this library: no unwind crosses it, and what fails sets `slk_errno`.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serverlink_capi::errno::{self, Answer, EFAULT, EINVAL, ENOMEM, Errno, fail};
use serverlink_capi::guard::answer;

use crate::codes;

thread_local! {
    static LAST: Cell<c_int> = const { Cell::new(0) };
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_errno() -> c_int {
    LAST.get()
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_strerror(code: c_int) -> *const c_char {
    codes::describe(code).as_ptr()
}

/// Runs a call. What fails sets `slk_errno`, and the system's `errno` to what comes nearest, and gives `failed`.
#[inline]
pub(crate) fn call<T>(failed: T, body: impl FnOnce() -> Answer<T>) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(Errno(code))) => {
            note(codes::of(code), code);
            failed
        }
        Err(_) => {
            note(codes::EINTERNAL, EFAULT);
            failed
        }
    }
}

#[cold]
fn note(code: c_int, system: c_int) {
    LAST.set(code);
    errno::set(system);
}

/// Runs a call that gives 0, or -1.
#[inline]
pub(crate) fn status(body: impl FnOnce() -> Answer<()>) -> c_int {
    call(-1, || body().map(|()| 0))
}

/// Puts a value where the caller has room for it, and says how long it is, also where it does not fit: then nothing else happens, and it is
/// `EINVAL`. What is left of the room of a value of up to 16 bytes is zeroed, for programs that ask a number into a larger one.
///
/// # Safety
/// `len` is null, or says how many bytes can be written at `place`, and can be written itself.
pub(crate) unsafe fn give(value: &[u8], place: *mut c_void, len: *mut usize) -> Answer<()> {
    if len.is_null() || (place.is_null() && !value.is_empty()) {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    let room = unsafe { len.read_unaligned() };
    // SAFETY: the caller's.
    unsafe { answer(len, value.len()) }?;
    if room < value.len() {
        return fail(EINVAL);
    }
    if !place.is_null() {
        // SAFETY: there is room for so many bytes.
        unsafe {
            place.cast::<u8>().copy_from(value.as_ptr(), value.len());
            place.cast::<u8>().add(value.len()).write_bytes(0, room.min(16).saturating_sub(value.len()));
        }
    }
    Ok(())
}

/// Memory of the C library's for `count` entries of `T` and `tail` bytes behind them. Its end is `free`.
pub(crate) fn allocate<T>(count: usize, tail: usize) -> Answer<(*mut T, *mut u8)> {
    let head = count.checked_mul(size_of::<T>()).ok_or(Errno(ENOMEM))?;
    let size = head.checked_add(tail).ok_or(Errno(ENOMEM))?;
    // SAFETY: it is asked for at least one byte.
    let start: *mut u8 = unsafe { libc::malloc(size.max(1)) }.cast();
    if start.is_null() {
        return fail(ENOMEM);
    }
    Ok((start.cast(), start.wrapping_add(head)))
}

/// Gives memory of [`allocate`] back. Null is none.
///
/// # Safety
/// It is of `allocate`, and was not given back.
pub(crate) unsafe fn release<T>(start: *mut T) {
    // SAFETY: the caller's.
    unsafe { libc::free(start.cast()) };
}
