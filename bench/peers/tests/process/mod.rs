//! One process of the program, as the measuring process sees it.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

/// How long a line may take. Nothing here takes a hundredth of it on a machine without other work.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a line that need not come is waited for.
const SOON: Duration = Duration::from_millis(50);

pub(crate) struct Process {
    told: String,
    process: Child,
    /// Its end would end the process.
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Process {
    pub(crate) fn play(role: &str, peer: &str, arguments: &str) -> Process {
        Process::play_to(role, peer, arguments, &[])
    }

    pub(crate) fn play_to(role: &str, peer: &str, arguments: &str, endpoints: &[String]) -> Process {
        let mut process = Command::new(env!("CARGO_BIN_EXE_serverlink-bench-peers"))
            .args(["__serverlink-bench-role", role, &format!("peer={peer}")])
            .args(arguments.split_whitespace())
            .args(endpoints.iter().map(|endpoint| format!("endpoint={endpoint}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = process.stdin.take().expect("it was piped above");
        let output = process.stdout.take().expect("it was piped above");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Process { told: format!("{peer} as {role} {arguments}"), input, process, lines }
    }

    /// The endpoints that it bound, once it is ready.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        let count = self.expect("ready").parse().expect("a number of endpoints");
        (0..count).map(|_: usize| self.expect("endpoint")).collect()
    }

    /// Waits for the line that begins with the word, and returns the rest of it.
    pub(crate) fn expect(&self, word: &str) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("{}: no {word:?}: {error}", self.told));
        let (first, rest) = line.split_once(' ').unwrap_or((&line, ""));
        assert_eq!(first, word, "{} said {line:?}", self.told);
        rest.to_owned()
    }
}

impl Process {
    /// Tells the process something.
    pub(crate) fn say(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap_or_else(|error| panic!("{} is gone: {error}", self.told));
    }

    /// Whether its next line is this one, and is there soon.
    pub(crate) fn says_soon(&self, word: &str) -> bool {
        match self.lines.recv_timeout(SOON) {
            Ok(line) if line == word => true,
            Ok(line) => panic!("{} said {line:?} in place of {word:?}", self.told),
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => panic!("{} ended", self.told),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
