//! Whether this process is the child of a fork. Its descriptors are shared with the parent then, and its other threads are gone.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that began to watch.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Counts forks from now on. To be called before anything is made that a child must not touch.
///
/// What the C library's `fork` makes is counted, and so is what stands on it. A process that is made by the bare system call or by `vfork` is
/// not: it has to start another program before it does anything else.
pub fn watch() {
    static ONCE: Once = Once::new();
    #[cfg(unix)]
    ONCE.call_once(handlers::register);
    #[cfg(not(unix))]
    ONCE.call_once(|| {});
}

/// In which process of a line of forks this code runs: 0 where [`watch`] was called first.
#[inline]
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
mod handlers {
    use std::cell::RefCell;
    use std::ffi::c_int;
    use std::sync::atomic::Ordering;

    use super::GENERATION;
    use crate::unix::{ProcessLocks, lock_process};

    type Handler = extern "C" fn();

    // SAFETY: this is how POSIX declares it; a handler that is absent is a null pointer.
    unsafe extern "C" {
        fn pthread_atfork(prepare: Option<Handler>, parent: Option<Handler>, child: Option<Handler>)
        -> c_int;
    }

    thread_local! {
        /// What the whole process shares is locked while it forks, so that the child finds it in order and unlocked.
        static LOCKS: RefCell<Option<ProcessLocks>> = const { RefCell::new(None) };
    }

    pub(super) fn register() {
        // SAFETY: the handlers live as long as the program. The one of the child counts and unlocks, which is allowed in a process whose other threads
        // were cut off anywhere. The call fails only for want of memory, and then forks are not noticed.
        unsafe { pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    }

    extern "C" fn before() {
        let _ = LOCKS.try_with(|locks| *locks.borrow_mut() = Some(lock_process()));
    }

    extern "C" fn in_parent() {
        let _ = LOCKS.try_with(|locks| locks.borrow_mut().take());
    }

    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        in_parent();
    }
}
