//! Messages.

use std::ffi::{c_char, c_int, c_void};

use serverlink_capi::errno::{Answer, EINVAL, Errno, fail};
use serverlink_capi::guard::{bytes, call, length, status, text};
use serverlink_capi::message::{FreeFn, RawMessage, lent};
use serverlink_capi::socket::CSocket;

const MORE: c_int = 1;
const SRCFD: c_int = 2;
const SHARED: c_int = 3;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init(message: *mut RawMessage) -> c_int {
    // SAFETY: the caller passes room for a message.
    status(|| unsafe { RawMessage::init(message, RawMessage::empty()) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_size(message: *mut RawMessage, size: usize) -> c_int {
    // SAFETY: as above.
    status(|| unsafe { RawMessage::init_sized(message, size) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_buffer(
    message: *mut RawMessage,
    start: *const c_void,
    size: usize,
) -> c_int {
    status(|| {
        // SAFETY: the caller passes `size` bytes.
        let copied = RawMessage::copy_of(unsafe { bytes(start, size) }?);
        // SAFETY: the caller passes room for a message.
        unsafe { RawMessage::init(message, copied) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_data(
    message: *mut RawMessage,
    start: *mut c_void,
    size: usize,
    free: Option<FreeFn>,
    hint: *mut c_void,
) -> c_int {
    status(|| {
        RawMessage::check_place(message)?;
        // SAFETY: the caller gives the bytes away, to be freed by its function, and passes room for a message.
        unsafe { RawMessage::init(message, lent(start, size, free, hint)?) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_send(message: *mut RawMessage, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message) }?;
        let size = message.part().len();
        socket.send_message(message, flags)?;
        Ok(length(size))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_sendmsg(socket: *mut c_void, message: *mut RawMessage, flags: c_int) -> c_int {
    // SAFETY: the same call, its arguments turned around.
    unsafe { zmq_msg_send(message, socket, flags) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_recv(message: *mut RawMessage, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message) }?;
        socket.recv_message(message, flags).map(length)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_recvmsg(socket: *mut c_void, message: *mut RawMessage, flags: c_int) -> c_int {
    // SAFETY: the same call, its arguments turned around.
    unsafe { zmq_msg_recv(message, socket, flags) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_close(message: *mut RawMessage) -> c_int {
    // SAFETY: the caller passes a message.
    status(|| unsafe { RawMessage::close(message) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_move(to: *mut RawMessage, from: *mut RawMessage) -> c_int {
    // SAFETY: the caller passes two messages.
    status(|| unsafe { two(to, from, RawMessage::move_from) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_copy(to: *mut RawMessage, from: *mut RawMessage) -> c_int {
    // SAFETY: as above.
    status(|| unsafe { two(to, from, RawMessage::copy_from) })
}

/// One message into another. Into itself: nothing changes.
unsafe fn two(
    to: *mut RawMessage,
    from: *mut RawMessage,
    act: impl FnOnce(&mut RawMessage, &mut RawMessage),
) -> Answer<()> {
    // SAFETY: the caller's, and they are not the same when both are used.
    let (known, from) = unsafe { (RawMessage::at(from).map(drop), from) };
    known?;
    if std::ptr::eq(to, from) {
        return Ok(());
    }
    // SAFETY: as above.
    let (to, from) = unsafe { (RawMessage::at(to)?, RawMessage::at(from)?) };
    act(to, from);
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_data(message: *mut RawMessage) -> *mut c_void {
    // SAFETY: the caller passes a message.
    call(std::ptr::null_mut(), || unsafe { RawMessage::at(message) }.map(RawMessage::data))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_size(message: *const RawMessage) -> usize {
    // SAFETY: the caller passes a message.
    call(0, || unsafe { RawMessage::at(message.cast_mut()) }.map(|message| message.part().len()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_more(message: *const RawMessage) -> c_int {
    // SAFETY: the caller passes a message.
    unsafe { zmq_msg_get(message, MORE) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_get(message: *const RawMessage, property: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message.cast_mut()) }?;
        match property {
            MORE => Ok(message.more().into()),
            SHARED => Ok(message.is_shared().into()),
            // Descriptors are the library's own.
            SRCFD => fail(EINVAL),
            _ => fail(EINVAL),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_set(_message: *mut RawMessage, _property: c_int, _value: c_int) -> c_int {
    status(|| fail(EINVAL))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_gets(message: *const RawMessage, property: *const c_char) -> *const c_char {
    call(std::ptr::null(), || {
        // SAFETY: the caller passes a message, and a text.
        let (message, property) = unsafe { (RawMessage::at(message.cast_mut())?, text(property)?) };
        message.property(property).ok_or(Errno(EINVAL))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_set_routing_id(message: *mut RawMessage, routing_id: u32) -> c_int {
    status(|| {
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message) }?;
        if routing_id == 0 {
            return fail(EINVAL);
        }
        message.extra_mut().routing_id = routing_id;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_routing_id(message: *mut RawMessage) -> u32 {
    call(0, || {
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message) }?;
        Ok(message.extra().map_or(0, |extra| extra.routing_id))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_set_group(message: *mut RawMessage, group: *const c_char) -> c_int {
    status(|| {
        // SAFETY: the caller passes a message, and a text.
        let (message, group) = unsafe { (RawMessage::at(message)?, text(group)?) };
        message.set_group(group)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_group(message: *mut RawMessage) -> *const c_char {
    call(std::ptr::null(), || {
        // SAFETY: the caller passes a message.
        let message = unsafe { RawMessage::at(message) }?;
        Ok(message.extra().map_or(c"".as_ptr(), |extra| extra.group.as_ptr()))
    })
}
