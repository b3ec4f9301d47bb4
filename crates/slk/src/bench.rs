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
    /// Every row and every competitor, three short runs: less than half an hour
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Only this row, such as push-pull-tcp-64, or a family, such as push-pull-tcp, req-rep or echo; all. Repeatable; a wrong name lists them
    #[arg(long = "row", value_name = "ROW", value_parser = Row::matching)]
    rows: Vec<Vec<Row>>,
    /// Only this competitor: raw, libzmq, serverlink, ...; all. Repeatable; a wrong name lists them
    #[arg(long = "peer", value_name = "PEER", value_parser = Peer::matching)]
    peers: Vec<Vec<Peer>>,
    /// Also write every sample to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the tables as Markdown to FILE
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Also draw the figures into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let report = serverlink_bench::run(&options(args)).map_err(|why| Failure::of("measuring", why))?;
    print(&report)?;
    write(args.json.as_ref(), || report.to_json())?;
    write(args.markdown.as_ref(), || report.to_markdown())?;
    write(args.svg.as_ref(), || report.to_svg())?;
    if report.has_failures() {
        return Err(Failure::new(Exit::Failed, "some figures could not be measured; the table says which"));
    }
    Ok(())
}

/// Writes what was asked for.
fn write(path: Option<&PathBuf>, text: impl FnOnce() -> String) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(());
    };
    fs::write(path, text()).map_err(|why| Failure::of(format_args!("writing {}", path.display()), why))
}

fn options(args: &Args) -> Options {
    let mut options = match (args.full, args.quick) {
        (true, _) => Options::full(),
        (_, true) => Options::quick(),
        _ => Options::default(),
    };
    options.on_step = |step| say(step);
    options.runs = args.runs.unwrap_or(options.runs);
    if !args.rows.is_empty() {
        options.rows = args.rows.concat();
    }
    if !args.peers.is_empty() {
        options.peers = args.peers.concat();
    }
    options
}
