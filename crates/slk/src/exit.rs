//! How `slk` ends: a sentence for people, a code for scripts.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use serverlink::Error;

/// The exit codes, as `--help` documents them. Bad usage ends with 2 before any of this runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// It could not be done; the sentence says why.
    Failed = 1,
    /// The time given with `--timeout` passed without anything to do.
    TimedOut = 3,
    /// Some messages were still unsent when the linger was over.
    Undelivered = 4,
    /// ^C or a request to terminate, as shells number it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The end of a task that was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// For standard error.
    pub(crate) sentence: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Failure {
        Failure { exit, sentence: sentence.into() }
    }

    /// `doing` failed because of `cause`.
    pub(crate) fn of(doing: impl Display, cause: impl Display) -> Failure {
        Failure::new(Exit::Failed, format!("{doing}: {cause}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = match error {
            Error::TimedOut => Exit::TimedOut,
            Error::Terminated => Exit::Interrupted,
            _ => Exit::Failed,
        };
        Failure::new(exit, error.to_string())
    }
}

/// Tells people something, in one write: other processes may talk on the same terminal. A standard error that nobody reads is
/// no reason to fail.
pub(crate) fn say(sentence: impl Display) {
    let line = format!("slk: {sentence}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes a line of results to standard output. A reader that is gone has what it wanted.
pub(crate) fn print(line: impl Display) -> Result<(), Failure> {
    print_to_reader(line).map(drop)
}

/// The same for those who could go on for ever. False: the reader is gone.
pub(crate) fn print_to_reader(line: impl Display) -> Result<bool, Failure> {
    match io::stdout().write_all(format!("{line}\n").as_bytes()) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(why) => Err(Failure::of("writing standard output", why)),
    }
}

/// `1 message`, `2 messages`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("{count} {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_code_of_their_kind() {
        assert_eq!(Failure::from(Error::TimedOut).exit, Exit::TimedOut);
        assert_eq!(Failure::from(Error::Terminated).exit, Exit::Interrupted);
        assert_eq!(Failure::from(Error::Closed).exit, Exit::Failed);
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(counted(1, "message"), "1 message");
        assert_eq!(counted(0, "message"), "0 messages");
    }
}
