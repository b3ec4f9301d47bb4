//! Where a listener listens and a stream leads.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A resolved address: no names, no wildcards for the interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// TCP over IPv4 or IPv6. Port 0 lets the system choose when binding.
    Tcp(SocketAddr),
    /// A unix domain socket in the file system. On Windows a named pipe, whose name is made of the absolute path: `C:\Some Folder\x` becomes
    /// `\\.\pipe\serverlink\c%3a/some%20folder/x`. A path that begins with `\\.\pipe\` is that pipe.
    ///
    /// A path that begins with `@` is an abstract name of Linux, which needs no file and ends with its listener. `*` is for binding only: a
    /// fresh path in the temporary directory, which [`local_address`](crate::OsListener::local_address) tells.
    Ipc(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Ipc(path) => path.display().fmt(f),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Tcp(address)
    }
}
