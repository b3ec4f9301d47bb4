//! Polling, pollers and proxies.

use std::ffi::{c_int, c_long, c_short, c_void};

use serverlink_capi::bell::RawFd;
use serverlink_capi::errno::{EFAULT, EINVAL, fail};
use serverlink_capi::guard::{answer, handle_at, length};
use serverlink_capi::poll::{self, Item};
use serverlink_capi::poller::{Poller, PollerEvent, Source, invalid};
use serverlink_capi::proxy;
use serverlink_capi::socket::deadline_after;

use crate::border::{call, status};

/// `slk_pollitem_t`.
#[repr(C)]
pub struct PollItem {
    socket: *mut c_void,
    fd: c_int,
    events: c_short,
    revents: c_short,
}

// What programs were built with; `tests/capi/serverlink/layout.c` has the same numbers of the header.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(
        size_of::<PollItem>() == 16 && offset_of!(PollItem, fd) == 8 && offset_of!(PollItem, revents) == 14
    );
    assert!(size_of::<PollerEvent>() == 32 && offset_of!(PollerEvent, user_data) == 16);
    assert!(offset_of!(PollerEvent, events) == 24);
};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int {
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
            wanted.push(match RawFd::try_from(item.fd) {
                Ok(fd) if !item.socket.is_null() || item.fd >= 0 => Item::new(item.socket, fd, item.events)?,
                _ if !item.socket.is_null() => Item::new(item.socket, invalid(), item.events)?,
                // Neither a socket nor a descriptor: it is passed over.
                _ => Item::new(item.socket, invalid(), 0)?,
            });
        }
        let found = poll::wait(&mut wanted, deadline_after(timeout))?;
        for (item, found) in items.iter_mut().zip(&wanted) {
            item.revents = found.found as c_short;
        }
        Ok(length(found))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_proxy(front: *mut c_void, back: *mut c_void, capture: *mut c_void) -> c_int {
    status(|| proxy::run(front, back, capture, std::ptr::null_mut()))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_proxy_steerable(
    front: *mut c_void,
    back: *mut c_void,
    capture: *mut c_void,
    control: *mut c_void,
) -> c_int {
    status(|| proxy::run(front, back, capture, control))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_new() -> *mut c_void {
    call(std::ptr::null_mut(), Poller::create)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_poller_destroy(place: *mut *mut c_void) -> c_int {
    status(|| {
        // SAFETY: the caller passes a place with a handle in it.
        Poller::destroy(unsafe { handle_at(place) }?)?;
        // SAFETY: as above.
        unsafe { answer(place, std::ptr::null_mut()) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_size(poller: *mut c_void) -> c_int {
    call(-1, || Ok(length(Poller::enter(poller)?.len())))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_add(
    poller: *mut c_void,
    handle: *mut c_void,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    status(|| Poller::enter(poller)?.add(Source::socket(handle), user_data, events))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_add_fd(
    poller: *mut c_void,
    fd: RawFd,
    user_data: *mut c_void,
    events: c_short,
) -> c_int {
    status(|| Poller::enter(poller)?.add(Source::Descriptor(fd), user_data, events))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_modify(poller: *mut c_void, handle: *mut c_void, events: c_short) -> c_int {
    status(|| Poller::enter(poller)?.modify(Source::socket(handle), events))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_modify_fd(poller: *mut c_void, fd: RawFd, events: c_short) -> c_int {
    status(|| Poller::enter(poller)?.modify(Source::Descriptor(fd), events))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_remove(poller: *mut c_void, handle: *mut c_void) -> c_int {
    status(|| Poller::enter(poller)?.remove(Source::socket(handle)))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_poller_remove_fd(poller: *mut c_void, fd: RawFd) -> c_int {
    status(|| Poller::enter(poller)?.remove(Source::Descriptor(fd)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_poller_fd(poller: *mut c_void, fd: *mut RawFd) -> c_int {
    status(|| {
        let descriptor = Poller::enter(poller)?.descriptor()?;
        // SAFETY: the caller passes a place for it, or null.
        unsafe { answer(fd, descriptor) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_poller_wait(
    poller: *mut c_void,
    event: *mut PollerEvent,
    timeout: c_long,
) -> c_int {
    // SAFETY: the same call for one event.
    match unsafe { slk_poller_wait_all(poller, event, 1, timeout) } {
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
pub unsafe extern "C" fn slk_poller_wait_all(
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
        let Some(room) = usize::try_from(room).ok().filter(|room| *room > 0) else { return fail(EINVAL) };
        // SAFETY: the caller has room for so many events.
        unsafe { poller.wait(events, room, deadline_after(timeout)) }
    })
}
