//! Making sockets and telling them their options.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::net::addr::SocketAddrArg;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix, SocketType, sockopt};

use super::foreign::Foreign;
use crate::{Address, Credentials, StreamOptions};

/// A connected, non-blocking socket, and who is at its other end.
#[derive(Debug)]
pub(crate) struct OsStream {
    pub(super) fd: OwnedFd,
    pub(super) peer: Option<Address>,
    /// It came from outside.
    pub(super) foreign: Option<Foreign>,
}

impl OsStream {
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        super::credentials::of(&self.fd)
    }

    /// One of our own making.
    pub(super) fn new(fd: OwnedFd, peer: Option<Address>) -> OsStream {
        OsStream { fd, peer, foreign: None }
    }
}

/// A non-blocking stream socket for addresses of this kind.
pub(super) fn create(address: &Address) -> io::Result<OwnedFd> {
    let family = match address {
        Address::Tcp(address) => family_of(*address),
        Address::Ipc(_) => AddressFamily::UNIX,
    };
    create_of(family, SocketType::STREAM)
}

pub(super) fn family_of(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// A non-blocking socket.
pub(super) fn create_of(family: AddressFamily, kind: SocketType) -> io::Result<OwnedFd> {
    #[cfg(not(target_vendor = "apple"))]
    {
        use rustix::net::SocketFlags;
        Ok(rustix::net::socket_with(family, kind, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?)
    }
    #[cfg(target_vendor = "apple")]
    {
        let fd = rustix::net::socket(family, kind, None)?;
        prepare(&fd)?;
        Ok(fd)
    }
}

/// Makes a socket non-blocking, closed on exec, and quiet where a flag on each send cannot do that.
pub(super) fn prepare(fd: &OwnedFd) -> io::Result<()> {
    rustix::io::ioctl_fionbio(fd, true)?;
    rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
    #[cfg(target_vendor = "apple")]
    sockopt::set_socket_nosigpipe(fd, true)?;
    Ok(())
}

/// The options that must be there before a socket connects or listens, because the window scale is fixed then.
pub(super) fn set_buffers(fd: &OwnedFd, options: &StreamOptions) -> io::Result<()> {
    if let Some(bytes) = options.send_buffer {
        sockopt::set_socket_send_buffer_size(fd, bytes)?;
    }
    if let Some(bytes) = options.receive_buffer {
        sockopt::set_socket_recv_buffer_size(fd, bytes)?;
    }
    Ok(())
}

/// Calls `f` with the address in the form that system calls take.
pub(super) fn with_address<T>(
    address: &Address,
    f: impl FnOnce(&dyn Call) -> io::Result<T>,
) -> io::Result<T> {
    match address {
        Address::Tcp(address) => f(&Target(address)),
        Address::Ipc(path) => f(&Target(&unix_address(path)?)),
    }
}

/// The calls that take an address, for any form of it.
pub(super) trait Call {
    fn bind(&self, fd: &OwnedFd) -> rustix::io::Result<()>;
    fn connect(&self, fd: &OwnedFd) -> rustix::io::Result<()>;
}

struct Target<'a, A>(&'a A);

impl<A: SocketAddrArg> Call for Target<'_, A> {
    fn bind(&self, fd: &OwnedFd) -> rustix::io::Result<()> {
        rustix::net::bind(fd, self.0)
    }

    fn connect(&self, fd: &OwnedFd) -> rustix::io::Result<()> {
        rustix::net::connect(fd, self.0)
    }
}

fn unix_address(path: &Path) -> io::Result<SocketAddrUnix> {
    // An empty name would bind to an address of the system's choice, which no peer could know.
    if path.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an ipc path must not be empty"));
    }
    if let Some(name) = abstract_name(path) {
        return abstract_address(name);
    }
    SocketAddrUnix::new(path).map_err(|error| match error {
        rustix::io::Errno::NAMETOOLONG => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the ipc path {} is longer than a socket address holds", path.display()),
        ),
        error => error.into(),
    })
}

/// What is behind the `@` of a name outside of the file system.
pub(super) fn abstract_name(path: &Path) -> Option<&[u8]> {
    path.as_os_str().as_bytes().strip_prefix(b"@")
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddrUnix> {
    let invalid = |why: &str| {
        let message = format!("the abstract name @{} {why}", String::from_utf8_lossy(name));
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    if name.is_empty() {
        return Err(invalid("has nothing behind the @"));
    }
    SocketAddrUnix::new_abstract_name(name).map_err(|_| invalid("is longer than a socket address holds"))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddrUnix> {
    let (name, system) = (String::from_utf8_lossy(name), std::env::consts::OS);
    let message =
        format!("@{name} is an abstract name, which {system} does not have; use a path (./@{name} is one)");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// Our end, if it has a name.
pub(crate) fn local_address(fd: &OwnedFd) -> Option<Address> {
    rustix::net::getsockname(fd).ok().and_then(to_address)
}

/// The other end, if there is one and it has a name.
pub(crate) fn peer_address(fd: &OwnedFd) -> Option<Address> {
    rustix::net::getpeername(fd).ok().flatten().and_then(to_address)
}

/// What the system says about one end, if it has a name.
pub(super) fn to_address(address: SocketAddrAny) -> Option<Address> {
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return Some(Address::Tcp(address));
    }
    let address = SocketAddrUnix::try_from(address).ok()?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.abstract_name().filter(|name| !name.is_empty()) {
        return Some(Address::Ipc(OsStr::from_bytes(&[b"@", name].concat()).into()));
    }
    let path = address.path_bytes()?;
    Some(Address::Ipc(OsStr::from_bytes(path).into()))
}
