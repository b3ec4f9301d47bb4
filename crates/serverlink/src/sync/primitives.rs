//! What this folder takes from the machine. The models of `tests/loom.rs` put loom's in its place.

pub(crate) use parking_lot::{Mutex, MutexGuard};
pub(crate) use serverlink_driver::barrier::rare as rare_barrier;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
pub(crate) use std::thread::{Thread, current, park, park_timeout};

#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock()
}
