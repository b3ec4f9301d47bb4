//! Whether looking a little longer before sleeping pays: it does where a sleep takes longer than the answer, as on cores that halt, and is given
//! up where it does not: peers that are not awake, or that need the processor on which we look.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a caller looks before it sleeps: longer gains nothing, and shorter misses the answers of a peer that is
/// awake.
const SPIN: Duration = Duration::from_micros(20);

/// The same for one who tries again after misses. Two peers that both sleep on cores that halt are so slow to wake that neither
/// ever finds the other in a short while; one who looks longer has both awake, and then they stay so.
const LONG_SPIN: Duration = Duration::from_micros(100);

/// Misses more than hits up to which every wait spins.
const PATIENCE: u32 = 4;

/// Where more than that are in vain, one wait in 2, 4, 8 ... spins, down to one in 4096: of both ends together one round trip in two thousand.
const MOST_MISSES: u32 = PATIENCE + 12;

/// What a hit makes up for. So where two of three spins are in vain they become ever rarer, whatever the third one finds.
const MISSES_FOR_A_HIT: u32 = 2;

/// A longer sleep says nothing of what sleeping costs, because there was nothing to find; a shorter one was none.
const LONGEST_SLEEP: Duration = Duration::from_micros(200);
const SHORTEST_SLEEP: Duration = Duration::from_micros(2);

/// So many waits after which one sleeps at once, to see what that takes.
const WAITS_FOR_A_SLEEP: u32 = 1024;

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
    waits: AtomicU32,
    /// What short sleeps took lately; 0: none was seen.
    sleep_nanos: AtomicU32,
}

impl Spins {
    /// Repeats `look` for a moment, if that was worth it lately. True: it found something.
    pub(crate) fn spin(&self, mut look: impl FnMut() -> bool) -> bool {
        // What is here already says nothing of what comes later: whoever sent it may have had our processor meanwhile.
        self.is_worth_it()
            && (look() || {
                let found = look_for(self.patience(), &mut look);
                self.learn(found);
                found.is_some()
            })
    }

    fn patience(&self) -> Duration {
        if self.misses.load(Ordering::Relaxed) > PATIENCE { LONG_SPIN } else { SPIN }
    }

    /// A sleep ended after that time.
    pub(crate) fn note_sleep(&self, slept: Duration) {
        if (SHORTEST_SLEEP..LONGEST_SLEEP).contains(&slept) {
            let before = self.sleep_nanos.load(Ordering::Relaxed);
            let slept = slept.subsec_nanos();
            let now = if before == 0 { slept } else { before - before / 8 + slept / 8 };
            self.sleep_nanos.store(now.max(1), Ordering::Relaxed);
        }
    }

    fn is_worth_it(&self) -> bool {
        let waits = self.waits.load(Ordering::Relaxed).wrapping_add(1);
        self.waits.store(waits, Ordering::Relaxed);
        let skip = self.skip.load(Ordering::Relaxed);
        self.skip.store(skip.saturating_sub(1), Ordering::Relaxed);
        let is_to_sleep =
            waits.is_multiple_of(WAITS_FOR_A_SLEEP) || (8..=64).contains(&waits) && waits.is_power_of_two();
        skip == 0 && !is_to_sleep
    }

    /// Something was found after that time, or nothing. What a sleep would have found as soon is worth nothing.
    fn learn(&self, found: Option<Duration>) {
        let misses = self.misses.load(Ordering::Relaxed);
        let sleep_nanos = self.sleep_nanos.load(Ordering::Relaxed);
        let has_gained = |after: Duration| sleep_nanos == 0 || after.subsec_nanos() < sleep_nanos / 4 * 3;
        let misses = match found.is_some_and(has_gained) {
            true => misses.saturating_sub(MISSES_FOR_A_HIT),
            false => (misses + 1).min(MOST_MISSES),
        };
        self.misses.store(misses, Ordering::Relaxed);
        self.skip.store((1 << misses.saturating_sub(PATIENCE)) - 1, Ordering::Relaxed);
    }
}

/// How long it took to find something.
fn look_for(patience: Duration, look: &mut impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    loop {
        for _ in 0..LOOKS_PER_CLOCK_READ {
            if look() {
                return Some(start.elapsed());
            }
            for _ in 0..PAUSES_BETWEEN_LOOKS {
                std::hint::spin_loop();
            }
        }
        if start.elapsed() >= patience {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_micros(5);

    /// How many of so many waits spin, where every `nth` of these spins finds something.
    fn spins_of(spins: &Spins, waits: u32, nth: u32) -> u32 {
        let mut tries = 0;
        for _ in 0..waits {
            if spins.is_worth_it() {
                tries += 1;
                spins.learn((tries % nth == 0).then_some(QUICK));
            }
        }
        tries
    }

    #[test]
    fn spins_in_vain_become_one_in_thousands() {
        let spins = Spins::default();
        assert!(spins_of(&spins, 10_000, u32::MAX) < 22);
        assert!(spins_of(&spins, 40_960, u32::MAX) <= 11);
    }

    #[test]
    fn now_and_then_a_hit_changes_nothing_and_hits_all_the_time_change_all() {
        let spins = Spins::default();
        assert!(spins_of(&spins, 100_000, 5) < 400);
        assert!(spins_of(&spins, 10_000, 1) > 1000, "the first hits come slowly");
        assert!(spins_of(&spins, 1000, 1) >= 999);
    }

    #[test]
    fn one_miss_among_hits_is_forgiven() {
        let spins = Spins::default();
        assert!(spins_of(&spins, 1000, 2) >= 995);
    }

    #[test]
    fn what_a_sleep_finds_as_soon_is_not_worth_a_spin() {
        let spins = Spins::default();
        spins.note_sleep(QUICK);
        assert!(spins_of(&spins, 10_000, 1) < 40, "each finds something");
        for _ in 0..100 {
            spins.note_sleep(10 * QUICK);
        }
        assert!(spins_of(&spins, 30_000, 1) > 10_000, "sleeping takes longer now");
        spins.note_sleep(Duration::from_secs(1));
        assert!(
            spins.sleep_nanos.load(Ordering::Relaxed) < 60_000,
            "nothing came for a second: no sleep's fault"
        );
    }
}
