//! The gate of CI: ServerLink's instructions per message, compared with those that were agreed on.
//!
//! A clock says little on a machine that others use too. Here one thread plays both ends on a simulated machine, so every run does
//! exactly the same, and callgrind counts it. Counts are of user mode, optimised, of 64-byte messages.

mod subject;

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{Error, rows::Counter};
pub(crate) use subject::Subject;

/// How much more than agreed on is too much, in per cent.
const TOLERATED_PERCENT: f64 = 3.0;
/// So much is nothing: what rounding makes of a count.
const TOLERATED_INSTRUCTIONS: f64 = 1.0;
/// What the file begins with.
const HEAD: &str = "\
# Instructions in user mode per 64-byte message, round trip or publication, counted by callgrind on a simulated machine:
# `ci/instructions` compares, `ci/instructions --update` writes this file. \"carry\" is what the I/O threads and the simulated
# machine itself do in between.
";
const HOW_TO_INSTALL: &str = "counting instructions needs callgrind; `apt-get install valgrind` brings it";

/// Instructions per message, by what was counted. Its `Display` is the file that [`FromStr`] reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts(BTreeMap<String, f64>);

/// What the comparison of two counts says. Its `Display` is one line for each.
#[derive(Clone, Debug)]
pub struct Verdict(Vec<Line>);

#[derive(Clone, Debug)]
struct Line {
    name: String,
    agreed: Option<f64>,
    counted: Option<f64>,
}

/// Counts everything. Takes half a minute.
///
/// # Errors
/// [`Error::Absent`] without callgrind; what went wrong in a counted process.
pub fn count() -> Result<Counts, Error> {
    // Asks whether it is there.
    Counter::first_of(&[Counter::Callgrind], HOW_TO_INSTALL)?;
    let mut counts = Counts::default();
    for subject in Subject::ALL {
        for (act, instructions) in subject.count()? {
            counts.0.insert(format!("{subject} {}", act.as_str()), instructions);
        }
    }
    Ok(counts)
}

/// Counts everything and compares it with what was agreed on.
///
/// # Errors
/// As [`count`].
pub fn check(agreed: &Counts) -> Result<Verdict, Error> {
    Ok(count()?.compared_with(agreed))
}

impl Counts {
    /// Compares these counts with those that were agreed on.
    pub fn compared_with(&self, agreed: &Counts) -> Verdict {
        let mut names: Vec<&String> = self.0.keys().chain(agreed.0.keys()).collect();
        names.sort();
        names.dedup();
        let line = |name: &String| Line {
            name: name.clone(),
            agreed: agreed.0.get(name).copied(),
            counted: self.0.get(name).copied(),
        };
        Verdict(names.into_iter().map(line).collect())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        self.0.iter().try_for_each(|(name, instructions)| writeln!(f, "{name} {instructions:.1}"))
    }
}

impl FromStr for Counts {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let counts =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(
                |line| {
                    let (name, count) = line.rsplit_once(' ')?;
                    Some((name.trim().to_owned(), count.parse().ok()?))
                },
            );
        let counts: Option<BTreeMap<String, f64>> = counts.collect();
        counts.map(Counts).ok_or_else(|| {
            Error::NotMeasurable("the file of agreed counts has lines other than `name count`".into())
        })
    }
}

impl Verdict {
    /// Whether nothing needs more instructions than agreed on, or is missing.
    pub fn is_good(&self) -> bool {
        self.0.iter().all(Line::is_good)
    }

    fn is_outdated(&self) -> bool {
        self.0.iter().any(|line| matches!(line.more_percent(), Some(more) if more < -TOLERATED_PERCENT))
    }
}

impl Line {
    fn more_percent(&self) -> Option<f64> {
        let (agreed, counted) = (self.agreed?, self.counted?);
        Some((counted - agreed) * 100.0 / agreed)
    }

    fn is_good(&self) -> bool {
        match (self.agreed, self.counted, self.more_percent()) {
            (Some(agreed), Some(counted), Some(more)) => {
                more <= TOLERATED_PERCENT || counted - agreed <= TOLERATED_INSTRUCTIONS
            }
            _ => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            let shown =
                |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
            let more = line.more_percent().map_or_else(String::new, |more| format!("{more:+.1} %"));
            let mark = if line.is_good() { "" } else { "  TOO MUCH" };
            writeln!(
                f,
                "{:<32}{:>10} agreed{:>10} now{more:>10}{mark}",
                line.name,
                shown(line.agreed),
                shown(line.counted)
            )?;
        }
        if !self.is_good() {
            f.write_str("a message costs more than 3 % more instructions than agreed on, or is not in the file: make it cheaper, or say in the commit why it has to be so and run `ci/instructions --update`")
        } else if self.is_outdated() {
            f.write_str("better than agreed on: `ci/instructions --update` keeps it so")
        } else {
            f.write_str("as agreed on")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        Counts(of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect())
    }

    #[test]
    fn a_file_of_counts_is_read_again() {
        let written = counts(&[("push-pull-tcp-64 send", 367.0), ("req-rep-tcp-64 receive", 4000.0)]);
        assert_eq!(written.to_string().parse::<Counts>().unwrap(), written);
        assert!("push-pull many".parse::<Counts>().is_err());
    }

    #[test]
    fn three_per_cent_more_is_too_much() {
        let agreed = counts(&[("a", 1000.0), ("b", 20.0)]);
        assert!(counts(&[("a", 1029.0), ("b", 20.9)]).compared_with(&agreed).is_good());
        let verdict = counts(&[("a", 1031.0), ("b", 20.0)]).compared_with(&agreed);
        assert!(!verdict.is_good());
        assert!(
            verdict.to_string().contains("TOO MUCH") && verdict.to_string().contains("--update"),
            "{verdict}"
        );
        assert!(
            !counts(&[("a", 1000.0)]).compared_with(&agreed).is_good(),
            "what is not counted is not good"
        );
        let verdict = counts(&[("a", 900.0), ("b", 20.0)]).compared_with(&agreed);
        assert!(verdict.is_good() && verdict.to_string().contains("better"), "{verdict}");
    }
}
