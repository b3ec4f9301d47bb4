//! Rows that run for a time: warm up, mark, measure, stop.

use std::{thread::sleep, time::Duration};

use crate::{
    Error, Options, Peer, Transport,
    child::{Child, PATIENCE},
    report::Figure,
    roles::Measured,
};

const CALLERS: usize = 16;
const PACE: Duration = Duration::from_millis(10);
/// An idle pair is watched for so many times the measuring time: what happens is rare.
const IDLE_FACTOR: u32 = 5;

type Figures = Vec<(Figure, f64)>;

/// The processes of one measurement; what they leave in the file system goes with them.
struct Ends {
    processes: Vec<Child>,
    endpoints: Vec<String>,
}

impl Ends {
    fn new(processes: Vec<Child>, endpoints: Vec<String>) -> Ends {
        Ends { processes, endpoints }
    }

    fn receiver(&self) -> &Child {
        &self.processes[0]
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        for endpoint in &self.endpoints {
            if let Some(path) = endpoint.strip_prefix("ipc://") {
                // A library that tidies up itself was faster.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

pub(super) fn stream(
    peer: Peer,
    transport: Transport,
    sockets: usize,
    options: &Options,
) -> Result<Figures, Error> {
    let ends = if transport == Transport::Inproc {
        one_process("stream-inproc", peer)?
    } else {
        linked_stream(peer, transport, sockets, 0)?
    };
    let both = watch(ends, options.warm_up, options.measure)?;
    Ok(vec![
        (Figure::MessagesPerSecond, both.messages as f64 / both.seconds),
        (Figure::CpuPerMillion, both.cpu_seconds * 1e6 / both.messages as f64),
    ])
}

pub(super) fn round_trip(peer: Peer, transport: Transport, options: &Options) -> Result<Figures, Error> {
    let ends = if transport == Transport::Inproc {
        one_process("round-trip-inproc", peer)?
    } else {
        linked_callers(peer, transport, 1, Duration::ZERO)?
    };
    let both = watch(ends, options.warm_up, options.measure)?;
    Ok(vec![
        (Figure::P50, both.p50_us),
        (Figure::P99, both.p99_us),
        (Figure::CpuPerRoundTrip, both.cpu_seconds * 1e6 / both.messages as f64),
    ])
}

pub(super) fn callers(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let ends = linked_callers(peer, Transport::Tcp, CALLERS, PACE)?;
    let both = watch(ends, options.warm_up, options.measure)?;
    Ok(vec![
        (Figure::CpuPerRoundTrip, both.cpu_seconds * 1e6 / both.messages as f64),
        (Figure::SwitchesPerRoundTrip, both.switches as f64 / both.messages as f64),
        (Figure::P50, both.p50_us),
        (Figure::P99, both.p99_us),
    ])
}

/// The receiver waits in a receive, the sender in nothing; one message has shown that they are
/// linked.
pub(super) fn idle(peer: Peer, options: &Options) -> Result<Figures, Error> {
    let ends = linked_stream(peer, Transport::Tcp, 1, 1)?;
    ends.receiver().expect("reached", PATIENCE)?;
    let both = watch_counters(ends, options.warm_up, options.measure * IDLE_FACTOR)?;
    Ok(vec![
        (Figure::SwitchesPerSecond, both.switches as f64 / both.seconds),
        (Figure::CpuPercent, both.cpu_seconds * 100.0 / both.seconds),
    ])
}

fn one_process(role: &str, peer: Peer) -> Result<Ends, Error> {
    let both = Child::start(role, &[peer.to_string()])?;
    both.endpoints()?;
    Ok(Ends::new(vec![both], Vec::new()))
}

/// A receiving and a sending process; the sender sends `count` messages (0: without end).
fn linked_stream(peer: Peer, transport: Transport, sockets: usize, count: u64) -> Result<Ends, Error> {
    let receiver = Child::start(
        "pull",
        &[peer.to_string(), transport.to_string(), sockets.to_string(), count.to_string()],
    )?;
    let endpoints = receiver.endpoints()?;
    let sender = Child::start("push", &push_arguments(peer, count, &endpoints))?;
    sender.endpoints()?;
    Ok(Ends::new(vec![receiver, sender], endpoints))
}

pub(super) fn push_arguments(peer: Peer, count: u64, endpoints: &[String]) -> Vec<String> {
    [peer.to_string(), count.to_string()].into_iter().chain(endpoints.iter().cloned()).collect()
}

fn linked_callers(peer: Peer, transport: Transport, callers: usize, pace: Duration) -> Result<Ends, Error> {
    let server = Child::start("rep", &[peer.to_string(), transport.to_string(), callers.to_string()])?;
    let endpoints = server.endpoints()?;
    let arguments: Vec<String> = [peer.to_string(), callers.to_string(), pace.as_micros().to_string()]
        .into_iter()
        .chain(endpoints.iter().cloned())
        .collect();
    let client = Child::start("req", &arguments)?;
    client.endpoints()?;
    Ok(Ends::new(vec![server, client], endpoints))
}

/// As [`watch_counters`], for rows in which messages must have moved.
fn watch(ends: Ends, warm_up: Duration, measure: Duration) -> Result<Measured, Error> {
    let both = watch_counters(ends, warm_up, measure)?;
    if both.messages == 0 {
        return Err(Error::child("measured", "moved no message"));
    }
    Ok(both)
}

/// Lets the ends run, and adds up what they counted after the warm-up. Messages and latencies come
/// from the one end that counts them.
fn watch_counters(mut ends: Ends, warm_up: Duration, measure: Duration) -> Result<Measured, Error> {
    sleep(warm_up);
    for end in &mut ends.processes {
        end.say("mark")?;
    }
    for end in &ends.processes {
        end.expect("marked", PATIENCE)?;
    }
    sleep(measure);
    for end in &mut ends.processes {
        end.say("stop")?;
    }
    let results = ends
        .processes
        .iter()
        .map(|end| end.expect("result", PATIENCE)?.parse())
        .collect::<Result<Vec<Measured>, Error>>()?;
    Ok(results.into_iter().reduce(Measured::joined).expect("every row has at least one process"))
}
