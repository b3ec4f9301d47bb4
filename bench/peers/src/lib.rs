//! Other messaging libraries as competitors of ServerLink's benchmark.
//!
//! Every competitor does each row in the way its crate does it best. Bodies are borrowed by all of them, so a
//! library that wants to own bytes pays for a copy.
#![forbid(unsafe_code)]

mod monocoque;
mod omq;
mod rzmq;
mod tasks;
mod zmq_rs;

use std::process::ExitCode;

use serverlink_bench::{
    Peer,
    player::{Player, play, run_role_with},
};

/// Who is played here.
pub const PLAYERS: [(Peer, Player); 6] = [
    (Peer::OmqBlocking, play::<omq::OmqBlocking>),
    (Peer::OmqCurrentThread, play::<omq::OmqCurrentThread>),
    (Peer::OmqExclusive, play::<omq::OmqExclusive>),
    (Peer::Monocoque, play::<monocoque::Monocoque>),
    (Peer::Zeromq, play::<zmq_rs::ZmqRs>),
    (Peer::Rzmq, play::<rzmq::Rzmq>),
];

/// Plays the role that this process was started with, if it was started with one.
pub fn run_role() -> Option<ExitCode> {
    run_role_with(&PLAYERS)
}
