//! A runtime that nobody is inside of, kept running.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::{runtime::Runtime, sync::Notify};

/// Runs what there is in a runtime of one thread until it is dropped: what was queued is written, who
/// connects is accepted.
pub(super) struct Rest {
    ended: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Rest {
    pub(super) fn start(runtime: &Arc<Runtime>) -> Rest {
        let (runtime, ended) = (Arc::clone(runtime), Arc::new(Notify::new()));
        let heard = Arc::clone(&ended);
        let thread = thread::spawn(move || runtime.block_on(heard.notified()));
        Rest { ended, thread: Some(thread) }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.ended.notify_one();
        if let Some(thread) = self.thread.take() {
            // It panics only if a task did, which has been told already.
            let _ = thread.join();
        }
    }
}
