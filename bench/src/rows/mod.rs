//! How each row is measured: which processes, and which figures come of their counters.

mod instructions;
mod timed;

use crate::{Error, Options, Peer, Row, report::Figure};

/// One measurement: the row's figures for one competitor.
pub(crate) fn measure(row: Row, peer: Peer, options: &Options) -> Result<Vec<(Figure, f64)>, Error> {
    match row {
        Row::Stream(transport) => timed::stream(peer, transport, 1, options),
        Row::FourThreads => timed::stream(peer, crate::Transport::Tcp, 4, options),
        Row::RoundTrip(transport) => timed::round_trip(peer, transport, options),
        Row::Callers => timed::callers(peer, options),
        Row::Idle => timed::idle(peer, options),
        Row::Instructions => instructions::measure(peer),
    }
}
