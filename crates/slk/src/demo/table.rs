//! The live table, for people who watch.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use super::wire::Status;
use super::{SERVERS, server_name};

/// One line for each server under a heading; nothing at all if standard error is not a terminal.
pub(super) struct Table {
    rows: Option<Rows>,
}

struct Rows {
    screen: MultiProgress,
    /// Kept because a bar that is dropped goes from the screen.
    _heading: ProgressBar,
    servers: [ProgressBar; SERVERS],
    overall: ProgressBar,
    /// What each row showed last, and when: rates are taken between reports.
    last: [(Status, Instant); SERVERS],
}

impl Table {
    pub(super) fn new(total: u64) -> Table {
        Table { rows: io::stderr().is_terminal().then(|| Rows::new(total)) }
    }

    pub(super) fn show(&mut self, statuses: &[Status; SERVERS]) {
        if let Some(rows) = &mut self.rows {
            rows.show(statuses);
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn finish(self) {
        if let Some(rows) = self.rows {
            // A terminal that is gone needs no clearing.
            let _ = rows.screen.clear();
        }
    }
}

impl Rows {
    fn new(total: u64) -> Rows {
        let screen = MultiProgress::new();
        let text = ProgressStyle::with_template("{msg}").expect("a valid template");
        let heading = screen.add(ProgressBar::new(0).with_style(text.clone()));
        heading.set_message(format!(
            "{:<10} {:>5} {:>12} {:>12} {:>10} {:>10}",
            "server", "peers", "sent/s", "received/s", "p50", "p99"
        ));
        let servers = std::array::from_fn(|_| screen.add(ProgressBar::new(0).with_style(text.clone())));
        let bar = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} lines")
            .expect("a valid template");
        let overall = screen.add(ProgressBar::new(total).with_style(bar));
        Rows {
            screen,
            _heading: heading,
            servers,
            overall,
            last: [(Status::default(), Instant::now()); SERVERS],
        }
    }

    fn show(&mut self, statuses: &[Status; SERVERS]) {
        let now = Instant::now();
        for (i, status) in statuses.iter().enumerate() {
            let (before, at) = &mut self.last[i];
            if *before != *status {
                self.servers[i].set_message(row(i, before, status, now.saturating_duration_since(*at)));
                (*before, *at) = (*status, now);
            }
        }
        self.overall.set_position(statuses.iter().map(|status| status.received).sum());
    }
}

fn row(server: usize, before: &Status, status: &Status, apart: Duration) -> String {
    let rate = |from: u64, to: u64| {
        let per_second = to.saturating_sub(from) as f64 / apart.as_secs_f64().max(f64::EPSILON);
        HumanCount(per_second as u64).to_string()
    };
    let latency = |microseconds| format!("{:.1?}", Duration::from_micros(microseconds));
    format!(
        "{:<10} {:>5} {:>12} {:>12} {:>10} {:>10}",
        server_name(server),
        status.peers,
        rate(before.sent, status.sent),
        rate(before.received, status.received),
        latency(status.p50_us),
        latency(status.p99_us),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second_between_two_reports() {
        let status =
            Status { peers: 2, sent: 1500, received: 600, p50_us: 80, p99_us: 1500, ..Status::default() };
        let before = Status { sent: 500, ..Status::default() };
        let row = row(0, &before, &status, Duration::from_millis(500));
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["server-1", "2", "2,000", "1,200", "80.0µs", "1.5ms"]);
    }
}
