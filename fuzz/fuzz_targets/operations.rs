//! Any sequence of operations on a handful of sockets, on a simulated machine with a bad peer. What is played, and what must be true of it, is
//! the library's own test `operations`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/serverlink/tests/operations/actor.rs"]
mod actor;
#[path = "../../crates/serverlink/tests/operations/choices.rs"]
mod choices;
#[path = "../../crates/serverlink/tests/simulation/ending.rs"]
mod ending;
#[path = "../../crates/serverlink/tests/operations/mail.rs"]
mod mail;
#[path = "../../crates/serverlink/tests/operations/play.rs"]
mod play;
#[path = "../../crates/serverlink/tests/operations/setting.rs"]
mod setting;
#[path = "../../crates/serverlink/tests/operations/stranger.rs"]
mod stranger;
#[path = "../../crates/serverlink/tests/operations/topics.rs"]
mod topics;

fuzz_target!(|data: &[u8]| play::play(data));
