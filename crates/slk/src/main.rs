//! `slk`: ServerLink on the command line. `slk --help` tells everything.

#![forbid(unsafe_code)]

mod bench;
mod cli;
mod completions;
mod demo;
mod doctor;
mod exit;
mod format;
mod patient;
mod proxy;
mod run;
mod top;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Task};
use crate::exit::{Exit, Failure};

fn main() -> ExitCode {
    // The benchmark starts this program again, once for each role.
    if let Some(code) = serverlink_bench::run_role() {
        return code;
    }
    let outcome = match Cli::parse().command.into_task() {
        Task::Move(job) => run::run(&job),
        Task::Demo(args) => demo::run(&args),
        Task::DemoServer(args) => demo::serve(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Monitor(args) => watch::events::run(&args),
        Task::Stats(args) => watch::stats::run(&args),
        Task::Top(args) => top::run(&args),
        Task::Completions(shell) => completions::completions(shell),
        Task::Man => completions::manual(),
        Task::Doctor => doctor::run(),
        Task::Proxy(args) => proxy::run(&args),
    };
    match outcome {
        Ok(()) => Exit::Done.into(),
        Err(Failure { exit, sentence }) => {
            exit::say(&sentence);
            exit.into()
        }
    }
}
