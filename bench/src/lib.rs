//! Measures ServerLink beside its peers in one interleaved run.
//!
//! Every figure comes from processes of its own: the running program starts itself again with a
//! hidden role argument, so a program that calls [`run`] must call [`run_role`] first in `main`.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     if let Some(code) = serverlink_bench::run_role() {
//!         return code;
//!     }
//!     let options = serverlink_bench::Options::quick();
//!     match serverlink_bench::run(&options) {
//!         Ok(report) => print!("{report}"),
//!         Err(error) => eprintln!("{error}"),
//!     }
//!     std::process::ExitCode::SUCCESS
//! }
//! ```
//!
//! What makes the comparison fair: the same high-water marks (1000 messages each way), system
//! default buffers and one I/O thread for everybody; rates are taken at the receiver after a
//! warm-up; CPU is that of both ends; competitors take turns run by run and the table shows medians.
#![deny(unsafe_op_in_unsafe_fn)]

mod awake;
mod child;
mod error;
mod json;
mod machine;
mod options;
mod peers;
mod plan;
mod report;
mod roles;
mod rows;
mod usage;

pub use error::Error;
pub use options::{Options, Peer, Row, Transport};
pub use plan::run;
pub use report::{Entry, Figure, Outcome, Report, Samples};
pub use roles::run_role;
