//! A memory barrier of which one side costs nothing, because the other has the system make one on every processor for both.
//!
//! Of two threads, each of which stores to its own place, meets such a barrier and loads from the other's place, at least one sees what the
//! other stored: if one of the barriers is [`frequent`] and the other [`rare`].

#[cfg(not(loom))]
pub(crate) use real::{heavy, is_available, light};

/// For the side that comes for every message: nearly free where the system can make the other side pay, else a fence. What was stored before
/// is seen by whoever meets [`rare`] later, or what that one stored before it is seen from here on.
#[inline(always)]
pub fn frequent() {
    if is_available() {
        light();
    } else {
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    }
}

/// For the side that comes seldom, as before it goes to sleep: has the system put a barrier on every processor that runs a thread of this
/// process, which takes some microseconds. Where it cannot, a fence. See [`frequent`].
pub fn rare() {
    if is_available() {
        heavy();
    } else {
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(loom)]
pub(crate) fn is_available() -> bool {
    true
}

#[cfg(loom)]
pub(crate) fn light() {
    loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
}

#[cfg(loom)]
pub(crate) fn heavy() {
    light();
}

#[cfg(not(loom))]
mod real {
    use std::sync::atomic::{Ordering, compiler_fence};

    /// Nothing but a word to the compiler: see [`heavy`].
    #[inline(always)]
    pub(crate) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    #[cfg(target_os = "linux")]
    pub(crate) use linux::{heavy, is_available};

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_available() -> bool {
        false
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn heavy() {
        unreachable!("nobody relies on a barrier that there is not")
    }

    /// `membarrier`, since Linux 4.14.
    #[cfg(target_os = "linux")]
    mod linux {
        use std::sync::OnceLock;
        use std::sync::atomic::{AtomicBool, Ordering, fence};
        use std::time::Duration;

        use rustix::thread::{MembarrierCommand, membarrier};

        /// The system refused a barrier for which this process had registered: a filter for system calls came later.
        static REFUSED: AtomicBool = AtomicBool::new(false);

        pub(crate) fn is_available() -> bool {
            static REGISTERED: OnceLock<bool> = OnceLock::new();
            let register = || membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
            *REGISTERED.get_or_init(register) && !REFUSED.load(Ordering::Relaxed)
        }

        pub(crate) fn heavy() {
            fence(Ordering::SeqCst);
            if membarrier(MembarrierCommand::PrivateExpedited).is_err() {
                // No processor keeps a store to itself for so long, and nobody relies on it again.
                REFUSED.store(true, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
            fence(Ordering::SeqCst);
        }
    }
}
