//! `slk doctor`: what this build is, what it will use here, what its limits are, and whether it works.

mod checkup;
mod limits;

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
    section("this program")?;
    let versions = [
        ("slk", env!("CARGO_PKG_VERSION").to_owned()),
        ("serverlink", serverlink::VERSION.to_owned()),
        ("protocol", "ZMTP 3.1, with peers of 3.0 and 3.1".to_owned()),
        ("transports", "tcp, ipc, inproc".to_owned()),
        ("driver", format!("{}, {}", context.driver(), why_this_driver())),
        ("I/O threads", context.io_threads().to_string()),
    ];
    versions.into_iter().try_for_each(row)?;
    section("this machine")?;
    row(("system", format!("{} on {}, {parallelism} cores to use", system(), env::consts::ARCH)))?;
    limits::rows().into_iter().try_for_each(row)?;
    section("limits of a socket, unless its options say otherwise")?;
    defaults(&options).into_iter().try_for_each(row)?;
    section("a conversation with itself")?;
    checkup::run(&context)
}

fn defaults(options: &Options) -> [(&'static str, String); 7] {
    [
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
        ("accept queue", format!("{} connections that wait for a listener", options.backlog)),
        (
            "names",
            format!(
                "ipc paths up to {} bytes, inproc up to {}",
                Endpoint::MAX_IPC_PATH_BYTES,
                Endpoint::MAX_INPROC_NAME_BYTES
            ),
        ),
    ]
}

/// A heading; what stands below it is found by the names at the beginning of its lines.
fn section(title: &str) -> Result<(), Failure> {
    print(format_args!("-- {title}"))
}

/// With the kernel's version, where it tells that.
fn system() -> String {
    match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(release) => format!("{} {}", env::consts::OS, release.trim()),
        Err(_) => env::consts::OS.to_owned(),
    }
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
