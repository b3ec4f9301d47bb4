//! Any values of options, played as the library's own test `operations` does it: checking never panics, what is refused is refused with the
//! option's name and what it may be, and two sockets with legal values, extreme as they may be, pass a message if these let it pass.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the target `operations` uses the rest")]
#[path = "../../crates/serverlink/tests/operations/choices.rs"]
mod choices;
#[path = "../../crates/serverlink/tests/simulation/ending.rs"]
mod ending;
#[path = "../../crates/serverlink/tests/operations/extremes.rs"]
mod extremes;

fuzz_target!(|data: &[u8]| extremes::play(data));
