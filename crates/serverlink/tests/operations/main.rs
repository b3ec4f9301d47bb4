//! Any sequence of operations on a handful of sockets, on a simulated machine with a bad peer: nothing panics, no accepted message is torn,
//! doubled or overtaken on its connection, counters agree with what the application saw, newcomers are served, and closed sockets leave
//! nothing. The fuzz target `operations` plays the same with inputs that it learns; here they are drawn. What they find becomes a test of
//! its own elsewhere, because what a seed means changes with every operation and option that is added.

mod actor;
mod choices;
#[path = "../simulation/ending.rs"]
mod ending;
mod extremes;
mod mail;
mod play;
mod setting;
mod stranger;
mod topics;

use std::ops::Range;

const INPUTS: u64 = 400;

#[test]
fn any_sequence_of_operations_keeps_its_promises() {
    for_each_input("any_sequence_of_operations", INPUTS, play::play);
}

#[test]
fn any_options_are_refused_with_a_sentence_or_work() {
    for_each_input("any_options", 10 * INPUTS, extremes::play);
}

fn for_each_input(test: &str, count: u64, play: fn(&[u8])) {
    for seed in seeds(count) {
        let input = drawn(seed);
        if let Err(panic) = std::panic::catch_unwind(|| play(&input)) {
            eprintln!(
                "repeat with: SERVERLINK_SEED={seed} cargo test -p serverlink --test operations {test}"
            );
            std::panic::resume_unwind(panic);
        }
    }
}

/// SERVERLINK_SEED plays one, SERVERLINK_SEEDS so many.
fn seeds(count: u64) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    match number("SERVERLINK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SERVERLINK_SEEDS").unwrap_or(count),
    }
}

fn drawn(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..random.usize(50..700)).map(|_| random.u8(..)).collect()
}
