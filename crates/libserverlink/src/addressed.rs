//! What stands beside a message for some types: the group of RADIO and DISH, the number of a peer for SERVER and PEER.

use std::ffi::{c_char, c_int, c_void};

use serverlink::SocketType;
use serverlink_capi::errno::{Answer, EINVAL, Errno};
use serverlink_capi::guard::{text, utf8};
use serverlink_capi::socket::CSocket;

use crate::border::{call, status};
use crate::messages;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_join(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.join(unsafe { text(group) }?.to_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_leave(socket: *mut c_void, group: *const c_char) -> c_int {
    // SAFETY: the caller passes a text.
    status(|| CSocket::enter(socket)?.leave(unsafe { text(group) }?.to_bytes()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_msg_set_group(handle: *mut c_void, group: *const c_char) -> c_int {
    status(|| {
        // SAFETY: the caller passes a text.
        let group = unsafe { text(group) }?;
        messages::with(handle, |message| message.set_group(group))?
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_msg_group(handle: *mut c_void) -> *const c_char {
    call(std::ptr::null(), || {
        messages::with(handle, |message| message.extra().map_or(c"".as_ptr(), |extra| extra.group.as_ptr()))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_connect_peer(socket: *mut c_void, endpoint: *const c_char) -> u32 {
    // SAFETY: the caller passes a text.
    call(0, || CSocket::enter(socket)?.connect_peer(unsafe { utf8(endpoint) }?))
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_disconnect_peer(socket: *mut c_void, number: u32) -> c_int {
    status(|| CSocket::enter(socket)?.disconnect_peer(number))
}

/// Whether its peers have numbers for names.
pub(crate) fn has_numbers(kind: SocketType) -> bool {
    matches!(kind, SocketType::Server | SocketType::Peer)
}

/// The other order of octets of a number: the library has the highest first, and C the machine's.
pub(crate) fn turned(id: &[u8]) -> Answer<[u8; 4]> {
    let number: [u8; 4] = id.try_into().map_err(|_| Errno(EINVAL))?;
    Ok(u32::from_ne_bytes(number).to_be_bytes())
}
