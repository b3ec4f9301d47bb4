//! System calls that fail at chosen times, for every call at which the driver meets the system. A tracer makes them fail, so the library is what
//! users run, without a hook. `ci/inject` runs this: it needs `strace`, and permission to trace.
#![cfg(target_os = "linux")]

mod conversation;

use std::path::Path;
use std::process::Command;

use conversation::{Promise, converse};
use tempfile::TempDir;

/// In the environment of a conversation that is traced: its transport and what it is promised.
const TASK: &str = "SERVERLINK_INJECTED";

/// More calls of one kind than any conversation needs; who makes more goes round and round.
const MOST_CALLS: usize = 100_000;

const TRANSPORTS: [&str; 2] = ["tcp", "ipc"];

/// What fails, and when. `when` counts the calls of each thread: 3+5 is the third and every fifth after it.
struct Row {
    call: &'static str,
    error: &'static str,
    when: &'static str,
    promise: Promise,
    transports: &'static [&'static str],
}

const fn row(call: &'static str, error: &'static str, when: &'static str, promise: Promise) -> Row {
    Row { call, error, when, promise, transports: &TRANSPORTS }
}

const fn only(transports: &'static [&'static str], row: Row) -> Row {
    Row { transports, ..row }
}

const ROWS: &[Row] = {
    use Promise::{Everything, OrderAndHealing};
    &[
        // Opening a context and its reactors.
        row("epoll_create1", "EMFILE", "1..3", Everything),
        row("eventfd2", "ENFILE", "1..2", Everything),
        row("timerfd_create", "ENOMEM", "1..2", Everything),
        // Waiting.
        // Every second: the I/O thread waits in two places by turns, and has to get through in both.
        row("epoll_wait,epoll_pwait,epoll_pwait2", "EINTR", "1+2", Everything),
        row("epoll_wait,epoll_pwait,epoll_pwait2", "EINTR", "2+2", Everything),
        row("epoll_ctl", "ENOSPC", "4+9", Everything),
        row("epoll_ctl", "ENOMEM", "2+11", Everything),
        // Listening.
        row("socket", "EMFILE", "1+3", Everything),
        row("socket", "ENOBUFS", "2+3", Everything),
        row("bind", "ENOMEM", "1+3", Everything),
        row("listen", "ENOMEM", "1+3", Everything),
        only(&["tcp"], row("setsockopt", "ENOMEM", "1+5", Everything)),
        // Accepting.
        row("accept4", "EMFILE", "1+2", Everything),
        row("accept4", "ENFILE", "1..3", Everything),
        row("accept4", "ENOMEM", "1+3", Everything),
        row("accept4", "ENOBUFS", "1+3", Everything),
        row("accept4", "EINTR", "1+2", Everything),
        row("accept4", "ECONNABORTED", "1+2", Everything),
        only(&["tcp"], row("accept4", "EPROTO", "1+2", Everything)),
        only(&["tcp"], row("accept4", "EPERM", "1+2", Everything)),
        only(&["tcp"], row("accept4", "ENETDOWN", "1+2", Everything)),
        only(&["tcp"], row("accept4", "EHOSTUNREACH", "1+2", Everything)),
        // Connecting.
        row("connect", "ENOMEM", "1+3", Everything),
        row("connect", "EPERM", "1+3", Everything),
        only(&["tcp"], row("connect", "ENETUNREACH", "1+2", Everything)),
        only(&["tcp"], row("connect", "EHOSTUNREACH", "1+2", Everything)),
        only(&["tcp"], row("connect", "ETIMEDOUT", "1+2", Everything)),
        only(&["ipc"], row("connect", "EAGAIN", "1+2", Everything)),
        row("getsockopt", "ENOBUFS", "2+7", Everything),
        only(&["tcp"], row("getsockname,getpeername", "ENOBUFS", "2+5", Everything)),
        // Reading and writing.
        row("recvfrom", "EINTR", "2+3", Everything),
        row("recvfrom", "ETIMEDOUT", "40+60", OrderAndHealing),
        row("recvfrom", "EHOSTUNREACH", "40+60", OrderAndHealing),
        row("recvfrom", "ENOMEM", "40+60", OrderAndHealing),
        row("recvfrom", "EIO", "40+60", OrderAndHealing),
        row("sendto,sendmsg", "EINTR", "2+3", Everything),
        row("sendto,sendmsg", "ENOBUFS", "40+60", OrderAndHealing),
        row("sendto,sendmsg", "ENOMEM", "40+60", OrderAndHealing),
        row("sendto,sendmsg", "EPERM", "40+60", OrderAndHealing),
        row("sendto,sendmsg", "ENETDOWN", "40+60", OrderAndHealing),
        row("shutdown", "ENOTCONN", "1+2", OrderAndHealing),
    ]
};

#[test]
fn nothing_fails() {
    let directory = TempDir::new().expect("a temporary directory");
    for transport in TRANSPORTS {
        let told = converse(&endpoint(transport, directory.path()), Promise::Everything);
        assert!(told.is_empty(), "{told:?}");
    }
}

/// The process that is traced. By itself it has nothing to do.
#[test]
fn traced() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (transport, promise) = task.split_once(' ').expect("a transport and a promise");
    let promise = match promise {
        "Everything" => Promise::Everything,
        _ => Promise::OrderAndHealing,
    };
    let directory = TempDir::new().expect("a temporary directory");
    for sentence in converse(&endpoint(transport, directory.path()), promise) {
        println!("told: {sentence}");
    }
}

fn endpoint(transport: &str, directory: &Path) -> String {
    match transport {
        // Below the ports that systems give away by themselves, and differently for each process.
        "tcp" => format!("tcp://127.0.0.1:{}", 10_000 + std::process::id() % 20_000),
        _ => format!("ipc://{}/x", directory.display()),
    }
}

#[test]
#[ignore = "ci/inject runs it: it needs strace, and permission to trace"]
fn every_call_of_the_system_may_fail() {
    let mut failures = Vec::new();
    for row in ROWS {
        for transport in row.transports {
            let what = format!("{} {} {} over {transport}", row.call, row.error, row.when);
            match run(row, transport) {
                Ok(outcome) => println!("{what}: {outcome}"),
                Err(trouble) => failures.push(format!("{what}: {trouble}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// One conversation in which one call fails now and then.
fn run(row: &Row, transport: &str) -> Result<String, String> {
    let directory = TempDir::new().map_err(|why| why.to_string())?;
    let log = directory.path().join("calls");
    let output = Command::new("timeout")
        .args(["-k", "5", "60", "strace", "-f", "-qq", "-o"])
        .arg(&log)
        .arg(format!("--trace={}", row.call))
        .arg(format!("--inject={}:error={}:when={}", row.call, row.error, row.when))
        .arg(std::env::current_exe().map_err(|why| why.to_string())?)
        .args(["--exact", "traced", "--nocapture", "--test-threads=1"])
        .env(TASK, format!("{transport} {:?}", row.promise))
        .output()
        .map_err(|why| format!("running timeout and strace: {why}"))?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if !output.status.success() {
        return Err(format!("it ended with {}: {said}", output.status));
    }
    let calls = std::fs::read_to_string(&log).map_err(|why| why.to_string())?;
    let (all, failed) = (calls.lines().count(), calls.matches("(INJECTED)").count());
    let told = said.lines().filter(|line| line.starts_with("told: ")).count();
    if failed == 0 {
        return Err(format!("none of its {all} calls failed, so nothing was tried"));
    }
    if all > MOST_CALLS {
        return Err(format!("it made {all} calls"));
    }
    Ok(format!("{failed} of {all} calls failed, {told} of them told to the application"))
}
