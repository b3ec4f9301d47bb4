//! Sockets, sending and receiving.

use std::ffi::{c_char, c_int, c_void};

use serverlink::{Message, Part};
use serverlink_capi::errno::{EINVAL, Errno, fail};
use serverlink_capi::guard::{bytes, length, utf8};
use serverlink_capi::socket::{CSocket, SNDMORE};

use crate::border::{call, status};
use crate::{addressed, monitor};

#[unsafe(no_mangle)]
pub extern "C" fn slk_socket(context: *mut c_void, number: c_int) -> *mut c_void {
    call(std::ptr::null_mut(), || CSocket::create(context, number))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_close(socket: *mut c_void) -> c_int {
    status(|| {
        CSocket::close(socket)?;
        monitor::socket_closed(socket);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int {
    status(|| {
        let entered = CSocket::enter(socket)?;
        // SAFETY: the caller passes a text.
        let endpoint = unsafe { utf8(endpoint) }?;
        entered.bind(endpoint).inspect_err(|&Errno(code)| monitor::bind_failed(socket, endpoint, code))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.connect(unsafe { utf8(endpoint) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_unbind(socket: *mut c_void, endpoint: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.release(unsafe { utf8(endpoint) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_disconnect(socket: *mut c_void, endpoint: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    unsafe { slk_unbind(socket, endpoint) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_send(
    socket: *mut c_void,
    start: *const c_void,
    len: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes `len` bytes.
        socket.send_bytes(unsafe { bytes(start, len) }?, flags)?;
        Ok(length(len))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_recv(
    socket: *mut c_void,
    place: *mut c_void,
    room: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller has room for `room` bytes.
    call(-1, || unsafe { CSocket::enter(socket)?.recv_into(place, room, flags) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_send_to(
    socket: *mut c_void,
    id: *const c_void,
    id_len: usize,
    start: *const c_void,
    len: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes so many bytes at each place.
        let (id, data) = unsafe { (bytes(id, id_len)?, bytes(start, len)?) };
        if id.is_empty() {
            return fail(EINVAL);
        }
        let id = match addressed::has_numbers(socket.kind()) {
            true => Part::from(&addressed::turned(id)?),
            false => Part::from(id),
        };
        if flags & SNDMORE == 0 {
            // Both parts at once, so that no other thread's come between them.
            socket.send_whole_message(Message::from_parts([id, Part::from(data)]), flags)?;
        } else {
            socket.send_bytes(&id, flags)?;
            socket.send_bytes(data, flags)?;
        }
        Ok(length(len))
    })
}
