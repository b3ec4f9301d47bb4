//! Messages, each in 64 bytes of the program's.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::Ordering;

use serverlink_capi::message::RawMessage;

use crate::choices::Choices;
use crate::process::LENT;
use crate::sockets::filled;
use crate::world::{Kind, World, checked};

const DONTWAIT: c_int = 1;
const SIZES: [usize; 10] = [0, 1, 29, 30, 31, 32, 33, 300, 9000, 70_000];

/// Where a message is, or can be put.
#[derive(Default)]
pub(crate) struct Place {
    room: Box<[u64; 8]>,
    is_live: bool,
    /// Its bytes are the program's alone.
    is_own: bool,
}

impl Place {
    pub(crate) fn pointer(&mut self) -> *mut RawMessage {
        self.room.as_mut_ptr().cast()
    }

    pub(crate) fn close(&mut self) {
        let pointer = self.pointer();
        let closed = checked(c!(messages::zmq_msg_close(pointer)));
        assert_eq!(closed, self.is_live);
        self.is_live = false;
    }

    /// Puts these bytes there.
    pub(crate) fn fill(&mut self, bytes: Vec<u8>) -> bool {
        let place = self.pointer();
        self.is_live = checked(c!(messages::zmq_msg_init_buffer(place, bytes.as_ptr().cast(), bytes.len())));
        self.is_live
    }

    /// Something can be received there.
    pub(crate) fn be_live(&mut self) {
        if !self.is_live {
            self.is_own = false;
            assert!(self.fill(Vec::new()));
        }
    }

    /// Receives a part there, if one is there and this is a message.
    pub(crate) fn receive(&mut self, socket: *mut c_void, choices: &mut Choices) -> bool {
        let place = self.pointer();
        let is_received = checked(match choices.once_in(4) {
            true => c!(messages::zmq_recvmsg(socket, place, DONTWAIT)),
            false => c!(messages::zmq_msg_recv(place, socket, DONTWAIT)),
        });
        if is_received {
            self.is_own = false;
            self.use_bytes();
        }
        is_received
    }

    fn init(&mut self, choices: &mut Choices) {
        if self.is_live {
            self.close();
        }
        let place = self.pointer();
        let size = choices.of(&SIZES);
        self.is_own = false;
        let made = match choices.index(6) {
            0 => c!(messages::zmq_msg_init(place)),
            1 => {
                self.is_own = true;
                let size = if choices.once_in(20) { usize::MAX } else { size };
                c!(messages::zmq_msg_init_size(place, size))
            }
            2 => {
                let bytes = filled(size, choices);
                c!(messages::zmq_msg_init_buffer(place, bytes.as_ptr().cast(), bytes.len()))
            }
            3 => {
                static BYTES: [u8; 70_000] = [3; 70_000];
                let start = BYTES.as_ptr().cast_mut().cast();
                c!(messages::zmq_msg_init_data(place, start, size, None, ptr::null_mut()))
            }
            _ => lend(place, filled(size, choices)),
        };
        self.is_live = checked(made);
    }

    /// Looks at all bytes, and writes where the program may.
    fn use_bytes(&mut self) {
        let place = self.pointer();
        let (start, len) = (c!(messages::zmq_msg_data(place)), c!(messages::zmq_msg_size(place)));
        if !self.is_live {
            assert!(start.is_null() && len == 0);
        } else if len > 0 {
            // SAFETY: these are the message's bytes, which nobody writes meanwhile.
            let sum: usize = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) }
                .iter()
                .map(|byte| usize::from(*byte))
                .sum();
            std::hint::black_box(sum);
            if self.is_own {
                // SAFETY: as above, and they are the program's alone.
                unsafe { start.cast::<u8>().add(len - 1).write(9) };
            }
        }
    }
}

fn lend(place: *mut RawMessage, bytes: Vec<u8>) -> c_int {
    let bytes = Box::leak(bytes.into_boxed_slice());
    let (start, len) = (bytes.as_mut_ptr().cast::<c_void>(), bytes.len());
    LENT.fetch_add(1, Ordering::SeqCst);
    let hint = ptr::without_provenance_mut(len);
    let made = c!(messages::zmq_msg_init_data(place, start, len, Some(give_back), hint));
    assert_eq!(made, 0);
    made
}

/// Called by the library.
unsafe extern "C" fn give_back(start: *mut c_void, hint: *mut c_void) {
    // SAFETY: `lend` leaked a box of so many bytes there.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start.cast::<u8>(), hint.addr())) });
    assert!(LENT.fetch_sub(1, Ordering::SeqCst) > 0, "given back twice");
}

impl World {
    pub(crate) fn use_message(&mut self, choices: &mut Choices) {
        let index = choices.index(self.messages.len());
        match choices.index(16) {
            0..=3 => self.messages[index].init(choices),
            4 => self.messages[index].close(),
            5 | 6 => self.copy_or_move(index, choices),
            7 => self.messages[index].use_bytes(),
            8..=10 => self.send_message(index, choices),
            11..=13 => {
                let socket = self.any(Kind::Socket, choices);
                self.receive_message(socket, choices);
            }
            14 => self.label_message(index, choices),
            _ => self.ask_message(index, choices),
        }
    }

    fn copy_or_move(&mut self, to: usize, choices: &mut Choices) {
        let from = choices.index(self.messages.len());
        let (target, source) = (self.messages[to].pointer(), self.messages[from].pointer());
        let done = match choices.once_in(2) {
            true => c!(messages::zmq_msg_copy(target, source)),
            false => c!(messages::zmq_msg_move(target, source)),
        };
        assert_eq!(checked(done), self.messages[to].is_live && self.messages[from].is_live);
        self.messages[to].is_own = false;
        self.messages[from].is_own = false;
    }

    fn send_message(&mut self, index: usize, choices: &mut Choices) {
        let socket = self.any(Kind::Socket, choices);
        let place = self.messages[index].pointer();
        let flags = DONTWAIT | choices.of(&[0, 2]);
        if checked(match choices.once_in(4) {
            true => c!(messages::zmq_sendmsg(socket, place, flags)),
            false => c!(messages::zmq_msg_send(place, socket, flags)),
        }) {
            assert_eq!(c!(messages::zmq_msg_size(place)), 0);
            self.messages[index].is_own = false;
        }
    }

    pub(crate) fn receive_message(&mut self, socket: *mut c_void, choices: &mut Choices) {
        let index = choices.index(self.messages.len());
        self.messages[index].receive(socket, choices);
    }

    fn label_message(&mut self, index: usize, choices: &mut Choices) {
        let place = self.messages[index].pointer();
        match choices.index(4) {
            0 => {
                checked(c!(messages::zmq_msg_set_routing_id(place, choices.word() as u32)));
            }
            1 => {
                let len = choices.of(&[0, 1, 255, 256]);
                let group = CString::new(vec![b'g'; len]).expect("no zero");
                checked(c!(messages::zmq_msg_set_group(place, group.as_ptr())));
            }
            2 => {
                checked(c!(messages::zmq_msg_set_group(place, ptr::null())));
            }
            _ => {
                checked(c!(messages::zmq_msg_set(place, choices.index(5) as c_int, 1)));
            }
        }
    }

    fn ask_message(&mut self, index: usize, choices: &mut Choices) {
        let place = match choices.once_in(12) {
            true => ptr::null_mut(),
            false => self.messages[index].pointer(),
        };
        checked(c!(messages::zmq_msg_get(place, choices.index(5) as c_int)));
        c!(messages::zmq_msg_more(place));
        c!(messages::zmq_msg_routing_id(place));
        read(c!(messages::zmq_msg_group(place)));
        let name = choices.of(&["Socket-Type", "Peer-Address", "Routing-Id", "User-Id", "X-Zone", ""]);
        let name = CString::new(name).expect("no zero");
        read(c!(messages::zmq_msg_gets(place, name.as_ptr())));
        assert!(c!(messages::zmq_msg_gets(place, ptr::null())).is_null());
    }
}

/// Looks at a text that is the library's.
pub(crate) fn read(text: *const c_char) {
    if !text.is_null() {
        // SAFETY: the library's texts end with a zero, and stay as long as the message or the process.
        std::hint::black_box(unsafe { CStr::from_ptr(text) }.count_bytes());
    }
}
