//! One end of a real-network test: a socket that does one thing, and tells line by line what happens to it. `ci/network` starts
//! two of these in network namespaces of their own, with a bad cable between them.
//!
//! `serverlink-network ROLE ENDPOINT [NAME=VALUE...]`. Roles: `push`, `req`, `sub` connect; `pull`, `rep`, `pub` bind. Values:
//! `count` and `bytes` of a stream, `heartbeat` (interval) and `silence` (timeout) in milliseconds.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use serverlink::{Context, EventKind, Message, Monitor, Options, Socket, SocketType};

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_secs(120);

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = env::args().skip(1).collect();
    let [role, endpoint, values @ ..] = &words[..] else { return Err("give a role and an endpoint".into()) };
    let values: HashMap<&str, &str> = values.iter().filter_map(|word| word.split_once('=')).collect();
    let value = |name: &str, default: u64| values.get(name).map_or(Ok(default), |text| text.parse());
    let options = Options {
        heartbeat_interval: Duration::from_millis(value("heartbeat", 5000)?),
        heartbeat_timeout: Duration::from_millis(value("silence", 15_000)?),
        reconnect_interval: Duration::from_millis(50),
        reconnect_interval_max: Duration::from_millis(400),
        // A partition eats the packets of a handshake, too.
        handshake_timeout: Duration::from_millis(value("handshake", 30_000)?),
        ..Options::default()
    };
    let (count, bytes) = (value("count", 0)?, usize::try_from(value("bytes", 100)?)?);

    let context = Context::new()?;
    let socket = context.socket_with(type_of(role)?, options)?;
    let events = socket.monitor();
    thread::spawn(move || tell_events(&events));
    if role == "sub" {
        socket.subscribe("")?;
    }
    if matches!(&role[..], "pull" | "rep" | "pub") {
        tell(&format!("listening {}", socket.bind(endpoint)?));
    } else {
        socket.connect(endpoint)?;
    }
    match &role[..] {
        "push" => push(&socket, count, bytes),
        "pull" => pull(&socket, count, bytes),
        "req" => ask(&socket),
        "rep" => echo(&socket),
        "pub" => publish(&socket),
        _ => listen(&socket),
    }
}

fn type_of(role: &str) -> Result<SocketType, String> {
    Ok(match role {
        "push" => SocketType::Push,
        "pull" => SocketType::Pull,
        "req" => SocketType::Req,
        "rep" => SocketType::Rep,
        "pub" => SocketType::Pub,
        "sub" => SocketType::Sub,
        other => return Err(format!("there is no role {other}")),
    })
}

/// Whole lines, from whichever thread.
fn tell(line: &str) {
    let mut out = io::stdout().lock();
    // Nobody reads any more: the test is over.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn tell_events(events: &Monitor) {
    while let Some(event) = events.next_deadline(Instant::now() + PATIENCE) {
        match event.kind {
            EventKind::Established { .. } => tell("established"),
            EventKind::Disconnected { reason, .. } => tell(&format!("disconnected: {reason}")),
            EventKind::Retrying { trouble, .. } => tell(&format!("retrying: {trouble}")),
            EventKind::HandshakeFailed { reason, .. } => tell(&format!("no handshake: {reason}")),
            _ => {}
        }
    }
}

fn numbered(number: u64, bytes: usize) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.resize(bytes.max(8), number as u8);
    body
}

/// Stays until its input is closed: what came is for the other end to say.
fn push(socket: &Socket, count: u64, bytes: usize) -> Outcome {
    for number in 0..count {
        socket.send_deadline(numbered(number, bytes), Instant::now() + PATIENCE)?;
    }
    tell("sent all");
    io::stdin().lines().for_each(drop);
    Ok(())
}

fn pull(socket: &Socket, count: u64, bytes: usize) -> Outcome {
    for number in 0..count {
        let message = socket.recv_deadline(Instant::now() + PATIENCE)?;
        if message.iter().count() != 1 || message.first() != &numbered(number, bytes)[..] {
            tell(&format!("something else came in place of message {number}"));
            return Ok(());
        }
    }
    tell(&format!("complete {count}"));
    io::stdin().lines().for_each(drop);
    Ok(())
}

/// A question for each line of its input.
fn ask(socket: &Socket) -> Outcome {
    for line in io::stdin().lock().lines() {
        socket.send_deadline(line?, Instant::now() + PATIENCE)?;
        tell(&format!("answer {}", text(&socket.recv_deadline(Instant::now() + PATIENCE)?)));
    }
    Ok(())
}

fn echo(socket: &Socket) -> Outcome {
    loop {
        let question = socket.recv_deadline(Instant::now() + PATIENCE)?;
        socket.send_deadline(question, Instant::now() + PATIENCE)?;
    }
}

/// A message for each line of its input, once somebody subscribes.
fn publish(socket: &Socket) -> Outcome {
    for line in io::stdin().lock().lines() {
        socket.wait_for_subscribers(1, PATIENCE)?;
        socket.send_deadline(line?, Instant::now() + PATIENCE)?;
    }
    Ok(())
}

fn listen(socket: &Socket) -> Outcome {
    loop {
        tell(&format!("got {}", text(&socket.recv_deadline(Instant::now() + PATIENCE)?)));
    }
}

fn text(message: &Message) -> String {
    message.first().escape_ascii().to_string()
}
