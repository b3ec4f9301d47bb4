//! REQ asks, REP answers.

use std::time::Duration;

use super::{Figures, ends::Ends};
use crate::{
    Error, Options, Peer, Setup, Transport, arguments::Arguments, child::PATIENCE, load::Measured,
    report::Figure,
};

const SMALL: usize = 64;
const CALLERS: usize = 16;
const PACE: Duration = Duration::from_millis(10);
const SPARSE_PACE: Duration = Duration::from_millis(1);

pub(super) fn round_trip(
    peer: Peer,
    transport: Transport,
    bytes: usize,
    options: &Options,
) -> Result<Figures, Error> {
    let setup = Setup::of_bytes(bytes);
    let mut ends = if transport == Transport::Inproc {
        Ends::one(peer, "round-trip-inproc", &setup, Arguments::new())?
    } else {
        let answer = Arguments::new().with("transport", transport).with("announce", 1);
        let ends = Ends::two(peer, &setup, ("answer", answer), ("ask", Arguments::new()))?;
        ends.first_reached(PATIENCE)?;
        ends
    };
    let both = ends.watch(options.warm_up, options.measure)?;
    let mut figures = latencies(&both);
    figures.push((Figure::CpuPerRoundTrip, both.cpu_seconds * 1e6 / both.messages as f64));
    figures.push((Figure::SwitchesPerRoundTrip, both.switches as f64 / both.messages as f64));
    Ok(figures)
}

pub(super) fn callers(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let setup = Setup::of_bytes(SMALL).with_connections(CALLERS);
    let answer = Arguments::new().with("transport", Transport::Tcp).with("callers", CALLERS);
    let ask = Arguments::new().with("callers", CALLERS).with("pace", PACE.as_micros());
    let mut ends = Ends::two(peer, &setup, ("answer", answer), ("ask", ask))?;
    let both = ends.watch(options.warm_up, options.measure)?;
    let mut figures = vec![
        (Figure::CpuPerRoundTrip, both.cpu_seconds * 1e6 / both.messages as f64),
        (Figure::SwitchesPerRoundTrip, both.switches as f64 / both.messages as f64),
    ];
    figures.extend(latencies(&both));
    Ok(figures)
}

/// The caller's latencies, and the flood's rate.
pub(super) fn beside_flood(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let client = Arguments::new().with("pace", SPARSE_PACE.as_micros());
    let setup = Setup::of_bytes(SMALL);
    let mut ends = Ends::two(peer, &setup, ("beside-server", Arguments::new()), ("beside-client", client))?;
    let each = ends.watch_each(options.warm_up, options.measure)?;
    let [server, client] = each.as_slice() else { unreachable!("two ends were started") };
    if client.messages == 0 || server.messages == 0 {
        return Err(Error::child("measured", "moved no message"));
    }
    let mut figures = latencies(client);
    figures.push((Figure::MessagesPerSecond, server.messages as f64 / server.seconds));
    Ok(figures)
}

fn latencies(measured: &Measured) -> Figures {
    vec![(Figure::P50, measured.p50_us), (Figure::P99, measured.p99_us), (Figure::P999, measured.p999_us)]
}
