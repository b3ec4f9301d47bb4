//! `serverlink-bench`: the benchmark as a command.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use serverlink_bench::{Options, Peer, Row};

/// Measures ServerLink beside the bare kernel and libzmq in one interleaved run.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Interleaved runs that the medians are of.
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// Milliseconds each figure is measured for.
    #[arg(long, value_name = "MILLISECONDS")]
    measure: Option<u64>,
    /// Short runs, without the instruction count.
    #[arg(long)]
    quick: bool,
    /// Only these rows (repeatable): stream-tcp, stream-ipc, stream-inproc, round-trip-tcp,
    /// round-trip-ipc, round-trip-inproc, four-threads, callers, idle, instructions.
    #[arg(long = "row", value_name = "ROW")]
    rows: Vec<Row>,
    /// Only these competitors (repeatable): raw, libzmq, serverlink.
    #[arg(long = "peer", value_name = "PEER")]
    peers: Vec<Peer>,
    /// Keep every core from halting with an idle-priority spinner.
    #[arg(long)]
    keep_awake: bool,
    /// Also write every sample to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Arguments {
    fn options(&self) -> Options {
        let mut options = if self.quick { Options::quick() } else { Options::default() };
        if let Some(runs) = self.runs {
            options.runs = runs;
        }
        if let Some(milliseconds) = self.measure {
            options.measure = Duration::from_millis(milliseconds);
        }
        if !self.rows.is_empty() {
            options.rows.clone_from(&self.rows);
        }
        if !self.peers.is_empty() {
            options.peers.clone_from(&self.peers);
        }
        options.keep_awake = self.keep_awake;
        options.on_step = |step| eprintln!("{step}");
        options
    }
}

fn main() -> ExitCode {
    if let Some(code) = serverlink_bench::run_role() {
        return code;
    }
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(failed) => ExitCode::from(u8::from(failed)),
        Err(error) => {
            eprintln!("serverlink-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let report = serverlink_bench::run(&arguments.options())?;
    println!("{report}");
    if let Some(path) = &arguments.json {
        std::fs::write(path, report.to_json())?;
    }
    Ok(report.has_failures())
}
