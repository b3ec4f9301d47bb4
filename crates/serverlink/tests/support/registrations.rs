//! What the system itself says about registrations: which sockets of this process are watched, by which epoll, under which
//! key. Linux tells it in `/proc/self/fdinfo`; elsewhere nothing is known, and every question is answered with nothing. Wine
//! shows its programs a `/proc`, too, but `self` is Wine's server there.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::collections::BTreeMap;

/// Where a socket is registered: the epoll's descriptor, and the driver's key.
pub(crate) type Place = (u32, u64);

/// Every registration of every socket of this process; the sockets are named by their inode, which is not used twice.
pub(crate) fn of_sockets() -> BTreeMap<String, Vec<Place>> {
    let mut found: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for Registration { socket, place, .. } in all() {
        found.entry(socket).or_default().push(place);
    }
    found
}

/// The same as descriptors: of the socket, and of the epoll that watches it.
pub(crate) fn of_descriptors() -> Vec<(u32, u32)> {
    all().into_iter().map(|registration| (registration.descriptor, registration.place.0)).collect()
}

struct Registration {
    socket: String,
    descriptor: u32,
    place: Place,
}

fn all() -> Vec<Registration> {
    let (links, mut found) = (links(), Vec::new());
    for (&epoll, _) in links.iter().filter(|(_, link)| *link == "anon_inode:[eventpoll]") {
        // It may have been closed since.
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap_or_default();
        for (descriptor, key) in info.lines().filter_map(watched) {
            if let Some(socket) = links.get(&descriptor).filter(|link| link.starts_with("socket:")) {
                found.push(Registration { socket: socket.clone(), descriptor, place: (epoll, key) });
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
    if !cfg!(target_os = "linux") {
        return BTreeMap::new();
    }
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
