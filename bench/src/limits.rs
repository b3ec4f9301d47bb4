//! What the system allows a process.

use crate::Error;

/// A process has other descriptors than its connections.
#[cfg(target_os = "linux")]
const OTHERS: u64 = 200;

/// Lets this process have so many connections, or says why that is not to be had.
#[cfg(target_os = "linux")]
pub(crate) fn allow_descriptors(connections: usize) -> Result<(), Error> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let wanted = connections as u64 + OTHERS;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < wanted) {
        let maximum = limit.maximum.unwrap_or_default();
        return Err(Error::NotMeasurable(format!(
            "{connections} connections need more descriptors than the {maximum} that the system allows here (`ulimit -Hn`)"
        )));
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| Error::io("raising the limit of descriptors")(error.into()))
}

/// Only Linux's limit is known to be raised so.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allow_descriptors(_: usize) -> Result<(), Error> {
    Ok(())
}
