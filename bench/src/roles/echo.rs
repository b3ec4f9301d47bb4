//! The role of the rows with many connections: a ROUTER that sends everything back.

use super::{Stage, Started};
use crate::{
    Error, Transport,
    load::{Counter, Tally, spawn_worker},
    peers::{Kind, Library, Socket},
};

/// `echo`: one bound ROUTER.
pub(super) fn echo<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (mut socket, endpoint) = stage.library.bind(Kind::Router, Transport::Tcp)?;
    // Echoes are counted where they arrive.
    let mut uncounted = Counter::new(Tally::default().worker());
    spawn_worker(move || socket.echo_all(&mut uncounted));
    Ok(Started::new(Tally::default(), vec![endpoint]))
}
