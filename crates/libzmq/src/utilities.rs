//! Z85 and keys, counters, stopwatches, threads, and what is built in.

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use serverlink_capi::errno::{Answer, EFAULT, EINVAL, Errno, fail};
use serverlink_capi::guard::{answer, bytes, call, enter, handle_at, status, text};
use serverlink_capi::utility::{self, Counter, Stopwatch, ThreadFn};
use serverlink_capi::{SecretKey, generate_keys, z85};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_has(capability: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    call(0, || Ok(utility::has(unsafe { text(capability) }?.to_bytes())))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_z85_encode(place: *mut c_char, octets: *const u8, len: usize) -> *mut c_char {
    call(std::ptr::null_mut(), || {
        if !len.is_multiple_of(4) {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes `len` octets.
        let encoded = z85::encode(unsafe { bytes(octets.cast(), len) }?).map_err(|_| Errno(EINVAL))?;
        // SAFETY: the caller has room for five characters for each four octets, and a zero.
        unsafe { put_text(place, &encoded) }?;
        Ok(place)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_z85_decode(place: *mut u8, encoded: *const c_char) -> *mut u8 {
    call(std::ptr::null_mut(), || {
        // SAFETY: the caller passes a text.
        let encoded = unsafe { text(encoded) }?.to_str().map_err(|_| Errno(EINVAL))?;
        let decoded = z85::decode(encoded).map_err(|_| Errno(EINVAL))?;
        // SAFETY: the caller has room for four octets for each five characters.
        unsafe { put(place, &decoded) }?;
        Ok(place)
    })
}

/// # Safety
/// `place` is null or has room for so many bytes.
unsafe fn put(place: *mut u8, bytes: &[u8]) -> Answer<()> {
    if place.is_null() {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    unsafe { place.copy_from(bytes.as_ptr(), bytes.len()) };
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_curve_keypair(public: *mut c_char, secret: *mut c_char) -> c_int {
    status(|| {
        let keys = generate_keys()?;
        // SAFETY: the caller has room for 41 characters in both places.
        unsafe {
            put_text(secret, &keys.secret.to_z85())?;
            put_text(public, &keys.public.to_z85())
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_curve_public(public: *mut c_char, secret: *const c_char) -> c_int {
    status(|| {
        // SAFETY: the caller passes a text.
        let secret = unsafe { text(secret) }?.to_str().map_err(|_| Errno(EINVAL))?;
        let secret = SecretKey::from_z85(secret).map_err(|_| Errno(EINVAL))?;
        // SAFETY: the caller has room for 41 characters.
        unsafe { put_text(public, &secret.public_key().to_z85()) }
    })
}

/// # Safety
/// `place` is null or has room for the text and a zero.
unsafe fn put_text(place: *mut c_char, text: &str) -> Answer<()> {
    // SAFETY: the caller's.
    unsafe {
        put(place.cast(), text.as_bytes())?;
        put(place.cast::<u8>().add(text.len()), b"\0")
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_new() -> *mut c_void {
    call(std::ptr::null_mut(), || utility::create(Counter::default()))
}

fn count(counter: *mut c_void, act: impl FnOnce(&AtomicI32) -> c_int) -> c_int {
    call(-1, || Ok(act(&enter::<Counter>(counter, EFAULT)?.0)))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_set(counter: *mut c_void, value: c_int) {
    count(counter, |number| number.swap(value, Ordering::SeqCst));
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_inc(counter: *mut c_void) -> c_int {
    count(counter, |number| number.fetch_add(1, Ordering::SeqCst))
}

/// Whether it is not zero now.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_dec(counter: *mut c_void) -> c_int {
    count(counter, |number| c_int::from(number.fetch_sub(1, Ordering::SeqCst) != 1))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_atomic_counter_value(counter: *mut c_void) -> c_int {
    count(counter, |number| number.load(Ordering::SeqCst))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_atomic_counter_destroy(place: *mut *mut c_void) {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        utility::destroy::<Counter>(unsafe { handle_at(place) }?)?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_start() -> *mut c_void {
    call(std::ptr::null_mut(), || utility::create(Stopwatch(Instant::now())))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_intermediate(watch: *mut c_void) -> c_ulong {
    call(0, || Ok(c_ulong::try_from(utility::elapsed(watch)?).unwrap_or(c_ulong::MAX)))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_stopwatch_stop(watch: *mut c_void) -> c_ulong {
    let elapsed = zmq_stopwatch_intermediate(watch);
    status(|| utility::destroy::<Stopwatch>(watch));
    elapsed
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_sleep(seconds: c_int) {
    std::thread::sleep(Duration::from_secs(c_uint::try_from(seconds).unwrap_or(0).into()));
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_threadstart(function: Option<ThreadFn>, argument: *mut c_void) -> *mut c_void {
    // SAFETY: the caller gives the function and its argument to another thread.
    call(std::ptr::null_mut(), || unsafe { utility::start(function, argument) })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_threadclose(thread: *mut c_void) {
    status(|| utility::join(thread));
}
