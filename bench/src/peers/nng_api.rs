//! nng's C interface, loaded at run time, so that building needs nothing installed.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    sync::OnceLock,
};

use crate::Error;

/// A socket or a listener: nng passes a structure of one 32-bit number by value, which is passed as the number itself by every
/// calling convention this is built for.
pub(super) type Id = u32;

type Open = unsafe extern "C" fn(*mut Id) -> c_int;

/// The functions that the benchmark calls, with the types of nng.h 1.x.
pub(super) struct Api {
    pub(super) push: Open,
    pub(super) pull: Open,
    pub(super) req: Open,
    pub(super) rep: Open,
    pub(super) publisher: Open,
    pub(super) subscriber: Open,
    pub(super) listen: unsafe extern "C" fn(Id, *const c_char, *mut Id, c_int) -> c_int,
    pub(super) dial: unsafe extern "C" fn(Id, *const c_char, *mut Id, c_int) -> c_int,
    pub(super) listener_int: unsafe extern "C" fn(Id, *const c_char, *mut c_int) -> c_int,
    pub(super) set_int: unsafe extern "C" fn(Id, *const c_char, c_int) -> c_int,
    pub(super) set_size: unsafe extern "C" fn(Id, *const c_char, usize) -> c_int,
    pub(super) set: unsafe extern "C" fn(Id, *const c_char, *const c_void, usize) -> c_int,
    pub(super) send: unsafe extern "C" fn(Id, *const c_void, usize, c_int) -> c_int,
    pub(super) recvmsg: unsafe extern "C" fn(Id, *mut *mut c_void, c_int) -> c_int,
    pub(super) msg_body: unsafe extern "C" fn(*mut c_void) -> *const u8,
    pub(super) msg_len: unsafe extern "C" fn(*const c_void) -> usize,
    pub(super) msg_free: unsafe extern "C" fn(*mut c_void),
    strerror: unsafe extern "C" fn(c_int) -> *const c_char,
}

const NAMES: [&str; 3] = ["libnng.so.1", "libnng.dylib", "nng.dll"];
const HOW_TO_INSTALL: &str =
    "nng is not installed here; `apt-get install libnng1` (Debian) or `brew install nng` brings it";

impl Api {
    /// The library, loaded once and never unloaded.
    pub(super) fn load() -> Result<&'static Api, Error> {
        static LOADED: OnceLock<Option<Api>> = OnceLock::new();
        LOADED.get_or_init(Api::find).as_ref().ok_or_else(|| Error::Absent(HOW_TO_INSTALL.to_owned()))
    }

    /// An error code in nng's words, if it is one.
    pub(super) fn check(&self, doing: &'static str, code: c_int) -> Result<(), Error> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: the call takes a number; the text is static in nng or libc and read at once.
        let text = unsafe { CStr::from_ptr((self.strerror)(code)) };
        Err(Error::Peer { peer: "nng", doing, why: text.to_string_lossy().into_owned() })
    }

    fn find() -> Option<Api> {
        // SAFETY: nng's initialisers have no preconditions.
        let library = NAMES.iter().find_map(|name| unsafe { libloading::Library::new(*name) }.ok())?;
        // Leaked, so that the function pointers taken out of it stay valid for the process's life.
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: each name has the type that nng.h 1.x declares for it, which the fields of `Api` repeat.
        unsafe {
            Some(Api {
                push: *library.get(b"nng_push0_open").ok()?,
                pull: *library.get(b"nng_pull0_open").ok()?,
                req: *library.get(b"nng_req0_open").ok()?,
                rep: *library.get(b"nng_rep0_open").ok()?,
                publisher: *library.get(b"nng_pub0_open").ok()?,
                subscriber: *library.get(b"nng_sub0_open").ok()?,
                listen: *library.get(b"nng_listen").ok()?,
                dial: *library.get(b"nng_dial").ok()?,
                listener_int: *library.get(b"nng_listener_get_int").ok()?,
                set_int: *library.get(b"nng_socket_set_int").ok()?,
                set_size: *library.get(b"nng_socket_set_size").ok()?,
                set: *library.get(b"nng_socket_set").ok()?,
                send: *library.get(b"nng_send").ok()?,
                recvmsg: *library.get(b"nng_recvmsg").ok()?,
                msg_body: *library.get(b"nng_msg_body").ok()?,
                msg_len: *library.get(b"nng_msg_len").ok()?,
                msg_free: *library.get(b"nng_msg_free").ok()?,
                strerror: *library.get(b"nng_strerror").ok()?,
            })
        }
    }
}
