//! What is asked of the machine.

use std::net::TcpStream;

use rustix::{
    net::sockopt,
    process::{Resource, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

use super::{Fallible, failed_to};

/// Keeps this thread on one core.
pub(super) fn stay_on(core: usize) -> Fallible<()> {
    if core >= CpuSet::MAX_CPU {
        return Err(format!(
            "There is no core {core}: choose another one with --server-core and --client-core."
        ));
    }
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|why| {
        format!("Failed to stay on core {core}: {why}. Choose others with --server-core and --client-core.")
    })
}

/// Lets this process have as many sockets as the system permits.
pub(super) fn allow_descriptors() -> Fallible<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(failed_to("raise the limit of descriptors"))
}

/// Has a connection send at once: nothing is gathered, and nothing paced.
pub(super) fn hasten(stream: &TcpStream) -> Fallible<()> {
    // Not every kernel has it; then the default does.
    let _ = sockopt::set_tcp_congestion(stream, "reno");
    stream.set_nodelay(true).map_err(failed_to("turn off Nagle's algorithm"))
}

/// The kernel's release.
pub(super) fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}
