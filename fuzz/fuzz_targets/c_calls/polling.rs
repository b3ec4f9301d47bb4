//! Looking for what is ready, at once or a moment later: what goes over a wire needs one.

use std::ffi::{c_int, c_long, c_short, c_void};
use std::ptr;

use serverlink_capi::poller::PollerEvent;

use crate::choices::Choices;
use crate::world::{Kind, World, checked};

/// `zmq_pollitem_t`.
#[repr(C)]
struct Item {
    socket: *mut c_void,
    fd: c_int,
    events: c_short,
    revents: c_short,
}

impl World {
    pub(crate) fn poll(&mut self, choices: &mut Choices) {
        let mut items: Vec<Item> = (0..choices.index(5)).map(|_| self.item(choices)).collect();
        let (start, count) = (items.as_mut_ptr().cast(), items.len() as c_int);
        let moment = choices.of(&[0, 0, 0, 1, 3]);
        let found = match choices.index(8) {
            0 => c!(polling::zmq_poll(start, -1, 0)),
            1 => c!(polling::zmq_poll(ptr::null_mut(), count, 0)),
            2 => {
                let mut mask = std::mem::MaybeUninit::uninit();
                // SAFETY: it fills the set in.
                unsafe { libc::sigemptyset(mask.as_mut_ptr()) };
                c!(polling::zmq_ppoll(start, count, 0, mask.as_ptr()))
            }
            3 => c!(polling::zmq_ppoll(start, count, 0, ptr::null())),
            _ => c!(polling::zmq_poll(start, count, moment)),
        };
        if checked(found) {
            assert!(found <= count);
        }
    }

    /// Until something can be received, for a moment.
    pub(crate) fn wait_for(&mut self, socket: *mut c_void, choices: &mut Choices) {
        let mut item = Item { socket, fd: -1, events: 1, revents: 0 };
        let place = std::ptr::from_mut(&mut item).cast();
        checked(c!(polling::zmq_poll(place, 1, choices.of(&[0, 1, 5]))));
    }

    fn item(&mut self, choices: &mut Choices) -> Item {
        let socket = match choices.once_in(5) {
            true => ptr::null_mut(),
            false => self.any(Kind::Socket, choices),
        };
        Item { socket, fd: descriptor(choices), events: events(choices), revents: -1 }
    }

    pub(crate) fn use_poller(&mut self, choices: &mut Choices) {
        let poller = self.any(Kind::Poller, choices);
        let (socket, data) = (self.any(Kind::Socket, choices), ptr::without_provenance_mut(choices.index(3)));
        let (events, fd) = (events(choices), descriptor(choices));
        checked(match choices.index(14) {
            0 => {
                let Some(place) = self.room(Kind::Poller) else { return };
                *place = c!(polling::zmq_poller_new());
                0
            }
            1 => {
                let poller = self.one(Kind::Poller, choices);
                return self.close(Kind::Poller, poller);
            }
            2..=4 => c!(polling::zmq_poller_add(poller, socket, data, events)),
            5 => c!(polling::zmq_poller_add_fd(poller, fd, data, events)),
            6 => c!(polling::zmq_poller_modify(poller, socket, events)),
            7 => c!(polling::zmq_poller_modify_fd(poller, fd, events)),
            8 => c!(polling::zmq_poller_remove(poller, socket)),
            9 => c!(polling::zmq_poller_remove_fd(poller, fd)),
            10 => c!(polling::zmq_poller_size(poller)),
            11 => {
                let mut place = -1;
                c!(polling::zmq_poller_fd(poller, &mut place))
            }
            12 => {
                let mut found = PollerEvent::nothing();
                c!(polling::zmq_poller_wait(poller, &mut found, 0))
            }
            _ => wait_for_several(poller, choices),
        });
    }
}

fn wait_for_several(poller: *mut c_void, choices: &mut Choices) -> c_int {
    let mut found = vec![PollerEvent::nothing(); choices.index(4)];
    let (start, room) = (found.as_mut_ptr(), found.len() as c_int);
    let timeout: c_long = choices.of(&[0, 0, 0, 2]);
    let count = match choices.index(6) {
        0 => c!(polling::zmq_poller_wait_all(poller, start, -1, timeout)),
        1 => c!(polling::zmq_poller_wait_all(poller, ptr::null_mut(), room, timeout)),
        _ => c!(polling::zmq_poller_wait_all(poller, start, room, timeout)),
    };
    assert!(count <= room);
    count
}

fn events(choices: &mut Choices) -> c_short {
    choices.of(&[1, 2, 3, 1, 3, 0, 4, 8, 15, 16, -1])
}

/// Standard input and output, and numbers that are no descriptors.
fn descriptor(choices: &mut Choices) -> c_int {
    choices.of(&[-1, 0, 1, 1_000_000, c_int::MAX, c_int::MIN])
}
