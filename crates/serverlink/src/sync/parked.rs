use super::primitives::{AtomicBool, Ordering};

/// Whether a thread sleeps where only a system call reaches it, so that asking it for something costs one only then.
///
/// The thread announces its sleep and then looks for requests once more; others leave their request and then ask
/// whether to wake it. So either the thread sees the request, or whoever left it sees the announcement.
///
/// Every change is a swap: they cost what a sequentially consistent store does, and loom, which lets a plain store slip
/// between the two halves of somebody's swap, orders them as machines do.
#[derive(Default)]
pub(crate) struct Parked(AtomicBool);

impl Parked {
    /// The thread is about to sleep. It looks once more before it does.
    pub(crate) fn announce(&self) {
        self.0.swap(true, Ordering::SeqCst);
    }

    /// It is awake, and looks at all requests before it announces the next sleep.
    pub(crate) fn retract(&self) {
        self.0.swap(false, Ordering::SeqCst);
    }

    /// After leaving a request: whether to wake the thread. One of many is told.
    pub(crate) fn must_be_woken(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}
