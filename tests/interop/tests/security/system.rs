//! The system's libzmq, which knows CURVE, unlike the one that is built for the other tests.

use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libloading::{Library, Symbol};

pub(crate) const PAIR: c_int = 0;
pub(crate) const PUB: c_int = 1;
pub(crate) const SUB: c_int = 2;
pub(crate) const REP: c_int = 4;
pub(crate) const DEALER: c_int = 5;
pub(crate) const ROUTER: c_int = 6;
pub(crate) const PULL: c_int = 7;
pub(crate) const PUSH: c_int = 8;

pub(crate) const SUBSCRIBE: c_int = 6;
const RCVMORE: c_int = 13;
const LINGER: c_int = 17;
const RECONNECT_IVL: c_int = 18;
const RCVTIMEO: c_int = 27;
const SNDTIMEO: c_int = 28;
const LAST_ENDPOINT: c_int = 32;
pub(crate) const PLAIN_SERVER: c_int = 44;
pub(crate) const PLAIN_USERNAME: c_int = 45;
pub(crate) const PLAIN_PASSWORD: c_int = 46;
pub(crate) const CURVE_SERVER: c_int = 47;
pub(crate) const CURVE_PUBLICKEY: c_int = 48;
pub(crate) const CURVE_SECRETKEY: c_int = 49;
pub(crate) const CURVE_SERVERKEY: c_int = 50;
pub(crate) const ZAP_DOMAIN: c_int = 55;
const SNDMORE: c_int = 2;

pub(crate) const HANDSHAKE_SUCCEEDED: u16 = 0x1000;
pub(crate) const HANDSHAKE_FAILED_PROTOCOL: u16 = 0x2000;
pub(crate) const HANDSHAKE_FAILED_AUTH: u16 = 0x4000;

/// Longer than anything takes; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const NAMES: [&str; 5] = ["libzmq.so.5", "libzmq.5.dylib", "libzmq.so", "libzmq.dylib", "libzmq.dll"];

/// The library with one context of it.
pub(crate) struct System {
    library: Library,
    context: *mut c_void,
}

// SAFETY: a context of libzmq may be used from any thread.
unsafe impl Send for System {}
// SAFETY: as above.
unsafe impl Sync for System {}

/// One socket, for one thread at a time.
pub(crate) struct Socket {
    system: Arc<System>,
    socket: *mut c_void,
}

// SAFETY: a socket of libzmq may move between threads where they hand it over in order, as Rust's do.
unsafe impl Send for Socket {}

impl System {
    /// `None` where there is none, or one without CURVE: then there is nothing to compare with.
    pub(crate) fn open() -> Option<Arc<System>> {
        // SAFETY: libzmq's initialisation has no requirements.
        let library = NAMES.iter().find_map(|name| unsafe { Library::new(*name) }.ok())?;
        let mut system = System { library, context: std::ptr::null_mut() };
        // SAFETY: the signature is that of zmq.h, and the text ends with a zero.
        let has_curve = unsafe {
            let has: Symbol<unsafe extern "C" fn(*const c_char) -> c_int> = system.call(b"zmq_has\0");
            has(c"curve".as_ptr())
        };
        if has_curve != 1 {
            return None;
        }
        // SAFETY: the signature is that of zmq.h.
        system.context = unsafe {
            let new: Symbol<unsafe extern "C" fn() -> *mut c_void> = system.call(b"zmq_ctx_new\0");
            new()
        };
        Some(Arc::new(system))
    }

    /// # Safety
    /// `T` must be the signature that zmq.h has for this name.
    unsafe fn call<T>(&self, name: &[u8]) -> Symbol<'_, T> {
        // SAFETY: the caller vouches for the signature.
        unsafe { self.library.get(name) }.expect("libzmq has it")
    }

    pub(crate) fn socket(self: &Arc<Self>, socket_type: c_int) -> Socket {
        // SAFETY: the signature is that of zmq.h, and the context is open as long as `self` lives.
        let socket = unsafe {
            let new: Symbol<unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void> =
                self.call(b"zmq_socket\0");
            new(self.context, socket_type)
        };
        assert!(!socket.is_null(), "libzmq gives no socket");
        let socket = Socket { system: Arc::clone(self), socket };
        let patience = PATIENCE.as_millis() as c_int;
        for (option, value) in [(LINGER, 0), (RCVTIMEO, patience), (SNDTIMEO, patience), (RECONNECT_IVL, 20)]
        {
            socket.set(option, &value.to_ne_bytes());
        }
        socket
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if !self.context.is_null() {
            // SAFETY: the signature is that of zmq.h; every socket is closed, because each holds this.
            unsafe {
                let term: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int> = self.call(b"zmq_ctx_term\0");
                term(self.context);
            }
        }
    }
}

type Setter = unsafe extern "C" fn(*mut c_void, c_int, *const c_void, usize) -> c_int;
type Getter = unsafe extern "C" fn(*mut c_void, c_int, *mut c_void, *mut usize) -> c_int;
type Linker = unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int;

impl Socket {
    pub(crate) fn set(&self, option: c_int, value: &[u8]) {
        // SAFETY: the signature is that of zmq.h, the socket is open, and the value is as long as we say.
        let outcome = unsafe {
            let set: Symbol<Setter> = self.system.call(b"zmq_setsockopt\0");
            set(self.socket, option, value.as_ptr().cast(), value.len())
        };
        assert_eq!(outcome, 0, "libzmq's option {option}");
    }

    pub(crate) fn set_flag(&self, option: c_int) {
        self.set(option, &1_i32.to_ne_bytes());
    }

    fn get(&self, option: c_int, value: &mut [u8]) -> usize {
        let mut len = value.len();
        // SAFETY: the signature is that of zmq.h, the socket is open, and there is as much room as we say.
        let outcome = unsafe {
            let get: Symbol<Getter> = self.system.call(b"zmq_getsockopt\0");
            get(self.socket, option, value.as_mut_ptr().cast(), &mut len)
        };
        assert_eq!(outcome, 0, "libzmq's option {option}");
        len
    }

    fn link(&self, how: &[u8], endpoint: &str) {
        assert!(self.try_link(how, endpoint), "libzmq at {endpoint}");
    }

    fn try_link(&self, how: &[u8], endpoint: &str) -> bool {
        let text = CString::new(endpoint).expect("no zero in it");
        // SAFETY: the signature is that of zmq.h, the socket is open, and the text ends with a zero.
        let outcome = unsafe {
            let link: Symbol<Linker> = self.system.call(how);
            link(self.socket, text.as_ptr())
        };
        outcome == 0
    }

    /// False: somebody is bound there already.
    pub(crate) fn try_bind(&self, endpoint: &str) -> bool {
        self.try_link(b"zmq_bind\0", endpoint)
    }

    pub(crate) fn bind(&self, endpoint: &str) -> String {
        self.link(b"zmq_bind\0", endpoint);
        let mut bound = [0; 256];
        let len = self.get(LAST_ENDPOINT, &mut bound);
        String::from_utf8_lossy(&bound[..len - 1]).into_owned()
    }

    pub(crate) fn connect(&self, endpoint: &str) {
        self.link(b"zmq_connect\0", endpoint);
    }

    pub(crate) fn send(&self, parts: &[&[u8]]) {
        for (index, part) in parts.iter().enumerate() {
            let flags = if index + 1 < parts.len() { SNDMORE } else { 0 };
            // SAFETY: the signature is that of zmq.h, the socket is open, and the part is as long as we say.
            let sent = unsafe {
                let send: Symbol<unsafe extern "C" fn(*mut c_void, *const c_void, usize, c_int) -> c_int> =
                    self.system.call(b"zmq_send\0");
                send(self.socket, part.as_ptr().cast(), part.len(), flags)
            };
            assert_eq!(sent, part.len() as c_int, "libzmq sending");
        }
    }

    pub(crate) fn recv(&self) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        let mut room = vec![0; 4 << 20];
        loop {
            // SAFETY: the signature is that of zmq.h, the socket is open, and there is as much room as we say.
            let len = unsafe {
                let recv: Symbol<unsafe extern "C" fn(*mut c_void, *mut c_void, usize, c_int) -> c_int> =
                    self.system.call(b"zmq_recv\0");
                recv(self.socket, room.as_mut_ptr().cast(), room.len(), 0)
            };
            let len = usize::try_from(len).expect("libzmq receiving");
            assert!(len <= room.len(), "it was cut");
            parts.push(room[..len].to_vec());
            let mut more = [0; 4];
            self.get(RCVMORE, &mut more);
            if i32::from_ne_bytes(more) == 0 {
                return parts;
            }
        }
    }

    /// A socket that hears of these events of this one.
    pub(crate) fn monitor(&self, events: u16, name: &str) -> Socket {
        let endpoint = format!("inproc://{name}");
        let text = CString::new(endpoint.clone()).expect("no zero in it");
        // SAFETY: the signature is that of zmq.h, the socket is open, and the text ends with a zero.
        let outcome = unsafe {
            let monitor: Symbol<unsafe extern "C" fn(*mut c_void, *const c_char, c_int) -> c_int> =
                self.system.call(b"zmq_socket_monitor\0");
            monitor(self.socket, text.as_ptr(), c_int::from(events))
        };
        assert_eq!(outcome, 0, "libzmq's monitor");
        let monitor = self.system.socket(PAIR);
        monitor.connect(&endpoint);
        monitor
    }

    /// The next event of a monitor's socket, and its value.
    pub(crate) fn event(&self) -> (u16, u32) {
        let begun = Instant::now();
        let told = self.recv();
        assert!(begun.elapsed() < PATIENCE);
        let (event, value) = told[0].split_at(2);
        let event = u16::from_ne_bytes(event.try_into().expect("two octets"));
        (event, u32::from_ne_bytes(value.try_into().expect("four octets")))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: the signature is that of zmq.h, and nobody uses the socket any more.
        unsafe {
            let close: Symbol<unsafe extern "C" fn(*mut c_void) -> c_int> = self.system.call(b"zmq_close\0");
            close(self.socket);
        }
    }
}
