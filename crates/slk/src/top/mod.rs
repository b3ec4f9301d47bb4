//! `slk top`: the sockets and peers of another program, live.

mod numbers;
mod rows;
mod screen;
mod table;
mod view;

use std::io::{self, IsTerminal};

use clap::Args as ClapArgs;

use crate::exit::{Exit, Failure, print_to_reader};
use crate::watch::{Feed, Snapshot, Target, Topic, stats::PATIENCE};
use rows::{Column, Order, Rows};

#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// Write one table after two snapshots, and end
    #[arg(long)]
    once: bool,

    /// What the rows are sorted by
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t)]
    sort: Column,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let is_live = !args.once;
    if is_live && !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        let sentence = "`slk top` draws on a terminal, and this is none; --once writes one table";
        return Err(Failure::new(Exit::Failed, sentence));
    }
    let feed = Feed::open(&args.target.endpoint, Topic::Stats)?;
    let order = Order::by(args.sort);
    if is_live {
        return screen::run(&feed, &args.target, order);
    }
    let next =
        || feed.next(Some(args.target.timeout.unwrap_or(PATIENCE))).and_then(|body| Snapshot::parse(&body));
    let (before, now) = (next()?, next()?);
    let rows = Rows::between(Some(&before), &now, order);
    for line in table::lines(&rows) {
        if !print_to_reader(line)? {
            break;
        }
    }
    Ok(())
}
