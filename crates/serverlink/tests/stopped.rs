//! A process that is stopped and goes on: ^Z, a debugger or strace that attaches. Alone in its program, which handles no signals.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serverlink::{Context, SocketType};

const PATIENCE: Duration = Duration::from_secs(20);

/// Stops this process, sees that it stands still, and lets it go on.
const STOP_AND_GO: &str =
    r#"kill -STOP "$1"; until grep -q '^State:[[:space:]]*T' "/proc/$1/status"; do :; done; kill -CONT "$1""#;

#[test]
fn a_call_goes_on_waiting() {
    let context = Context::new().expect("a context");
    let pull = context.socket(SocketType::Pull).expect("a socket");
    let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let push = context.socket(SocketType::Push).expect("a socket");
    push.connect(&endpoint).expect("connecting");
    let (tell, told) = channel();
    thread::scope(|threads| {
        let receiver = threads.spawn(|| {
            tell.send(rustix::thread::gettid().as_raw_nonzero().get()).expect("the test listens");
            pull.recv_deadline(Instant::now() + PATIENCE)
        });
        let receiver_id = told.recv().expect("it tells");
        for _ in 0..10 {
            while !sleeps(receiver_id) {
                thread::yield_now();
            }
            let me = std::process::id().to_string();
            let done = Command::new("sh").args(["-c", STOP_AND_GO, "sh", &me]).status().expect("a shell");
            assert!(done.success());
        }
        push.send("still there").expect("sending");
        let message = receiver.join().expect("no panic").expect("nobody handles signals here");
        assert_eq!(&message[0], b"still there");
    });
}

fn sleeps(thread: i32) -> bool {
    // One that is gone sleeps well: what it returned says why.
    let Ok(stat) = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")) else { return true };
    let (_, behind_name) = stat.rsplit_once(')').expect("its name is in parentheses");
    behind_name.trim_start().starts_with('S')
}
