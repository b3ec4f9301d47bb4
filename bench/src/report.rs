//! What came out: samples, medians, and the table.

use std::fmt;

use crate::{Error, Options, Peer, Row, json, machine::Machine};

/// One measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// Messages per second at the receiver.
    MessagesPerSecond,
    /// CPU seconds per million messages, both ends.
    CpuPerMillion,
    /// Median latency in microseconds.
    P50,
    /// 99th percentile of the latency in microseconds.
    P99,
    /// CPU microseconds per round trip, both ends.
    CpuPerRoundTrip,
    /// Context switches per round trip, both ends.
    SwitchesPerRoundTrip,
    /// Context switches per second, both ends.
    SwitchesPerSecond,
    /// CPU use in per cent of one core, both ends.
    CpuPercent,
    /// Instructions per message, both ends.
    Instructions,
    /// Instructions per message, sending end.
    InstructionsSender,
    /// Instructions per message, receiving end.
    InstructionsReceiver,
}

impl Figure {
    /// The column's heading, with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Figure::MessagesPerSecond => "million msg/s",
            Figure::CpuPerMillion => "CPU s/million",
            Figure::P50 => "p50 us",
            Figure::P99 => "p99 us",
            Figure::CpuPerRoundTrip => "CPU us/round trip",
            Figure::SwitchesPerRoundTrip => "switches/round trip",
            Figure::SwitchesPerSecond => "wake-ups/s",
            Figure::CpuPercent => "CPU %",
            Figure::Instructions => "both ends",
            Figure::InstructionsSender => "sender",
            Figure::InstructionsReceiver => "receiver",
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            Figure::MessagesPerSecond => format!("{:.2}", value / 1e6),
            Figure::CpuPerMillion | Figure::CpuPercent => format!("{value:.3}"),
            Figure::Instructions | Figure::InstructionsSender | Figure::InstructionsReceiver
                if value >= 10.0 =>
            {
                format!("{value:.0}")
            }
            Figure::SwitchesPerSecond => format!("{value:.2}"),
            _ => format!("{value:.1}"),
        }
    }
}

/// The values of one figure, one per run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// The middle value; of an even number the lower one, so that it is always a measured one.
    pub fn median(&self) -> f64 {
        self.sorted().get(self.0.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The smallest value.
    pub fn min(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// The largest value.
    pub fn max(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    /// Every value, in the order of the runs.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Why an entry has figures, or none.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Measured, so far as it was run.
    Measured,
    /// No figures: the competitor is absent, or the combination makes no sense.
    Absent(String),
    /// A measurement failed; figures of earlier runs stay.
    Failed(String),
}

/// One competitor in one row.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The row.
    pub row: Row,
    /// The competitor.
    pub peer: Peer,
    /// Whether it was measured.
    pub outcome: Outcome,
    figures: Vec<(Figure, Samples)>,
}

impl Entry {
    pub(crate) fn new(row: Row, peer: Peer) -> Entry {
        Entry { row, peer, outcome: Outcome::Measured, figures: Vec::new() }
    }

    /// The samples of every figure of this row.
    pub fn figures(&self) -> &[(Figure, Samples)] {
        &self.figures
    }

    /// The samples of one figure, if the row has it.
    pub fn figure(&self, figure: Figure) -> Option<&Samples> {
        let (_, samples) = self.figures.iter().find(|(name, _)| *name == figure)?;
        Some(samples)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.outcome == Outcome::Measured
    }

    pub(crate) fn has_figures(&self) -> bool {
        !self.figures.is_empty()
    }

    pub(crate) fn add(&mut self, measured: Vec<(Figure, f64)>) {
        for (figure, value) in measured {
            match self.figures.iter_mut().find(|(name, _)| *name == figure) {
                Some((_, samples)) => samples.0.push(value),
                None => self.figures.push((figure, Samples(vec![value]))),
            }
        }
    }

    pub(crate) fn fail(&mut self, error: Error) {
        self.outcome = match error {
            Error::Absent(why) | Error::NotMeasurable(why) => Outcome::Absent(why),
            other => Outcome::Failed(other.to_string()),
        };
    }
}

/// The result of a run. Its `Display` is the table.
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) machine: Machine,
    pub(crate) options: Options,
    entries: Vec<Entry>,
}

impl Report {
    pub(crate) fn new(machine: Machine, options: Options, entries: Vec<Entry>) -> Report {
        Report { machine, options, entries }
    }

    /// Every competitor in every row, in the order of the table.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The whole report as JSON: machine, settings, every sample.
    pub fn to_json(&self) -> String {
        json::render(self)
    }

    /// Whether some measurement failed, other than for a competitor that is not installed.
    pub fn has_failures(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.outcome, Outcome::Failed(_)))
    }

    fn entries_of(&self, row: Row) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.row == row)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(
            f,
            "medians of {} interleaved runs of {:?} after {:?} of warm-up, (min..max); high-water marks 1000, system buffers, one I/O thread each",
            self.options.runs.max(1),
            self.options.measure,
            self.options.warm_up,
        )?;
        for row in &self.options.rows {
            write!(f, "\n{}\n", row.title())?;
            self.write_row(f, *row)?;
        }
        Ok(())
    }
}

impl Report {
    fn write_row(&self, f: &mut fmt::Formatter<'_>, row: Row) -> fmt::Result {
        let heading = self.entries_of(row).find(|entry| entry.has_figures());
        if let Some(entry) = heading {
            write!(f, "  {:<12}", "")?;
            for (figure, _) in entry.figures() {
                write!(f, "{:>28}", figure.label())?;
            }
            writeln!(f)?;
        }
        for entry in self.entries_of(row) {
            write!(f, "  {:<12}", entry.peer.as_str())?;
            for (figure, samples) in entry.figures() {
                let range = format!(
                    "{} ({}..{})",
                    figure.shown(samples.median()),
                    figure.shown(samples.min()),
                    figure.shown(samples.max()),
                );
                write!(f, "{range:>28}")?;
            }
            match &entry.outcome {
                Outcome::Measured => writeln!(f)?,
                Outcome::Absent(why) => writeln!(f, "{why}")?,
                Outcome::Failed(why) => writeln!(f, "  failed: {why}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_measured_values() {
        let samples = Samples(vec![5.0, 1.0, 4.0, 2.0]);
        assert_eq!((samples.median(), samples.min(), samples.max()), (2.0, 1.0, 5.0));
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn the_table_names_what_is_missing() {
        let mut measured = Entry::new(Row::Callers, Peer::Raw);
        measured.add(vec![(Figure::P50, 12.34)]);
        measured.add(vec![(Figure::P50, 10.0)]);
        let mut absent = Entry::new(Row::Callers, Peer::Libzmq);
        absent.fail(Error::Absent("install it".into()));
        let mut broken = Entry::new(Row::Callers, Peer::Serverlink);
        broken.fail(Error::child("req", "fell silent"));
        let options = Options { rows: vec![Row::Callers], ..Options::default() };
        let report = Report::new(Machine::this(false), options, vec![measured, absent, broken]);
        let table = report.to_string();
        for wanted in ["10.0 (10.0..12.3)", "install it", "failed: the req process fell silent"] {
            assert!(table.contains(wanted), "{wanted:?} is not in\n{table}");
        }
        assert!(report.has_failures());
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["entries"][0]["figures"]["p50 us"]["samples"][1], 10.0);
        assert_eq!(json["entries"][1]["absent"], "install it");
    }
}
