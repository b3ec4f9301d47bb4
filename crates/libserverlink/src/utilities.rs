//! Clock, counters, stopwatches, and what is built in.

use std::ffi::{c_char, c_int, c_ulong, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serverlink_capi::errno::{Answer, EFAULT};
use serverlink_capi::guard::{answer, enter, handle_at, utf8};
use serverlink_capi::utility::{self, Counter, Stopwatch};

use crate::border::{call, status};

/// The system's time when it was first asked for, and from then on what a clock that never leaps adds to it.
#[unsafe(no_mangle)]
pub extern "C" fn slk_clock() -> u64 {
    static START: OnceLock<(Instant, Duration)> = OnceLock::new();
    call(0, || {
        let (start, since_epoch) =
            START.get_or_init(|| (Instant::now(), SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()));
        Ok(u64::try_from((*since_epoch + start.elapsed()).as_micros()).unwrap_or(u64::MAX))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_sleep(milliseconds: c_int) {
    std::thread::sleep(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)));
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_has(capability: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    call(
        0,
        || Ok(matches!(unsafe { utf8(capability) }?, "tcp" | "ipc" | "inproc" | "plain" | "curve").into()),
    )
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_atomic_counter_new() -> *mut c_void {
    call(std::ptr::null_mut(), || utility::create(Counter::default()))
}

fn count(counter: *mut c_void, act: impl FnOnce(&AtomicI32) -> c_int) -> c_int {
    call(-1, || Ok(act(&enter::<Counter>(counter, EFAULT)?.0)))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_atomic_counter_set(counter: *mut c_void, value: c_int) {
    count(counter, |number| number.swap(value, Ordering::SeqCst));
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_atomic_counter_inc(counter: *mut c_void) -> c_int {
    count(counter, |number| number.fetch_add(1, Ordering::SeqCst))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_atomic_counter_dec(counter: *mut c_void) -> c_int {
    count(counter, |number| number.fetch_sub(1, Ordering::SeqCst).wrapping_sub(1))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_atomic_counter_value(counter: *mut c_void) -> c_int {
    count(counter, |number| number.load(Ordering::SeqCst))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_atomic_counter_destroy(place: *mut *mut c_void) {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        utility::destroy::<Counter>(unsafe { handle_at(place) }?)?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_stopwatch_start() -> *mut c_void {
    call(std::ptr::null_mut(), || utility::create(Stopwatch(Instant::now())))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_stopwatch_intermediate(watch: *mut c_void) -> c_ulong {
    call(0, || elapsed(watch))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_stopwatch_stop(watch: *mut c_void) -> c_ulong {
    call(0, || {
        let elapsed = elapsed(watch)?;
        utility::destroy::<Stopwatch>(watch)?;
        Ok(elapsed)
    })
}

fn elapsed(watch: *mut c_void) -> Answer<c_ulong> {
    Ok(c_ulong::try_from(utility::elapsed(watch)?).unwrap_or(c_ulong::MAX))
}
