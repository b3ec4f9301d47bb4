//! Contexts, and proxies that cannot run.

use std::ffi::c_int;
use std::{ptr, thread};

use crate::choices::Choices;
use crate::options::number;
use crate::world::{Kind, World, checked};

const IO_THREADS: c_int = 1;
const MAX_SOCKETS: c_int = 2;
const PROCESSOR_ADD: c_int = 7;
const BLOCKY: c_int = 70;

impl World {
    pub(crate) fn open_context(&mut self, choices: &mut Choices) {
        let Some(place) = self.room(Kind::Context) else { return };
        let context = match choices.once_in(8) {
            true => c!(context::zmq_init(choices.index(4) as c_int)),
            false => c!(context::zmq_ctx_new()),
        };
        assert!(!context.is_null());
        *place = context;
        // Sockets that are closed wait for nobody.
        assert_eq!(c!(context::zmq_ctx_set(context, BLOCKY, 0)), 0);
    }

    pub(crate) fn use_context(&mut self, choices: &mut Choices) {
        let context = self.any(Kind::Context, choices);
        match choices.index(12) {
            0 => self.open_context(choices),
            1..=3 => {
                let (option, value) = setting(choices);
                checked(c!(context::zmq_ctx_set(context, option, value)));
            }
            4 | 5 => {
                // -1 is also a value.
                c!(context::zmq_ctx_get(context, setting(choices).0));
            }
            6 | 7 => {
                let (option, value) = setting(choices);
                let bytes = match choices.once_in(3) {
                    true => choices.take(20).to_vec(),
                    false => value.to_ne_bytes().to_vec(),
                };
                if option == IO_THREADS || option == BLOCKY {
                    return;
                }
                checked(c!(context::zmq_ctx_set_ext(context, option, bytes.as_ptr().cast(), bytes.len())));
            }
            8 => {
                let mut room = vec![0_u8; choices.index(40)];
                let mut len = room.len();
                let place = room.as_mut_ptr().cast();
                if checked(c!(context::zmq_ctx_get_ext(context, setting(choices).0, place, &mut len))) {
                    assert!(len <= room.len());
                }
            }
            9 if choices.once_in(8) => {
                checked(c!(context::zmq_ctx_shutdown(context)));
            }
            10 if choices.once_in(8) => self.end_context(choices),
            _ => self.run_no_proxy(choices),
        }
    }

    /// Ends a context in another thread, which waits until its sockets are closed.
    fn end_context(&mut self, choices: &mut Choices) {
        let context = self.one(Kind::Context, choices);
        if context.is_null() {
            // Whatever else it is, it is no context.
            let stranger = self.any(Kind::Socket, choices);
            if self.all(Kind::Context).all(|context| context != stranger) {
                assert_eq!(c!(context::zmq_ctx_term(stranger)), -1);
            }
            return;
        }
        self.forget(context);
        let context = context.expose_provenance();
        self.ending.push(thread::spawn(move || {
            c!(context::zmq_term(ptr::with_exposed_provenance_mut(context)));
        }));
    }

    /// Proxies run until their context ends, so only those are tried that have nothing to run between.
    fn run_no_proxy(&mut self, choices: &mut Choices) {
        let socket = self.any(Kind::Socket, choices);
        let nothing = ptr::null_mut();
        let answer = match choices.index(3) {
            0 => c!(polling::zmq_proxy(socket, nothing, socket)),
            1 => c!(polling::zmq_proxy_steerable(nothing, socket, nothing, socket)),
            _ => c!(polling::zmq_device(choices.index(4) as c_int, nothing, socket)),
        };
        assert_eq!(answer, -1);
    }
}

fn setting(choices: &mut Choices) -> (c_int, c_int) {
    let option = choices.of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 42, 70, 0, -1, 71]);
    let value = match option {
        IO_THREADS => choices.index(4) as c_int - 1,
        BLOCKY => 0,
        // With a processor that is not there, or without sockets, little happens.
        MAX_SOCKETS | PROCESSOR_ADD if !choices.once_in(16) => i32::from(option == MAX_SOCKETS) * 100,
        _ => number(choices),
    };
    (option, value)
}
