//! `slk doctor`: what this build is, what it will use here, what its limits are, and whether it works.

mod checkup;

use std::env;
use std::fs;
use std::thread;

use serverlink::{Context, Endpoint, Options};

use crate::exit::{Failure, print};

pub(crate) fn run() -> Result<(), Failure> {
    let context = Context::new()?;
    let options = Options::default();
    let parallelism =
        thread::available_parallelism().map_or_else(|why| why.to_string(), |cores| cores.to_string());
    let rows = [
        ("slk", env!("CARGO_PKG_VERSION").to_owned()),
        ("protocol", "ZMTP 3.1, with peers of 3.0 and 3.1".to_owned()),
        ("transports", "tcp, ipc, inproc".to_owned()),
        ("driver", format!("{}, {}", context.driver(), why_this_driver())),
        ("I/O threads", context.io_threads().to_string()),
        ("system", format!("{} on {}, {parallelism} cores to use", env::consts::OS, env::consts::ARCH)),
        ("open files", open_files()),
        ("message", format!("at most {} MiB from a peer", options.max_message_bytes >> 20)),
        (
            "high-water marks",
            format!("{} messages to send, {} received, for each peer", options.send_hwm, options.recv_hwm),
        ),
        ("handshake", format!("given up after {:?}", options.handshake_timeout)),
        (
            "heartbeat",
            format!("every {:?}, answer within {:?}", options.heartbeat_interval, options.heartbeat_timeout),
        ),
        (
            "reconnect",
            format!(
                "after {:?}, then up to {:?}",
                options.reconnect_interval, options.reconnect_interval_max
            ),
        ),
        (
            "names",
            format!(
                "ipc paths up to {} bytes, inproc up to {}",
                Endpoint::MAX_IPC_PATH_BYTES,
                Endpoint::MAX_INPROC_NAME_BYTES
            ),
        ),
    ];
    rows.into_iter().try_for_each(row)?;
    checkup::run(&context)
}

fn row((name, value): (&str, String)) -> Result<(), Failure> {
    print(format_args!("{name:<18}{value}"))
}

fn why_this_driver() -> String {
    match env::var("SERVERLINK_DRIVER") {
        Ok(name) => format!("because SERVERLINK_DRIVER={name}"),
        Err(_) => format!("the best for {}; SERVERLINK_DRIVER overrides it", env::consts::OS),
    }
}

/// Each connection takes one, and one more for each socket that has connections.
fn open_files() -> String {
    if cfg!(windows) {
        return "no ulimit on this system; handles are limited by memory".to_owned();
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next().map(str::to_owned));
    match limit {
        Some(limit) => format!("at most {limit} (ulimit -n)"),
        None => "limit not known on this system; see ulimit -n".to_owned(),
    }
}
