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
//! What makes the comparison fair: the same high-water marks (1000 messages each way, fewer of 64 KiB
//! and more), system default buffers and one I/O thread for everybody; rates are taken at the receiver after a
//! warm-up; CPU is that of both ends; competitors take turns run by run and the table shows medians.
#![deny(unsafe_op_in_unsafe_fn)]

mod arguments;
mod awake;
mod child;
#[cfg(target_os = "linux")]
mod clients;
mod error;
pub mod gate;
mod limits;
mod load;
mod machine;
mod options;
mod peers;
mod plan;
mod report;
mod roles;
mod rows;
mod usage;
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "crowds of clients, and what echoes to them, need epoll")
)]
mod wire;

pub use error::Error;
pub use options::{Options, Pattern, Peer, Row, Topics, Transport};
pub use peers::Setup;
pub use plan::run;
pub use report::{Entry, Figure, Outcome, Report, Samples};
pub use roles::run_role;

/// For programs that play further competitors: implement [`Library`](player::Library) and
/// [`Socket`](player::Socket), and give [`play`](player::play) to [`run_role_with`](player::run_role_with).
pub mod player {
    pub use crate::load::{Asker, Counter, Source, spawn_worker};
    pub use crate::peers::{Kind, Library, Setup, Socket, fresh_endpoint};
    pub use crate::roles::{Player, Role, play, run_role_with};
}
