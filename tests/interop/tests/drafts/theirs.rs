//! libzmq's end of a case, through its C interface.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::OnceLock;
use std::time::Duration;

use libloading::Library;
use serverlink::SocketType;

use crate::PATIENCE;

const EVENTS: c_int = 15;
const LINGER: c_int = 17;
const RCVTIMEO: c_int = 27;
const SNDTIMEO: c_int = 28;
const SNDMORE: c_int = 2;
const LAST_ENDPOINT: c_int = 32;

/// Storage of one message of libzmq.
#[repr(C, align(8))]
struct RawMessage([u8; 64]);

type Socket = *mut c_void;

/// What is called of it, with the types of zmq.h.
struct Api {
    ctx_new: unsafe extern "C" fn() -> *mut c_void,
    socket: unsafe extern "C" fn(*mut c_void, c_int) -> Socket,
    close: unsafe extern "C" fn(Socket) -> c_int,
    bind: unsafe extern "C" fn(Socket, *const c_char) -> c_int,
    connect: unsafe extern "C" fn(Socket, *const c_char) -> c_int,
    connect_peer: unsafe extern "C" fn(Socket, *const c_char) -> u32,
    join: unsafe extern "C" fn(Socket, *const c_char) -> c_int,
    leave: unsafe extern "C" fn(Socket, *const c_char) -> c_int,
    setsockopt: unsafe extern "C" fn(Socket, c_int, *const c_void, usize) -> c_int,
    getsockopt: unsafe extern "C" fn(Socket, c_int, *mut c_void, *mut usize) -> c_int,
    msg_init: unsafe extern "C" fn(*mut RawMessage) -> c_int,
    msg_init_size: unsafe extern "C" fn(*mut RawMessage, usize) -> c_int,
    msg_close: unsafe extern "C" fn(*mut RawMessage) -> c_int,
    msg_data: unsafe extern "C" fn(*mut RawMessage) -> *mut c_void,
    msg_size: unsafe extern "C" fn(*const RawMessage) -> usize,
    msg_send: unsafe extern "C" fn(*mut RawMessage, Socket, c_int) -> c_int,
    msg_recv: unsafe extern "C" fn(*mut RawMessage, Socket, c_int) -> c_int,
    msg_set_routing_id: unsafe extern "C" fn(*mut RawMessage, u32) -> c_int,
    msg_routing_id: unsafe extern "C" fn(*mut RawMessage) -> u32,
    msg_set_group: unsafe extern "C" fn(*mut RawMessage, *const c_char) -> c_int,
    msg_group: unsafe extern "C" fn(*mut RawMessage) -> *const c_char,
    has: unsafe extern "C" fn(*const c_char) -> c_int,
}

/// What came.
pub(crate) struct Received {
    pub(crate) body: Vec<u8>,
    pub(crate) routing_id: u32,
    pub(crate) group: String,
}

pub(crate) struct Theirs {
    api: &'static Api,
    socket: Socket,
}

pub(crate) fn is_there() -> bool {
    api().is_some()
}

fn api() -> Option<&'static Api> {
    static API: OnceLock<Option<Api>> = OnceLock::new();
    API.get_or_init(|| {
        let path = std::env::var_os("SERVERLINK_LIBZMQ_DRAFTS")?;
        // SAFETY: whoever sets the variable names a libzmq, whose initialisers need nothing of us.
        let library = unsafe { Library::new(&path) }.expect("the variable names a library");
        let api = load(Box::leak(Box::new(library)));
        // SAFETY: the name is a string that ends with a zero octet and lives as long as the call.
        let has_drafts = unsafe { (api.has)(c"draft".as_ptr()) } == 1;
        assert!(has_drafts, "{} is built without drafts", path.display());
        Some(api)
    })
    .as_ref()
}

fn load(library: &'static Library) -> Api {
    macro_rules! symbols {
        ($($name:ident)*) => {
            Api {$(
                $name: {
                    // SAFETY: the types are those that zmq.h gives to the functions of these names.
                    let symbol = unsafe { library.get(concat!("zmq_", stringify!($name))) };
                    *symbol.expect("libzmq has it")
                },
            )*}
        };
    }
    symbols! {
        ctx_new socket close bind connect connect_peer join leave setsockopt getsockopt msg_init msg_init_size
        msg_close msg_data msg_size msg_send msg_recv msg_set_routing_id msg_routing_id msg_set_group msg_group has
    }
}

fn text(text: &str) -> CString {
    CString::new(text).expect("no zero octets")
}

// SAFETY of all calls below: the socket is one of libzmq's and open until `drop`, strings and messages live as long as the call, and a message is
// initialised before it is used and given up once.
impl Theirs {
    pub(crate) fn open(kind: SocketType) -> Theirs {
        let api = api().expect("whoever opens has asked whether it is there");
        let number = match kind {
            SocketType::Server => 12,
            SocketType::Client => 13,
            SocketType::Radio => 14,
            SocketType::Dish => 15,
            SocketType::Gather => 16,
            SocketType::Scatter => 17,
            SocketType::Dgram => 18,
            SocketType::Peer => 19,
            SocketType::Channel => 20,
            other => panic!("{other} is no draft"),
        };
        // SAFETY: see above. Contexts are few and end with the process.
        let socket = unsafe { (api.socket)((api.ctx_new)(), number) };
        assert!(!socket.is_null(), "libzmq opens a {kind}");
        let theirs = Theirs { api, socket };
        theirs.set(LINGER, 0);
        theirs.set(RCVTIMEO, PATIENCE.as_millis() as c_int);
        theirs.set(SNDTIMEO, PATIENCE.as_millis() as c_int);
        theirs
    }

    fn set(&self, option: c_int, value: c_int) {
        let pointer: *const c_int = &value;
        // SAFETY: see above.
        let code = unsafe { (self.api.setsockopt)(self.socket, option, pointer.cast(), size_of::<c_int>()) };
        assert_eq!(code, 0, "libzmq takes option {option}");
    }

    /// Where `LAST_ENDPOINT` says nothing of use, as over udp.
    pub(crate) fn bind_there(&self, endpoint: &str) {
        // SAFETY: see above.
        let code = unsafe { (self.api.bind)(self.socket, text(endpoint).as_ptr()) };
        assert_eq!(code, 0, "libzmq binds {endpoint}");
    }

    /// So that a receive soon says that there is nothing.
    pub(crate) fn wait_only(&self, patience: Duration) {
        self.set(RCVTIMEO, patience.as_millis() as c_int);
    }

    pub(crate) fn bind(&self, endpoint: &str) -> String {
        let mut place = [0_u8; 256];
        let mut length = place.len();
        // SAFETY: see above; the place has as many octets as `length` says.
        unsafe {
            assert_eq!((self.api.bind)(self.socket, text(endpoint).as_ptr()), 0, "libzmq binds {endpoint}");
            let pointer = place.as_mut_ptr().cast();
            assert_eq!((self.api.getsockopt)(self.socket, LAST_ENDPOINT, pointer, &mut length), 0);
        }
        CStr::from_bytes_until_nul(&place).expect("it ends").to_str().expect("endpoints are text").to_owned()
    }

    pub(crate) fn connect(&self, endpoint: &str) {
        // SAFETY: see above.
        let code = unsafe { (self.api.connect)(self.socket, text(endpoint).as_ptr()) };
        assert_eq!(code, 0, "libzmq connects to {endpoint}");
    }

    /// libzmq works off what its I/O thread left for the socket.
    pub(crate) fn nudge(&self) {
        let (mut events, mut length): (c_int, usize) = (0, size_of::<c_int>());
        let pointer: *mut c_int = &mut events;
        // SAFETY: see above.
        unsafe { (self.api.getsockopt)(self.socket, EVENTS, pointer.cast(), &mut length) };
    }

    pub(crate) fn connect_peer(&self, endpoint: &str) -> u32 {
        // SAFETY: see above.
        let number = unsafe { (self.api.connect_peer)(self.socket, text(endpoint).as_ptr()) };
        assert_ne!(number, 0, "libzmq connects to {endpoint}");
        number
    }

    pub(crate) fn join(&self, group: &str) {
        // SAFETY: see above.
        let code = unsafe { (self.api.join)(self.socket, text(group).as_ptr()) };
        assert_eq!(code, 0, "libzmq joins {group}");
    }

    pub(crate) fn leave(&self, group: &str) {
        // SAFETY: see above.
        let code = unsafe { (self.api.leave)(self.socket, text(group).as_ptr()) };
        assert_eq!(code, 0, "libzmq leaves {group}");
    }

    pub(crate) fn send(&self, body: &[u8]) {
        self.send_with(body, 0, |_| {});
    }

    /// A DGRAM's two parts.
    pub(crate) fn send_datagram(&self, address: &[u8], body: &[u8]) {
        self.send_with(address, SNDMORE, |_| {});
        self.send_with(body, 0, |_| {});
    }

    pub(crate) fn send_to(&self, routing_id: u32, body: &[u8]) {
        self.send_with(body, 0, |message| {
            // SAFETY: see above.
            assert_eq!(unsafe { (self.api.msg_set_routing_id)(message, routing_id) }, 0);
        });
    }

    pub(crate) fn send_in(&self, group: &str, body: &[u8]) {
        self.send_with(body, 0, |message| {
            // SAFETY: see above.
            assert_eq!(unsafe { (self.api.msg_set_group)(message, text(group).as_ptr()) }, 0);
        });
    }

    fn send_with(&self, body: &[u8], flags: c_int, address: impl Fn(&mut RawMessage)) {
        let mut message = RawMessage([0; 64]);
        // SAFETY: see above; the message has room for the body, and libzmq takes what it sends.
        unsafe {
            assert_eq!((self.api.msg_init_size)(&mut message, body.len()), 0);
            (self.api.msg_data)(&mut message)
                .cast::<u8>()
                .copy_from_nonoverlapping(body.as_ptr(), body.len());
            address(&mut message);
            assert_ne!((self.api.msg_send)(&mut message, self.socket, flags), -1, "libzmq sends");
        }
    }

    pub(crate) fn recv(&self) -> Received {
        self.recv_in_time().expect("libzmq receives")
    }

    /// `None`: nothing came in time.
    pub(crate) fn recv_in_time(&self) -> Option<Received> {
        let mut message = RawMessage([0; 64]);
        // SAFETY: see above; the body has as many octets as libzmq says, and its group is a string.
        unsafe {
            (self.api.msg_init)(&mut message);
            if (self.api.msg_recv)(&mut message, self.socket, 0) == -1 {
                (self.api.msg_close)(&mut message);
                return None;
            }
            let size = (self.api.msg_size)(&message);
            let data = (self.api.msg_data)(&mut message).cast::<u8>();
            let body = if size == 0 { Vec::new() } else { std::slice::from_raw_parts(data, size).to_vec() };
            let group = CStr::from_ptr((self.api.msg_group)(&mut message)).to_string_lossy().into_owned();
            let routing_id = (self.api.msg_routing_id)(&mut message);
            (self.api.msg_close)(&mut message);
            Some(Received { body, routing_id, group })
        }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // SAFETY: it is open, and closed once.
        unsafe { (self.api.close)(self.socket) };
    }
}
