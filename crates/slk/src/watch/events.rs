//! `slk monitor`: the events of another program's sockets, a line each.

use clap::Args as ClapArgs;
use serde::Deserialize;

use super::time::of_day;
use super::{Feed, Target, Topic};
use crate::exit::{Failure, print_to_reader};

#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// Write each event as a JSON object
    #[arg(long)]
    json: bool,

    /// End after COUNT events
    #[arg(short = 'n', long, value_name = "COUNT")]
    count: Option<u64>,
}

/// What a line shows of an event.
#[derive(Deserialize)]
struct Event {
    time: f64,
    socket: u64,
    #[serde(rename = "type")]
    socket_type: String,
    text: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let feed = Feed::open(&args.target.endpoint, Topic::Event)?;
    let mut left = args.count;
    while left != Some(0) {
        let body = feed.next(args.target.timeout)?;
        let line = match args.json {
            true => String::from_utf8_lossy(&body).into_owned(),
            false => line(&body)?,
        };
        if !print_to_reader(line)? {
            return Ok(());
        }
        left = left.map(|left| left - 1);
    }
    Ok(())
}

/// `12:34:56.789Z  ROUTER 3: listens on tcp://127.0.0.1:5555`.
fn line(body: &[u8]) -> Result<String, Failure> {
    let event: Event =
        serde_json::from_slice(body).map_err(|why| Failure::of("an event could not be read", why))?;
    let Event { time, socket, socket_type, text } = event;
    Ok(format!("{}  {socket_type} {socket}: {text}", of_day(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let body = br#"{"version":1,"time":45296.25,"socket":3,"type":"ROUTER","event":"listening","text":"listens"}"#;
        assert_eq!(line(body).unwrap(), "12:34:56.250Z  ROUTER 3: listens");
        assert!(line(b"{}").is_err());
    }
}
