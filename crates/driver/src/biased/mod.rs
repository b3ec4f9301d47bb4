//! A lock for what one thread uses again and again, and others now and then.
//!
//! Taking and giving back an ordinary lock are two atomic operations, which cost more than all the rest of a small message. Here
//! the thread that took the lock many times in a row becomes its *favourite*: it only says that it is busy, with a plain store. Whoever else comes
//! takes the favour away first, and pays for both sides with a barrier on every processor that runs a thread of this process
//! ([`crate::barrier`]). Where the system has none, or where threads take turns, it is an ordinary lock.

mod door;
mod sync;

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::barrier;
pub use door::{Door, Left, Visit};
use sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, UnsafeCell, give_way, this_thread};

/// Nobody: no thread has this name.
const NOBODY: usize = 0;

/// So many times in a row make a favourite.
#[cfg(not(loom))]
const IN_A_ROW: u32 = 256;
#[cfg(loom)]
const IN_A_ROW: u32 = 1;

/// A favour that was taken away sooner than this cost more than it saved.
const WORTH_IT: Duration = Duration::from_micros(50);
/// So many times in a row are enough where the last favour was worth it.
const AGAIN: u32 = 8;
/// Where it was not, so many times more often than before, up to a limit.
const HARDER: u32 = 4;
const AT_MOST: u32 = 1 << 20;

/// How many threads may become favourites of one lock, one after the other. It is what the free bits of a name can count.
const PLACES: usize = 8;
const PLACE_BITS: usize = PLACES - 1;

/// See the module's page. Threads that wait for it sleep; nothing is poisoned by a panic.
pub struct BiasedLock<T> {
    /// The thread that may come in without the lock behind this one, with its place among those that ever were: its name and the place in one word.
    /// Only that thread puts it here, and only while it holds that lock; whoever takes the favour away puts nobody.
    favourite: AtomicUsize,
    /// The favourite of this place is inside. Each place belongs to one thread for good, and nobody else ever writes to it: a thread that was
    /// interrupted on its way in, and lost its favour meanwhile, must not meddle with the next one's.
    busy: [AtomicBool; PLACES],
    habit: Mutex<Habit>,
    value: UnsafeCell<T>,
}

/// Who comes how often.
struct Habit {
    last: usize,
    in_a_row: u32,
    needed: u32,
    /// When the last favourite was made.
    since: Instant,
    /// Whose place is which.
    places: [usize; PLACES],
}

// SAFETY: a guard is given to one thread at a time, as a mutex does: to whoever holds `habit` when there is no favourite, or is the favourite. See
// `lock_often` and `lock_with_favourite`, whose models are in `models.rs`.
unsafe impl<T: Send> Sync for BiasedLock<T> {}
// SAFETY: it owns its value.
unsafe impl<T: Send> Send for BiasedLock<T> {}

/// What a [`BiasedLock`] protects, until this is dropped.
pub struct BiasedGuard<'a, T> {
    lock: &'a BiasedLock<T>,
    /// This thread is the favourite, and said here that it is inside.
    busy: Option<&'a AtomicBool>,
    /// None: it came in as the favourite.
    _ordinary: Option<MutexGuard<'a, Habit>>,
    /// Dropped by the thread that took it.
    _lends: PhantomData<(&'a mut T, *const ())>,
}

// SAFETY: through a shared guard there is no more to be had than the value.
unsafe impl<T: Sync> Sync for BiasedGuard<'_, T> {}

impl<T> BiasedLock<T> {
    /// It has no favourite.
    pub fn new(value: T) -> BiasedLock<T> {
        BiasedLock {
            favourite: AtomicUsize::new(NOBODY),
            busy: std::array::from_fn(|_| AtomicBool::new(false)),
            habit: Mutex::new(Habit::none()),
            value: UnsafeCell::new(value),
        }
    }

    /// For whoever comes now and then. Waits for the lock.
    ///
    /// # Panics
    /// Or hangs, where the thread has it already.
    #[inline]
    pub fn lock(&self) -> BiasedGuard<'_, T> {
        let habit = self.lock_habit();
        match self.favourite.load(Ordering::Relaxed) {
            NOBODY => self.guard(None, Some(habit)),
            favourite => self.lock_with_favourite(favourite, this_thread(), habit),
        }
    }

    /// For the call that one thread may make again and again, and which makes it the favourite.
    ///
    /// # Panics
    /// Or hangs, where the thread has it already.
    #[inline]
    pub fn lock_often(&self) -> BiasedGuard<'_, T> {
        let me = this_thread();
        let favourite = self.favourite.load(Ordering::Relaxed);
        if favourite & !PLACE_BITS == me {
            let busy = self.enter(favourite);
            barrier::light();
            // Whoever took the favour away since then sees that we are busy, or we see that it is gone.
            if self.favourite.load(Ordering::Relaxed) == favourite {
                return self.guard(Some(busy), None);
            }
            busy.store(false, Ordering::Release);
        }
        self.lock_and_learn(me)
    }

    #[inline(never)]
    fn lock_and_learn(&self, me: usize) -> BiasedGuard<'_, T> {
        let mut habit = self.lock_habit();
        let favourite = self.favourite.load(Ordering::Relaxed);
        if favourite != NOBODY {
            return self.lock_with_favourite(favourite, me, habit);
        }
        let Some(favourite) = habit.makes_favourite(me) else { return self.guard(None, Some(habit)) };
        self.favourite.store(favourite, Ordering::Relaxed);
        let busy = self.enter(favourite);
        self.guard(Some(busy), Some(habit))
    }

    #[inline(never)]
    fn lock_with_favourite<'a>(
        &'a self,
        favourite: usize,
        me: usize,
        mut habit: MutexGuard<'a, Habit>,
    ) -> BiasedGuard<'a, T> {
        if favourite & !PLACE_BITS == me {
            return self.guard(Some(self.enter(favourite)), Some(habit));
        }
        self.favourite.store(NOBODY, Ordering::Relaxed);
        barrier::heavy();
        let mut looks = 0;
        while self.busy[favourite & PLACE_BITS].load(Ordering::Acquire) {
            give_way(looks);
            looks += 1;
        }
        habit.on_withdrawn();
        self.guard(None, Some(habit))
    }

    /// This thread goes to its place, where only itself can be.
    #[inline]
    fn enter(&self, favourite: usize) -> &AtomicBool {
        let busy = &self.busy[favourite & PLACE_BITS];
        if busy.load(Ordering::Relaxed) {
            asked_again();
        }
        busy.store(true, Ordering::Relaxed);
        busy
    }

    #[inline]
    fn guard<'a>(
        &'a self,
        busy: Option<&'a AtomicBool>,
        ordinary: Option<MutexGuard<'a, Habit>>,
    ) -> BiasedGuard<'a, T> {
        BiasedGuard { lock: self, busy, _ordinary: ordinary, _lends: PhantomData }
    }

    #[cfg(not(loom))]
    #[inline]
    fn lock_habit(&self) -> MutexGuard<'_, Habit> {
        self.habit.lock()
    }

    #[cfg(loom)]
    fn lock_habit(&self) -> MutexGuard<'_, Habit> {
        self.habit.lock().expect("no model panics inside")
    }
}

#[cold]
#[inline(never)]
fn asked_again() -> ! {
    panic!("a thread asked for a lock that it has");
}

impl Habit {
    fn none() -> Habit {
        Habit { last: NOBODY, in_a_row: 0, needed: IN_A_ROW, since: Instant::now(), places: [NOBODY; PLACES] }
    }

    /// The thread's name and place, where it came often enough, a place is left, and the system has what it takes.
    fn makes_favourite(&mut self, me: usize) -> Option<usize> {
        if self.last != me {
            (self.last, self.in_a_row) = (me, 0);
        }
        self.in_a_row += 1;
        if self.in_a_row < self.needed {
            return None;
        }
        self.in_a_row = 0;
        let place = self.places.iter().position(|&owner| owner == me || owner == NOBODY)?;
        if !barrier::is_available() {
            return None;
        }
        self.places[place] = me;
        self.since = Instant::now();
        Some(me | place)
    }

    fn on_withdrawn(&mut self) {
        self.in_a_row = 0;
        // A model has to take the same way again, whatever time it takes.
        self.needed = match cfg!(loom) || self.since.elapsed() >= WORTH_IT {
            true => AGAIN.min(IN_A_ROW),
            false => self.needed.saturating_mul(HARDER).min(AT_MOST),
        };
    }
}

impl<T> Deref for BiasedGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the only one, and lends no longer than it lives.
        self.lock.value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for BiasedGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and it is borrowed mutably.
        self.lock.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for BiasedGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(busy) = self.busy {
            busy.store(false, Ordering::Release);
        }
    }
}
