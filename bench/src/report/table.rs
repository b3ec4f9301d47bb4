//! The report on a terminal: a table for each row.

use std::fmt;

use super::{Outcome, Report};
use crate::Row;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.origin() {
            writeln!(f, "{line}")?;
        }
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
            write!(f, "  {:<15}", "")?;
            for (figure, _) in entry.figures() {
                write!(f, "{:>28}", figure.label())?;
            }
            writeln!(f)?;
        }
        for entry in self.entries_of(row) {
            write!(f, "  {:<15}", entry.peer.as_str())?;
            for (figure, samples) in entry.figures() {
                write!(f, "{:>28}", samples.shown(*figure))?;
            }
            match &entry.outcome {
                Outcome::Measured => writeln!(f)?,
                Outcome::Absent(why) => writeln!(f, "  absent: {why}")?,
                Outcome::Failed(why) => writeln!(f, "  failed: {why}")?,
            }
        }
        Ok(())
    }
}
