//! Messages: handles, each on one part. What a handle holds is taken out while a call waits, so no lock is held meanwhile.

use std::ffi::{c_int, c_void};

use parking_lot::Mutex;
use serverlink_capi::errno::{Answer, EFAULT, EINVAL, EMFILE, Errno, fail};
use serverlink_capi::guard::{bytes, enter, length};
use serverlink_capi::message::RawMessage;
use serverlink_capi::socket::CSocket;
use serverlink_capi::table::{Handled, Inside, Table};

use crate::border::{call, give, status};

/// The one property.
const MORE: c_int = 0;

struct CMessage(Mutex<RawMessage>);

static MESSAGES: Table<CMessage> = Table::new();

impl Handled for CMessage {
    fn table() -> &'static Table<CMessage> {
        &MESSAGES
    }
}

fn of(handle: *const c_void) -> Answer<Inside<CMessage>> {
    enter(handle, EFAULT)
}

fn create(message: RawMessage) -> Answer<*mut c_void> {
    MESSAGES.insert(CMessage(Mutex::new(message))).ok_or(Errno(EMFILE))
}

/// Does something quick with what a handle holds.
pub(crate) fn with<T>(handle: *const c_void, act: impl FnOnce(&mut RawMessage) -> T) -> Answer<T> {
    Ok(act(&mut of(handle)?.0.lock()))
}

impl CMessage {
    /// What it held is let go without its lock.
    fn put(&self, message: RawMessage) {
        let before = std::mem::replace(&mut *self.0.lock(), message);
        drop(before);
    }

    fn take(&self) -> RawMessage {
        std::mem::replace(&mut *self.0.lock(), RawMessage::empty())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_new() -> *mut c_void {
    call(std::ptr::null_mut(), || create(RawMessage::empty()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_new_data(start: *const c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller passes `size` bytes.
    call(std::ptr::null_mut(), || create(RawMessage::copy_of(unsafe { data(start, size) }?)))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_destroy(handle: *mut c_void) {
    if !handle.is_null() {
        status(|| MESSAGES.close(handle).map_or(fail(EFAULT), |_| Ok(())));
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_init(handle: *mut c_void) -> c_int {
    status(|| {
        of(handle)?.put(RawMessage::empty());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_init_data(handle: *mut c_void, start: *const c_void, size: usize) -> c_int {
    status(|| {
        let message = of(handle)?;
        // SAFETY: the caller passes `size` bytes.
        message.put(RawMessage::copy_of(unsafe { data(start, size) }?));
        Ok(())
    })
}

/// # Safety
/// As [`bytes`].
unsafe fn data<'a>(start: *const c_void, size: usize) -> Answer<&'a [u8]> {
    // SAFETY: the caller's.
    unsafe { bytes(start, size) }.map_err(|_| Errno(EINVAL))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_close(handle: *mut c_void) -> c_int {
    slk_msg_init(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_data(handle: *mut c_void) -> *mut c_void {
    call(std::ptr::null_mut(), || Ok(of(handle)?.0.lock().data()))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_size(handle: *mut c_void) -> usize {
    call(0, || Ok(of(handle)?.0.lock().part().len()))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_copy(to: *mut c_void, from: *mut c_void) -> c_int {
    status(|| {
        let (to, from) = (of(to)?, of(from)?);
        let mut copy = RawMessage::empty();
        copy.copy_from(&mut from.0.lock());
        to.put(copy);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_move(to: *mut c_void, from: *mut c_void) -> c_int {
    status(|| {
        let (to, from) = (of(to)?, of(from)?);
        // Into itself: it is taken out and put in again.
        to.put(from.take());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_get(
    handle: *mut c_void,
    property: c_int,
    value: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let message = of(handle)?;
        if property != MORE {
            return fail(EINVAL);
        }
        let more = c_int::from(message.0.lock().more());
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { give(&more.to_ne_bytes(), value, len) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_set(
    handle: *mut c_void,
    _property: c_int,
    _value: *const c_void,
    _len: usize,
) -> c_int {
    // Whether more parts follow is decided by how it is sent; there is nothing else.
    status(|| of(handle).and(fail(EINVAL)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_get_routing_id(
    handle: *mut c_void,
    place: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let message = of(handle)?;
        let number = message.0.lock().extra().map_or(0, |extra| extra.routing_id);
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { give(&number.to_ne_bytes(), place, len) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_set_routing_id(
    handle: *mut c_void,
    start: *const c_void,
    size: usize,
) -> c_int {
    status(|| {
        let message = of(handle)?;
        // SAFETY: the caller passes `size` bytes.
        let number = unsafe { data(start, size) }?.try_into().map_err(|_| Errno(EINVAL))?;
        match u32::from_ne_bytes(number) {
            0 => fail(EINVAL),
            number => {
                message.0.lock().extra_mut().routing_id = number;
                Ok(())
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_send(handle: *mut c_void, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let message = of(handle)?;
        let socket = CSocket::enter(socket)?;
        let mut sent = message.take();
        let size = sent.part().len();
        let result = socket.send_message(&mut sent, flags);
        // Sent, it is empty; else it is what it was.
        message.put(sent);
        result.map(|()| length(size))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_recv(handle: *mut c_void, socket: *mut c_void, flags: c_int) -> c_int {
    call(-1, || {
        let message = of(handle)?;
        let socket = CSocket::enter(socket)?;
        let mut received = RawMessage::empty();
        let size = socket.recv_message(&mut received, flags)?;
        message.put(received);
        Ok(length(size))
    })
}
