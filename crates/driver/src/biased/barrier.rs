//! A memory barrier of which one side costs nothing, because the other has the system make one on every processor for both.
//!
//! Of two threads, each of which stores to its own place, meets such a barrier and loads from the other's place, at least one sees what the
//! other stored: if one of the barriers is [`light`] and the other [`heavy`].

#[cfg(not(loom))]
pub(super) use real::{heavy, is_available, light};

#[cfg(loom)]
pub(super) fn is_available() -> bool {
    true
}

#[cfg(loom)]
pub(super) fn light() {
    loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
}

#[cfg(loom)]
pub(super) fn heavy() {
    light();
}

#[cfg(not(loom))]
mod real {
    use std::sync::atomic::{Ordering, compiler_fence};

    /// Nothing but a word to the compiler: see [`heavy`].
    #[inline(always)]
    pub(in super::super) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    #[cfg(target_os = "linux")]
    pub(in super::super) use linux::{heavy, is_available};

    #[cfg(not(target_os = "linux"))]
    pub(in super::super) fn is_available() -> bool {
        false
    }

    #[cfg(not(target_os = "linux"))]
    pub(in super::super) fn heavy() {
        unreachable!("there is no favourite where there is no such barrier")
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

        pub(in super::super::super) fn is_available() -> bool {
            static REGISTERED: OnceLock<bool> = OnceLock::new();
            let register = || membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
            *REGISTERED.get_or_init(register) && !REFUSED.load(Ordering::Relaxed)
        }

        pub(in super::super::super) fn heavy() {
            fence(Ordering::SeqCst);
            if membarrier(MembarrierCommand::PrivateExpedited).is_err() {
                // No processor keeps a store to itself for so long, and nobody becomes a favourite again.
                REFUSED.store(true, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
            fence(Ordering::SeqCst);
        }
    }
}
