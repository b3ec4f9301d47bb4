//! Roles of the round-trip rows: REQ asks, REP answers with what it got.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Tally, parse, spawn_worker, tally::Worker};
use crate::{
    Error, Transport,
    peers::{BODY_BYTES, Kind, Library, Socket},
};

/// `rep TRANSPORT CALLERS`: as few answering threads as the library needs for so many callers.
pub(super) fn rep<L: Library>(library: &L, arguments: &[String]) -> Result<(Tally, Vec<String>), Error> {
    let transport: Transport = parse(arguments, 0)?;
    let callers: usize = parse(arguments, 1)?;
    let mut endpoints = Vec::new();
    for _ in 0..callers.div_ceil(L::CALLERS_PER_SERVER) {
        let (socket, endpoint) = library.bind(Kind::Rep, transport)?;
        endpoints.push(endpoint);
        spawn_worker(move || answer(socket));
    }
    Ok((Tally::default(), endpoints))
}

/// `req CALLERS PACE_MICROSECONDS ENDPOINT...`: callers that ask once per pace (0: at once again).
pub(super) fn req<L: Library>(library: &L, arguments: &[String]) -> Result<(Tally, Vec<String>), Error> {
    let callers: usize = parse(arguments, 0)?;
    let pace = Duration::from_micros(parse(arguments, 1)?);
    let endpoints = &arguments[2..];
    let mut tally = Tally::default();
    for (index, endpoint) in (0..callers).zip(endpoints.iter().cycle()) {
        let socket = library.connect(Kind::Req, endpoint)?;
        let worker = tally.worker();
        // Callers come spread over the pace, as independent ones would.
        let first_wait = pace * index as u32 / callers as u32;
        spawn_worker(move || {
            std::thread::sleep(first_wait);
            ask(socket, &worker, pace)
        });
    }
    Ok((tally, Vec::new()))
}

/// `round-trip-inproc`: both ends in this process.
pub(super) fn inproc<L: Library>(library: &L) -> Result<(Tally, Vec<String>), Error> {
    let (server, client) = library.inproc_pair(Kind::Rep, Kind::Req)?;
    let mut tally = Tally::default();
    let worker = tally.worker();
    spawn_worker(move || answer(server));
    spawn_worker(move || ask(client, &worker, Duration::ZERO));
    Ok((tally, Vec::new()))
}

fn answer(mut socket: impl Socket) -> Result<(), Error> {
    let body = [b'r'; BODY_BYTES];
    loop {
        socket.recv()?;
        socket.send(black_box(&body))?;
    }
}

fn ask(mut socket: impl Socket, worker: &Arc<Worker>, pace: Duration) -> Result<(), Error> {
    let body = [b'q'; BODY_BYTES];
    let mut total = 0;
    let mut started = Instant::now();
    loop {
        let asked = Instant::now();
        socket.send(black_box(&body))?;
        socket.recv()?;
        worker.record(asked.elapsed());
        total += 1;
        worker.set_messages(total);
        if !pace.is_zero() {
            started += pace;
            std::thread::sleep(started.saturating_duration_since(Instant::now()));
        }
    }
}
