//! The library's own `sync`, on loom's locks, atomics and threads.

mod primitives {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread::{Thread, current, park};

    /// In a model every barrier is a fence.
    pub(crate) fn rare_barrier() {
        fence(Ordering::SeqCst);
    }

    // loom's mutex is poisoned by panics, of which models have none.
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("nobody panics")
    }

    pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
        mutex.try_lock().ok()
    }

    /// No time passes in a model, so nothing in one waits for it.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        unreachable!("models wait without a deadline");
    }
}

#[allow(dead_code, reason = "models hold no lock while they wake")]
#[path = "../../src/sync/later.rs"]
pub(crate) mod later;
#[path = "../../src/sync/lock.rs"]
mod lock;
#[path = "../../src/sync/parked.rs"]
mod parked;
#[allow(dead_code, reason = "the models wait as threads and as tasks, not in a driver")]
#[path = "../../src/sync/wait.rs"]
mod wait;

pub(crate) use lock::Lock;
pub(crate) use parked::Parked;
pub(crate) use wait::{Registration, Waiters};
