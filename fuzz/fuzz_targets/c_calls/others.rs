//! Timers, counters, stopwatches, threads, keys and questions.

use std::ffi::{CString, c_int, c_void};
use std::ptr;

use crate::choices::Choices;
use crate::messages::read;
use crate::options::number;
use crate::world::{Kind, World, checked};

impl World {
    /// Closes one of these, and whatever is none is refused.
    pub(crate) fn close(&mut self, kind: Kind, handle: *mut c_void) {
        if handle.is_null() {
            return;
        }
        let mut place = handle;
        match kind {
            Kind::Context => return,
            Kind::Socket => self.close_socket(handle),
            Kind::Poller => {
                assert_eq!(c!(polling::zmq_poller_destroy(&mut place)), 0);
                assert_eq!(c!(polling::zmq_poller_destroy(&mut place)), -1);
            }
            Kind::Timers => {
                assert_eq!(c!(timers::zmq_timers_destroy(&mut place)), 0);
                assert_eq!(c!(timers::zmq_timers_destroy(&mut place)), -1);
            }
            Kind::Counter => c!(utilities::zmq_atomic_counter_destroy(&mut place)),
            Kind::Watch => {
                c!(utilities::zmq_stopwatch_stop(handle));
            }
        }
        self.forget(handle);
    }

    pub(crate) fn use_other(&mut self, choices: &mut Choices) {
        match choices.index(10) {
            0 | 1 => self.open_other(choices),
            2..=5 => self.use_timers(choices),
            6 => self.count(choices),
            7 => {
                let watch = self.any(Kind::Watch, choices);
                c!(utilities::zmq_stopwatch_intermediate(watch));
            }
            8 => use_texts(choices),
            _ => ask(choices),
        }
    }

    fn open_other(&mut self, choices: &mut Choices) {
        let kind = choices.of(&[Kind::Timers, Kind::Counter, Kind::Watch]);
        let Some(place) = self.room(kind) else {
            let old = self.one(kind, choices);
            return self.close(kind, old);
        };
        *place = match kind {
            Kind::Timers => c!(timers::zmq_timers_new()),
            Kind::Counter => c!(utilities::zmq_atomic_counter_new()),
            _ => c!(utilities::zmq_stopwatch_start()),
        };
        assert!(!place.is_null());
    }

    fn use_timers(&mut self, choices: &mut Choices) {
        let timers = self.any(Kind::Timers, choices);
        let interval = match choices.index(6) {
            0..=3 => 0,
            4 => 1,
            _ => choices.word() as usize,
        };
        let id = choices.index(6) as c_int;
        checked(match choices.index(10) {
            0..=2 => c!(timers::zmq_timers_add(timers, interval, Some(on_timer), timers)),
            3 => c!(timers::zmq_timers_add(timers, interval, None, timers)),
            4 => c!(timers::zmq_timers_cancel(timers, id)),
            5 => c!(timers::zmq_timers_set_interval(timers, id, interval)),
            6 => c!(timers::zmq_timers_reset(timers, id)),
            7 => {
                // -1 is also a value.
                c!(timers::zmq_timers_timeout(timers));
                0
            }
            _ => c!(timers::zmq_timers_execute(timers)),
        });
    }

    fn count(&mut self, choices: &mut Choices) {
        let counter = self.any(Kind::Counter, choices);
        match choices.index(4) {
            0 => c!(utilities::zmq_atomic_counter_set(counter, number(choices))),
            1 => {
                c!(utilities::zmq_atomic_counter_inc(counter));
            }
            2 => {
                c!(utilities::zmq_atomic_counter_dec(counter));
            }
            _ => {
                c!(utilities::zmq_atomic_counter_value(counter));
            }
        }
    }
}

/// Called by the library. It may use its own timers.
unsafe extern "C" fn on_timer(id: c_int, timers: *mut c_void) {
    assert!(id >= 1);
    match id % 4 {
        0 => drop(c!(timers::zmq_timers_cancel(timers, id))),
        1 => drop(c!(timers::zmq_timers_cancel(timers, id + 1))),
        2 => drop(c!(timers::zmq_timers_reset(timers, id))),
        _ => drop(c!(timers::zmq_timers_set_interval(timers, id, 60_000))),
    }
}

/// Called by the library.
unsafe extern "C" fn on_thread(_argument: *mut c_void) {}

fn use_texts(choices: &mut Choices) {
    match choices.index(4) {
        0 => {
            let len = choices.of(&[0, 4, 8, 32, 5, 33]);
            let octets = choices.take(len);
            let mut room = vec![0; octets.len() / 4 * 5 + 1];
            let place = room.as_mut_ptr();
            c!(utilities::zmq_z85_encode(place, octets.as_ptr(), octets.len()));
        }
        1 => {
            let text = text(choices);
            let mut room = vec![0; text.count_bytes() / 5 * 4];
            c!(utilities::zmq_z85_decode(room.as_mut_ptr(), text.as_ptr()));
        }
        2 => {
            let (mut public, mut secret) = ([0; 41], [0; 41]);
            assert_eq!(c!(utilities::zmq_curve_keypair(public.as_mut_ptr(), secret.as_mut_ptr())), 0);
            let mut same = [0; 41];
            assert_eq!(c!(utilities::zmq_curve_public(same.as_mut_ptr(), secret.as_ptr())), 0);
            assert_eq!(public, same);
        }
        _ => {
            let mut public = [0; 41];
            checked(c!(utilities::zmq_curve_public(public.as_mut_ptr(), text(choices).as_ptr())));
            checked(c!(utilities::zmq_curve_public(public.as_mut_ptr(), ptr::null())));
        }
    }
}

fn text(choices: &mut Choices) -> CString {
    let len = choices.of(&[40, 5, 0, 41, 10, 7]);
    CString::new(choices.take(len).iter().copied().filter(|octet| *octet != 0).collect::<Vec<_>>())
        .expect("no zero")
}

fn ask(choices: &mut Choices) {
    match choices.index(4) {
        0 => read(c!(context::zmq_strerror(number(choices)))),
        1 => {
            c!(utilities::zmq_has(text(choices).as_ptr()));
            c!(utilities::zmq_has(ptr::null()));
        }
        2 => {
            let mut major = 0;
            c!(context::zmq_version(&mut major, ptr::null_mut(), ptr::null_mut()));
            assert_eq!(major, 4);
        }
        _ => {
            let thread = c!(utilities::zmq_threadstart(Some(on_thread), ptr::null_mut()));
            c!(utilities::zmq_threadclose(thread));
            c!(utilities::zmq_threadclose(thread));
            assert!(c!(utilities::zmq_threadstart(None, ptr::null_mut())).is_null());
            c!(utilities::zmq_sleep(0));
        }
    }
}
