//! Options of sockets: any number, any value that this machine and this minute can bear.

use std::ffi::c_int;
use std::ptr;

use crate::choices::Choices;
use crate::world::{Kind, World, checked};

const SUBSCRIBE: u8 = 6;
const LINGER: c_int = 17;
const USE_FD: c_int = 89;
const KEY: &[u8] = b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

impl World {
    pub(crate) fn use_option(&mut self, choices: &mut Choices) {
        let socket = self.any(Kind::Socket, choices);
        let option = match choices.byte() {
            byte @ 0..=120 => c_int::from(byte) - 1,
            121..=160 => c_int::from(SUBSCRIBE),
            byte => number(choices).wrapping_add(byte.into()),
        };
        if choices.once_in(3) {
            let mut room = vec![0_u8; choices.of(&[4, 8, 255, 0, 1, 32, 41, 300])];
            let mut len = room.len();
            let place = room.as_mut_ptr().cast();
            if checked(c!(sockets::zmq_getsockopt(socket, option, place, &mut len))) {
                assert!(len <= room.len());
            }
            return;
        }
        let value = value(option, choices);
        if let Some(value) = value {
            checked(c!(sockets::zmq_setsockopt(socket, option, value.as_ptr().cast(), value.len())));
        } else {
            let len = choices.index(3);
            checked(c!(sockets::zmq_setsockopt(socket, option, ptr::null(), len)));
        }
    }
}

/// `None` is a null pointer.
fn value(option: c_int, choices: &mut Choices) -> Option<Vec<u8>> {
    let of_number = |number: c_int| Some(number.to_ne_bytes().to_vec());
    match option {
        // Whoever closes does not wait longer.
        LINGER => return of_number(choices.index(4) as c_int),
        // No descriptor that somebody else has.
        USE_FD => return of_number(choices.of(&[-1, -2, 1_000_000])),
        _ => {}
    }
    match choices.index(12) {
        0 => None,
        1 => Some(KEY.to_vec()),
        2 => Some([KEY, b"\0"].concat()),
        3 => Some(choices.take(32).to_vec()),
        4 => Some(choices.word().to_ne_bytes().to_vec()),
        5 => {
            let len = choices.of(&[3, 5, 255, 256, 1]);
            Some(choices.take(len).to_vec())
        }
        6 => Some(choices.of(&["127.0.0.1/8", "X-Zone:north", "lo", "domain", "a", ""]).into()),
        _ => of_number(number(choices)),
    }
}

/// Numbers that are worth trying, and any.
pub(crate) fn number(choices: &mut Choices) -> c_int {
    match choices.byte() {
        byte @ 0..=180 => {
            [0, 1, 1, 2, 3, -1, -2, 4, 7, 10, 100, 1000, 65_535, 65_536, c_int::MAX, c_int::MIN]
                [usize::from(byte % 16)]
        }
        _ => choices.word() as c_int,
    }
}
