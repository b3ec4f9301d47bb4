//! What a biased lock takes from the machine, or from loom's model of it.

#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub(super) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How this thread is called among those that live: a multiple of eight, and not zero.
#[cfg(not(loom))]
#[inline]
pub(super) fn this_thread() -> usize {
    #[repr(align(8))]
    struct Name(#[expect(dead_code, reason = "it is there to have an address")] u8);
    thread_local! {
        static NAME: Name = const { Name(0) };
    }
    NAME.with(|name| std::ptr::from_ref(name).addr())
}

#[cfg(loom)]
pub(super) fn this_thread() -> usize {
    loom::thread_local! {
        static NAME: Box<u64> = Box::new(0);
    }
    NAME.with(|name| std::ptr::from_ref(&**name).addr())
}

const _: () = assert!(super::PLACES == 8, "a name has room for so many places");

/// The favourite is inside for a few instructions, unless it was interrupted there. Then it may be a thread that gets no processor before this one sleeps.
#[cfg(not(loom))]
pub(super) fn give_way(looks: u32) {
    if looks < 64 {
        std::thread::yield_now();
    } else {
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
}

#[cfg(loom)]
pub(super) fn give_way(_looks: u32) {
    loom::thread::yield_now();
}

#[cfg(not(loom))]
pub(super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(super) const fn new(value: T) -> Self {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(super) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    pub(super) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Loom's cell only sees accesses inside of its closures: each is a look of its own there.
#[cfg(loom)]
pub(super) use loom::cell::UnsafeCell;
