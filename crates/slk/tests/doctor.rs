//! What people are asked to send along with a question.

use std::process::{Command, Output};

fn doctor(driver: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slk"));
    command
        .arg("doctor")
        .env_remove("SERVERLINK_DRIVER")
        .envs(driver.map(|name| ("SERVERLINK_DRIVER", name)));
    command.output().expect("slk starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it speaks text")
}

/// What stands behind a name at the start of a line.
fn value<'a>(output: &'a Output, name: &str) -> &'a str {
    let found = text(&output.stdout).lines().find_map(|line| line.strip_prefix(name));
    found.unwrap_or_else(|| panic!("nothing about {name}: {output:?}")).trim()
}

#[test]
fn it_names_the_driver_and_the_reason() {
    let own_choice = doctor(None);
    assert!(own_choice.status.success(), "{own_choice:?}");
    assert!(value(&own_choice, "driver").contains("the best for"), "{own_choice:?}");
    #[cfg(unix)]
    assert!(
        value(&doctor(Some("polling")), "driver").starts_with("polling, because SERVERLINK_DRIVER=polling")
    );
}

#[test]
fn it_talks_to_itself_and_tells_of_every_registration() {
    let output = doctor(None);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(value(&output, "I/O threads"), "1");
    assert!(value(&output, "self-check").starts_with("a question and its answer over tcp"), "{output:?}");
    assert!(value(&output, "reactors").starts_with('2'), "{output:?}");
    assert_eq!(value(&output, "registrations"), "3 alive: 1 listener, 2 connections");

    let lines: Vec<&str> = text(&output.stdout).lines().filter(|line| line.contains('#')).collect();
    let has = |words: &[&str]| lines.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert_eq!(lines.len(), 3, "{output:?}");
    assert!(has(&["ROUTER listens on tcp://127.0.0.1:"]), "{output:?}");
    assert!(has(&["ROUTER accepted tcp://127.0.0.1:", ": open, for ", "routing id doctor"]), "{output:?}");
    assert!(has(&["DEALER dialed tcp://127.0.0.1:", ": open, for ", "peer tcp://127.0.0.1:"]), "{output:?}");
}

#[test]
fn a_driver_that_does_not_exist_is_refused_with_those_that_do() {
    let refused = doctor(Some("steam"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("`steam` is no driver; use epoll"), "{refused:?}");
}

#[test]
fn it_tells_versions_and_limits() {
    let output = doctor(None);
    assert_eq!(value(&output, "serverlink"), serverlink::VERSION);
    assert!(value(&output, "handshake").starts_with("given up after"), "{output:?}");
    assert!(!value(&output, "open files").is_empty());
    #[cfg(target_os = "linux")]
    for (name, sign) in
        [("backlog", "somaxconn"), ("send buffer", "KiB"), ("open files", "raised to"), ("system", "linux ")]
    {
        assert!(value(&output, name).contains(sign), "{name}: {output:?}");
    }
}
