//! Opening, closing, sending and receiving. Whatever could wait is told not to.

use std::ffi::{CString, c_int, c_void};
use std::ptr;

use crate::choices::Choices;
use crate::world::{Kind, World, checked};

const DONTWAIT: c_int = 1;
const LINGER: c_int = 17;
const SOCKET_TYPES: usize = 22;

impl World {
    pub(crate) fn open_or_close_socket(&mut self, choices: &mut Choices) {
        if choices.once_in(5) {
            let socket = self.one(Kind::Socket, choices);
            self.close(Kind::Socket, socket);
        } else if choices.once_in(24) {
            let stranger = self.any(Kind::Poller, choices);
            if self.all(Kind::Socket).all(|socket| socket != stranger) {
                assert_eq!(c!(sockets::zmq_close(stranger)), -1);
            }
        } else {
            let context = self.any(Kind::Context, choices);
            let number = choices.index(SOCKET_TYPES) as c_int;
            let Some(place) = self.room(Kind::Socket) else { return };
            *place = c!(sockets::zmq_socket(context, number));
        }
    }

    pub(crate) fn close_socket(&mut self, socket: *mut c_void) {
        let none: c_int = 0;
        // Fails once the context has ended; no linger that can be set here is a long one.
        c!(sockets::zmq_setsockopt(socket, LINGER, ptr::from_ref(&none).cast(), size_of_val(&none)));
        assert_eq!(c!(sockets::zmq_close(socket)), 0);
        assert_eq!(c!(sockets::zmq_close(socket)), -1);
    }

    pub(crate) fn send_or_receive(&mut self, choices: &mut Choices) {
        let socket = self.any(Kind::Socket, choices);
        let flags = DONTWAIT | choices.of(&[0, 2, 4, -1]);
        match choices.index(12) {
            0..=2 => {
                let size = choices.of(&[0, 1, 5, 30, 31, 300, 9000, 70_000]);
                let bytes = filled(size, choices);
                checked(c!(sockets::zmq_send(socket, bytes.as_ptr().cast(), bytes.len(), flags)));
            }
            3 => {
                static BYTES: [u8; 20_000] = [7; 20_000];
                let len = choices.of(&[0, 8, 20_000]);
                checked(c!(sockets::zmq_send_const(socket, BYTES.as_ptr().cast(), len, flags)));
            }
            4..=6 => receive(socket, choices.of(&[0, 1, 256, 100_000]), flags),
            7 => send_several(socket, flags, choices),
            8 => receive_several(socket, choices.index(4), flags),
            9 => {
                let group = CString::new(choices.of(&["a", "", "group"])).expect("no zero");
                let act = [zmq_join, zmq_leave][choices.index(2)];
                act(socket, &group);
            }
            10 => {
                checked(c!(sockets::zmq_send(socket, ptr::null(), choices.index(2), flags)));
                checked(c!(sockets::zmq_recv(socket, ptr::null_mut(), choices.index(2), flags)));
            }
            _ => {
                let id = choices.word();
                checked(c!(sockets::zmq_disconnect_peer(socket, id as u32)));
                checked(c!(sockets::zmq_socket_get_peer_state(socket, ptr::from_ref(&id).cast(), 8)));
                checked(c!(sockets::zmq_socket_monitor_pipes_stats(socket)));
            }
        }
    }
}

fn zmq_join(socket: *mut c_void, group: &CString) {
    checked(c!(sockets::zmq_join(socket, group.as_ptr())));
}

fn zmq_leave(socket: *mut c_void, group: &CString) {
    checked(c!(sockets::zmq_leave(socket, group.as_ptr())));
}

/// So many bytes, of which some are the input's.
pub(crate) fn filled(size: usize, choices: &mut Choices) -> Vec<u8> {
    let mut bytes = choices.take(size.min(8)).to_vec();
    bytes.resize(size, b'x');
    bytes
}

fn receive(socket: *mut c_void, size: usize, flags: c_int) {
    let mut room = vec![0_u8; size];
    checked(c!(sockets::zmq_recv(socket, room.as_mut_ptr().cast(), room.len(), flags)));
}

fn send_several(socket: *mut c_void, flags: c_int, choices: &mut Choices) {
    let parts: Vec<Vec<u8>> = (0..choices.index(4)).map(|_| choices.take(5).to_vec()).collect();
    let entry =
        |part: &Vec<u8>| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() };
    let entries: Vec<libc::iovec> = parts.iter().map(entry).collect();
    checked(c!(sockets::zmq_sendiov(socket, entries.as_ptr().cast(), entries.len(), flags)));
}

fn receive_several(socket: *mut c_void, room: usize, flags: c_int) {
    let mut entries = vec![libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; room];
    let mut count = room;
    checked(c!(sockets::zmq_recviov(socket, entries.as_mut_ptr().cast(), &mut count, flags)));
    for entry in entries {
        // SAFETY: it is null, or memory that the call says is the program's to free.
        unsafe { libc::free(entry.iov_base) };
    }
}
