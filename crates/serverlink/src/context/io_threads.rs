//! How a context's I/O threads are started.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use serverlink_driver::pin_thread;

use crate::env::Env;
use crate::io_thread::IoThread;

/// What the builder was told of them.
#[derive(Clone, Debug)]
pub(crate) struct IoThreads {
    pub(crate) count: usize,
    /// What their names begin with.
    pub(crate) prefix: String,
    /// The processors they may run on; empty: all.
    pub(crate) processors: Vec<usize>,
}

impl IoThreads {
    /// `None`: this machine has no threads.
    pub(super) fn start(
        &self,
        env: &Env,
        index: usize,
        thread: IoThread,
    ) -> io::Result<Option<JoinHandle<()>>> {
        let name = format!("{}-io-{index}", self.prefix);
        if self.processors.is_empty() {
            return env.spawn(&name, move || thread.run_until_stopped());
        }
        let processors = self.processors.clone();
        let (tell, told) = sync_channel(1);
        let started = env.spawn(&name, move || {
            let pinned = pin_thread(&processors);
            let goes_on = pinned.is_ok();
            // Whoever started it waits for this.
            let _ = tell.send(pinned);
            if goes_on {
                thread.run_until_stopped();
            }
        })?;
        told.recv().unwrap_or(Ok(()))?;
        Ok(started)
    }
}
