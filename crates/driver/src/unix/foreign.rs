//! The door for descriptors from outside: looked at first and changed only if they fit, so that a refused one comes back as it was.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{SocketType, sockopt};

use super::identity::Identity;
use super::listener::OsListener;
use super::registry::{self, Registry};
use super::socket::{self, OsStream};
use super::tcp_options;
use crate::{Address, StreamOptions, Unregistered, Unsuitable};

/// What a descriptor from outside was like before it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    blocking: bool,
}

impl OsStream {
    pub(crate) fn from_foreign(fd: OwnedFd) -> Result<OsStream, Unregistered<OwnedFd>> {
        match check_stream(&fd).and_then(|()| take_in(&fd)) {
            Ok(foreign) => {
                let peer = socket::peer_address(&fd);
                Ok(OsStream { fd, peer, foreign: Some(foreign) })
            }
            Err(error) => Err(Unregistered { object: fd, error }),
        }
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        give_back(self.fd, self.foreign)
    }
}

impl OsListener {
    pub(crate) fn from_foreign(fd: OwnedFd) -> Result<OsListener, Unregistered<OwnedFd>> {
        match check_listener(&fd).and_then(|local| Ok((local, take_in(&fd)?))) {
            Ok((local, foreign)) => Ok(OsListener::foreign(fd, local, foreign)),
            Err(error) => Err(Unregistered { object: fd, error }),
        }
    }
}

/// Nothing is changed here.
fn check_stream(fd: &OwnedFd) -> io::Result<()> {
    check_kind(fd)?;
    match rustix::net::getpeername(fd) {
        Ok(_) => Ok(()),
        Err(Errno::NOTCONN | Errno::INVAL) if listens(fd) => Err(Unsuitable::Listening.into()),
        Err(Errno::NOTCONN | Errno::INVAL) => Err(Unsuitable::NotConnected.into()),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is changed here. Gives where it listens.
fn check_listener(fd: &OwnedFd) -> io::Result<Address> {
    check_kind(fd)?;
    if !listens(fd) {
        return Err(Unsuitable::NotListening.into());
    }
    socket::local_address(fd).ok_or_else(|| Unsuitable::Nameless.into())
}

fn check_kind(fd: &OwnedFd) -> io::Result<()> {
    match sockopt::socket_type(fd) {
        Ok(SocketType::STREAM) => Ok(()),
        Ok(_) => Err(Unsuitable::NotAStream.into()),
        Err(Errno::NOTSOCK) => Err(Unsuitable::NotASocket.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_vendor = "apple"))]
fn listens(fd: &OwnedFd) -> bool {
    sockopt::socket_acceptconn(fd).unwrap_or(false)
}

/// There the option says nothing; but only a socket that has a name and no peer can listen.
#[cfg(target_vendor = "apple")]
fn listens(fd: &OwnedFd) -> bool {
    let bound = match socket::local_address(fd) {
        Some(Address::Tcp(address)) => address.port() != 0,
        local => local.is_some(),
    };
    bound && rustix::net::getpeername(fd).is_err()
}

/// Makes it fit for a driver.
fn take_in(fd: &OwnedFd) -> io::Result<Foreign> {
    let blocking = !rustix::fs::fcntl_getfl(fd)?.contains(OFlags::NONBLOCK);
    socket::prepare(fd)?;
    if let Some(Address::Tcp(_)) = socket::peer_address(fd) {
        // It fails where the connection has just broken, which the first read tells.
        let _ = tcp_options::set(fd, &StreamOptions::default());
    }
    Ok(Foreign { blocking })
}

/// As it came; unless a duplicate of it is registered, which has to stay as its driver needs it.
pub(super) fn give_back(fd: OwnedFd, foreign: Option<Foreign>) -> OwnedFd {
    if foreign.is_some_and(|foreign| foreign.blocking) {
        let _nobody_registers = registry::lock(&ONE_AT_A_TIME);
        if !is_registered(&fd) {
            // It worked in the other direction; if not here, its owner still has the socket.
            let _ = rustix::io::ioctl_fionbio(&fd, false);
        }
    }
    fd
}

/// From the look for duplicates to the registration: two threads may bring two duplicates.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A descriptor from outside may be a duplicate of one that is registered. A port would refuse it; a selector would not, and both
/// registrations would take from one stream of bytes. Keep what this gives until the descriptor is registered.
pub(super) fn admit(fd: &OwnedFd, foreign: Option<Foreign>) -> io::Result<Option<MutexGuard<'static, ()>>> {
    if foreign.is_none() {
        return Ok(None);
    }
    let admitted = registry::lock(&ONE_AT_A_TIME);
    if is_registered(fd) {
        return Err(Unsuitable::Registered.into());
    }
    Ok(Some(admitted))
}

/// What all drivers of the process share, locked.
pub(crate) type ProcessLocks = (MutexGuard<'static, ()>, registry::AllLocked);

/// In the order in which they are taken elsewhere.
pub(crate) fn lock_process() -> ProcessLocks {
    (registry::lock(&ONE_AT_A_TIME), registry::lock_all())
}

fn is_registered(fd: &OwnedFd) -> bool {
    Identity::of(fd)
        .is_some_and(|identity| Registry::all().iter().any(|each| each.key_of(&identity).is_some()))
}
