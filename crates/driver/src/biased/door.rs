//! Who is inside of what may be closed at any time.
//!
//! A call into something that another thread may close has to say that it is there, and to take that back: two atomic operations on a count, which cost more
//! than a small message. Here the first thread that comes again and again becomes the door's *favourite*, and counts for itself with plain
//! stores. Whoever shuts the door pays for both, with a barrier on every processor that runs a thread of this process ([`crate::barrier`]). A favourite stays one
//! for good, also when the door is opened for something else: nobody else ever writes its count, so a thread that was interrupted on its way in harms nobody.

use super::sync::{AtomicUsize, Ordering, this_thread};
use super::{IN_A_ROW, NOBODY};
use crate::barrier;

const OPEN: usize = 1 << (usize::BITS - 1);
/// It was shut, and who is inside is awaited.
const SHUT: usize = 1 << (usize::BITS - 2);
/// From here on everybody who comes or goes sees that it is shut.
const SEEN: usize = 1 << (usize::BITS - 3);

/// See the module's page. It begins as one that is not open. It takes no part in who may open it: whoever made it, and whoever ended it, may.
pub struct Door {
    /// Whether it is open, and how many are inside but for the favourite.
    state: AtomicUsize,
    favourite: AtomicUsize,
    /// How many times the favourite is inside.
    own: AtomicUsize,
    /// Who came last, and how many times in a row: a guess, which may be wrong.
    last: AtomicUsize,
    in_a_row: AtomicUsize,
}

/// That somebody is inside, and how it was counted. It is to be given to [`Door::leave`] by the thread that entered.
#[derive(Debug)]
#[must_use = "whoever is inside has to leave"]
pub struct Visit {
    is_favourite: bool,
}

/// What is to be done after somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: it is open.
    Open,
    /// It is shut, and perhaps nobody is inside any more: call [`Door::end`].
    Shut,
}

impl Door {
    /// One that is not open.
    pub fn new() -> Door {
        let zero = || AtomicUsize::new(0);
        Door { state: zero(), favourite: zero(), own: zero(), last: zero(), in_a_row: zero() }
    }

    /// Opens it. What was written before is seen by everybody who enters.
    pub fn open(&self) {
        self.state.fetch_or(OPEN, Ordering::Release);
    }

    /// Goes in, if it is open. Otherwise it is said as by [`leave`](Door::leave): who came in vain may have been in the way of its end.
    #[inline]
    pub fn enter(&self) -> Result<Visit, Left> {
        let me = this_thread();
        if self.favourite.load(Ordering::Relaxed) != me {
            return self.enter_counted(me);
        }
        self.own.store(self.own.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        barrier::light();
        // Whoever shut it since then sees that we are inside, or we see that it is shut.
        let visit = Visit { is_favourite: true };
        if self.state.load(Ordering::Acquire) & OPEN != 0 { Ok(visit) } else { Err(self.leave(visit)) }
    }

    #[inline(never)]
    fn enter_counted(&self, me: usize) -> Result<Visit, Left> {
        let visit = Visit { is_favourite: false };
        if self.state.fetch_add(1, Ordering::Acquire) & OPEN == 0 {
            return Err(self.leave(visit));
        }
        if self.favourite.load(Ordering::Relaxed) == NOBODY {
            self.learn(me);
        }
        Ok(visit)
    }

    /// Only from inside, so whoever shuts it later sees the favourite.
    fn learn(&self, me: usize) {
        if self.last.swap(me, Ordering::Relaxed) != me {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        if self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW as usize && barrier::is_available() {
            let _ = self.favourite.compare_exchange(NOBODY, me, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Goes out again. What was done inside is seen by whoever ends it.
    #[inline]
    pub fn leave(&self, visit: Visit) -> Left {
        if !visit.is_favourite {
            return left(self.state.fetch_sub(1, Ordering::AcqRel));
        }
        self.own.store(self.own.load(Ordering::Relaxed) - 1, Ordering::Release);
        barrier::light();
        // Whoever shuts it from here on sees that we are gone.
        left(self.state.load(Ordering::Relaxed))
    }

    /// Lets nobody in any more. True for the one call that shuts it, which has to come from inside: when it leaves it is told to look.
    pub fn shut(&self) -> bool {
        let shut = |state| (state & OPEN != 0).then_some(state & !OPEN | SHUT);
        if self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, shut).is_err() {
            return false;
        }
        if self.favourite.load(Ordering::Relaxed) != NOBODY {
            barrier::heavy();
        }
        self.state.fetch_or(SEEN, Ordering::AcqRel);
        true
    }

    /// Ends what was shut: true for the one call that finds nobody inside, after which it may be opened again. To be called under a lock of the
    /// caller's, the same for all calls, by everybody who is told to.
    pub fn end(&self) -> bool {
        self.own.load(Ordering::Acquire) == 0
            && self.state.compare_exchange(SHUT | SEEN, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// `state`: as it was before, or after.
#[inline]
const fn left(state: usize) -> Left {
    if state & OPEN != 0 { Left::Open } else { Left::Shut }
}

impl Default for Door {
    fn default() -> Door {
        Door::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_is_inside_stays_until_it_leaves() {
        let door = Door::new();
        assert_eq!(door.enter().unwrap_err(), Left::Shut);
        door.open();
        for _ in 0..2 * IN_A_ROW {
            assert_eq!(door.enter().map(|visit| door.leave(visit)).unwrap(), Left::Open);
        }
        assert_eq!(door.favourite.load(Ordering::Relaxed) != NOBODY, barrier::is_available());
        let (one, two) = (door.enter().unwrap(), door.enter().unwrap());
        assert!(door.shut() && !door.shut());
        assert_eq!(door.enter().unwrap_err(), Left::Shut);
        assert!(!door.end());
        assert_eq!(door.leave(one), Left::Shut);
        assert!(!door.end());
        assert_eq!(door.leave(two), Left::Shut);
        assert!(door.end() && !door.end());
        door.open();
        assert_eq!(door.enter().map(|visit| door.leave(visit)).unwrap(), Left::Open);
    }

    #[test]
    fn others_are_counted_beside_the_favourite() {
        let door = Door::new();
        door.open();
        let (open, shut) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 * IN_A_ROW {
                    assert_eq!(door.enter().map(|visit| door.leave(visit)).unwrap(), Left::Open);
                }
                let visit = door.enter().unwrap();
                open.wait();
                shut.wait();
                assert_eq!(door.leave(visit), Left::Shut);
            });
            open.wait();
            let visit = door.enter().unwrap();
            assert!(door.shut());
            assert_eq!(door.leave(visit), Left::Shut);
            assert!(!door.end(), "the favourite is inside");
            shut.wait();
        });
        assert!(door.end());
    }
}
