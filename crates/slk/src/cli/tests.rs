use clap::CommandFactory;

use super::*;

fn job(line: &str) -> Job {
    match Cli::try_parse_from(line.split(' ')).map(|cli| cli.command.into_task()) {
        Ok(Task::Move(job)) => *job,
        other => panic!("{line}: {other:?}"),
    }
}

fn refusal(line: &str) -> String {
    Cli::try_parse_from(line.split(' ')).expect_err(line).to_string()
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

/// Addresses in front of each message, and connections that come and go, are nothing for a line.
fn with_command() -> impl Iterator<Item = SocketType> {
    use SocketType::{Dgram, Peer, Server, Stream};
    SocketType::ALL.into_iter().filter(|kind| !matches!(kind, Dgram | Peer | Server | Stream))
}

#[test]
fn every_pattern_has_its_command() {
    for socket_type in with_command() {
        let name = socket_type.as_str().to_lowercase();
        assert_eq!(job(&format!("slk {name} --bind tcp://*:*")).socket_type, socket_type);
    }
}

#[test]
fn endpoints_are_required_and_repeatable() {
    assert!(refusal("slk push").contains("--bind"));
    let wiring = job("slk push --bind a --connect b --connect c").wiring;
    assert_eq!((wiring.bind, wiring.connect), (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
}

#[test]
fn a_pattern_that_cannot_receive_has_no_output() {
    assert!(refusal("slk push --bind a --output json").contains("--output"));
    assert!(refusal("slk pull --bind a --file b").contains("--file"));
}

#[test]
fn topics_subscribe_or_go_in_front() {
    assert_eq!(job("slk sub --connect a --topic x --topic y").subscriptions, ["x", "y"]);
    assert_eq!(job("slk sub --connect a --pattern x* --pattern ?y").patterns, ["x*", "?y"]);
    assert_eq!(job("slk pub --bind a --topic x").prefix.as_deref(), Some("x"));
    assert_eq!(job("slk router --bind a --to x").prefix.as_deref(), Some("x"));
}

#[test]
fn a_publisher_waits_for_one_subscriber_unless_told_otherwise() {
    assert_eq!(job("slk pub --bind a").await_peers, 1);
    assert_eq!(job("slk xpub --bind a --subscribers 3").await_peers, 3);
    assert_eq!(job("slk push --bind a").await_peers, 0);
}

#[test]
fn the_help_of_every_pattern_documents_the_exit_codes() {
    for socket_type in with_command() {
        let name = socket_type.as_str().to_lowercase();
        let mut command = Cli::command();
        let help = command
            .find_subcommand_mut(&name)
            .expect("every pattern has a command")
            .render_help()
            .to_string();
        assert!(help.contains("130  interrupted"), "{name}");
    }
}
