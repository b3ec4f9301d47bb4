//! `slk bench`: the benchmark crate, with the options that most want.

use std::fs;
use std::path::PathBuf;

use serverlink_bench::{Options, Peer, Row};

use crate::exit::{Exit, Failure, print, say};

/// What to measure.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Short runs, without the instruction count: half a minute instead of minutes
    #[arg(long)]
    quick: bool,
    /// Interleaved runs that the medians are of
    #[arg(long, value_name = "N")]
    runs: Option<usize>,
    /// Only this row of the table, such as stream-tcp or round-trip-inproc. Repeatable; a wrong name lists them
    #[arg(long = "row", value_name = "ROW")]
    rows: Vec<Row>,
    /// Only this competitor: raw, libzmq, serverlink. Repeatable
    #[arg(long = "peer", value_name = "PEER")]
    peers: Vec<Peer>,
    /// Also write every sample to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let report = serverlink_bench::run(&options(args)).map_err(|why| Failure::of("measuring", why))?;
    print(&report)?;
    if let Some(path) = &args.json {
        fs::write(path, report.to_json())
            .map_err(|why| Failure::of(format_args!("writing {}", path.display()), why))?;
    }
    if report.has_failures() {
        return Err(Failure::new(Exit::Failed, "some figures could not be measured; the table says which"));
    }
    Ok(())
}

fn options(args: &Args) -> Options {
    let mut options = if args.quick { Options::quick() } else { Options::default() };
    options.on_step = |step| say(step);
    options.runs = args.runs.unwrap_or(options.runs);
    if !args.rows.is_empty() {
        options.rows.clone_from(&args.rows);
    }
    if !args.peers.is_empty() {
        options.peers.clone_from(&args.peers);
    }
    options
}
