//! Wakers and the owners of parts are foreign code: they may call the library, so they run only when the thread has let
//! go of every lock, the role of a reactor included.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

thread_local! {
    /// What waits for the outermost [`Later`] of this thread to end.
    static KEPT: RefCell<Kept> = const {
        RefCell::new(Kept { depth: 0, wakers: Vec::new(), spent: Vec::new(), calls: Vec::new() })
    };
}

struct Kept {
    depth: usize,
    wakers: Vec<Waker>,
    spent: Vec<Box<dyn Any + Send>>,
    calls: Vec<Box<dyn FnOnce() + Send>>,
}

impl Kept {
    fn has_any(&self) -> bool {
        !self.wakers.is_empty() || !self.spent.is_empty() || !self.calls.is_empty()
    }
}

/// While one exists, this thread keeps the wakers that it notifies and what it drops. Make it before taking a lock, so
/// that it is dropped after the lock.
pub(crate) struct Later(());

/// From here on wakers are kept.
pub(crate) fn later() -> Later {
    with_kept(|kept| kept.depth += 1);
    Later(())
}

/// Whether something waits to be run or dropped: then this thread must not sleep, and has to let go of the role first.
pub(crate) fn has_kept() -> bool {
    with_kept(|kept| kept.has_any()).unwrap_or(false)
}

impl Drop for Later {
    fn drop(&mut self) {
        let is_due = with_kept(|kept| {
            kept.depth -= 1;
            kept.depth == 0 && kept.has_any()
        });
        if is_due == Some(true) {
            run_kept();
        }
    }
}

#[cold]
fn run_kept() {
    let kept = with_kept(|kept| {
        (std::mem::take(&mut kept.wakers), std::mem::take(&mut kept.spent), std::mem::take(&mut kept.calls))
    });
    let (wakers, spent, calls) = kept.unwrap_or_default();
    for value in spent {
        contain(|| drop(value));
    }
    wakers.into_iter().for_each(run);
    for call in calls {
        contain(call);
    }
}

/// Calls foreign code now, or as soon as this thread may.
pub(crate) fn run_later(call: impl FnOnce() + Send + 'static) {
    let mut call = Some(call);
    with_kept(|kept| {
        if kept.depth > 0
            && let Some(call) = call.take()
        {
            kept.calls.push(Box::new(call));
        }
    });
    if let Some(call) = call {
        contain(call);
    }
}

/// Drops a value whose owner may be foreign code, now or as soon as this thread may.
pub(crate) fn drop_later(value: impl Any + Send) {
    let mut value = Some(value);
    with_kept(|kept| {
        if kept.depth > 0
            && let Some(value) = value.take()
        {
            kept.spent.push(Box::new(value));
        }
    });
    drop(value);
}

/// Wakes the task now, or as soon as this thread may.
pub(super) fn wake(waker: Waker) {
    let mut waker = Some(waker);
    with_kept(|kept| {
        if kept.depth > 0 {
            kept.wakers.extend(waker.take());
        }
    });
    waker.into_iter().for_each(run);
}

/// `None` while the thread ends: nothing is kept then.
fn with_kept<R>(act: impl FnOnce(&mut Kept) -> R) -> Option<R> {
    KEPT.try_with(|kept| act(&mut kept.borrow_mut())).ok()
}

/// A waker that panics has said so; it must not take an I/O thread, and with it everybody's sockets, along.
fn run(waker: Waker) {
    contain(|| waker.wake());
}

/// Foreign code that panics has said so, and so has what it panicked with, if that panics when it is dropped.
fn contain(foreign: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(foreign))
        && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload)))
    {
        std::mem::forget(again);
    }
}
