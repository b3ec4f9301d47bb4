//! libzmq's C interface, loaded at run time, so that building needs nothing installed.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    sync::OnceLock,
};

use crate::Error;

/// Storage of one libzmq message: 64 bytes, aligned for a pointer.
#[repr(C, align(8))]
pub(super) struct RawMessage(pub(super) [u8; 64]);

/// The functions that the benchmark calls, with the types of zmq.h.
pub(super) struct Api {
    pub(super) ctx_new: unsafe extern "C" fn() -> *mut c_void,
    pub(super) ctx_set: unsafe extern "C" fn(*mut c_void, c_int, c_int) -> c_int,
    pub(super) socket: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
    pub(super) bind: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    pub(super) connect: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    pub(super) setsockopt: unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> c_int,
    pub(super) getsockopt: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, *mut usize) -> c_int,
    pub(super) send: unsafe extern "C" fn(*mut c_void, *const c_void, usize, c_int) -> c_int,
    pub(super) recv: unsafe extern "C" fn(*mut c_void, *mut c_void, usize, c_int) -> c_int,
    pub(super) msg_send: unsafe extern "C" fn(*mut RawMessage, *mut c_void, c_int) -> c_int,
    pub(super) msg_init: unsafe extern "C" fn(*mut RawMessage) -> c_int,
    pub(super) msg_recv: unsafe extern "C" fn(*mut RawMessage, *mut c_void, c_int) -> c_int,
    pub(super) msg_data: unsafe extern "C" fn(*mut RawMessage) -> *mut c_void,
    pub(super) msg_size: unsafe extern "C" fn(*const RawMessage) -> usize,
    errno: unsafe extern "C" fn() -> c_int,
    strerror: unsafe extern "C" fn(c_int) -> *const c_char,
    version: unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_int),
}

const NAMES: [&str; 4] = ["libzmq.so.5", "libzmq.5.dylib", "libzmq.dylib", "libzmq.dll"];
const HOW_TO_INSTALL: &str =
    "libzmq is not installed here; `apt-get install libzmq5` (Debian) or `brew install zeromq` brings it";

impl Api {
    /// The library, loaded once and never unloaded.
    pub(super) fn load() -> Result<&'static Api, Error> {
        static LOADED: OnceLock<Option<Api>> = OnceLock::new();
        LOADED.get_or_init(Api::find).as_ref().ok_or_else(|| Error::Absent(HOW_TO_INSTALL.to_owned()))
    }

    /// Major, minor, patch.
    pub(super) fn version(&self) -> (c_int, c_int, c_int) {
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: the call writes three integers through pointers to locals that outlive it.
        unsafe { (self.version)(&mut major, &mut minor, &mut patch) };
        (major, minor, patch)
    }

    /// The calling thread's last error in libzmq's words.
    pub(super) fn last_error(&self, doing: &'static str) -> Error {
        // SAFETY: both calls take no memory of ours; the text is static in libzmq or libc, read
        // here on the thread whose error it is, before any other call of this thread.
        let text = unsafe { CStr::from_ptr((self.strerror)((self.errno)())) };
        Error::Peer { peer: "libzmq", doing, why: text.to_string_lossy().into_owned() }
    }

    fn find() -> Option<Api> {
        // SAFETY: libzmq's initialisers have no preconditions.
        let library = NAMES.iter().find_map(|name| unsafe { libloading::Library::new(*name) }.ok())?;
        // Leaked, so that the function pointers taken out of it stay valid for the process's life.
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: each name has the type that zmq.h declares for it since version 4.0, which the
        // fields of `Api` repeat.
        unsafe {
            Some(Api {
                ctx_new: *library.get(b"zmq_ctx_new").ok()?,
                ctx_set: *library.get(b"zmq_ctx_set").ok()?,
                socket: *library.get(b"zmq_socket").ok()?,
                bind: *library.get(b"zmq_bind").ok()?,
                connect: *library.get(b"zmq_connect").ok()?,
                setsockopt: *library.get(b"zmq_setsockopt").ok()?,
                getsockopt: *library.get(b"zmq_getsockopt").ok()?,
                send: *library.get(b"zmq_send").ok()?,
                recv: *library.get(b"zmq_recv").ok()?,
                msg_send: *library.get(b"zmq_msg_send").ok()?,
                msg_init: *library.get(b"zmq_msg_init").ok()?,
                msg_recv: *library.get(b"zmq_msg_recv").ok()?,
                msg_data: *library.get(b"zmq_msg_data").ok()?,
                msg_size: *library.get(b"zmq_msg_size").ok()?,
                errno: *library.get(b"zmq_errno").ok()?,
                strerror: *library.get(b"zmq_strerror").ok()?,
                version: *library.get(b"zmq_version").ok()?,
            })
        }
    }
}
