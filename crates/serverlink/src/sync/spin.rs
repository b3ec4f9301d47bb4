//! Whether looking a little longer before sleeping pays: it does while peers are awake, and is given up where they are not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a caller looks before it sleeps: longer gains nothing, and shorter misses the answers of a peer that is
/// awake.
const SPIN: Duration = Duration::from_micros(20);

/// Misses more than hits up to which every wait spins.
const PATIENCE: u32 = 4;

/// Where more than that are in vain, one wait in 2, 4, 8 ... spins, down to one in 1024: one round trip in a thousand.
const MOST_MISSES: u32 = PATIENCE + 10;

/// What a hit makes up for. So where two of three spins are in vain they become ever rarer, whatever the third one finds.
const MISSES_FOR_A_HIT: u32 = 2;

/// A look takes a cache line from the peer that is about to write to it, so there is some time between two.
const PAUSES_BETWEEN_LOOKS: u32 = 4;

/// Clock reads cost as much as a look at a ring, so there is one for several looks.
const LOOKS_PER_CLOCK_READ: u32 = 4;

/// What was learnt from the last waits of one place. Several threads that learn at once may forget what one of them did.
#[derive(Default)]
pub(crate) struct Spins {
    misses: AtomicU32,
    /// Waits until the next spin.
    skip: AtomicU32,
}

impl Spins {
    /// Repeats `look` for a moment, if that was worth it lately. True: it found something.
    pub(crate) fn spin(&self, mut look: impl FnMut() -> bool) -> bool {
        self.is_worth_it() && {
            let found = look_for_a_moment(&mut look);
            self.learn(found);
            found
        }
    }

    fn is_worth_it(&self) -> bool {
        let skip = self.skip.load(Ordering::Relaxed);
        self.skip.store(skip.saturating_sub(1), Ordering::Relaxed);
        skip == 0
    }

    fn learn(&self, found: bool) {
        let misses = self.misses.load(Ordering::Relaxed);
        let misses = match found {
            true => misses.saturating_sub(MISSES_FOR_A_HIT),
            false => (misses + 1).min(MOST_MISSES),
        };
        self.misses.store(misses, Ordering::Relaxed);
        self.skip.store((1 << misses.saturating_sub(PATIENCE)) - 1, Ordering::Relaxed);
    }
}

fn look_for_a_moment(look: &mut impl FnMut() -> bool) -> bool {
    let until = Instant::now() + SPIN;
    loop {
        for _ in 0..LOOKS_PER_CLOCK_READ {
            if look() {
                return true;
            }
            for _ in 0..PAUSES_BETWEEN_LOOKS {
                std::hint::spin_loop();
            }
        }
        if Instant::now() >= until {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many waits spin, where every `nth` of these spins finds something.
    fn spins_of(spins: &Spins, waits: u32, nth: u32) -> u32 {
        let mut tries = 0;
        for _ in 0..waits {
            if spins.is_worth_it() {
                tries += 1;
                spins.learn(tries % nth == 0);
            }
        }
        tries
    }

    #[test]
    fn spins_in_vain_become_one_in_a_thousand() {
        let spins = Spins::default();
        assert!(spins_of(&spins, 3000, u32::MAX) < 20);
        assert!(spins_of(&spins, 10_240, u32::MAX) <= 11);
    }

    #[test]
    fn now_and_then_a_hit_changes_nothing_and_hits_all_the_time_change_all() {
        let spins = Spins::default();
        assert!(spins_of(&spins, 100_000, 5) < 400);
        assert!(spins_of(&spins, 4000, 1) > 1000, "the first hits come slowly");
        assert_eq!(spins_of(&spins, 1000, 1), 1000);
    }

    #[test]
    fn one_miss_among_hits_is_forgiven() {
        let spins = Spins::default();
        assert_eq!(spins_of(&spins, 1000, 2), 1000);
    }
}
