//! Why a wait in epoll was cut short.

use std::sync::atomic::{AtomicU64, Ordering};

/// Signals that a fault of the program itself raises, where it happens: no wait ends with one. Rust's runtime always has handlers for two of them.
const OF_FAULTS: u64 = bit(4) | bit(5) | bit(7) | bit(8) | bit(11) | bit(31);

/// The C library's own.
const OF_THE_LIBRARY: u64 = bit(32) | bit(33);

/// Signals that have had a handler so far, as far as anybody looked: one that removes itself is gone when its wait has ended.
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Looks who handles signals. Handlers are installed first, and then contexts opened.
pub(super) fn note_handlers() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Where the system does not tell, somebody may.
    HANDLED.fetch_or(caught.unwrap_or(u64::MAX) & !(OF_FAULTS | OF_THE_LIBRARY), Ordering::Relaxed);
}

/// After a wait that a signal ended: whether a handler of the application may have run, which then wants to hear of it.
///
/// Linux ends a wait in epoll also when the process was stopped and goes on: by ^Z, or because somebody attached a debugger or strace. Where
/// nobody handles any signal it can only have been that, and the application has nothing to look at.
#[cold]
pub(super) fn may_have_been_handled() -> bool {
    note_handlers();
    HANDLED.load(Ordering::Relaxed) != 0
}

const fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}
