//! The measuring side of a process: starts it, talks to it in lines, ends it.
//!
//! Every exchange has a deadline, and dropping a [`Child`] ends its process, so a competitor that
//! hangs costs its own row and nothing else.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{ChildStderr, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use crate::{Error, Peer, Setup, arguments::Arguments, peers::outside_program, roles::ROLE_ARGUMENT};

/// How long a process may take for anything that is not the measurement itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a process that fails may take to say why.
const LAST_WORDS: Duration = Duration::from_millis(200);

pub(crate) struct Child {
    role: String,
    process: std::process::Child,
    input: ChildStdin,
    lines: Receiver<String>,
    diagnostics: Option<ChildStderr>,
}

impl Child {
    /// Starts the program that plays the peer, in the given role.
    pub(crate) fn start(peer: Peer, role: &str, setup: &Setup, arguments: Arguments) -> Result<Child, Error> {
        Child::start_under(&[], peer, role, setup, arguments)
    }

    /// The same under another program (`valgrind ...`), whose diagnostics [`Child::finish`] returns.
    pub(crate) fn start_under(
        wrapper: &[&str],
        peer: Peer,
        role: &str,
        setup: &Setup,
        arguments: Arguments,
    ) -> Result<Child, Error> {
        let program = if peer.is_outside() { outside_program()?.to_owned() } else { this_program()? };
        Child::spawn(&program, wrapper, role, &setup.arguments().with("peer", peer).and(arguments))
    }

    /// Starts this program in a role that no competitor plays.
    pub(crate) fn start_own(role: &str, arguments: &Arguments) -> Result<Child, Error> {
        Child::start_own_under(&[], role, arguments)
    }

    /// The same under another program, as [`Child::start_under`].
    pub(crate) fn start_own_under(
        wrapper: &[&str],
        role: &str,
        arguments: &Arguments,
    ) -> Result<Child, Error> {
        Child::spawn(&this_program()?, wrapper, role, arguments)
    }

    fn spawn(program: &Path, wrapper: &[&str], role: &str, arguments: &Arguments) -> Result<Child, Error> {
        let mut command = match wrapper.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program).stderr(Stdio::piped());
                command
            }
        };
        let mut process = command
            .args([ROLE_ARGUMENT, role])
            .args(arguments.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io("starting a measured process"))?;
        let input = process.stdin.take().expect("standard input was piped above");
        let output = process.stdout.take().expect("standard output was piped above");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Child { role: role.to_owned(), input, lines, diagnostics: process.stderr.take(), process })
    }

    /// What it says went wrong, if it has said so, or does so in a moment because it is about to end.
    pub(crate) fn last_error(&self) -> Option<Error> {
        while let Ok(line) = self.line(LAST_WORDS) {
            match self.rest_of(&line, "result") {
                Ok(_) => {}
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// Waits for the line that begins with `word` and returns the rest of it.
    pub(crate) fn expect(&self, word: &str, within: Duration) -> Result<String, Error> {
        self.rest_of(&self.line(within)?, word)
    }

    fn rest_of(&self, line: &str, word: &str) -> Result<String, Error> {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            first if first == word => Ok(rest.to_owned()),
            "absent" => Err(Error::Absent(rest.to_owned())),
            "unmeasurable" => Err(Error::NotMeasurable(rest.to_owned())),
            "error" => Err(Error::child(&self.role, format!("failed: {rest}"))),
            _ => Err(Error::child(&self.role, format!("said {line:?} in place of {word:?}"))),
        }
    }

    /// Collects `endpoint` lines up to `ready`.
    pub(crate) fn endpoints(&self) -> Result<Vec<String>, Error> {
        let count: usize = self
            .expect("ready", PATIENCE)?
            .parse()
            .map_err(|_| Error::child(&self.role, "gave no number of endpoints"))?;
        (0..count).map(|_| self.expect("endpoint", PATIENCE)).collect()
    }

    /// Sends one command.
    pub(crate) fn say(&mut self, command: &str) -> Result<(), Error> {
        writeln!(self.input, "{command}")
            .map_err(|error| Error::child(&self.role, format!("does not listen: {error}")))
    }

    /// Lets the process end by itself and returns what its wrapper wrote.
    pub(crate) fn finish(mut self, within: Duration) -> Result<String, Error> {
        let mut diagnostics = String::new();
        if let Some(mut stderr) = self.diagnostics.take() {
            stderr.read_to_string(&mut diagnostics).map_err(Error::io("reading a wrapper's diagnostics"))?;
        }
        let deadline = Instant::now() + within;
        while let Ok(None) = self.process.try_wait() {
            if Instant::now() > deadline {
                return Err(Error::child(&self.role, "did not end"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(diagnostics)
    }

    fn line(&self, within: Duration) -> Result<String, Error> {
        self.lines.recv_timeout(within).map_err(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => format!("said nothing for {within:?}"),
                RecvTimeoutError::Disconnected => "ended without a word".to_owned(),
            };
            Error::child(&self.role, why)
        })
    }
}

fn this_program() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(Error::io("finding the running program"))
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
