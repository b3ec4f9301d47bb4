//! More descriptors for a test of many connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the process's own limit to `count`, or as far as the system lets it; gives what there is then.
pub(crate) fn provide(count: usize) -> usize {
    let count = count as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        // Beyond the maximum only with privileges.
        let raised = Rlimit { current: Some(count), maximum: limit.maximum.map(|most| most.max(count)) };
        let within = Rlimit { current: limit.maximum.map(|most| most.min(count)), ..limit };
        let _ = setrlimit(Resource::Nofile, raised).or_else(|_| setrlimit(Resource::Nofile, within));
    }
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |current| current as usize)
}
