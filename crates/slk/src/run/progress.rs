//! What was moved so far, shown while people watch and wait.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::cli::Job;
use crate::exit::counted;

/// Work that is over sooner shows no bar.
const LONG_WORK: Duration = Duration::from_secs(1);
const REDRAW: Duration = Duration::from_millis(200);

/// The counters and, on a terminal, the thread that shows them.
pub(super) struct Progress {
    counters: Arc<Counters>,
    painter: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

/// Each written by one thread; the bar reads them whenever it is drawn.
#[derive(Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    pub(super) fn new(job: &Job) -> Progress {
        let counters = Arc::new(Counters::default());
        let over = Arc::new(AtomicBool::new(false));
        let painter = is_watched(job).then(|| {
            let (counters, over, goal) = (Arc::clone(&counters), Arc::clone(&over), job.wiring.count);
            thread::spawn(move || paint(&counters, &over, goal))
        });
        Progress { counters, painter, over }
    }

    pub(super) fn on_sent(&self, bytes: usize) {
        self.counters.sent.fetch_add(1, Ordering::Relaxed);
        self.counters.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn on_received(&self, bytes: usize) {
        self.counters.received.fetch_add(1, Ordering::Relaxed);
        self.counters.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Takes the bar away: nothing moves any more.
    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::Release);
        if let Some(painter) = &self.painter {
            painter.thread().unpark();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
        if let Some(painter) = self.painter.take() {
            // A painter that could not paint took nothing with it.
            let _ = painter.join();
        }
    }
}

/// As in "interrupted after ...".
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, received) =
            (self.counters.sent.load(Ordering::Relaxed), self.counters.received.load(Ordering::Relaxed));
        match (sent, received) {
            (0, 0) => f.write_str("no message"),
            (sent, 0) => write!(f, "sending {}", counted(sent, "message")),
            (0, received) => write!(f, "receiving {}", counted(received, "message")),
            _ => write!(f, "sending {} and receiving {received}", counted(sent, "message")),
        }
    }
}

/// A bar is for a person who looks at the terminal and does not see messages appear there.
fn is_watched(job: &Job) -> bool {
    let prints_messages = job.socket_type.can_receive() && job.output.save.is_none();
    !job.wiring.quiet && io::stderr().is_terminal() && !(prints_messages && io::stdout().is_terminal())
}

fn paint(counters: &Counters, over: &AtomicBool, goal: Option<u64>) {
    let began = Instant::now();
    thread::park_timeout(LONG_WORK);
    if over.load(Ordering::Acquire) {
        return;
    }
    let bar = goal.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_elapsed(began.elapsed());
    bar.set_style(style(goal.is_some()));
    while !over.load(Ordering::Acquire) {
        let (sent, received) =
            (counters.sent.load(Ordering::Relaxed), counters.received.load(Ordering::Relaxed));
        let moved = sent.max(received);
        let seconds = began.elapsed().as_secs_f64();
        let rate = HumanCount((moved as f64 / seconds) as u64);
        let byte_rate = BinaryBytes((counters.bytes.load(Ordering::Relaxed) as f64 / seconds) as u64);
        bar.set_message(format!(
            "sent {}, received {}, {rate}/s, {byte_rate}/s",
            HumanCount(sent),
            HumanCount(received)
        ));
        bar.set_position(moved);
        thread::park_timeout(REDRAW);
    }
    bar.finish_and_clear();
}

fn style(has_goal: bool) -> ProgressStyle {
    let template = if has_goal {
        "[{elapsed_precise}] {bar:30} {percent:>3} % {msg}, {eta} left"
    } else {
        "[{elapsed_precise}] {spinner} {msg}"
    };
    ProgressStyle::with_template(template).expect("the templates above are valid")
}
