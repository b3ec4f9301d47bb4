//! The measured threads, and what they tell the measuring process.

use std::{
    io::Write,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::Error;

/// Counters of one worker, on cache lines of their own.
#[repr(align(128))]
pub(crate) struct Worker {
    messages: AtomicU64,
    lost: AtomicU64,
    latencies: Mutex<Histogram<u64>>,
}

impl Worker {
    pub(super) fn new() -> Worker {
        Worker {
            messages: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            latencies: Mutex::new(Worker::no_latencies()),
        }
    }

    pub(super) fn no_latencies() -> Histogram<u64> {
        Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds are in order")
    }

    /// The worker's total so far.
    #[inline]
    pub(super) fn set_messages(&self, total: u64) {
        self.messages.store(total, Ordering::Relaxed);
    }

    pub(super) fn set_lost(&self, total: u64) {
        self.lost.store(total, Ordering::Relaxed);
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies().saturating_record(nanoseconds);
    }

    pub(super) fn latencies(&self) -> MutexGuard<'_, Histogram<u64>> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a measured thread; an error in it is told to the measuring process and ends this one.
pub fn spawn_worker(work: impl FnOnce() -> Result<(), Error> + Send + 'static) {
    std::thread::spawn(move || {
        if let Err(error) = work() {
            report_error(&error);
            std::process::exit(1);
        }
    });
}

/// One line to the measuring process.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // If nobody reads any more, the end of standard input ends this process.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

static READY: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Tells that the role is under way, and where its peers connect to.
pub(crate) fn say_ready(endpoints: &[String]) {
    say(&format!("ready {}", endpoints.len()));
    for endpoint in endpoints {
        say(&format!("endpoint {endpoint}"));
    }
    *READY.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    READY.1.notify_all();
}

/// Tells that a worker is where it was to come, but not before the role is known to be under way.
pub(crate) fn say_reached() {
    let mut is_ready = READY.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_ready {
        is_ready = READY.1.wait(is_ready).unwrap_or_else(PoisonError::into_inner);
    }
    say("reached");
}

pub(crate) fn report_error(error: &Error) {
    let word = match error {
        Error::Absent(_) => "absent",
        Error::NotMeasurable(_) => "unmeasurable",
        _ => "error",
    };
    say(&format!("{word} {}", error.to_string().replace('\n', " ")));
}
