//! What scripts rely on: each way to end has its code and its sentence.

mod tool;

use tool::{Ended, run};

fn assert_ended(ended: &Ended, code: i32, sentence: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
}

#[test]
fn help_and_version_are_no_failures() {
    assert!(run("--help").wait().ok().contains("Exit codes:"));
    assert!(run("--version").wait().ok().starts_with("slk "));
}

#[test]
fn wrong_usage_is_2() {
    assert_ended(&run("push").wait(), 2, "--bind");
    assert_ended(&run("pull --bind tcp://*:* --timeout soon").wait(), 2, "300ms");
    assert_ended(&run("shove").wait(), 2, "shove");
}

#[test]
fn what_cannot_be_done_is_1_with_the_reason() {
    assert_ended(&run("pull --bind localhost:5555").wait(), 1, "write tcp://localhost:5555");
    assert_ended(&run("push --connect tcp://*:5555 -m x").wait(), 1, "needs the host of the peer");
    assert_ended(
        &run("push --connect tcp://127.0.0.1:1 --file /does/not/exist --linger 0").wait(),
        1,
        "/does/not/exist",
    );

    let mut first = run("pull --bind tcp://127.0.0.1:* --timeout 30");
    let second = run(&format!("pull --bind {}", first.endpoint())).wait();
    assert_ended(&second, 1, "in use already");
}

#[test]
fn silence_is_3() {
    assert_ended(&run("pull --bind tcp://127.0.0.1:* --timeout 50ms").wait(), 3, "no message came in time");
    assert_ended(
        &run("push --bind tcp://127.0.0.1:* -m x --timeout 50ms").wait(),
        3,
        "no peer took a message",
    );
    assert_ended(
        &run("pub --bind tcp://127.0.0.1:* -m x --timeout 50ms").wait(),
        3,
        "not enough subscribers",
    );
}

#[test]
fn who_gives_up_does_not_linger_for_what_nobody_took() {
    let began = std::time::Instant::now();
    let asked = run("req --connect tcp://127.0.0.1:1 -m anybody? --timeout 50ms").wait();
    assert_ended(&asked, 3, "1 message left undelivered");
    assert!(asked.stderr.contains("no message came in time"), "{}", asked.stderr);
    assert!(
        began.elapsed().as_secs() < 20,
        "the linger is 30 s by default and the timeout far below a second"
    );
}

#[test]
fn what_nobody_took_is_4_with_its_number() {
    let nobody = "tcp://127.0.0.1:1";
    let pushed = run(&format!("push --connect {nobody} -m x -n 3 --linger 50ms")).wait();
    assert_ended(&pushed, 4, "3 messages left undelivered");
}

/// Windows has no signals, and no way to type ^C for one process alone.
#[cfg(unix)]
mod interrupted {
    use super::*;

    #[test]
    fn a_receiver_that_waits_ends_at_once_with_130() {
        let mut pull = run("pull --bind tcp://127.0.0.1:*");
        pull.endpoint();
        assert_ended(&pull.end_by("INT"), 130, "interrupted after no message; nothing was left");
    }

    #[test]
    fn a_sender_that_waits_for_input_ends_with_130() {
        let mut pull = run("pull --bind tcp://127.0.0.1:* -n 1 --timeout 30");
        let mut push = run(&format!("push --connect {}", pull.endpoint()));
        push.type_in("one\n");
        assert_eq!(pull.line(), "one");
        assert_ended(&push.end_by("INT"), 130, "interrupted after sending 1 message; nothing was left");
    }

    #[test]
    fn a_sender_that_waits_for_a_peer_ends_with_130_and_loses_nothing_silently() {
        // It may be interrupted before, between or after the two messages that fit; it always says what is left.
        let mut push =
            run("push --connect tcp://127.0.0.1:1 --bind tcp://127.0.0.1:* -m x -n 9 --hwm 2 --linger 50ms");
        push.endpoint();
        let ended = push.end_by("TERM");
        assert_ended(&ended, 130, "interrupted after");
        assert!(ended.stderr.contains("left"), "{}", ended.stderr);
    }

    #[test]
    fn what_was_sent_before_is_still_delivered() {
        let mut pull = run("pull --bind tcp://127.0.0.1:* -n 2 --timeout 30");
        let mut push = run(&format!("push --connect {}", pull.endpoint()));
        push.type_in("one\n");
        assert_eq!(pull.line(), "one");
        push.type_in("two\n");
        assert_eq!(pull.line(), "two");
        assert_ended(&push.end_by("INT"), 130, "interrupted after sending 2 messages");
        pull.wait().ok();
    }
}
