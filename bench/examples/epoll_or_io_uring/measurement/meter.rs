//! Counts echoes, and the CPU time that they cost.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Caches, buffers and clocks settle so long.
const WARM_UP: Duration = Duration::from_millis(100);

/// Measures one server, from the end of its warm-up.
pub(super) struct Meter {
    measure: Duration,
    created: Instant,
    start: Option<Start>,
    echoes: u64,
}

struct Start {
    time: Instant,
    cpu: Duration,
}

impl Meter {
    pub(super) fn new(measure: Duration) -> Self {
        Self { measure, created: Instant::now(), start: None, echoes: 0 }
    }

    /// Takes in so many echoes. When the time is over, here is the result.
    pub(super) fn add(&mut self, echoes: usize) -> Option<Sample> {
        let now = Instant::now();
        let Some(start) = &self.start else {
            if now - self.created >= WARM_UP {
                self.start = Some(Start { time: now, cpu: cpu_time() });
            }
            return None;
        };
        self.echoes += echoes as u64;
        let elapsed = now - start.time;
        (elapsed >= self.measure).then(|| Sample {
            cpu: (cpu_time() - start.cpu).as_secs_f64() * 1e6 / self.echoes as f64,
            rate: self.echoes as f64 / elapsed.as_secs_f64(),
        })
    }
}

/// Of all threads of this process, the kernel's helpers for io_uring among them.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One server, measured once.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    /// Microseconds for each echo.
    cpu: f64,
    /// Echoes a second.
    rate: f64,
}

impl Sample {
    /// What all samples of one server say; there is at least one.
    pub(super) fn summary(mut samples: Vec<Self>) -> String {
        samples.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let rate = samples[samples.len() / 2].rate;
        samples.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
        let (least, median, most) = (samples[0], samples[samples.len() / 2], samples[samples.len() - 1]);
        format!("{:.2} ({:.2}–{:.2}), {:.0} k/s", median.cpu, least.cpu, most.cpu, rate / 1e3)
    }
}
