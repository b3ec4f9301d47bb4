//! `serverlink-bench-peers`: plays the roles of ServerLink's benchmark with other libraries.
//!
//! `serverlink-bench` finds this program beside itself, builds it, or is told where it is, and starts it for
//! each competitor that is played here.

use std::process::ExitCode;

fn main() -> ExitCode {
    serverlink_bench_peers::run_role().unwrap_or_else(|| {
        eprintln!(
            "serverlink-bench-peers: serverlink-bench starts this program; `--peer all` of that one runs it"
        );
        ExitCode::FAILURE
    })
}
