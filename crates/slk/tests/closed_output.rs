//! A standard output that is closed, that nobody reads any more, or that takes nothing: every subcommand ends with a clear status.
#![cfg(unix)]

mod tool;

use std::process::{Command, Output};

use tool::slk;

/// What receives, and what makes it receive without end.
const PATTERNS: [(&str, &str); 9] = [
    ("pull", "push -m x -n 1000000000"),
    ("sub", "pub -m x -n 1000000000"),
    ("xsub --topic x", "pub -m x -n 1000000000"),
    ("xpub", "sub --topic x"),
    ("rep", "req -m x -n 1000000000"),
    ("req -m x -n 1000000000", "rep"),
    ("dealer", "dealer -m x"),
    ("router --to nobody", "dealer -m x"),
    ("pair", "pair -m x"),
];

/// Those that talk to nobody else.
const TOOLS: [&str; 6] = [
    "doctor",
    "--help",
    "--version",
    "pull --help",
    "demo --lines 20 --restarts 0",
    "bench --quick --runs 1 --row idle",
];

/// `slk` in a shell, which can do to its output what a test cannot do by itself. Its status is written to standard error.
fn shell(words: &str, rest: &str) -> Output {
    let line = format!("{{ timeout 60 \"$SLK\" {words}; echo \"status $?\" >&2; }} {rest}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &line]).env("SLK", env!("CARGO_BIN_EXE_slk")).stdin(std::process::Stdio::null());
    shell.output().expect("every system has a shell")
}

#[track_caller]
fn assert_ended(words: &str, output: &Output, statuses: &[i32]) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{words}: {said}");
    let right = statuses.iter().any(|status| said.contains(&format!("status {status}\n")));
    assert!(right, "{words} should have ended with one of {statuses:?}: {said}");
    said
}

/// Runs a pattern's receiver while its peer sends, with an end of its own.
fn with_peer(receiver: &str, sender: &str, rest: &str) -> (String, Output) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let endpoint = format!("ipc://{}", directory.path().join("x").display());
    let sender = format!("{sender} --connect {endpoint} --timeout 30");
    let _peer = slk(sender.split_whitespace());
    // Where it has to notice by itself that nobody reads, it has no count.
    let count = if receiver.contains("-n ") || rest.starts_with('|') { "" } else { "-n 1" };
    let words = format!("{receiver} --bind {endpoint} {count} --timeout 20 --linger 0");
    let output = shell(&words, rest);
    (words, output)
}

#[test]
fn closed_before_it_starts() {
    for (receiver, sender) in PATTERNS.iter().filter(|(receiver, _)| !receiver.contains("-n ")) {
        let (words, output) = with_peer(receiver, sender, ">&-");
        assert_ended(&words, &output, &[0]);
    }
    for words in TOOLS {
        assert_ended(words, &shell(words, ">&-"), &[0]);
    }
}

#[test]
fn a_reader_that_takes_one_line() {
    let endless = ["push ", "pub ", "rep", "req "];
    for (receiver, sender) in
        PATTERNS.iter().filter(|(_, sender)| endless.iter().any(|end| sender.starts_with(end)))
    {
        let (words, output) = with_peer(receiver, sender, "| head -n 1");
        assert_ended(&words, &output, &[0, 4]);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), "x", "{words}");
    }
    for words in TOOLS {
        assert_ended(words, &shell(words, "| head -n 1"), &[0]);
    }
}

/// A full disk, so to speak: what was received could not be written, and that is a failure.
#[test]
#[cfg(target_os = "linux")]
fn an_output_that_takes_nothing() {
    for (receiver, sender) in PATTERNS {
        let (words, output) = with_peer(receiver, sender, "> /dev/full");
        let said = assert_ended(&words, &output, &[1]);
        assert!(said.contains("writing standard output: No space left on device"), "{words}: {said}");
    }
    for words in ["doctor", "demo --lines 20 --restarts 0"] {
        let said = assert_ended(words, &shell(words, "> /dev/full"), &[1]);
        assert!(said.contains("writing standard output"), "{words}: {said}");
    }
    for words in ["--help", "--version"] {
        assert_ended(words, &shell(words, "> /dev/full"), &[0]);
    }
}
