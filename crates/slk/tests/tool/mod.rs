//! Drives the real `slk`: starts it, talks to its standard streams, and waits for its end.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

/// A running `slk`. Killed if the test ends before it does.
pub(crate) struct Slk {
    child: Child,
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
    said: String,
}

/// How an `slk` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Starts `slk` with these words. Give everything that may wait a `--timeout`: a broken build should fail and not hang.
pub(crate) fn slk<S: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = S>) -> Slk {
    let mut child = Command::new(env!("CARGO_BIN_EXE_slk"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("slk starts");
    let stdout = child.stdout.take().map(BufReader::new);
    let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
    Slk { child, stdout, stderr, said: String::new() }
}

/// The same, from one line of words.
pub(crate) fn run(line: &str) -> Slk {
    slk(line.split_whitespace())
}

impl Slk {
    /// Where it listens, as it says itself; by then it has bound everything before and catches ^C.
    pub(crate) fn endpoint(&mut self) -> String {
        self.told("listening on ")
    }

    /// Where it can be followed. It says so before it says where it listens.
    pub(crate) fn stats_endpoint(&mut self) -> String {
        self.told("stats at ")
    }

    fn told(&mut self, before: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("standard error is text");
            assert!(read > 0, "it ended before it listened: {}", self.said);
            self.said.push_str(&line);
            if let Some((_, endpoint)) = line.split_once(before) {
                return endpoint.trim().to_owned();
            }
        }
    }

    /// Writes to its standard input, which stays open.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.stdin().write_all(text.as_bytes()).expect("it reads its input");
    }

    /// Closes its standard input after this.
    pub(crate) fn feed(mut self, bytes: &[u8]) -> Slk {
        let mut stdin = self.child.stdin.take().expect("standard input is piped and open");
        let bytes = bytes.to_vec();
        // On a thread: it may write more than a pipe holds before it has read everything.
        std::thread::spawn(move || {
            // An slk that has enough ends without reading all of it.
            let _ = stdin.write_all(&bytes);
        });
        self
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout
            .as_mut()
            .expect("standard output is open")
            .read_line(&mut line)
            .expect("standard output is text");
        line.trim_end_matches('\n').to_owned()
    }

    /// Sends it a signal, by the name that `kill` has for it, and waits for its end. Its input stays open: the signal alone
    /// has to end it.
    #[cfg(unix)]
    pub(crate) fn end_by(self, signal: &str) -> Ended {
        let status = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(status.expect("`kill` is part of every system").success());
        self.outcome()
    }

    /// Closes its input and waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        drop(self.child.stdin.take());
        self.outcome()
    }

    /// Everything it wrote, and how it ended.
    fn outcome(mut self) -> Ended {
        let mut stdout = Vec::new();
        if let Some(mut out) = self.stdout.take() {
            out.read_to_end(&mut stdout).expect("its output can be read");
        }
        let mut stderr = std::mem::take(&mut self.said);
        self.stderr.read_to_string(&mut stderr).expect("standard error is text");
        let status = self.child.wait().expect("it is our child");
        Ended { code: status.code(), stdout, stderr }
    }

    fn stdin(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("standard input is piped and open")
    }
}

impl Drop for Slk {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Its output as text, if it ended well.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "it should have ended well: {}", self.stderr);
        String::from_utf8(self.stdout).expect("the output is text")
    }
}
