//! Any sequence of calls of libzmq's C interface, with any values where C could pass any, on handles that are open, closed, of another kind or none.
//! Nothing panics, aborts or is out of bounds, no call waits, and what was opened and lent is given back once all is closed.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The exported functions themselves.
#[path = "../../crates/libzmq/src/lib.rs"]
mod zmq;

#[path = "../../crates/serverlink/tests/operations/choices.rs"]
#[allow(dead_code, reason = "the target `operations` uses the rest")]
mod choices;

/// A call as C makes it.
macro_rules! c {
    ($($function:ident)::+ ( $($argument:expr),* $(,)? )) => {{
        // SAFETY: handles may be any, as their table recognises those that are none. What else is pointed at is null, or a place of the size and
        // the content that this function's manual page wants, which nobody else uses.
        #[allow(unused_unsafe, reason = "functions without pointers are safe")]
        let answer = unsafe { crate::zmq::$($function)::+($($argument),*) };
        answer
    }};
}

#[path = "c_calls/contexts.rs"]
mod contexts;
#[path = "c_calls/conversation.rs"]
mod conversation;
#[path = "c_calls/endpoints.rs"]
mod endpoints;
#[path = "c_calls/messages.rs"]
mod messages;
#[path = "c_calls/options.rs"]
mod options;
#[path = "c_calls/others.rs"]
mod others;
#[path = "c_calls/polling.rs"]
mod polling;
#[path = "c_calls/process.rs"]
mod process;
#[path = "c_calls/sockets.rs"]
mod sockets;
#[path = "c_calls/world.rs"]
mod world;

fuzz_target!(|data: &[u8]| world::play(data));
