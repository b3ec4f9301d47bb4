//! Sockets.

use std::ffi::{c_char, c_int, c_void};

use serverlink_capi::errno::{Answer, EFAULT, EINVAL, ENOMEM, Errno, fail};
use serverlink_capi::guard::{answer, bytes, call, length, status, text, utf8};
use serverlink_capi::socket::{CSocket, SNDMORE, Value, Wanted, numbers};

#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket(context: *mut c_void, number: c_int) -> *mut c_void {
    call(std::ptr::null_mut(), || CSocket::create(context, number))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_close(socket: *mut c_void) -> c_int {
    status(|| CSocket::close(socket))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_setsockopt(
    socket: *mut c_void,
    option: c_int,
    value: *const c_void,
    len: usize,
) -> c_int {
    status(|| {
        let socket = CSocket::enter(socket)?;
        // An empty list is said by a null pointer.
        if len == 0 && !value.is_null() && numbers::NULL_IS_NONE.contains(&option) {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes `len` bytes, or null.
        let value = unsafe { bytes(value, len) }.map_err(|_| Errno(EINVAL))?;
        socket.set_option(option, value)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_getsockopt(
    socket: *mut c_void,
    option: c_int,
    value: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let found = CSocket::enter(socket)?.option(option)?;
        // SAFETY: the caller passes how much room there is.
        let room = if len.is_null() { 0 } else { unsafe { len.read_unaligned() } };
        let found = found.to_bytes(room);
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { give(&found, value, len) }
    })
}

/// Puts a value where the caller has room for it, and says how long it is. `EINVAL` where it does not fit.
///
/// # Safety
/// `len` can be read and written, and says how many bytes can be written at `place`.
pub(crate) unsafe fn give(value: &[u8], place: *mut c_void, len: *mut usize) -> Answer<()> {
    if len.is_null() || (place.is_null() && !value.is_empty()) {
        return fail(EFAULT);
    }
    // SAFETY: the caller's.
    let room = unsafe { len.read_unaligned() };
    if room < value.len() {
        return fail(EINVAL);
    }
    if room > 0 && !place.is_null() {
        // SAFETY: there is room for so many bytes. What is left of it is zeroed, for programs that ask a number into a larger one.
        unsafe {
            place.cast::<u8>().write_bytes(0, room);
            place.cast::<u8>().copy_from(value.as_ptr(), value.len());
        }
    }
    // SAFETY: the caller's.
    unsafe { answer(len, value.len()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_bind(socket: *mut c_void, address: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.bind(unsafe { utf8(address) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_connect(socket: *mut c_void, address: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.connect(unsafe { utf8(address) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_unbind(socket: *mut c_void, address: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.release(unsafe { utf8(address) }?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_disconnect(socket: *mut c_void, address: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    unsafe { zmq_unbind(socket, address) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_send(
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
pub unsafe extern "C" fn zmq_send_const(
    socket: *mut c_void,
    start: *const c_void,
    len: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: the same call; small messages are copied, and large ones written from where they are if that is possible at once.
    unsafe { zmq_send(socket, start, len, flags) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recv(
    socket: *mut c_void,
    place: *mut c_void,
    room: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller has room for `room` bytes.
    call(-1, || unsafe { CSocket::enter(socket)?.recv_into(place, room, flags) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_sendiov(
    socket: *mut c_void,
    parts: *const IoVector,
    count: usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        if count == 0 || parts.is_null() {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes so many entries.
        let parts = unsafe { std::slice::from_raw_parts(parts, count) };
        for (index, part) in parts.iter().enumerate() {
            let flags = if index + 1 < count { flags } else { flags & !SNDMORE };
            // SAFETY: each has so many bytes.
            socket.send_bytes(unsafe { bytes(part.start, part.len) }?, flags)?;
        }
        Ok(parts.last().map_or(0, |part| length(part.len)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recviov(
    socket: *mut c_void,
    parts: *mut IoVector,
    count: *mut usize,
    flags: c_int,
) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        if parts.is_null() || count.is_null() {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes how many entries there are.
        let room = unsafe { count.read_unaligned() };
        if room == 0 {
            return fail(EINVAL);
        }
        let mut received = 0;
        while received < room {
            let mut copied = Err(Errno(ENOMEM));
            let len = socket.recv_bytes(|part| copied = allocated(part), flags)?;
            // SAFETY: `received` is below the number of entries.
            unsafe { parts.add(received).write_unaligned(IoVector { start: copied?, len }) };
            received += 1;
            if socket.option(serverlink_capi::socket::numbers::RCVMORE)? != Value::Int(1) {
                break;
            }
        }
        // SAFETY: the caller's.
        unsafe { answer(count, received) }?;
        Ok(length(received))
    })
}

/// Bytes in memory that the program frees with `free`.
fn allocated(part: &[u8]) -> Answer<*mut c_void> {
    // SAFETY: it is asked for at least one byte.
    let start = unsafe { libc::malloc(part.len().max(1)) };
    if start.is_null() {
        return fail(ENOMEM);
    }
    // SAFETY: there is room for so many bytes, which nobody else knows of.
    unsafe { start.cast::<u8>().copy_from_nonoverlapping(part.as_ptr(), part.len()) };
    Ok(start)
}

/// `struct iovec`.
#[repr(C)]
pub struct IoVector {
    start: *mut c_void,
    len: usize,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_monitor(
    socket: *mut c_void,
    address: *const c_char,
    events: c_int,
) -> c_int {
    const PAIR: c_int = 0;
    // SAFETY: the same call with a version and a type.
    unsafe { zmq_socket_monitor_versioned(socket, address, (events & 0xFFFF) as u64, 1, PAIR) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_monitor_versioned(
    socket: *mut c_void,
    address: *const c_char,
    events: u64,
    version: c_int,
    socket_type: c_int,
) -> c_int {
    status(|| {
        let socket = CSocket::enter(socket)?;
        if address.is_null() {
            socket.stop_monitor();
            return Ok(());
        }
        // SAFETY: the caller passes a text.
        socket.monitor(unsafe { utf8(address) }?, Wanted { events, version, socket_type })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_socket_monitor_pipes_stats(socket: *mut c_void) -> c_int {
    status(|| CSocket::enter(socket)?.tell_pipes())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_join(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.join(unsafe { text(group) }?.to_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_leave(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.leave(unsafe { text(group) }?.to_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_connect_peer(socket: *mut c_void, address: *const c_char) -> u32 {
    // SAFETY: the caller passes a text.
    call(0, || CSocket::enter(socket)?.connect_peer(unsafe { utf8(address) }?))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_disconnect_peer(socket: *mut c_void, number: u32) -> c_int {
    status(|| CSocket::enter(socket)?.disconnect_peer(number))
}

/// `ZMQ_POLLOUT` or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_socket_get_peer_state(
    socket: *mut c_void,
    routing_id: *const c_void,
    len: usize,
) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes `len` bytes.
        socket.peer_state(unsafe { bytes(routing_id, len) }?)
    })
}
