//! What the process has left when a program holds nothing any more.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Those of the fuzzer, of threads that are just ending, and of the thread that plays.
const MOST_DESCRIPTORS: usize = 64;

/// Pieces of memory that were lent to messages and not given back.
pub(crate) static LENT: AtomicUsize = AtomicUsize::new(0);

/// Nothing was kept.
pub(crate) fn check() {
    assert_eq!(LENT.load(Ordering::SeqCst), 0, "memory that was lent is not given back");
    let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return };
    let open = descriptors.count();
    assert!(open <= MOST_DESCRIPTORS, "{open} descriptors are open");
}
