//! Names for binding and connecting. None of them needs a name server, leaves this machine or names somebody else's file.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use crate::choices::Choices;
use crate::world::{Kind, World, checked};

const LAST_ENDPOINT: c_int = 32;

const NAMES: [&str; 32] = [
    "inproc://a",
    "inproc://b",
    "inproc://c",
    "inproc://zeromq.zap.01",
    "tcp://127.0.0.1:*",
    "tcp://127.0.0.1:0",
    "tcp://[::1]:*",
    "tcp://lo:*",
    "ipc://*",
    "tcp://127.0.0.1:1",
    "tcp://127.0.0.1:0;127.0.0.1:1",
    "tcp://0.0.0.0:*",
    "tcp://[::1%lo]:*",
    "tcp://127.0.0.1:x",
    "tcp://127.0.0.1:-1",
    "tcp://127.0.0.1:99999",
    "tcp://127.0.0.1",
    "tcp://:::::",
    "tcp://[",
    "tcp://;",
    "tcp://",
    "tcp",
    "://",
    "",
    "inproc://",
    "ipc://",
    "ipc:///nowhere/at/all",
    "udp://127.0.0.1:5",
    "pgm://1.2.3.4:5",
    "ws://127.0.0.1:*",
    "vmci://1:2",
    "inproc://\u{7f}\n",
];

impl World {
    pub(crate) fn use_endpoint(&mut self, choices: &mut Choices) {
        let socket = self.any(Kind::Socket, choices);
        let name = self.endpoint(choices);
        let name = name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        match choices.index(12) {
            0..=3 => {
                if checked(c!(sockets::zmq_bind(socket, name))) {
                    self.note_endpoint(socket);
                }
            }
            4..=7 => {
                checked(c!(sockets::zmq_connect(socket, name)));
            }
            8 => {
                checked(c!(sockets::zmq_unbind(socket, name)));
            }
            9 => {
                checked(c!(sockets::zmq_disconnect(socket, name)));
            }
            10 => {
                c!(sockets::zmq_connect_peer(socket, name));
            }
            _ => self.monitor(socket, name, choices),
        }
    }

    fn monitor(&mut self, socket: *mut c_void, name: *const c_char, choices: &mut Choices) {
        let events = choices.word();
        if choices.once_in(2) {
            checked(c!(sockets::zmq_socket_monitor(socket, name, events as c_int)));
        } else {
            let (version, kind) = (choices.index(4) as c_int, choices.index(12) as c_int);
            checked(c!(sockets::zmq_socket_monitor_versioned(socket, name, events, version, kind)));
        }
    }

    fn endpoint(&mut self, choices: &mut Choices) -> Option<CString> {
        match choices.index(8) {
            0 => None,
            1 => {
                let rest = choices.take(12).iter().copied().filter(|octet| *octet != 0);
                CString::new(b"inproc://".iter().copied().chain(rest).collect::<Vec<_>>()).ok()
            }
            2..=4 if !self.endpoints.is_empty() => {
                Some(self.endpoints[choices.index(self.endpoints.len())].clone())
            }
            // Names that fit are wanted more often than the others.
            5 | 6 => CString::new(NAMES[choices.index(9)]).ok(),
            _ => CString::new(choices.of(&NAMES)).ok(),
        }
    }

    /// Where a socket was bound, to be connected to.
    pub(crate) fn note_endpoint(&mut self, socket: *mut c_void) -> CString {
        let mut room = [0_u8; 256];
        let mut len = room.len();
        if !checked(c!(sockets::zmq_getsockopt(socket, LAST_ENDPOINT, room.as_mut_ptr().cast(), &mut len))) {
            return CString::default();
        }
        let name = CString::from_vec_with_nul(room[..len].to_vec()).expect("it ends with its only zero");
        self.endpoints.truncate(7);
        self.endpoints.push(name.clone());
        name
    }
}
