//! Two sockets that fit and talk to each other: what one says arrives at the other, and goes back part by part.

use std::ffi::{CString, c_int, c_void};
use std::ptr;

use crate::choices::Choices;
use crate::messages::Place;
use crate::sockets::filled;
use crate::world::{Kind, World, checked};

const DONTWAIT: c_int = 1;
const SNDMORE: c_int = 2;
const ROUTING_ID: c_int = 5;
const SUBSCRIBE: c_int = 6;
const GROUP: &std::ffi::CStr = c"a";

/// How the first of the two is spoken to by the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Any parts.
    Parts,
    /// One part.
    Single,
    /// One part, to a group.
    Grouped,
    /// One part, to the peer that was connected to.
    Numbered,
    /// Octets behind a routing id.
    Octets,
}

/// By their numbers: who binds, who connects, whether the one that connects speaks first, and how.
const FITTING: [(c_int, c_int, bool, Way); 16] = [
    (0, 0, true, Way::Parts),
    (1, 2, false, Way::Parts),
    (9, 2, false, Way::Parts),
    (9, 10, false, Way::Parts),
    (4, 3, true, Way::Parts),
    (6, 3, true, Way::Parts),
    (6, 5, true, Way::Parts),
    (5, 5, true, Way::Parts),
    (7, 8, true, Way::Parts),
    (8, 7, false, Way::Parts),
    (11, 11, true, Way::Octets),
    (12, 13, true, Way::Single),
    (14, 15, false, Way::Grouped),
    (16, 17, true, Way::Single),
    (19, 19, true, Way::Numbered),
    (20, 20, true, Way::Single),
];

/// See the module's page.
#[derive(Clone, Copy)]
pub(crate) struct Conversation {
    speaker: *mut c_void,
    listener: *mut c_void,
    way: Way,
    number: u32,
}

impl Default for Conversation {
    fn default() -> Conversation {
        Conversation { speaker: ptr::null_mut(), listener: ptr::null_mut(), way: Way::Parts, number: 0 }
    }
}

impl Conversation {
    pub(crate) fn sockets(&self) -> [*mut c_void; 2] {
        [self.speaker, self.listener]
    }
}

impl World {
    /// Opens two that fit, of which one is connected to the other. Most names are new, so that they are free.
    pub(crate) fn open_two(&mut self, choices: &mut Choices) {
        let context = self.any(Kind::Context, choices);
        let (first, second, connected_speaks, way) = choices.of(&FITTING);
        let name = match (choices.index(8), way) {
            (0..=4, way) if way != Way::Octets => self.fresh_name(),
            (5, way) if way != Way::Octets => CString::from(choices.of(&[c"inproc://a", c"inproc://b"])),
            (6, _) => CString::from(c"ipc://*"),
            _ => CString::from(c"tcp://127.0.0.1:*"),
        };
        let mut open = |number| {
            let Some(place) = self.room(Kind::Socket) else { return ptr::null_mut() };
            *place = c!(sockets::zmq_socket(context, number));
            *place
        };
        let (bound, connected) = (open(first), open(second));
        if checked(c!(sockets::zmq_setsockopt(connected, SUBSCRIBE, ptr::null(), 0))) {
            assert_eq!(second, 2, "a SUB alone subscribes so");
        }
        if way == Way::Grouped {
            checked(c!(sockets::zmq_join(connected, GROUP.as_ptr())));
        }
        let mut number = 0;
        if checked(c!(sockets::zmq_bind(bound, name.as_ptr()))) {
            let name = self.note_endpoint(bound);
            match way {
                Way::Numbered => number = c!(sockets::zmq_connect_peer(connected, name.as_ptr())),
                _ => drop(checked(c!(sockets::zmq_connect(connected, name.as_ptr())))),
            }
        }
        if second == 10 {
            // To everything.
            checked(c!(sockets::zmq_send(connected, [1_u8].as_ptr().cast(), 1, DONTWAIT)));
        }
        let (speaker, listener) = if connected_speaks { (connected, bound) } else { (bound, connected) };
        self.two = Conversation { speaker, listener, way, number };
    }

    /// Something is said, heard, and mostly answered in the words in which it came, which may have an address.
    pub(crate) fn talk(&mut self, choices: &mut Choices) {
        let two = self.two;
        for _ in 0..=choices.index(3) {
            say(&two, choices);
        }
        self.wait_for(two.listener, choices);
        for _ in 0..=choices.index(3) {
            self.hear(two.listener, choices.once_in(4), choices);
        }
        self.wait_for(two.speaker, choices);
        self.hear(two.speaker, true, choices);
    }

    /// Receives a message part by part. Unless it is kept, each part goes back.
    fn hear(&mut self, socket: *mut c_void, is_kept: bool, choices: &mut Choices) {
        loop {
            let index = choices.index(self.messages.len());
            let message = &mut self.messages[index];
            message.be_live();
            if !message.receive(socket, choices) {
                return;
            }
            let place = message.pointer();
            let more = c!(messages::zmq_msg_more(place));
            let flags = DONTWAIT | if more == 1 { SNDMORE } else { 0 };
            // No octets would hang up.
            if !is_kept && self.two.way == Way::Octets && c!(messages::zmq_msg_size(place)) == 0 {
                checked(c!(sockets::zmq_send(socket, [b'x'].as_ptr().cast(), 1, flags)));
            } else if !is_kept {
                checked(c!(messages::zmq_msg_send(place, socket, flags)));
            }
            if more != 1 {
                return;
            }
        }
    }

    fn fresh_name(&mut self) -> CString {
        self.named += 1;
        CString::new(format!("inproc://two-{}", self.named)).expect("no zero")
    }
}

fn say(two: &Conversation, choices: &mut Choices) {
    let size = choices.of(&[1, 0, 31, 300, 9000, 70_000]);
    match two.way {
        Way::Parts | Way::Single => {
            let parts = if two.way == Way::Parts { choices.of(&[1, 1, 2, 3]) } else { 1 };
            for part in 1..=parts {
                let bytes = filled(size, choices);
                let flags = DONTWAIT | if part < parts { SNDMORE } else { 0 };
                if !checked(c!(sockets::zmq_send(two.speaker, bytes.as_ptr().cast(), bytes.len(), flags))) {
                    return;
                }
            }
        }
        Way::Grouped | Way::Numbered => {
            let mut place = Place::default();
            if place.fill(filled(size, choices)) {
                let message = place.pointer();
                if two.way == Way::Grouped {
                    assert!(checked(c!(messages::zmq_msg_set_group(message, GROUP.as_ptr()))));
                } else {
                    checked(c!(messages::zmq_msg_set_routing_id(message, two.number)));
                }
                checked(c!(messages::zmq_msg_send(message, two.speaker, DONTWAIT)));
                place.close();
            }
        }
        Way::Octets => {
            let (mut id, mut len) = ([0_u8; 256], 256);
            if checked(c!(sockets::zmq_getsockopt(two.speaker, ROUTING_ID, id.as_mut_ptr().cast(), &mut len))) {
                let bytes = filled(size.max(1), choices);
                checked(c!(sockets::zmq_send(two.speaker, id.as_ptr().cast(), len, DONTWAIT | SNDMORE)));
                checked(c!(sockets::zmq_send(two.speaker, bytes.as_ptr().cast(), bytes.len(), DONTWAIT)));
            }
        }
    }
}
