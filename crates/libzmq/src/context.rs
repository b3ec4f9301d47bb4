//! Contexts, errors, and the version.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use serverlink_capi::context::{self, CContext, MAX_SOCKETS, Settings};
use serverlink_capi::errno::{self, Answer, EFAULT, EINVAL, Errno, fail};
use serverlink_capi::guard::{answer, bytes, call, status};
use serverlink_capi::table::Handled;

const IO_THREADS: c_int = 1;
const MAX_SOCKETS_OPTION: c_int = 2;
/// Asked for, it is the limit; set, it is the threads' priority.
const SOCKET_LIMIT: c_int = 3;
const THREAD_SCHED_POLICY: c_int = 4;
const MAX_MSGSZ: c_int = 5;
const MSG_T_SIZE: c_int = 6;
const THREAD_AFFINITY_CPU_ADD: c_int = 7;
const THREAD_AFFINITY_CPU_REMOVE: c_int = 8;
const THREAD_NAME_PREFIX: c_int = 9;
const ZERO_COPY_RECV: c_int = 10;
const IPV6: c_int = 42;
const BLOCKY: c_int = 70;

#[unsafe(no_mangle)]
pub extern "C" fn zmq_errno() -> c_int {
    errno::get()
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_strerror(code: c_int) -> *const c_char {
    errno::describe(code).as_ptr()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int) {
    for (place, number) in [(major, 4), (minor, 3), (patch, 5)] {
        // SAFETY: the caller passes places for three numbers, or null.
        let _ = unsafe { answer(place, number) };
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_new() -> *mut c_void {
    call(std::ptr::null_mut(), || CContext::default().create())
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_init(io_threads: c_int) -> *mut c_void {
    if io_threads < 0 {
        errno::set(EINVAL);
        return std::ptr::null_mut();
    }
    let context = zmq_ctx_new();
    zmq_ctx_set(context, IO_THREADS, io_threads);
    context
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_term(handle: *mut c_void) -> c_int {
    status(|| {
        context::of(handle)?.terminate()?;
        Arc::<CContext>::table().close(handle).map_or(fail(EFAULT), |_| Ok(()))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_term(handle: *mut c_void) -> c_int {
    zmq_ctx_term(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_destroy(handle: *mut c_void) -> c_int {
    zmq_ctx_term(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_shutdown(handle: *mut c_void) -> c_int {
    status(|| {
        context::of(handle)?.shut_down();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_set(handle: *mut c_void, option: c_int, value: c_int) -> c_int {
    status(|| context::of(handle)?.configure(|settings| set(settings, option, value)))
}

#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_get(handle: *mut c_void, option: c_int) -> c_int {
    call(-1, || get(&context::of(handle)?.settings(), option))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ctx_set_ext(
    handle: *mut c_void,
    option: c_int,
    value: *const c_void,
    len: usize,
) -> c_int {
    status(|| {
        // SAFETY: the caller passes `len` bytes, or null.
        let value = unsafe { bytes(value, len) }?;
        context::of(handle)?.configure(|settings| {
            if option == THREAD_NAME_PREFIX && value.len() != size_of::<c_int>() {
                let name = std::str::from_utf8(value).map_err(|_| Errno(EINVAL))?;
                name.trim_end_matches('\0').clone_into(&mut settings.name_prefix);
                return Ok(());
            }
            let number = value.try_into().map_err(|_| Errno(EINVAL))?;
            set(settings, option, c_int::from_ne_bytes(number))
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ctx_get_ext(
    handle: *mut c_void,
    option: c_int,
    value: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let settings = context::of(handle)?.settings();
        let found = match option {
            THREAD_NAME_PREFIX => [settings.name_prefix.as_bytes(), b"\0"].concat(),
            _ => get(&settings, option)?.to_ne_bytes().to_vec(),
        };
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { super::sockets::give(&found, value, len) }
    })
}

fn set(settings: &mut Settings, option: c_int, value: c_int) -> Answer<()> {
    let flag = match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => fail(EINVAL),
    };
    match option {
        IO_THREADS if value >= 0 => settings.io_threads = value,
        MAX_SOCKETS_OPTION if value >= 1 => settings.max_sockets = value.min(MAX_SOCKETS),
        MAX_MSGSZ if value >= 0 => settings.max_message_bytes = value,
        IPV6 => settings.ipv6 = flag?,
        BLOCKY => settings.blocky = flag?,
        ZERO_COPY_RECV => settings.zero_copy = flag?,
        THREAD_SCHED_POLICY if value >= 0 => settings.sched_policy = value,
        SOCKET_LIMIT if value >= 0 => settings.priority = value,
        THREAD_NAME_PREFIX if value >= 0 => settings.name_prefix = value.to_string(),
        THREAD_AFFINITY_CPU_ADD if value >= 0 => settings.processors.push(value as usize),
        THREAD_AFFINITY_CPU_REMOVE if value >= 0 => {
            let known = settings.processors.len();
            settings.processors.retain(|processor| *processor != value as usize);
            if settings.processors.len() == known {
                return fail(EINVAL);
            }
        }
        _ => return fail(EINVAL),
    }
    Ok(())
}

fn get(settings: &Settings, option: c_int) -> Answer<c_int> {
    Ok(match option {
        IO_THREADS => settings.io_threads,
        MAX_SOCKETS_OPTION => settings.max_sockets,
        SOCKET_LIMIT => MAX_SOCKETS,
        MAX_MSGSZ => settings.max_message_bytes,
        MSG_T_SIZE => 64,
        IPV6 => settings.ipv6.into(),
        BLOCKY => settings.blocky.into(),
        ZERO_COPY_RECV => settings.zero_copy.into(),
        THREAD_SCHED_POLICY => settings.sched_policy,
        THREAD_NAME_PREFIX => settings.name_prefix.parse().unwrap_or(0),
        _ => return fail(EINVAL),
    })
}
