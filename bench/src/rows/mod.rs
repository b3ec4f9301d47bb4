//! How each row is measured: which processes, and which figures come of their counters.

mod counted;
mod crowds;
mod ends;
mod fan_out;
mod one_way;
mod round_trip;

pub(crate) use counted::Counter;

use crate::{Error, Options, Peer, Row, report::Figure};

/// What one measurement gives.
type Figures = Vec<(Figure, f64)>;

/// One measurement: the row's figures for one competitor.
pub(crate) fn measure(row: Row, peer: Peer, options: &Options) -> Result<Figures, Error> {
    match row {
        Row::OneWay { pattern, transport, bytes } => {
            one_way::stream(peer, pattern, transport, bytes, options)
        }
        Row::FourThreads => one_way::four_sockets(peer, options),
        Row::SharedSocket => one_way::shared_socket(peer, options),
        Row::Idle => one_way::idle(peer, options),
        Row::RoundTrip { transport, bytes } => round_trip::round_trip(peer, transport, bytes, options),
        Row::Callers => round_trip::callers(peer, options),
        Row::Sparse => round_trip::beside_flood(peer, options),
        Row::FanOut { transport, subscribers, topics } => {
            fan_out::measure(peer, transport, subscribers, topics, options)
        }
        Row::Echo { connections } => crowds::echo(peer, connections, options),
        Row::Connects => crowds::connects(peer, options),
        Row::Memory => crowds::memory(peer),
        Row::SystemCalls { round_trip } => counted::system_calls(peer, round_trip),
        Row::Instructions => counted::instructions(peer),
    }
}
