//! The I/O thread falls asleep while others leave requests.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::check;
use super::sync::{Lock, Parked};

/// An eventfd: a wake ends the wait that is going on, or else the next one.
struct Outer {
    woken: Lock<bool>,
    wakes: AtomicUsize,
}

impl Outer {
    fn new() -> Outer {
        Outer { woken: Lock::new(false), wakes: AtomicUsize::new(0) }
    }

    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        *self.woken.lock() = true;
    }

    /// Whether the wait ends.
    fn wait(&self, for_ever: bool) -> bool {
        std::mem::take(&mut *self.woken.lock()) || !for_ever
    }
}

struct Shared {
    requests: Lock<usize>,
    parked: Parked,
    outer: Outer,
}

impl Shared {
    fn new() -> Arc<Shared> {
        Arc::new(Shared { requests: Lock::default(), parked: Parked::default(), outer: Outer::new() })
    }

    fn ask(&self) {
        *self.requests.lock() += 1;
        if self.parked.must_be_woken() {
            self.outer.wake();
        }
    }

    /// The I/O thread, until it sleeps.
    fn serve_until_asleep(&self) {
        loop {
            self.parked.announce();
            let has_work = *self.requests.lock() > 0;
            if !self.outer.wait(!has_work) {
                return;
            }
            self.parked.retract();
            *self.requests.lock() = 0;
        }
    }

    /// The I/O thread sleeps, and everybody else is gone.
    fn check_that_nothing_is_slept_through(&self) {
        if self.outer.wait(true) {
            self.parked.retract();
            *self.requests.lock() = 0;
            self.serve_until_asleep();
        }
        assert_eq!(*self.requests.lock(), 0, "a request waits, and the I/O thread sleeps");
    }
}

#[test]
fn no_request_is_slept_through() {
    check(|| {
        let shared = Shared::new();
        let askers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.ask())
        });
        shared.serve_until_asleep();
        askers.into_iter().for_each(|asker| asker.join().unwrap());
        shared.check_that_nothing_is_slept_through();
    });
}

#[test]
fn a_request_after_a_request_is_not_slept_through() {
    check(|| {
        let shared = Shared::new();
        let theirs = Arc::clone(&shared);
        let asker = thread::spawn(move || {
            theirs.ask();
            theirs.ask();
            theirs.ask();
        });
        shared.serve_until_asleep();
        asker.join().unwrap();
        shared.check_that_nothing_is_slept_through();
    });
}

/// A thread that is awake costs no system call.
#[test]
fn who_is_awake_is_not_woken() {
    check(|| {
        let shared = Shared::new();
        let theirs = Arc::clone(&shared);
        let asker = thread::spawn(move || theirs.ask());
        shared.ask();
        asker.join().unwrap();
        assert_eq!(shared.outer.wakes.load(Ordering::Relaxed), 0);
        shared.serve_until_asleep();
        shared.check_that_nothing_is_slept_through();
    });
}
