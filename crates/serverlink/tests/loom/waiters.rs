//! Register, look again, sleep; against publish, ask, notify. A model that loses a wake-up has a thread that
//! sleeps for ever, which loom reports. (A thread that was woken must not join others afterwards: loom takes a late
//! `unpark` for the end of the one that is joined.)

use std::sync::Arc;
use std::task::{Wake, Waker};

use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;

use super::check;
use super::sync::{Lock, Registration, Waiters};

/// Takes one of what is there.
fn take(shelf: &Lock<usize>) -> bool {
    let mut shelf = shelf.lock();
    let some = *shelf > 0;
    *shelf -= usize::from(some);
    some
}

/// As a blocking call does it.
fn take_or_sleep(shelf: &Lock<usize>, waiters: &Arc<Waiters>) {
    while !take(shelf) {
        let registration = waiters.register_thread();
        if take(shelf) {
            if registration.withdraw() {
                waiters.notify_one();
            }
            return;
        }
        registration.park(None);
    }
}

fn put(shelf: &Lock<usize>, waiters: &Waiters) {
    *shelf.lock() += 1;
    waiters.notify_one();
}

#[test]
fn under_a_common_lock_no_wake_up_is_lost() {
    check(|| {
        let shelf = Arc::new(Lock::new(0));
        let waiters = Arc::<Waiters>::default();
        let (theirs, bell) = (Arc::clone(&shelf), Arc::clone(&waiters));
        thread::spawn(move || put(&theirs, &bell));
        take_or_sleep(&shelf, &waiters);
        assert!(!waiters.any(), "nobody is left on the list");
    });
}

#[test]
fn each_of_two_waiters_gets_one_of_two() {
    check(|| {
        let shelf = Arc::new(Lock::new(0));
        let waiters = Arc::<Waiters>::default();
        let takers = [(); 2].map(|()| {
            let (shelf, waiters) = (Arc::clone(&shelf), Arc::clone(&waiters));
            thread::spawn(move || take_or_sleep(&shelf, &waiters))
        });
        put(&shelf, &waiters);
        put(&shelf, &waiters);
        takers.into_iter().for_each(|taker| taker.join().unwrap());
        assert_eq!(*shelf.lock(), 0);
        assert!(!waiters.any());
    });
}

/// Rings have no lock in common: the fences on both sides order publishing before asking, and registering before looking.
#[test]
fn with_fences_instead_of_a_lock_no_wake_up_is_lost() {
    check(|| {
        let published = Arc::new(AtomicUsize::new(0));
        let waiters = Arc::<Waiters>::default();
        let (ring, bell) = (Arc::clone(&published), Arc::clone(&waiters));
        thread::spawn(move || {
            ring.store(1, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if bell.any() {
                bell.notify_one();
            }
        });
        while published.load(Ordering::Relaxed) == 0 {
            let registration = waiters.register_thread();
            if published.load(Ordering::Relaxed) == 0 {
                registration.park(None);
            }
        }
        assert!(!waiters.any());
    });
}

#[test]
fn the_end_reaches_everybody() {
    check(|| {
        let ended = Arc::new(Lock::new(false));
        let waiters = Arc::<Waiters>::default();
        let sleepers = [(); 2].map(|()| {
            let (ended, waiters) = (Arc::clone(&ended), Arc::clone(&waiters));
            thread::spawn(move || {
                while !*ended.lock() {
                    let registration = waiters.register_thread();
                    if !*ended.lock() {
                        registration.park(None);
                    }
                }
            })
        });
        *ended.lock() = true;
        waiters.notify_all();
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert!(!waiters.any());
    });
}

/// Counts how often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future that is dropped hands a notification on, also one that is on its way to it.
#[test]
fn a_task_that_goes_away_takes_no_wake_up_with_it() {
    check(|| {
        let waiters = Arc::<Waiters>::default();
        let (first, second) = (Arc::<Woken>::default(), Arc::<Woken>::default());
        let leaving = waiters.register_task(&Waker::from(Arc::clone(&first)));
        let staying = waiters.register_task(&Waker::from(Arc::clone(&second)));
        let bell = Arc::clone(&waiters);
        let giver = thread::spawn(move || bell.notify_one());
        if Registration::withdraw(leaving) {
            waiters.notify_one();
        }
        giver.join().unwrap();
        assert_eq!(second.0.load(Ordering::Relaxed), 1, "whoever stays is woken");
        assert!(staying.is_notified());
        assert!(!waiters.any());
    });
}
