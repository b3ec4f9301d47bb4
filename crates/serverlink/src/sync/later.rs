//! Wakers are foreign code: they may call the library, so they run only when the thread that notifies has let go of
//! every lock, the role of a reactor included.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// Wakers that wait for the outermost [`Later`] of this thread to end.
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept { depth: 0, wakers: Vec::new() }) };
}

struct Kept {
    depth: usize,
    wakers: Vec<Waker>,
}

/// While one exists, this thread keeps the wakers that it notifies. Make it before taking a lock, so that it is
/// dropped after the lock.
pub(crate) struct Later(());

/// From here on wakers are kept.
pub(crate) fn later() -> Later {
    KEPT.with_borrow_mut(|kept| kept.depth += 1);
    Later(())
}

impl Drop for Later {
    fn drop(&mut self) {
        let wakers = KEPT.with_borrow_mut(|kept| {
            kept.depth -= 1;
            if kept.depth == 0 { std::mem::take(&mut kept.wakers) } else { Vec::new() }
        });
        wakers.into_iter().for_each(run);
    }
}

/// Wakes the task now, or as soon as this thread may.
pub(super) fn wake(waker: Waker) {
    let now = KEPT.with_borrow_mut(|kept| {
        if kept.depth == 0 {
            return Some(waker);
        }
        kept.wakers.push(waker);
        None
    });
    if let Some(waker) = now {
        run(waker);
    }
}

/// A waker that panics has said so; it must not take an I/O thread, and with it everybody's sockets, along.
fn run(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
}
