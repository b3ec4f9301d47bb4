//! Asking the system who is at the other end.

use std::os::fd::OwnedFd;

use crate::{Address, Credentials};

/// `None` for tcp, and where the system tells nothing.
pub(super) fn of(fd: &OwnedFd) -> Option<Credentials> {
    match super::socket::local_address(fd) {
        Some(Address::Tcp(_)) => None,
        _ => ask(fd),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask(fd: &OwnedFd) -> Option<Credentials> {
    let peer = nix::sys::socket::getsockopt(fd, nix::sys::socket::sockopt::PeerCredentials).ok()?;
    // 0: a process that this one cannot see, in another namespace.
    let process = u32::try_from(peer.pid()).ok().filter(|process| *process != 0);
    Some(Credentials { process, user: Some(peer.uid()), group: Some(peer.gid()) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ask(fd: &OwnedFd) -> Option<Credentials> {
    let (user, group) = nix::unistd::getpeereid(fd).ok()?;
    #[cfg(target_vendor = "apple")]
    let process = nix::sys::socket::getsockopt(fd, nix::sys::socket::sockopt::LocalPeerPid)
        .ok()
        .and_then(|process| u32::try_from(process).ok());
    #[cfg(not(target_vendor = "apple"))]
    let process = None;
    Some(Credentials { process, user: Some(user.as_raw()), group: Some(group.as_raw()) })
}
