//! Keys.

use std::ffi::{c_char, c_int};

use serverlink_capi::errno::{Answer, EFAULT, EINVAL, Errno, fail};
use serverlink_capi::guard::utf8;
use serverlink_capi::{SecretKey, generate_keys};

use crate::border::status;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_curve_keypair(public: *mut c_char, secret: *mut c_char) -> c_int {
    status(|| {
        if public.is_null() || secret.is_null() {
            return fail(EFAULT);
        }
        let keys = generate_keys()?;
        // SAFETY: the caller has room for 41 characters in both places.
        unsafe { put(public, &keys.public.to_z85()).and(put(secret, &keys.secret.to_z85())) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_curve_public(public: *mut c_char, secret: *const c_char) -> c_int {
    status(|| {
        // SAFETY: the caller passes a text.
        let secret = SecretKey::from_z85(unsafe { utf8(secret) }?).map_err(|_| Errno(EINVAL))?;
        // SAFETY: the caller has room for 41 characters.
        unsafe { put(public, &secret.public_key().to_z85()) }
    })
}

/// # Safety
/// `place` is null or has room for the text and a zero.
unsafe fn put(place: *mut c_char, text: &str) -> Answer<()> {
    if place.is_null() {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    unsafe {
        place.cast::<u8>().copy_from(text.as_ptr(), text.len());
        place.add(text.len()).write(0);
    }
    Ok(())
}
