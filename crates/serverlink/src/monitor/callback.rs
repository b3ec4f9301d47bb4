//! Events told by calling the application.
//!
//! A callback is foreign code: it runs without locks, when its thread may run such code, and one call at a time. A
//! thread that finds it running leaves its event to the one that runs it, so the order stays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::event::Event;
use super::queue::Backlog;
use crate::sync::Lock;
use crate::sync::later::run_later;

/// See the module's page.
pub(crate) struct Callback {
    calls: Lock<Calls>,
    call: Lock<Call>,
}

type Call = Box<dyn FnMut(&Event) + Send>;

#[derive(Default)]
struct Calls {
    waiting: Backlog,
    running: bool,
}

impl Callback {
    pub(crate) fn new(call: impl FnMut(&Event) + Send + 'static) -> Arc<Callback> {
        Arc::new(Callback { calls: Lock::default(), call: Lock::new(Box::new(call)) })
    }

    pub(super) fn push(&self, event: Event) {
        self.calls.lock().waiting.push(event);
    }

    /// Calls now, or as soon as this thread may.
    pub(super) fn run(self: Arc<Self>) {
        run_later(move || {
            while let Some(event) = self.begin() {
                // Whoever panics has said so; others' connections must not suffer.
                let _ = catch_unwind(AssertUnwindSafe(|| (*self.call.lock())(&event)));
                self.calls.lock().running = false;
            }
        });
    }

    /// The next event, for the one who runs the callback.
    fn begin(&self) -> Option<Event> {
        let mut calls = self.calls.lock();
        if calls.running {
            return None;
        }
        let event = calls.waiting.pop()?;
        calls.running = true;
        Some(event)
    }
}
