//! One server with many connections.

use std::time::Duration;

use super::{
    Figures,
    ends::{Ends, result},
};
use crate::{
    Error, Options, Peer, Setup, arguments::Arguments, child::PATIENCE, load::Measured, report::Figure,
};

const SMALL: usize = 64;
/// Clients that come and go at the same time.
const CHURNING: usize = 16;
/// What a server needs for its first connections is no connection's.
const FIRST: usize = 50;
const IN_MEMORY: usize = 1_000;
/// Ten thousand connections take some libraries seconds.
const TO_CONNECT: Duration = Duration::from_secs(40);

pub(super) fn echo(peer: Peer, connections: usize, options: &Options) -> Result<Figures, Error> {
    let mut ends = server(peer, connections)?;
    ends.add("clients", clients("echo", connections))?;
    ends.reached(TO_CONNECT)?;
    let (server, clients) = watch(&mut ends, options)?;
    let echoes = clients.messages as f64;
    Ok(vec![
        (Figure::EchoesPerSecond, echoes / clients.seconds),
        (Figure::ServerCpuPerEcho, server.cpu_seconds * 1e6 / echoes),
        (Figure::P50, clients.p50_us),
        (Figure::P99, clients.p99_us),
    ])
}

pub(super) fn connects(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let mut ends = server(peer, CHURNING)?;
    ends.add("clients", clients("churn", CHURNING))?;
    let (server, clients) = watch(&mut ends, options)?;
    let connections = clients.messages as f64;
    Ok(vec![
        (Figure::HandshakesPerSecond, connections / clients.seconds),
        (Figure::ServerCpuPerHandshake, server.cpu_seconds * 1e6 / connections),
    ])
}

/// Memory that is resident when all are through the handshake and silent, and when each has ten answers.
pub(super) fn memory(peer: Peer) -> Result<Figures, Error> {
    let mut ends = server(peer, FIRST + IN_MEMORY)?;
    ends.add("clients", clients("idle", FIRST))?;
    ends.reached(PATIENCE)?;
    ends.say_to_last("go")?;
    ends.reached(PATIENCE)?;
    let before = resident(&mut ends)?;
    ends.add("clients", clients("idle", IN_MEMORY))?;
    ends.reached(TO_CONNECT)?;
    let idle = resident(&mut ends)?;
    ends.say_to_last("go")?;
    ends.reached(PATIENCE)?;
    let active = resident(&mut ends)?;
    let per_connection = |now: u64| now.saturating_sub(before) as f64 / IN_MEMORY as f64;
    Ok(vec![(Figure::IdleBytes, per_connection(idle)), (Figure::ActiveBytes, per_connection(active))])
}

fn server(peer: Peer, connections: usize) -> Result<Ends, Error> {
    if cfg!(not(target_os = "linux")) {
        return Err(Error::NotMeasurable("the clients need epoll".into()));
    }
    let setup = Setup::of_bytes(SMALL).with_connections(connections);
    Ends::server(peer, "echo", &setup, Arguments::new())
}

fn clients(purpose: &str, connections: usize) -> Arguments {
    Arguments::new().with("purpose", purpose).with("connections", connections).with("bytes", SMALL)
}

/// What the server and the clients did.
fn watch(ends: &mut Ends, options: &Options) -> Result<(Measured, Measured), Error> {
    let each = ends.watch_each(options.warm_up, options.measure)?;
    let [server, clients] = each.as_slice() else { unreachable!("a server and its clients were started") };
    if clients.messages == 0 {
        return Err(Error::child("clients", "had no answer"));
    }
    Ok((*server, *clients))
}

fn resident(ends: &mut Ends) -> Result<u64, Error> {
    let server = &mut ends.processes[0];
    server.say("stop")?;
    Ok(result(server)?.resident_bytes)
}
