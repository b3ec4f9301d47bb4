//! What came out: samples, medians, and the forms they are shown in.

mod entry;
mod figure;
mod json;
mod markdown;
mod samples;
mod svg;
mod table;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Outcome};
pub use figure::Figure;
pub use samples::Samples;

use crate::{Options, Peer, Row, machine::Machine};

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

    /// The report as Markdown: a table for each family of rows and each of its figures, with a column for each competitor.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// A Markdown page with the report in it: between its lines `<!-- figures -->` and `<!-- end of figures -->`, or all of it if it
    /// has no such lines.
    pub fn to_markdown_within(&self, page: &str) -> String {
        markdown::within(page, &self.to_markdown())
    }

    /// A picture of the report: the first figure of every row in bars on a logarithmic scale, as an SVG file.
    pub fn to_svg(&self) -> String {
        svg::render(self)
    }

    /// Whether some measurement failed, other than for a competitor that is not installed.
    pub fn has_failures(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.outcome, Outcome::Failed(_)))
    }

    /// Where it comes from and how it was measured, in two sentences.
    pub(crate) fn origin(&self) -> [String; 2] {
        let options = &self.options;
        [
            self.machine.to_string(),
            format!(
                "medians of {} interleaved runs of {:?} after {:?} of warm-up, (min..max); high-water marks 1000 (64 MiB), system buffers, one I/O thread each",
                options.runs.max(1),
                options.measure,
                options.warm_up,
            ),
        ]
    }

    /// The families of rows, each with its rows.
    fn families(&self) -> Vec<(String, Vec<Row>)> {
        let mut families: Vec<(String, Vec<Row>)> = Vec::new();
        for row in &self.options.rows {
            let family = row.family();
            match families.iter_mut().find(|(known, _)| *known == family) {
                Some((_, rows)) => rows.push(*row),
                None => families.push((family, vec![*row])),
            }
        }
        families
    }

    fn entry(&self, row: Row, peer: Peer) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.row == row && entry.peer == peer)
    }

    fn entries_of(&self, row: Row) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.row == row)
    }
}
