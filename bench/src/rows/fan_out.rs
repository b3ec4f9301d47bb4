//! PUB publishes to several SUB as fast as it can.

use std::time::Duration;

use super::{Figures, ends::Ends};
use crate::{
    Error, Options, Peer, Setup, Topics, Transport, arguments::Arguments, child::PATIENCE, report::Figure,
};

const SMALL: usize = 64;
/// How many topics that nothing begins with each subscriber asks for, where there are many.
const OTHERS: usize = 10_000;
/// Ten thousand subscriptions each take their time in some libraries.
const TO_SUBSCRIBE: Duration = Duration::from_secs(40);

pub(super) fn measure(
    peer: Peer,
    transport: Transport,
    subscribers: usize,
    topics: Topics,
    options: &Options,
) -> Result<Figures, Error> {
    let setup = Setup::of_bytes(SMALL).with_connections(subscribers);
    let wanted = Arguments::new()
        .with("sockets", subscribers)
        .with("filtered", topics == Topics::Filtered)
        .with("others", if topics == Topics::Many { OTHERS } else { 0 });
    let mut ends = if transport == Transport::Inproc {
        Ends::one(peer, "pub-sub-inproc", &setup, wanted)?
    } else {
        let publish =
            Arguments::new().with("transport", transport).with("filtered", topics == Topics::Filtered);
        Ends::two(peer, &setup, ("publish", publish), ("subscribe", wanted))?
    };
    ends.reached(if topics == Topics::Many { TO_SUBSCRIBE } else { PATIENCE })?;
    let both = ends.watch(options.warm_up, options.measure)?;
    let delivered = both.messages as f64;
    Ok(vec![
        (Figure::MessagesPerSecond, delivered / both.seconds),
        (Figure::LostPercent, both.lost as f64 * 100.0 / (delivered + both.lost as f64)),
        (Figure::CpuPerMillion, both.cpu_seconds * 1e6 / delivered),
    ])
}
