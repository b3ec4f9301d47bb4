//! `slk stats`: one snapshot of another program's counters.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::{Feed, Target, Topic};
use crate::exit::{Failure, print_to_reader};

/// Without `--timeout`. A snapshot comes each second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// JSON instead of the text that Prometheus reads
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let topic = if args.json { Topic::Stats } else { Topic::Prometheus };
    let feed = Feed::open(&args.target.endpoint, topic)?;
    let body = feed.next(Some(args.target.timeout.unwrap_or(PATIENCE)))?;
    print_to_reader(String::from_utf8_lossy(&body).trim_end()).map(drop)
}
