//! `slk demo`: three server processes that move text between them and lose nothing, and the proof of it in one line.
//!
//! The director (this process) publishes orders and pulls reports; the servers subscribe to the orders, link to each other with
//! ROUTER sockets and push reports. [`link`] is what applications build on top of such a link: sequence numbers,
//! acknowledgements, and sending again what a lost connection took with it. [`journal`] adds what it takes to lose nothing with a
//! process that is killed: what came is kept before it is acknowledged, and a new life asks its peers where they are.

mod account;
mod director;
mod journal;
mod lines;
mod link;
mod server;
mod servers;
mod table;
mod wire;

pub(crate) use director::run;
pub(crate) use server::serve;

use std::path::PathBuf;

/// How many servers there are.
const SERVERS: usize = 3;

/// What the demo moves.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    /// Move the lines of FILE, each once, instead of a text that slk ships
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// Move so many lines, the text over and over
    #[arg(long, value_name = "COUNT")]
    lines: Option<u64>,

    /// Cut links so many times while lines move, to see what a lost connection costs
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    unplug: u64,

    /// Kill a server so many times while lines move, and start it again under its routing id
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    restarts: u64,

    /// Let others follow the first server at ENDPOINT: slk top, slk monitor and slk stats connect there
    #[arg(long, value_name = "ENDPOINT")]
    stats: Option<String>,
}

/// One server, as the director starts it: with the number of lines, whatever the user said.
#[derive(clap::Args, Debug)]
pub(crate) struct ServerArgs {
    #[arg(long)]
    index: usize,
    /// Where the director publishes.
    #[arg(long)]
    orders: String,
    /// Where the director pulls.
    #[arg(long)]
    reports: String,
    /// Where the server keeps what must outlive it.
    #[arg(long)]
    state: PathBuf,
    /// How often it was killed before.
    #[arg(long)]
    life: u64,
    /// Where each server listens, this one too: it was there before.
    #[arg(long, num_args = 1..)]
    roster: Vec<String>,
    #[command(flatten)]
    text: Args,
}

/// What a server is called, as a routing id and in the table.
fn server_name(index: usize) -> String {
    format!("server-{}", index + 1)
}
