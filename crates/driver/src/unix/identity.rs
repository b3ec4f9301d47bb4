//! Which socket a descriptor stands for: many numbers can stand for one.

use std::os::fd::OwnedFd;

use rustix::fs::Stat;

use super::socket;
use crate::Address;

/// A socket of the system. All duplicates of a descriptor have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    File {
        device: u64,
        inode: u64,
    },
    /// Where sockets have no inodes: no two connections have the same ends.
    Connection {
        local: Address,
        peer: Address,
    },
}

impl Identity {
    /// `None`: the system has no way to tell it from others.
    pub(crate) fn of(fd: &OwnedFd) -> Option<Identity> {
        let (device, inode) = file_of(&rustix::fs::fstat(fd).ok()?);
        if inode != 0 {
            return Some(Identity::File { device, inode });
        }
        match (socket::local_address(fd)?, socket::peer_address(fd)?) {
            (local @ Address::Tcp(_), peer @ Address::Tcp(_)) => Some(Identity::Connection { local, peer }),
            _ => None,
        }
    }
}

#[allow(clippy::unnecessary_cast, reason = "the widths differ between systems")]
pub(super) fn file_of(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}
