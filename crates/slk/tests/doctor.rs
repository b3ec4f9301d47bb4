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

#[test]
fn it_names_the_driver_and_the_reason() {
    let own_choice = doctor(None);
    assert!(own_choice.status.success());
    assert!(text(&own_choice.stdout).contains("the best for"), "{own_choice:?}");
    #[cfg(unix)]
    assert!(text(&doctor(Some("polling")).stdout).contains("polling, because SERVERLINK_DRIVER=polling"));
}

#[test]
fn a_driver_that_does_not_exist_is_refused_with_those_that_do() {
    let refused = doctor(Some("steam"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("`steam` is no driver; use epoll"), "{refused:?}");
}
