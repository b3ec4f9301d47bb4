//! Stats endpoints: opening one for a command's own sockets, and following that of another program.

pub(crate) mod events;
mod feed;
pub(crate) mod snapshot;
pub(crate) mod stats;
mod time;

use std::time::Duration;

use clap::Args;
use serverlink::{Context, StatsServer};

use crate::cli::duration;
use crate::exit::{Failure, say};
pub(crate) use feed::{Feed, Topic};
pub(crate) use snapshot::Snapshot;

/// Where to look, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// The stats endpoint of a program, as its `--stats` or its `Context::serve_stats` has it
    #[arg(value_name = "ENDPOINT")]
    pub(crate) endpoint: String,

    /// Give up when nothing came for so long: 5, 1.5s, 300ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// Opens the endpoint of `--stats`, if it was asked for. It is open as long as what comes back is kept.
pub(crate) fn serve(
    context: &Context,
    endpoint: Option<&str>,
    quiet: bool,
) -> Result<Option<StatsServer>, Failure> {
    let Some(endpoint) = endpoint else { return Ok(None) };
    let server = context.serve_stats(endpoint)?;
    if !quiet {
        say(format_args!("stats at {}", server.endpoint()));
    }
    Ok(Some(server))
}
