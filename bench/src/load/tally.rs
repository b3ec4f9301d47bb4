//! What a role's workers count, and what came of it between `mark` and `stop`.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Worker;
use crate::{Error, arguments::Arguments, usage};

/// Counters of all workers of a role.
#[derive(Default)]
pub(crate) struct Tally {
    workers: Vec<Arc<Worker>>,
}

/// The counters at `mark`.
pub(crate) struct Mark {
    at: Instant,
    messages: u64,
    lost: u64,
    cpu: Duration,
    switches: u64,
}

impl Tally {
    pub(crate) fn worker(&mut self) -> Arc<Worker> {
        let worker = Arc::new(Worker::new());
        self.workers.push(Arc::clone(&worker));
        worker
    }

    pub(crate) fn mark(&self) -> Mark {
        for worker in &self.workers {
            worker.latencies().reset();
        }
        Mark {
            switches: usage::context_switches(),
            messages: self.messages(),
            lost: self.lost(),
            cpu: usage::cpu_time(),
            at: Instant::now(),
        }
    }

    pub(crate) fn since(&self, mark: &Mark) -> Measured {
        let seconds = mark.at.elapsed().as_secs_f64();
        let cpu_seconds = usage::cpu_time().saturating_sub(mark.cpu).as_secs_f64();
        let messages = self.messages().saturating_sub(mark.messages);
        let switches = usage::context_switches().saturating_sub(mark.switches);
        let mut latencies = Worker::no_latencies();
        for worker in &self.workers {
            latencies.add(&*worker.latencies()).expect("all histograms have the same bounds");
        }
        let quantile = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        Measured {
            messages,
            lost: self.lost().saturating_sub(mark.lost),
            seconds,
            cpu_seconds,
            switches,
            resident_bytes: usage::resident_bytes(),
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
        }
    }

    fn messages(&self) -> u64 {
        self.workers.iter().map(|worker| worker.messages()).sum()
    }

    fn lost(&self) -> u64 {
        self.workers.iter().map(|worker| worker.lost()).sum()
    }
}

/// What one process did between `mark` and `stop`. Printed and parsed as one line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    pub(crate) messages: u64,
    pub(crate) lost: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Voluntary ones: how often a thread went to sleep.
    pub(crate) switches: u64,
    /// Not since the mark: what the process holds now.
    pub(crate) resident_bytes: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
}

impl Measured {
    /// Both ends of one measurement together.
    pub(crate) fn joined(self, other: Measured) -> Measured {
        // Only one end counts messages; the rate is by its clock.
        let seconds = if self.messages >= other.messages { self.seconds } else { other.seconds };
        Measured {
            messages: self.messages + other.messages,
            lost: self.lost + other.lost,
            seconds,
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            switches: self.switches + other.switches,
            resident_bytes: self.resident_bytes + other.resident_bytes,
            p50_us: self.p50_us.max(other.p50_us),
            p99_us: self.p99_us.max(other.p99_us),
            p999_us: self.p999_us.max(other.p999_us),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Arguments::new()
            .with("messages", self.messages)
            .with("lost", self.lost)
            .with("seconds", self.seconds)
            .with("cpu", self.cpu_seconds)
            .with("switches", self.switches)
            .with("resident", self.resident_bytes)
            .with("p50", self.p50_us)
            .with("p99", self.p99_us)
            .with("p999", self.p999_us);
        f.write_str(&words.words().join(" "))
    }
}

impl FromStr for Measured {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let words = Arguments::parse(line.split(' ').map(str::to_owned));
        Ok(Measured {
            messages: words.need("messages")?,
            lost: words.need("lost")?,
            seconds: words.need("seconds")?,
            cpu_seconds: words.need("cpu")?,
            switches: words.need("switches")?,
            resident_bytes: words.need("resident")?,
            p50_us: words.need("p50")?,
            p99_us: words.need("p99")?,
            p999_us: words.need("p999")?,
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
            lost: 3,
            seconds: 1.000_25,
            cpu_seconds: 1.5,
            switches: 17,
            resident_bytes: 1 << 40,
            p50_us: 10.25,
            p99_us: 31.5,
            p999_us: 1e3,
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
