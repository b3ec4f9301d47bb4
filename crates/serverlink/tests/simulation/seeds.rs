//! One scenario, many seeds.

/// How many seeds run where `SERVERLINK_SEEDS` does not say.
const SEEDS: u64 = 1000;

/// Runs a scenario for every seed; a failing one says how to repeat it.
pub(crate) fn for_each_seed(test: &str, scenario: impl Fn(u64)) {
    for_a_share_of_seeds(1, test, scenario);
}

/// As [`for_each_seed`], for scenarios of many sockets: one seed where others run `share`.
pub(crate) fn for_a_share_of_seeds(share: u64, test: &str, scenario: impl Fn(u64)) {
    let seeds = match number("SERVERLINK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SERVERLINK_SEEDS").unwrap_or(SEEDS).div_ceil(share),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scenario(seed)));
        if let Err(panic) = outcome {
            eprintln!(
                "repeat with: SERVERLINK_SEED={seed} cargo test -p serverlink --test simulation -- {test}"
            );
            std::panic::resume_unwind(panic);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is to be a number, and is {value:?}")))
}
