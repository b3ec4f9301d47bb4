//! How everything that blocks comes to its end: a closed input, a reached count, ^C.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serverlink::Context;

use crate::exit::{Exit, Failure};

/// Ends the work of all threads, once.
///
/// Shutting the context down is what wakes threads that are blocked in a socket; what is queued there is still sent when the
/// socket is closed.
pub(super) struct Ending {
    context: Context,
    interrupted: AtomicBool,
    ended: AtomicBool,
    /// Wakes a thread that waits for input instead of a socket.
    wake_input: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Ending {
    pub(super) fn new(context: &Context) -> Arc<Ending> {
        Arc::new(Ending {
            context: context.clone(),
            interrupted: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            wake_input: Mutex::new(None),
        })
    }

    /// Ends the work at ^C and at a request to terminate; a second one ends the process without waiting for the linger.
    pub(super) fn on_interrupt(self: Arc<Ending>) -> Result<(), Failure> {
        let handler = move || {
            if self.interrupted.swap(true, Ordering::SeqCst) {
                process::exit(Exit::Interrupted as i32);
            }
            self.end();
        };
        ctrlc::set_handler(handler).map_err(|why| Failure::of("^C cannot be caught", why))
    }

    /// Ends the work now. Threads find out at their next call.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.context.shutdown();
        if let Some(wake) = &*self.waker() {
            wake();
        }
    }

    /// `wake` is called when the work ends, at once if that was before.
    pub(super) fn wakes(&self, wake: impl Fn() + Send + 'static) {
        let mut waker = self.waker();
        if self.has_come() {
            wake();
        }
        *waker = Some(Box::new(wake));
    }

    pub(super) fn has_come(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    fn waker(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn Fn() + Send>>> {
        self.wake_input.lock().expect("wakers send into a channel and do not panic")
    }
}
