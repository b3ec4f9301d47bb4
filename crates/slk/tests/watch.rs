//! Following another program through its stats endpoint.

mod tool;

use std::thread;

use tool::{Slk, run};

/// A PULL that can be followed, where that is, and where it listens.
fn followed() -> (Slk, String, String) {
    let mut pull = run("pull --bind tcp://127.0.0.1:* --stats tcp://127.0.0.1:* --timeout 60");
    let (stats, endpoint) = (pull.stats_endpoint(), pull.endpoint());
    (pull, stats, endpoint)
}

fn push(endpoint: &str, what: &str) {
    run(&format!("push --connect {endpoint} -m {what} --timeout 30 -q")).wait().ok();
}

#[test]
fn stats_are_text_for_prometheus_or_json() {
    let (mut pull, stats, endpoint) = followed();
    push(&endpoint, "one");
    assert_eq!(pull.line(), "one");
    let text = run(&format!("stats {stats} --timeout 30")).wait().ok();
    let sample = "serverlink_received_messages_total{socket=\"1\",type=\"PULL\"} 1\n";
    assert!(text.contains("# TYPE serverlink_received_messages_total counter\n"), "{text}");
    assert!(text.contains(sample), "{text}");
    let json = run(&format!("stats {stats} --json --timeout 30")).wait().ok();
    let snapshot: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(snapshot["sockets"][0]["received"], 1);
    assert_eq!(snapshot["sockets"][0]["bound"][0], endpoint.as_str());
}

#[test]
fn events_are_lines() {
    let (_pull, stats, endpoint) = followed();
    for (flag, sign) in [("", "established with a PUSH over"), ("--json", "\"event\":\"")] {
        let monitor = run(&format!("monitor {stats} -n 4 --timeout 30 {flag}"));
        let waiting = thread::spawn(move || monitor.wait().ok());
        // Nobody knows when its subscription is in force; peers come and go until it has what it wants.
        while !waiting.is_finished() {
            push(&endpoint, "again");
        }
        let lines = waiting.join().expect("it is waited for");
        assert_eq!(lines.lines().count(), 4, "{lines}");
        assert!(lines.contains(sign), "{lines}");
    }
}

#[test]
fn top_writes_one_table_and_draws_on_terminals_only() {
    let (_pull, stats, endpoint) = followed();
    let table = run(&format!("top {stats} --once --timeout 30")).wait().ok();
    assert!(table.starts_with("SOCKET / PEER"), "{table}");
    assert!(table.contains(&format!("1 PULL {endpoint}")), "{table}");
    let refused = run(&format!("top {stats}")).wait();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--once"), "{}", refused.stderr);
}

#[test]
fn an_endpoint_that_says_nothing_is_3_and_one_that_cannot_be_is_1() {
    for command in ["stats", "monitor", "top --once"] {
        let ended = run(&format!("{command} tcp://127.0.0.1:1 --timeout 50ms")).wait();
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains("is a stats endpoint open there?"), "{}", ended.stderr);
        assert_eq!(run(&format!("{command} nonsense")).wait().code, Some(1));
    }
    let taken = run("pull --bind tcp://127.0.0.1:* --stats nonsense").wait();
    assert_eq!(taken.code, Some(1), "{taken:?}");
}

#[test]
fn a_reader_that_is_gone_is_no_failure() {
    let (_pull, stats, _) = followed();
    let commands = [
        format!("stats {stats}"),
        format!("top {stats} --once"),
        "completions bash".to_owned(),
        "man".to_owned(),
    ];
    for command in commands {
        let mut slk = run(&command);
        slk.stdout = None;
        let ended = slk.wait();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{command}");
    }
}

#[test]
fn shells_and_man_read_what_is_for_them() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = run(&format!("completions {shell}")).wait().ok();
        assert!(script.contains("monitor") && script.contains("routing-id"), "{shell}");
    }
    assert!(run("man").wait().ok().contains(".TH slk 1"));
    assert_eq!(run("completions tcsh").wait().code, Some(2));
}
