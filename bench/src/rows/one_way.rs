//! One end sends as fast as it can, the other counts.

use super::{Figures, ends::Ends};
use crate::{
    Error, Options, Pattern, Peer, Setup, Transport, arguments::Arguments, child::PATIENCE, load::Measured,
    report::Figure,
};

const SMALL: usize = 64;
const THREADS: usize = 4;
/// An idle pair is watched for so many times the measuring time: what happens is rare.
const IDLE_FACTOR: u32 = 5;

pub(super) fn stream(
    peer: Peer,
    pattern: Pattern,
    transport: Transport,
    bytes: usize,
    options: &Options,
) -> Result<Figures, Error> {
    let (from, to) = match pattern {
        Pattern::PushPull => ("push", "pull"),
        Pattern::DealerRouter => ("dealer", "router"),
    };
    let setup = Setup::of_bytes(bytes);
    let mut ends = if transport == Transport::Inproc {
        let arguments = Arguments::new().with("from", from).with("to", to).with("announce", 1);
        Ends::one(peer, "stream-inproc", &setup, arguments)?
    } else {
        let to = Arguments::new().with("kind", to).with("transport", transport).with("announce", 1);
        Ends::two(peer, &setup, ("receive", to), ("send", Arguments::new().with("kind", from)))?
    };
    ends.first_reached(PATIENCE)?;
    let both = ends.watch(options.warm_up, options.measure)?;
    Ok(figures(&both, Some(bytes)))
}

pub(super) fn four_sockets(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let mut ends = linked(peer, Arguments::new().with("sockets", THREADS), Arguments::new())?;
    Ok(figures(&ends.watch(options.warm_up, options.measure)?, None))
}

pub(super) fn shared_socket(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let mut ends = linked(peer, Arguments::new(), Arguments::new().with("threads", THREADS))?;
    Ok(figures(&ends.watch(options.warm_up, options.measure)?, None))
}

/// The receiver waits in a receive, the sender in nothing; one message has shown that they are
/// linked.
pub(super) fn idle(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let mut ends = linked(peer, Arguments::new().with("announce", 1), Arguments::new().with("count", 1))?;
    ends.first_reached(PATIENCE)?;
    let each = ends.watch_each(options.warm_up, options.measure * IDLE_FACTOR)?;
    let both = each.into_iter().reduce(Measured::joined).expect("two ends were started");
    Ok(vec![
        (Figure::SwitchesPerSecond, both.switches as f64 / both.seconds),
        (Figure::CpuPercent, both.cpu_seconds * 100.0 / both.seconds),
    ])
}

fn linked(peer: Peer, receive: Arguments, send: Arguments) -> Result<Ends, Error> {
    let receive = Arguments::new().with("kind", "pull").with("transport", Transport::Tcp).and(receive);
    let send = Arguments::new().with("kind", "push").and(send);
    Ends::two(peer, &Setup::of_bytes(SMALL), ("receive", receive), ("send", send))
}

/// The rate in bytes is shown where sizes differ.
fn figures(both: &Measured, bytes: Option<usize>) -> Figures {
    let messages = both.messages as f64;
    let rate = messages / both.seconds;
    let mut figures = vec![(Figure::MessagesPerSecond, rate)];
    figures.extend(bytes.map(|bytes| (Figure::BytesPerSecond, rate * bytes as f64)));
    figures.push((Figure::CpuPerMillion, both.cpu_seconds * 1e6 / messages));
    figures.push((Figure::SwitchesPerMillion, both.switches as f64 * 1e6 / messages));
    figures
}
