//! Roles of the one-way rows: PUSH sends 64-byte messages as fast as it can, PULL counts them.

use std::{hint::black_box, sync::Arc};

use super::{Tally, parse, say, spawn_worker, tally::Worker};
use crate::{
    Error, Transport,
    peers::{BODY_BYTES, Kind, Library, Socket},
};

/// How many messages a receiver takes between two updates of its counter.
const PUBLISH_EVERY: u64 = 256;

/// `pull TRANSPORT SOCKETS ANNOUNCE_AT`: one thread and one bound socket per sender. Says `reached`
/// when one of them has taken `ANNOUNCE_AT` messages (0: never, and counts in larger steps).
pub(super) fn pull<L: Library>(library: &L, arguments: &[String]) -> Result<(Tally, Vec<String>), Error> {
    let transport: Transport = parse(arguments, 0)?;
    let sockets: usize = parse(arguments, 1)?;
    let announce_at: u64 = parse(arguments, 2)?;
    let mut tally = Tally::default();
    let mut endpoints = Vec::new();
    for _ in 0..sockets {
        let (socket, endpoint) = library.bind(Kind::Pull, transport)?;
        endpoints.push(endpoint);
        let worker = tally.worker();
        spawn_worker(move || receive(socket, &worker, announce_at));
    }
    Ok((tally, endpoints))
}

/// `push COUNT ENDPOINT...`: one thread and one socket per endpoint (`COUNT` 0: without end).
pub(super) fn push<L: Library>(library: &L, arguments: &[String]) -> Result<(Tally, Vec<String>), Error> {
    let count = match parse(arguments, 0)? {
        0 => u64::MAX,
        count => count,
    };
    for endpoint in &arguments[1..] {
        let socket = library.connect(Kind::Push, endpoint)?;
        spawn_worker(move || send(socket, count));
    }
    Ok((Tally::default(), Vec::new()))
}

/// `stream-inproc`: both ends in this process.
pub(super) fn inproc<L: Library>(library: &L) -> Result<(Tally, Vec<String>), Error> {
    let (receiver, sender) = library.inproc_pair(Kind::Pull, Kind::Push)?;
    let mut tally = Tally::default();
    let worker = tally.worker();
    spawn_worker(move || receive(receiver, &worker, 0));
    spawn_worker(move || send(sender, u64::MAX));
    Ok((tally, Vec::new()))
}

fn receive(mut socket: impl Socket, worker: &Arc<Worker>, announce_at: u64) -> Result<(), Error> {
    let publish_every = if announce_at == 0 { PUBLISH_EVERY } else { 1 };
    let mut announced = announce_at == 0;
    let mut total = 0;
    loop {
        let publish_at = total + publish_every;
        while total < publish_at {
            total += socket.recv()?;
        }
        worker.set_messages(total);
        if !announced && total >= announce_at {
            announced = true;
            say("reached");
        }
    }
}

fn send(mut socket: impl Socket, count: u64) -> Result<(), Error> {
    let body = [b'm'; BODY_BYTES];
    let mut sent = 0;
    while sent < count {
        sent += socket.send(black_box(&body))?;
    }
    // The socket stays open, or what is still queued would be lost with it.
    loop {
        std::thread::park();
    }
}
