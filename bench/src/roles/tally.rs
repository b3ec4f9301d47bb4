//! What a role's workers count, and what came of it between `mark` and `stop`.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{Error, usage};

/// Counters of all workers of a role.
#[derive(Default)]
pub(crate) struct Tally {
    workers: Vec<Arc<Worker>>,
}

/// Counters of one worker, on cache lines of their own.
#[repr(align(128))]
pub(crate) struct Worker {
    messages: AtomicU64,
    latencies: Mutex<Histogram<u64>>,
}

impl Worker {
    /// Publishes the worker's total so far.
    pub(crate) fn set_messages(&self, total: u64) {
        self.messages.store(total, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.histogram().saturating_record(nanoseconds);
    }

    fn histogram(&self) -> std::sync::MutexGuard<'_, Histogram<u64>> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters at `mark`.
pub(crate) struct Mark {
    at: Instant,
    messages: u64,
    cpu: Duration,
    switches: u64,
}

impl Tally {
    pub(crate) fn worker(&mut self) -> Arc<Worker> {
        let worker = Arc::new(Worker { messages: AtomicU64::new(0), latencies: Mutex::new(new_histogram()) });
        self.workers.push(Arc::clone(&worker));
        worker
    }

    pub(crate) fn mark(&self) -> Mark {
        for worker in &self.workers {
            worker.histogram().reset();
        }
        Mark {
            switches: usage::context_switches(),
            messages: self.messages(),
            cpu: usage::cpu_time(),
            at: Instant::now(),
        }
    }

    pub(crate) fn since(&self, mark: &Mark) -> Measured {
        let seconds = mark.at.elapsed().as_secs_f64();
        let cpu_seconds = usage::cpu_time().saturating_sub(mark.cpu).as_secs_f64();
        let messages = self.messages().saturating_sub(mark.messages);
        let switches = usage::context_switches().saturating_sub(mark.switches);
        let mut latencies = new_histogram();
        for worker in &self.workers {
            latencies.add(&*worker.histogram()).expect("all histograms have the same bounds");
        }
        Measured {
            messages,
            seconds,
            cpu_seconds,
            switches,
            p50_us: latencies.value_at_quantile(0.5) as f64 / 1e3,
            p99_us: latencies.value_at_quantile(0.99) as f64 / 1e3,
        }
    }

    fn messages(&self) -> u64 {
        self.workers.iter().map(|worker| worker.messages.load(Ordering::Relaxed)).sum()
    }
}

fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("constant bounds are in order")
}

/// What one process did between `mark` and `stop`. Printed and parsed as one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) messages: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) switches: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

impl Measured {
    /// Both ends of one measurement together.
    pub(crate) fn joined(self, other: Measured) -> Measured {
        // Only one end counts messages; the rate is by its clock.
        let seconds = if self.messages >= other.messages { self.seconds } else { other.seconds };
        Measured {
            messages: self.messages + other.messages,
            seconds,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            switches: self.switches + other.switches,
            p50_us: self.p50_us.max(other.p50_us),
            p99_us: self.p99_us.max(other.p99_us),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {}",
            self.messages, self.seconds, self.cpu_seconds, self.switches, self.p50_us, self.p99_us
        )
    }
}

impl FromStr for Measured {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let numbers: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let &[messages, seconds, cpu_seconds, switches, p50_us, p99_us] = numbers.as_slice() else {
            return Err(Error::child("measured", format!("gave the result {line:?}")));
        };
        Ok(Measured {
            messages: messages as u64,
            seconds,
            cpu_seconds,
            switches: switches as u64,
            p50_us,
            p99_us,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_survives_its_line() {
        let measured = Measured {
            messages: 35_000_000,
            seconds: 1.000_25,
            cpu_seconds: 1.5,
            switches: 17,
            p50_us: 10.25,
            p99_us: 31.5,
        };
        assert_eq!(measured.to_string().parse::<Measured>().unwrap(), measured);
        assert!("1 2 3".parse::<Measured>().is_err());
    }

    #[test]
    fn counts_from_the_mark_on() {
        let mut tally = Tally::default();
        let (one, two) = (tally.worker(), tally.worker());
        one.set_messages(5);
        one.record(Duration::from_millis(5));
        let mark = tally.mark();
        one.set_messages(7);
        two.set_messages(1);
        two.record(Duration::from_micros(10));
        let measured = tally.since(&mark);
        assert_eq!(measured.messages, 3);
        assert!(measured.p99_us < 11.0, "{measured:?}");
    }
}
