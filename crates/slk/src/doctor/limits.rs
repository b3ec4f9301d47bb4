//! Limits of the machine that matter to sockets, where the system tells them.

use std::fs;

/// Name and value, for the rows of the report.
pub(super) fn rows() -> Vec<(&'static str, String)> {
    let mut rows = vec![("open files", open_files())];
    if cfg!(target_os = "linux") {
        let one = |path: &str| read(path).unwrap_or_else(|| "not known".to_owned());
        rows.extend([
            ("all open files", format!("at most {} on this machine", one("fs/file-max"))),
            (
                "backlog",
                format!("at most {} waiting for accept (net.core.somaxconn)", one("net/core/somaxconn")),
            ),
            ("send buffer", buffer("net/ipv4/tcp_wmem", "net/core/wmem_max")),
            ("receive buffer", buffer("net/ipv4/tcp_rmem", "net/core/rmem_max")),
            ("dialing ports", ports()),
        ]);
    }
    rows
}

/// Each connection takes one, and one more for each socket that has connections.
fn open_files() -> String {
    if cfg!(windows) {
        return "no ulimit on this system; handles are limited by memory".to_owned();
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| {
        let mut words = line.strip_prefix("Max open files")?.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    });
    match limit {
        Some((soft, hard)) => format!("at most {soft} (ulimit -n), can be raised to {hard}"),
        None => "limit not known on this system; see ulimit -n".to_owned(),
    }
}

/// What tcp chooses within, and what an option may ask for.
fn buffer(chosen: &str, settable: &str) -> String {
    let kib = |bytes: &str| {
        bytes.parse::<u64>().map_or_else(|_| bytes.to_owned(), |bytes| format!("{} KiB", bytes >> 10))
    };
    let range: Vec<String> = read(chosen).unwrap_or_default().split_whitespace().map(kib).collect();
    let most = read(settable).map_or_else(|| "not known".to_owned(), |bytes| kib(&bytes));
    match range.as_slice() {
        [_, usual, largest] => {
            format!("tcp begins with {usual}, grows up to {largest}; an option may ask for {most}")
        }
        _ => format!("an option may ask for {most}"),
    }
}

fn ports() -> String {
    let range = read("net/ipv4/ip_local_port_range").unwrap_or_default();
    let bounds: Vec<u32> = range.split_whitespace().filter_map(|bound| bound.parse().ok()).collect();
    match bounds.as_slice() {
        [first, last] => format!("{first} to {last}: so many connections to one address"),
        _ => "not known".to_owned(),
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/{path}")).ok().map(|text| text.trim().to_owned())
}
