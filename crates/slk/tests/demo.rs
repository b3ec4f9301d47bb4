//! The newcomer's command: it ends well, and says so in one line that scripts can read.

mod tool;

use std::fs;

use tool::run;

/// The number before which `name` stands in the demo's last line.
fn figure(line: &str, name: &str) -> u64 {
    let (_, rest) = line.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("no {name} in {line}"));
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no number after {name} in {line}"))
}

fn assert_all_arrived(line: &str, lines: u64) {
    assert!(line.starts_with("demo: sent "), "{line}");
    assert_eq!((figure(line, "sent"), figure(line, "received")), (lines, lines), "{line}");
    assert_eq!((figure(line, "lost"), figure(line, "duplicated")), (0, 0), "{line}");
}

#[test]
fn the_shipped_text_goes_round() {
    let output = run("demo --lines 20000 --restarts 0").wait().ok();
    assert_eq!(output.lines().count(), 1, "{output}");
    assert_all_arrived(&output, 20_000);
    assert_eq!((figure(&output, "reconnects"), figure(&output, "handovers")), (0, 0), "{output}");
    assert_eq!(figure(&output, "restarts"), 0, "{output}");
}

#[test]
fn a_file_is_moved_line_by_line() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let path = directory.path().join("text");
    let text: String = (0..1000).map(|i| format!("{i} {}\n", "word ".repeat(i % 50))).collect();
    fs::write(&path, text).expect("a file for the test");
    let output = run(&format!("demo --input {}", path.display())).wait().ok();
    assert_all_arrived(&output, 1000);
}

#[test]
fn cut_links_lose_nothing() {
    let output = run("demo --lines 30000 --unplug 3 --restarts 0").wait().ok();
    assert_all_arrived(&output, 30_000);
    assert!(figure(&output, "reconnects") > 0, "{output}");
}

#[test]
fn killed_servers_go_on_where_they_were() {
    let output = run("demo --lines 60000 --restarts 4 --unplug 2").wait().ok();
    assert_all_arrived(&output, 60_000);
    assert_eq!(figure(&output, "restarts"), 4, "{output}");
}

#[test]
fn a_server_that_is_killed_when_all_is_done_has_lost_nothing() {
    let output = run("demo --lines 6").wait().ok();
    assert_all_arrived(&output, 6);
    assert_eq!(figure(&output, "restarts"), 1, "{output}");
}

#[test]
fn a_text_that_cannot_be_moved_is_said_once() {
    let ended = run("demo --input /does/not/exist").wait();
    assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
    assert!(ended.stderr.contains("/does/not/exist cannot be moved"), "{}", ended.stderr);
}
