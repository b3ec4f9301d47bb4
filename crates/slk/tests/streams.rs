//! What goes in and out beside lines: formats, files, pipes that close.

mod tool;

use std::fs;

use tool::{run, slk};

#[test]
fn framed_bytes_arrive_unchanged() {
    let framed = b"\x01\0\0\0\x05topic\0\0\0\0\x04\0\xff\n\t\0\0\0\0\0";
    let mut pull = run("pull --bind tcp://127.0.0.1:* --output framed -n 2 --timeout 30");
    let push = run(&format!("push --connect {} --input framed --timeout 30", pull.endpoint())).feed(framed);
    let pulled = pull.wait();
    assert_eq!((pulled.code, &pulled.stdout[..]), (Some(0), &framed[..]), "{}", pulled.stderr);
    push.wait().ok();
}

#[test]
fn json_goes_in_and_comes_out_with_all_parts() {
    let lines = "[\"topic\",\"body\"]\n[{\"hex\":\"00ff\"}]\n";
    let mut pull = run("pull --bind tcp://127.0.0.1:* --output json -n 2 --timeout 30");
    let push =
        run(&format!("push --connect {} --input json --timeout 30", pull.endpoint())).feed(lines.as_bytes());
    assert_eq!(pull.wait().ok(), lines);
    push.wait().ok();
}

#[test]
fn lines_are_split_and_joined_as_told() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* --join + -n 1 --timeout 30");
    let push = run(&format!("push --connect {} --split , --timeout 30", pull.endpoint())).feed(b"a,b,c\n");
    assert_eq!(pull.wait().ok(), "a+b+c\n");
    push.wait().ok();
}

#[test]
fn a_file_is_one_message_and_is_saved_as_one() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let (original, saved) = (directory.path().join("original"), directory.path().join("saved"));
    let bytes: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    fs::write(&original, &bytes).expect("a file for the test");

    let mut pull =
        run(&format!("pull --bind tcp://127.0.0.1:* -n 1 --timeout 30 --save {}", saved.display()));
    let endpoint = pull.endpoint();
    let push =
        slk(["push", "--connect", &endpoint, "--timeout", "30", "--file", &original.display().to_string()]);
    assert_eq!(pull.wait().ok(), "");
    push.wait().ok();
    assert!(
        fs::read(saved.join("000001")).expect("the message was saved") == bytes,
        "the file changed on its way"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* --timeout 30");
    // Many more messages than it takes: a child that another test is just starting holds the pipe open for a moment, so that a
    // single write after the close could still succeed.
    let _push = run(&format!("push --connect {} -m again -n 1000000000 --timeout 30", pull.endpoint()));
    assert_eq!(pull.line(), "again");
    drop(pull.stdout.take());
    let pulled = pull.wait();
    let said_where_it_listens_only = pulled.stderr.lines().count() == 1;
    assert!(pulled.code == Some(0) && said_where_it_listens_only, "{pulled:?}");
}

#[test]
fn bad_input_ends_it_after_the_good_part() {
    let mut pull = run("pull --bind tcp://127.0.0.1:* -n 1 --timeout 30");
    let push = run(&format!("push --connect {} --input json --timeout 30", pull.endpoint()));
    let pushed = push.feed(b"\"good\"\n[1]\n\"never sent\"\n").wait();
    assert_eq!(pushed.code, Some(1));
    assert!(pushed.stderr.contains("reading standard input: 1 is not a part"), "{}", pushed.stderr);
    assert_eq!(pull.wait().ok(), "good\n");
}

#[test]
fn results_that_nobody_reads_are_no_failure() {
    for tool in ["doctor", "--help", "demo --lines 300", "demo --help"] {
        let mut tool = run(tool);
        drop(tool.stdout.take());
        let ended = tool.wait();
        let complains = ended.stderr.contains("standard output") || ended.stderr.contains("panicked");
        assert!(ended.code == Some(0) && !complains, "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_a_failure_with_its_reason() {
    for tool in ["doctor", "demo --lines 300"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("every Linux has it");
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_slk"))
            .args(tool.split(' '))
            .stdout(full)
            .output()
            .expect("slk starts");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.contains("writing standard output"), "{said}");
    }
}
