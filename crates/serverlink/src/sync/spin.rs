//! Whether looking a little longer before sleeping pays: it does while peers are awake, and is given up where they are not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a caller looks before it sleeps: longer gains nothing, and shorter misses the answers of a peer that is
/// awake.
const SPIN: Duration = Duration::from_micros(20);

/// Misses in a row up to which every wait spins.
const PATIENCE: u32 = 4;

/// After at most so many misses one spin is tried again: where it is in vain, that is one round trip in a thousand.
const RARELY: u32 = 1024;

/// A look takes a cache line from the peer that is about to write to it, so there is some time between two.
const PAUSES_BETWEEN_LOOKS: u32 = 4;

/// Clock reads cost as much as a look at a ring, so there is one for several looks.
const LOOKS_PER_CLOCK_READ: u32 = 4;

/// What was learnt from the last waits of one place.
#[derive(Default)]
pub(crate) struct Spins {
    missed: AtomicU32,
}

impl Spins {
    /// Repeats `look` for a moment, if that was worth it lately. True: it found something.
    pub(crate) fn spin(&self, mut look: impl FnMut() -> bool) -> bool {
        let missed = self.missed.load(Ordering::Relaxed);
        let found = is_worth_it(missed) && look_for_a_moment(&mut look);
        self.missed.store(if found { 0 } else { missed.wrapping_add(1) }, Ordering::Relaxed);
        found
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

/// Misses make tries rarer, a hit makes them regular again.
fn is_worth_it(missed: u32) -> bool {
    missed < PATIENCE || (missed < RARELY && missed.is_power_of_two()) || missed.is_multiple_of(RARELY)
}
