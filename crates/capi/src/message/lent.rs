//! Messages on memory that the program gave away.

use std::ffi::c_void;

use serverlink::Part;

use super::RawMessage;
use crate::errno::{Answer, EINVAL, fail};

/// Frees memory that a program gave, on whichever thread lets go of it last.
pub type FreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// Given back through its function.
struct Lent {
    start: *mut c_void,
    len: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
}

// SAFETY: the program gave the memory away, to be read and freed on any thread: that is what the call is documented to do.
unsafe impl Send for Lent {}
// SAFETY: as above; nothing in it changes.
unsafe impl Sync for Lent {}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        if self.start.is_null() {
            return &[];
        }
        // SAFETY: the program lent so many bytes until its function is called.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: it is called once, when nobody reads the bytes any more, with what the program gave.
            unsafe { free(self.start, self.hint) };
        }
    }
}

/// A message on the program's own memory.
///
/// # Safety
/// `len` bytes can be read at `start`, by any thread, until `free` is called. Without `free` they live for ever.
pub unsafe fn lent(
    start: *mut c_void,
    len: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
) -> Answer<RawMessage> {
    if start.is_null() && len > 0 {
        return fail(EINVAL);
    }
    let part = Part::lent(Lent { start, len, free, hint });
    let mut message = RawMessage::new(part, false, None);
    if free.is_none() {
        // Nobody frees it, so it is everybody's.
        message.share();
    }
    Ok(message)
}
