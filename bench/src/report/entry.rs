//! One competitor in one row.

use super::{Figure, Samples};
use crate::{Error, Peer, Row};

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
