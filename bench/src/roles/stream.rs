//! Roles of the one-way rows: one end sends as fast as it can, the other counts.

use std::sync::{Arc, atomic::AtomicUsize};

use super::{Stage, Started};
use crate::{
    Error, Transport,
    load::{Counter, Source, Tally, spawn_worker},
    peers::{Kind, Library, Socket},
};

/// `receive kind= transport= sockets= announce=`: one bound socket per sender. Says `reached` when each has taken `announce`
/// messages (0: never).
pub(super) fn receive<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (kind, transport): (Kind, Transport) =
        (stage.arguments.need("kind")?, stage.arguments.need("transport")?);
    let sockets = stage.arguments.get("sockets", 1)?;
    let announce = stage.arguments.get("announce", 0)?;
    let missing = Arc::new(AtomicUsize::new(sockets));
    let mut tally = Tally::default();
    let (mut ends, mut endpoints) = (Vec::new(), Vec::new());
    for _ in 0..sockets {
        let (socket, endpoint) = stage.library.bind(kind, transport)?;
        endpoints.push(endpoint);
        ends.push((socket, Counter::new(tally.worker()).announcing(announce, &missing)));
    }
    stage.library.drain_all(ends)?;
    Ok(Started::new(tally, endpoints))
}

/// `send kind= count= threads= endpoint=...`: one socket per endpoint, with so many threads each (`count` 0: without end).
pub(super) fn send<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let kind = stage.arguments.need("kind")?;
    let count = stage.arguments.get("count", 0)?;
    let threads: usize = stage.arguments.get("threads", 1)?;
    for endpoint in stage.arguments.endpoints() {
        let socket = stage.library.connect(kind, &endpoint)?;
        for _ in 1..threads {
            spawn_flood(socket.share()?, Source::new(stage.setup.body_bytes, count));
        }
        spawn_flood(socket, Source::new(stage.setup.body_bytes, count));
    }
    Ok(Started::new(Tally::default(), Vec::new()))
}

/// `stream-inproc from= to=`: both ends in this process.
pub(super) fn inproc<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (from, to) = (stage.arguments.need("from")?, stage.arguments.need("to")?);
    let (receiver, sender) = stage.library.inproc_pair(to, from)?;
    let announce = stage.arguments.get("announce", 0)?;
    let count = stage.arguments.get("count", 0)?;
    let mut tally = Tally::default();
    let counter = Counter::new(tally.worker()).announcing(announce, &Arc::new(AtomicUsize::new(1)));
    stage.library.drain_all(vec![(receiver, counter)])?;
    spawn_flood(sender, Source::new(stage.setup.body_bytes, count));
    Ok(Started::new(tally, Vec::new()))
}

pub(super) fn spawn_flood(mut socket: impl Socket, mut source: Source) {
    spawn_worker(move || {
        socket.flood(&mut source)?;
        // The socket stays open, or what is still queued would be lost with it.
        loop {
            std::thread::park();
        }
    });
}
