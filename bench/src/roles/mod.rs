//! The measured side: what a process does when it was started with the hidden role argument.
//!
//! A role's workers are threads; its main thread only listens to the measuring process. The
//! protocol is the same for every role: the role prints `ready N` and N `endpoint` lines; on
//! `mark` it notes its counters and prints `marked`; on `stop` it prints what happened since; on
//! `end`, or when nobody listens any more, it ends.

mod beside;
mod caller;
mod counted;
mod echo;
mod fan_out;
mod stream;

use std::{io::BufRead, process::ExitCode};

use crate::{
    Error, Peer,
    arguments::Arguments,
    awake, limits,
    load::{Tally, report_error, say, say_ready},
    peers::{
        Library, Setup, libzmq::Libzmq, nng::Nng, raw::Raw, serverlink::Serverlink,
        serverlink_batch::ServerlinkBatch,
    },
};

/// The first argument of a measured process.
pub(crate) const ROLE_ARGUMENT: &str = "__serverlink-bench-role";

/// The role whose instructions the gate counts.
pub(crate) const COUNTED_ROLE: &str = "counted";

/// Plays a role for one competitor: [`play`] of its [`Library`].
pub type Player = fn(&Role) -> Result<(), Error>;

/// What a measured process was started to do.
#[derive(Debug)]
pub struct Role {
    name: String,
    arguments: Arguments,
}

/// A role under way: its counters, and where its peers connect to.
struct Started {
    tally: Tally,
    endpoints: Vec<String>,
    /// What to do with commands that only this role knows.
    on_command: Box<dyn Fn(&str)>,
}

impl Started {
    /// A role that knows no commands of its own.
    fn new(tally: Tally, endpoints: Vec<String>) -> Started {
        Started { tally, endpoints, on_command: Box::new(|_| {}) }
    }
}

/// Takes the role of a measured process if this process was started as one.
///
/// Call it first in `main` and return the code if there is one: [`run`](crate::run) starts the
/// running program again for every end that it measures.
pub fn run_role() -> Option<ExitCode> {
    run_role_with(&[
        (Peer::Raw, play::<Raw<false>>),
        (Peer::RawOwned, play::<Raw<true>>),
        (Peer::Libzmq, play::<Libzmq>),
        (Peer::Nng, play::<Nng>),
        (Peer::Serverlink, play::<Serverlink<true>>),
        (Peer::ServerlinkNoSpin, play::<Serverlink<false>>),
        (Peer::ServerlinkBatch, play::<ServerlinkBatch>),
    ])
}

/// As [`run_role`], for a program that plays other competitors.
///
/// ```no_run
/// # use serverlink_bench::{Error, Peer, player::{Role, Player}};
/// # fn play_it(_: &Role) -> Result<(), Error> { Ok(()) }
/// fn main() -> std::process::ExitCode {
///     // `player::play::<SomeLibrary>` in place of `play_it`.
///     let players: [(Peer, Player); 1] = [(Peer::Rzmq, play_it)];
///     serverlink_bench::player::run_role_with(&players).unwrap_or(std::process::ExitCode::FAILURE)
/// }
/// ```
pub fn run_role_with(players: &[(Peer, Player)]) -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ROLE_ARGUMENT {
        return None;
    }
    let name = arguments.next().unwrap_or_default();
    let role = Role { name, arguments: Arguments::parse(arguments) };
    if let Err(error) = role.play_with(players) {
        report_error(&error);
        return Some(ExitCode::FAILURE);
    }
    Some(ExitCode::SUCCESS)
}

/// Blocks until the measuring process goes away.
pub(crate) fn wait_for_end_of_input() {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}

impl Role {
    fn play_with(&self, players: &[(Peer, Player)]) -> Result<(), Error> {
        if self.name == "spin" {
            return awake::spin();
        }
        if self.name == COUNTED_ROLE {
            return counted::play(&self.arguments);
        }
        #[cfg(target_os = "linux")]
        if self.name == "clients" {
            return crate::clients::play(&self.arguments);
        }
        let peer: Peer = self.arguments.need("peer")?;
        let (_, player) = players
            .iter()
            .find(|(played, _)| *played == peer)
            .ok_or_else(|| Error::Absent(format!("this program does not play {peer}")))?;
        player(self)
    }
}

/// Plays a role with a library, until the measuring process is done.
///
/// # Errors
/// What kept the role from starting; the measuring process is told by [`run_role_with`].
pub fn play<L: Library>(role: &Role) -> Result<(), Error> {
    let arguments = &role.arguments;
    let setup = Setup::read(arguments)?;
    limits::allow_descriptors(setup.connections)?;
    let library = L::open(&setup)?;
    let stage = Stage { library, setup, arguments };
    let started = match role.name.as_str() {
        "receive" => stream::receive(&stage)?,
        "send" => stream::send(&stage)?,
        "stream-inproc" => stream::inproc(&stage)?,
        "publish" => fan_out::publish(&stage)?,
        "subscribe" => fan_out::subscribe(&stage)?,
        "pub-sub-inproc" => fan_out::inproc(&stage)?,
        "echo" => echo::echo(&stage)?,
        "beside-server" => beside::server(&stage)?,
        "beside-client" => beside::client(&stage)?,
        "answer" => caller::answer(&stage)?,
        "ask" => caller::ask(&stage)?,
        "round-trip-inproc" => caller::inproc(&stage)?,
        _ => return Err(Error::child(&role.name, "is not a role that there is")),
    };
    say_ready(&started.endpoints);
    obey(&started.tally, started.on_command)
}

/// What a role has to work with.
struct Stage<'a, L> {
    library: L,
    setup: Setup,
    arguments: &'a Arguments,
}

/// Serves commands until the measuring process is done; those that only some roles know go to `other`.
pub(crate) fn obey(tally: &Tally, other: impl Fn(&str)) -> Result<(), Error> {
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
            command => other(command),
        }
    }
    // Workers may be blocked inside a call of the measured library for good.
    std::process::exit(0);
}
