//! Contexts, and the version.

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use serverlink_capi::context::{self, CContext, MAX_SOCKETS as LIMIT, Settings};
use serverlink_capi::errno::{Answer, EFAULT, EINVAL, ENOTSUP, Errno, fail};
use serverlink_capi::guard::{answer, bytes};
use serverlink_capi::table::Handled;

use crate::border::{call, give, status};

const IO_THREADS: c_int = 1;
const MAX_SOCKETS: c_int = 2;
const SOCKET_LIMIT: c_int = 3;
const THREAD_SCHED_POLICY: c_int = 6;
const THREAD_AFFINITY_CPU_ADD: c_int = 7;
const THREAD_AFFINITY_CPU_REMOVE: c_int = 8;
const THREAD_PRIORITY: c_int = 9;
const THREAD_NAME_PREFIX: c_int = 10;
const MAX_MSGSZ: c_int = 13;
const MSG_T_SIZE: c_int = 14;

/// What the size of a message is said to be; the handle of one is what programs hold.
const MESSAGE_SIZE: usize = 64;
const LONGEST_PREFIX: usize = 16;
/// With more processors than this there is no machine, and a list that only grows must end.
const PROCESSORS: c_int = 4096;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int) {
    let numbers =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    for (place, number) in [major, minor, patch].into_iter().zip(numbers) {
        // SAFETY: the caller passes places for three numbers, or null.
        let _ = unsafe { answer(place, number.parse().unwrap_or(0)) };
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_ctx_new() -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let context = CContext::default();
        context.configure(|settings| {
            settings.announce_extensions = true;
            Ok(())
        })?;
        context.create()
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_ctx_destroy(handle: *mut c_void) {
    if handle.is_null() {
        return;
    }
    status(|| {
        context::of(handle)?.terminate()?;
        Arc::<CContext>::table().close(handle).map_or(fail(EFAULT), |_| Ok(()))
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn slk_ctx_shutdown(handle: *mut c_void) -> c_int {
    status(|| {
        context::of(handle)?.shut_down();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_ctx_set(
    handle: *mut c_void,
    option: c_int,
    value: *const c_void,
    len: usize,
) -> c_int {
    status(|| {
        let context = context::of(handle)?;
        // SAFETY: the caller passes `len` bytes, or null.
        let value = unsafe { bytes(value, len) }.map_err(|_| Errno(EINVAL))?;
        if matches!(option, IO_THREADS | THREAD_AFFINITY_CPU_ADD..=THREAD_NAME_PREFIX) && context.is_settled()
        {
            // The threads run already.
            return fail(ENOTSUP);
        }
        context.configure(|settings| set(settings, option, value))
    })
}

fn set(settings: &mut Settings, option: c_int, value: &[u8]) -> Answer<()> {
    if option == THREAD_NAME_PREFIX {
        settings.name_prefix = prefix(value)?;
        return Ok(());
    }
    let number = c_int::from_ne_bytes(value.try_into().map_err(|_| Errno(EINVAL))?);
    match option {
        IO_THREADS if number >= 0 => settings.io_threads = number,
        MAX_SOCKETS if (1..=LIMIT).contains(&number) => settings.max_sockets = number,
        MAX_MSGSZ if number >= 0 => settings.max_message_bytes = number,
        THREAD_AFFINITY_CPU_ADD if (0..PROCESSORS).contains(&number) => {
            if !settings.processors.contains(&(number as usize)) {
                settings.processors.push(number as usize);
            }
        }
        THREAD_AFFINITY_CPU_REMOVE if number >= 0 => {
            let known = settings.processors.len();
            settings.processors.retain(|processor| *processor != number as usize);
            if settings.processors.len() == known {
                return fail(EINVAL);
            }
        }
        // The system schedules the library's threads as it does the process. That can be said, and nothing else.
        THREAD_SCHED_POLICY | THREAD_PRIORITY if number == -1 => {}
        THREAD_SCHED_POLICY | THREAD_PRIORITY if number >= 0 => return fail(ENOTSUP),
        _ => return fail(EINVAL),
    }
    Ok(())
}

/// Text, with or without its zero.
fn prefix(value: &[u8]) -> Answer<String> {
    let text = std::str::from_utf8(value).map_err(|_| Errno(EINVAL))?.trim_end_matches('\0');
    let is_one = text.len() <= LONGEST_PREFIX && !text.chars().any(char::is_control);
    if is_one { Ok(text.to_owned()) } else { fail(EINVAL) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_ctx_get(
    handle: *mut c_void,
    option: c_int,
    value: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let settings = context::of(handle)?.settings();
        if len.is_null() {
            return fail(EINVAL);
        }
        // SAFETY: the caller passes so much room.
        let room = unsafe { len.read_unaligned() };
        let found = match option {
            IO_THREADS => number(settings.io_threads),
            MAX_SOCKETS => number(settings.max_sockets),
            SOCKET_LIMIT => number(LIMIT),
            THREAD_SCHED_POLICY | THREAD_PRIORITY => number(-1),
            THREAD_NAME_PREFIX => [settings.name_prefix.as_bytes(), b"\0"].concat(),
            MAX_MSGSZ => number(settings.max_message_bytes),
            MSG_T_SIZE if room >= size_of::<usize>() => MESSAGE_SIZE.to_ne_bytes().to_vec(),
            MSG_T_SIZE => number(MESSAGE_SIZE as c_int),
            _ => return fail(EINVAL),
        };
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { give(&found, value, len) }
    })
}

fn number(value: c_int) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}
