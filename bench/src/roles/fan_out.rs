//! Roles of the fan-out rows: PUB publishes numbered messages, every SUB counts what it gets and what it missed.

use std::sync::{Arc, atomic::AtomicUsize};

use super::{Stage, Started, stream::spawn_flood};
use crate::{
    Error, Transport,
    load::{Counter, Source, Tally},
    peers::{Kind, Library, Socket},
};

/// How many topics there are where subscribers filter.
const TOPICS: u64 = 10;

/// `publish transport= filtered= count=`: one bound socket that publishes, from the beginning and without end.
pub(super) fn publish<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (socket, endpoint) = stage.library.bind(Kind::Pub, stage.arguments.need("transport")?)?;
    spawn_flood(socket, source(stage)?);
    Ok(Started::new(Tally::default(), vec![endpoint]))
}

/// `subscribe sockets= filtered= others= endpoint=`: so many subscribers. Says `reached` when each has a message.
pub(super) fn subscribe<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let endpoints = stage.arguments.endpoints();
    let endpoint =
        endpoints.first().ok_or_else(|| Error::child("subscribe", "was started without an endpoint"))?;
    let tally = subscribers(stage, endpoint)?;
    Ok(Started::new(tally, Vec::new()))
}

/// `pub-sub-inproc`: all in this process.
pub(super) fn inproc<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (publisher, endpoint) = stage.library.bind(Kind::Pub, Transport::Inproc)?;
    let tally = subscribers(stage, &endpoint)?;
    spawn_flood(publisher, source(stage)?);
    Ok(Started::new(tally, Vec::new()))
}

fn source<L: Library>(stage: &Stage<'_, L>) -> Result<Source, Error> {
    let topics = if stage.arguments.get("filtered", false)? { TOPICS } else { 1 };
    let count = stage.arguments.get("count", 0)?;
    Ok(Source::new(stage.setup.body_bytes, count).numbered(topics))
}

fn subscribers<L: Library>(stage: &Stage<'_, L>, endpoint: &str) -> Result<Tally, Error> {
    let sockets = stage.arguments.get("sockets", 1)?;
    let filtered = stage.arguments.get("filtered", false)?;
    let others: usize = stage.arguments.get("others", 0)?;
    let announce = stage.arguments.get("announce", 1)?;
    let missing = Arc::new(AtomicUsize::new(sockets));
    let mut tally = Tally::default();
    let mut ends = Vec::new();
    for index in 0..sockets {
        let mut socket = stage.library.connect(Kind::Sub, endpoint)?;
        // Topics that nothing begins with come first: whoever receives has them all in place.
        for other in 0..others {
            socket.subscribe(format!("x{index:03}{other:06}").as_bytes())?;
        }
        let topic = [b'0' + (index as u64 % TOPICS) as u8];
        socket.subscribe(if filtered { &topic } else { b"" })?;
        ends.push((socket, Counter::new(tally.worker()).announcing(announce, &missing).numbered()));
    }
    stage.library.drain_all(ends)?;
    Ok(tally)
}
