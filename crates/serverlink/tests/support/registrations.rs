//! What the system itself says about registrations: which sockets of this process are watched, by which epoll, under which
//! key. Linux tells it in `/proc/self/fdinfo`; elsewhere nothing is known, and every question is answered with nothing.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::collections::BTreeMap;

/// Where a socket is registered: the epoll's descriptor, and the driver's key.
pub(crate) type Place = (u32, u64);

/// Every registration of every socket of this process; the sockets are named by their inode, which is not used twice.
pub(crate) fn of_sockets() -> BTreeMap<String, Vec<Place>> {
    let links = links();
    let mut found: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (&epoll, link) in &links {
        if link != "anon_inode:[eventpoll]" {
            continue;
        }
        // It may have been closed since.
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap_or_default();
        for (watched, key) in info.lines().filter_map(watched) {
            if let Some(socket) = links.get(&watched).filter(|link| link.starts_with("socket:")) {
                found.entry(socket.clone()).or_default().push((epoll, key));
            }
        }
    }
    found
}

/// How many descriptors are open.
pub(crate) fn open_descriptors() -> usize {
    links().len()
}

fn links() -> BTreeMap<u32, String> {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return BTreeMap::new() };
    let link = |entry: std::fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        // The directory that is being read closes with it.
        let target = std::fs::read_link(entry.path()).ok()?.to_str()?.to_owned();
        (!target.ends_with("/fd")).then_some((number, target))
    };
    entries.flatten().filter_map(link).collect()
}

/// `tfd: 4 events: 1f data: 4 ...`: a descriptor and its key.
fn watched(line: &str) -> Option<(u32, u64)> {
    let mut words = line.split_whitespace();
    let descriptor = words.by_ref().find(|&word| word == "tfd:").and(words.next())?.parse().ok()?;
    let key = words.by_ref().find(|&word| word == "data:").and(words.next())?;
    Some((descriptor, u64::from_str_radix(key, 16).ok()?))
}
