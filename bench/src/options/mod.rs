//! What to measure, and for how long.

mod peer;
mod row;
mod transport;

use std::{fmt, time::Duration};

pub use peer::Peer;
pub use row::{Pattern, Row, Topics};
pub use transport::Transport;

use crate::Error;

/// One benchmark run: which rows, which competitors, how often, how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many interleaved runs the medians are of. Default 5; clamped to at least 1. Rows of counts that do not vary, and of
    /// memory, are measured once.
    pub runs: usize,
    /// Unmeasured time at the start of each measurement. Default 300 ms.
    pub warm_up: Duration,
    /// How long each figure is measured. Default 1 s.
    pub measure: Duration,
    /// The rows, in the order of the table. Default: [`Row::common`].
    pub rows: Vec<Row>,
    /// The competitors. Default: [`Peer::USUAL`].
    pub peers: Vec<Peer>,
    /// Keep every core from halting with an idle-priority spinner each. Default off.
    pub keep_awake: bool,
    /// Called with one line before each measurement, for progress. Default: does nothing.
    pub on_step: fn(&str),
}

impl Default for Options {
    fn default() -> Self {
        Options {
            runs: 5,
            warm_up: Duration::from_millis(300),
            measure: Duration::from_secs(1),
            rows: Row::common(),
            peers: Peer::USUAL.to_vec(),
            keep_awake: false,
            on_step: |_| {},
        }
    }
}

impl Options {
    /// Three short runs without the slow instruction count: a minute instead of minutes.
    pub fn quick() -> Self {
        Options {
            runs: 3,
            warm_up: Duration::from_millis(100),
            measure: Duration::from_millis(300),
            rows: Row::common().into_iter().filter(|row| !row.is_count()).collect(),
            ..Options::default()
        }
    }

    /// Every row and every competitor, three short runs: what `BENCHMARKS.md` shows. Takes less than half an hour.
    pub fn full() -> Self {
        Options {
            runs: 3,
            warm_up: Duration::from_millis(100),
            measure: Duration::from_millis(300),
            rows: Row::all(),
            peers: Peer::ALL.to_vec(),
            ..Options::default()
        }
    }
}

fn find<T: Copy + fmt::Display>(what: &'static str, name: &str, all: &[T]) -> Result<T, Error> {
    all.iter().copied().find(|known| known.to_string() == name).ok_or_else(|| Error::UnknownName {
        what,
        name: name.to_owned(),
        known: all.iter().map(T::to_string).collect::<Vec<_>>().join(" "),
    })
}
