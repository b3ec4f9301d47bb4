//! What the measured loops are given to do, and what they count it with.

mod asker;
mod counter;
mod sequence;
mod source;
mod tally;
mod worker;

pub use asker::Asker;
pub use counter::Counter;
pub use source::Source;
pub(crate) use tally::{Measured, Tally};
pub use worker::spawn_worker;
pub(crate) use worker::{Worker, report_error, say, say_reached, say_ready};
