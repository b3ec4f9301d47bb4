//! Every order in which threads meet at a biased lock. Run them as `.ci/run` does: `--cfg loom`, optimised.
//!
//! Loom has no barrier of one side; both are whole ones here. That a light one is enough beside a heavy one is what `membarrier`
//! promises.

use loom::sync::Arc;
use loom::thread;

use super::*;

/// With as many switches as there are steps at which something could go wrong; without a bound two that take turns never come to an end.
fn model(threads: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(threads);
}

fn add(mut guard: BiasedGuard<'_, u32>) {
    *guard += 1;
}

#[test]
fn a_favourite_and_another() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || add(lock.lock()))
        };
        for _ in 0..3 {
            add(lock.lock_often());
        }
        other.join().unwrap();
        assert_eq!(*lock.lock(), 4);
    });
}

#[test]
fn two_that_would_be_favourites() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                add(lock.lock_often());
                add(lock.lock_often());
            })
        };
        add(lock.lock_often());
        add(lock.lock_often());
        other.join().unwrap();
        assert_eq!(*lock.lock(), 4);
    });
}

/// One loses its favour on its way in, and the other gets it and is inside when the first goes on.
#[test]
fn the_favour_goes_to_another() {
    model(|| {
        let lock = Arc::new(BiasedLock::new(0));
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || (0..4).for_each(|_| add(lock.lock_often())))
        };
        (0..4).for_each(|_| add(lock.lock_often()));
        other.join().unwrap();
        assert_eq!(*lock.lock(), 8);
    });
}
