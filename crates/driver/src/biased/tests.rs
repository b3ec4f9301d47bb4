use std::sync::Arc;
use std::thread;

use super::*;

/// So often that the calling thread becomes the favourite where there can be one.
fn make_favourite(lock: &BiasedLock<u64>) -> bool {
    for _ in 0..2 * IN_A_ROW {
        *lock.lock_often() += 1;
    }
    lock.lock_often()._ordinary.is_none()
}

#[test]
fn who_comes_again_and_again_is_the_favourite() {
    let lock = BiasedLock::new(0);
    assert_eq!(make_favourite(&lock), barrier::is_available());
    assert_eq!(*lock.lock(), u64::from(2 * IN_A_ROW), "it finds what it wrote");
    let is_favourite = || lock.lock_often()._ordinary.is_none();
    assert_eq!(is_favourite(), barrier::is_available(), "its own calls of the other kind change nothing");
}

#[test]
fn another_takes_the_favour_away_and_sees_what_was_written() {
    let lock = BiasedLock::new(0);
    make_favourite(&lock);
    thread::scope(|threads| {
        threads.spawn(|| assert_eq!(*lock.lock(), u64::from(2 * IN_A_ROW)));
    });
    assert!(lock.lock_often()._ordinary.is_some());
}

#[test]
fn whoever_comes_waits_until_the_favourite_is_out() {
    let lock = Arc::new(BiasedLock::new(0));
    make_favourite(&lock);
    let mut inside = lock.lock_often();
    let (tell, told) = std::sync::mpsc::channel();
    let other = {
        let lock = Arc::clone(&lock);
        thread::spawn(move || {
            tell.send(()).expect("somebody listens");
            *lock.lock()
        })
    };
    told.recv().expect("it starts");
    *inside = 7;
    drop(inside);
    assert_eq!(other.join().expect("it comes in"), 7);
}

#[test]
fn of_many_threads_nobody_is_lost() {
    const ROUNDS: u64 = 200_000;
    let lock = BiasedLock::new(0);
    thread::scope(|threads| {
        for often in [true, true, false] {
            let lock = &lock;
            threads.spawn(move || {
                for round in 0..ROUNDS {
                    if often && round % 1000 != 0 {
                        *lock.lock_often() += 1;
                    } else {
                        *lock.lock() += 1;
                    }
                }
            });
        }
    });
    assert_eq!(*lock.lock(), 3 * ROUNDS);
}

#[test]
fn a_panic_leaves_it_open() {
    let lock = BiasedLock::new(0);
    make_favourite(&lock);
    let panics = || {
        let _inside = lock.lock_often();
        panic!("inside");
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    thread::scope(|threads| {
        threads.spawn(|| *lock.lock() = 1);
    });
    assert_eq!(*lock.lock_often(), 1);
}

#[test]
fn who_has_it_cannot_have_it_twice() {
    let lock = BiasedLock::new(0);
    if !barrier::is_available() {
        // It would wait for itself, as with any lock.
        return;
    }
    make_favourite(&lock);
    let ask_again = |_first: BiasedGuard<'_, u64>| drop(lock.lock_often());
    for first in [BiasedLock::lock, BiasedLock::lock_often] {
        let twice = std::panic::AssertUnwindSafe(|| ask_again(first(&lock)));
        assert!(std::panic::catch_unwind(twice).is_err());
    }
    *lock.lock_often() += 1;
}

#[test]
fn a_place_belongs_to_its_thread_for_good() {
    if !barrier::is_available() {
        return;
    }
    let mut habit = Habit::none();
    let mut comes_often = |name| (0..IN_A_ROW).find_map(|_| habit.makes_favourite(name));
    let favourites: Vec<_> = (1..=PLACES).map(|thread| comes_often(thread * 8)).collect();
    let expected: Vec<_> = (1..=PLACES).map(|thread| Some(thread * 8 + thread - 1)).collect();
    assert_eq!(favourites, expected);
    assert_eq!(comes_often(8 * 100), None, "no place is left");
    assert_eq!(comes_often(8), Some(8), "it has one");
}
