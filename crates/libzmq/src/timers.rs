//! Timers.

use std::ffi::{c_int, c_long, c_void};

use serverlink_capi::guard::{answer, call, handle_at, status};
use serverlink_capi::timers::{TimerFn, Timers};

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_new() -> *mut c_void {
    call(std::ptr::null_mut(), Timers::create)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_timers_destroy(place: *mut *mut c_void) -> c_int {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        Timers::destroy(unsafe { handle_at(place) }?)?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_timers_add(
    timers: *mut c_void,
    interval: usize,
    handler: Option<TimerFn>,
    argument: *mut c_void,
) -> c_int {
    call(-1, || Timers::enter(timers)?.add(interval, handler, argument))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_cancel(timers: *mut c_void, id: c_int) -> c_int {
    status(|| Timers::enter(timers)?.cancel(id))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_set_interval(timers: *mut c_void, id: c_int, interval: usize) -> c_int {
    status(|| Timers::enter(timers)?.set_interval(id, interval))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_reset(timers: *mut c_void, id: c_int) -> c_int {
    status(|| Timers::enter(timers)?.reset(id))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_timeout(timers: *mut c_void) -> c_long {
    call(-1, || Ok(Timers::enter(timers)?.timeout()))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_timers_execute(timers: *mut c_void) -> c_int {
    status(|| {
        Timers::enter(timers)?.execute();
        Ok(())
    })
}
