//! Roles of the round-trip rows: REQ asks, REP answers.

use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use super::{Stage, Started};
use crate::{
    Error, Transport,
    load::{Asker, Counter, Tally, spawn_worker},
    peers::{Kind, Library, Socket},
};

/// `answer transport= callers= announce=`: as few answering sockets as the library needs for so many callers.
pub(super) fn answer<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let transport: Transport = stage.arguments.need("transport")?;
    let callers: usize = stage.arguments.get("callers", 1)?;
    let announce = stage.arguments.get("announce", 0)?;
    let servers = callers.div_ceil(L::CALLERS_PER_SERVER);
    let missing = Arc::new(AtomicUsize::new(servers));
    let mut endpoints = Vec::new();
    for _ in 0..servers {
        let (socket, endpoint) = stage.library.bind(Kind::Rep, transport)?;
        endpoints.push(endpoint);
        // Round trips are counted where they are asked.
        let uncounted = Counter::new(Tally::default().worker()).announcing(announce, &missing);
        spawn_answering(socket, stage.setup.body_bytes, uncounted);
    }
    Ok(Started::new(Tally::default(), endpoints))
}

/// `ask callers= pace= count= endpoint=...`: callers that ask once per pace in microseconds (0: at once again), so often each
/// (0: without end).
pub(super) fn ask<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let callers: usize = stage.arguments.get("callers", 1)?;
    let pace = Duration::from_micros(stage.arguments.get("pace", 0)?);
    let count = stage.arguments.get("count", 0)?;
    let mut tally = Tally::default();
    for (index, endpoint) in (0..callers).zip(stage.arguments.endpoints().iter().cycle()) {
        let socket = stage.library.connect(Kind::Req, endpoint)?;
        // Callers come spread over the pace, as independent ones would.
        let first_wait = pace * index as u32 / callers as u32;
        let asker = Asker::new(stage.setup.body_bytes, &tally.worker(), count).paced(pace, first_wait);
        spawn_asking(socket, asker);
    }
    Ok(Started::new(tally, Vec::new()))
}

/// `round-trip-inproc`: both ends in this process.
pub(super) fn inproc<L: Library>(stage: &Stage<'_, L>) -> Result<Started, Error> {
    let (server, client) = stage.library.inproc_pair(Kind::Rep, Kind::Req)?;
    let mut tally = Tally::default();
    let body_bytes = stage.setup.body_bytes;
    spawn_answering(server, body_bytes, Counter::new(Tally::default().worker()));
    spawn_asking(client, Asker::new(body_bytes, &tally.worker(), stage.arguments.get("count", 0)?));
    Ok(Started::new(tally, Vec::new()))
}

pub(super) fn spawn_answering(mut socket: impl Socket, body_bytes: usize, mut counter: Counter) {
    spawn_worker(move || socket.answer(&vec![b'r'; body_bytes], &mut counter));
}

pub(super) fn spawn_asking(mut socket: impl Socket, mut asker: Asker) {
    spawn_worker(move || {
        socket.ask(&mut asker)?;
        // The other end may be answering still.
        loop {
            std::thread::park();
        }
    });
}
