//! The measured side: what a process does when it was started with the hidden role argument.
//!
//! A role's workers are threads; its main thread only listens to the measuring process. The
//! protocol is the same for every role: the role prints `ready N` and N `endpoint` lines; on
//! `mark` it notes its counters and prints `marked`; on `stop` it prints what happened since; on
//! `end`, or when nobody listens any more, it ends.

mod caller;
mod stream;
mod tally;

use std::{
    io::{BufRead, Write},
    process::ExitCode,
};

pub(crate) use tally::Measured;
use tally::Tally;

use crate::{
    Error, Peer, awake,
    peers::{Library, libzmq::Libzmq, raw::Raw, serverlink::Serverlink},
};

/// The first argument of a measured process.
pub(crate) const ROLE_ARGUMENT: &str = "__serverlink-bench-role";

/// Takes the role of a measured process if this process was started as one.
///
/// Call it first in `main` and return the code if there is one: [`run`](crate::run) starts the
/// running program again for every end that it measures.
pub fn run_role() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ROLE_ARGUMENT {
        return None;
    }
    let role = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    if let Err(error) = play(&role, &rest) {
        report_error(&error);
        return Some(ExitCode::FAILURE);
    }
    Some(ExitCode::SUCCESS)
}

/// Blocks until the measuring process goes away.
pub(crate) fn wait_for_end_of_input() {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}

fn play(role: &str, arguments: &[String]) -> Result<(), Error> {
    if role == "spin" {
        return awake::spin();
    }
    let Some((peer, rest)) = arguments.split_first() else {
        return Err(Error::child(role, "was started without a peer"));
    };
    match peer.parse()? {
        Peer::Raw => play_with::<Raw>(role, rest),
        Peer::Libzmq => play_with::<Libzmq>(role, rest),
        Peer::Serverlink => play_with::<Serverlink>(role, rest),
    }
}

fn play_with<L: Library>(role: &str, arguments: &[String]) -> Result<(), Error> {
    let library = L::open()?;
    let (tally, endpoints) = match role {
        "pull" => stream::pull(&library, arguments)?,
        "push" => stream::push(&library, arguments)?,
        "stream-inproc" => stream::inproc(&library)?,
        "rep" => caller::rep(&library, arguments)?,
        "req" => caller::req(&library, arguments)?,
        "round-trip-inproc" => caller::inproc(&library)?,
        _ => return Err(Error::child(role, "is not a role that there is")),
    };
    say(&format!("ready {}", endpoints.len()));
    for endpoint in endpoints {
        say(&format!("endpoint {endpoint}"));
    }
    obey(&tally)
}

/// Serves commands until the measuring process is done.
fn obey(tally: &Tally) -> Result<(), Error> {
    let mut since = tally.mark();
    for line in std::io::stdin().lock().lines() {
        match line.map_err(Error::io("reading a command"))?.as_str() {
            "mark" => {
                since = tally.mark();
                say("marked");
            }
            "stop" => say(&format!("result {}", tally.since(&since))),
            // Not part of `stop`: the other end must not lose its connection before it stopped too.
            "end" => break,
            _ => {}
        }
    }
    // Workers may be blocked inside a call of the measured library for good.
    std::process::exit(0);
}

/// One line to the measuring process.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // If nobody reads any more, the end of standard input ends this process.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

fn report_error(error: &Error) {
    let word = match error {
        Error::Absent(_) => "absent",
        Error::NotMeasurable(_) => "unmeasurable",
        _ => "error",
    };
    say(&format!("{word} {}", error.to_string().replace('\n', " ")));
}

/// Starts a worker thread; an error in it is told to the measuring process and ends this one.
fn spawn_worker(work: impl FnOnce() -> Result<(), Error> + Send + 'static) {
    std::thread::spawn(move || {
        if let Err(error) = work() {
            report_error(&error);
            std::process::exit(1);
        }
    });
}

fn parse<T: std::str::FromStr>(arguments: &[String], index: usize) -> Result<T, Error> {
    arguments
        .get(index)
        .and_then(|argument| argument.parse().ok())
        .ok_or_else(|| Error::child("measured", format!("was started without argument {index}")))
}
