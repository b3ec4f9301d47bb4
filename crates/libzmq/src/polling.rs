//! Polling, pollers and proxies.

use std::ffi::{c_int, c_long, c_short, c_void};

use serverlink_capi::bell::RawFd;
use serverlink_capi::errno::{EFAULT, EINVAL, fail};
use serverlink_capi::guard::{answer, call, handle_at, length, status};
use serverlink_capi::poll::{self, Item};
use serverlink_capi::poller::{Poller, PollerEvent, Source};
use serverlink_capi::proxy;
use serverlink_capi::socket::deadline_after;

/// `zmq_pollitem_t`.
#[repr(C)]
pub struct PollItem {
    socket: *mut c_void,
    fd: RawFd,
    events: c_short,
    revents: c_short,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int {
    call(-1, || {
        let Ok(count) = usize::try_from(count) else { return fail(EINVAL) };
        if items.is_null() && count > 0 {
            return fail(EFAULT);
        }
        let items = match count {
            0 => &mut [],
            // SAFETY: the caller passes so many items.
            _ => unsafe { std::slice::from_raw_parts_mut(items, count) },
        };
        let mut wanted = Vec::with_capacity(count);
        for item in items.iter() {
            wanted.push(Item::new(item.socket, item.fd, item.events)?);
        }
        let found = poll::wait(&mut wanted, deadline_after(timeout))?;
        for (item, found) in items.iter_mut().zip(&wanted) {
            item.revents = found.found as c_short;
        }
        Ok(length(found))
    })
}

#[cfg(unix)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ppoll(
    items: *mut PollItem,
    count: c_int,
    timeout: c_long,
    mask: *const libc::sigset_t,
) -> c_int {
    if mask.is_null() {
        // SAFETY: the same call.
        return unsafe { zmq_poll(items, count, timeout) };
    }
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are where they are said to be.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, before.as_mut_ptr()) };
    // SAFETY: the same call.
    let found = unsafe { zmq_poll(items, count, timeout) };
    let code = serverlink_capi::errno::get();
    // SAFETY: the first call has filled it in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    serverlink_capi::errno::set(code);
    found
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy(front: *mut c_void, back: *mut c_void, capture: *mut c_void) -> c_int {
    status(|| proxy::run(front, back, capture, std::ptr::null_mut()))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_proxy_steerable(
    front: *mut c_void,
    back: *mut c_void,
    capture: *mut c_void,
    control: *mut c_void,
) -> c_int {
    status(|| proxy::run(front, back, capture, control))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_device(_kind: c_int, front: *mut c_void, back: *mut c_void) -> c_int {
    zmq_proxy(front, back, std::ptr::null_mut())
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_new() -> *mut c_void {
    call(std::ptr::null_mut(), Poller::create)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_destroy(place: *mut *mut c_void) -> c_int {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        Poller::destroy(unsafe { handle_at(place) }?)?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_size(poller: *mut c_void) -> c_int {
    call(-1, || Ok(length(Poller::enter(poller)?.len())))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add(
    poller: *mut c_void,
    handle: *mut c_void,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    status(|| Poller::enter(poller)?.add(Source::socket(handle), user_data, events))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_add_fd(
    poller: *mut c_void,
    fd: RawFd,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    status(|| Poller::enter(poller)?.add(Source::Descriptor(fd), user_data, events))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify(poller: *mut c_void, handle: *mut c_void, events: c_short) -> c_int {
    status(|| Poller::enter(poller)?.modify(Source::socket(handle), events))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_modify_fd(poller: *mut c_void, fd: RawFd, events: c_short) -> c_int {
    status(|| Poller::enter(poller)?.modify(Source::Descriptor(fd), events))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove(poller: *mut c_void, handle: *mut c_void) -> c_int {
    status(|| Poller::enter(poller)?.remove(Source::socket(handle)))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_poller_remove_fd(poller: *mut c_void, fd: RawFd) -> c_int {
    status(|| Poller::enter(poller)?.remove(Source::Descriptor(fd)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_fd(poller: *mut c_void, fd: *mut RawFd) -> c_int {
    status(|| {
        let poller = Poller::enter(poller)?;
        if !poller.had_shareable() {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes a place for it, or null.
        unsafe { answer(fd, poller.descriptor()?) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_wait(
    poller: *mut c_void,
    event: *mut PollerEvent,
    timeout: c_long,
) -> c_int {
    // SAFETY: the same call for one event.
    match unsafe { zmq_poller_wait_all(poller, event, 1, timeout) } {
        found if found >= 0 => 0,
        failed => {
            if !event.is_null() {
                // SAFETY: the caller has room for one event.
                unsafe { event.write_unaligned(PollerEvent::nothing()) };
            }
            failed
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_poller_wait_all(
    poller: *mut c_void,
    events: *mut PollerEvent,
    room: c_int,
    timeout: c_long,
) -> c_int {
    call(-1, || {
        let poller = Poller::enter(poller)?;
        if events.is_null() {
            return fail(EFAULT);
        }
        let Ok(room) = usize::try_from(room) else { return fail(EINVAL) };
        // SAFETY: the caller has room for so many events.
        unsafe { poller.wait(events, room, deadline_after(timeout)) }
    })
}
