//! Sockets from outside: the only ones whose history no type knows, so they are looked at before they are registered.

use std::fmt;
use std::io;

#[cfg(unix)]
use crate::source::{OsListenerKind, OsStreamKind};
use crate::{Address, Key, Remote};
#[cfg(unix)]
use crate::{OsListener, OsStream, Unregistered, unix};

/// A socket of the system as a program owns it.
#[cfg(unix)]
pub type SystemSocket = std::os::fd::OwnedFd;
/// A socket of the system as a program owns it.
#[cfg(windows)]
pub type SystemSocket = std::os::windows::io::OwnedSocket;

/// Why a socket from outside cannot be registered. It is inside the [`io::Error`] of an [`Unregistered`](crate::Unregistered).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsuitable {
    /// The handle is that of a file, a pipe or anything else.
    NotASocket,
    /// A socket that keeps datagrams or packets apart.
    NotAStream,
    /// It has no peer, or has lost it.
    NotConnected,
    /// A stream was wanted, and it listens.
    Listening,
    /// A listener was wanted, and it does not listen.
    NotListening,
    /// It listens where no address leads: its name is neither a TCP address nor a path.
    Nameless,
    /// It is registered already, perhaps through a duplicate of this handle: a socket has one registration.
    Registered,
}

impl Unsuitable {
    /// The reason inside of an error, if that is what it is about.
    pub fn in_error(error: &io::Error) -> Option<Unsuitable> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsuitable::NotASocket => "the handle is not a socket",
            Unsuitable::NotAStream => "the socket is not a stream",
            Unsuitable::NotConnected => "the socket is not connected",
            Unsuitable::Listening => "the socket listens and is not a connection",
            Unsuitable::NotListening => "the socket does not listen",
            Unsuitable::Nameless => "the socket listens at no TCP address and no path",
            Unsuitable::Registered => "the socket is registered already",
        })
    }
}

impl std::error::Error for Unsuitable {}

impl From<Unsuitable> for io::Error {
    fn from(why: Unsuitable) -> io::Error {
        let kind = match why {
            Unsuitable::NotConnected => io::ErrorKind::NotConnected,
            Unsuitable::Registered => io::ErrorKind::AlreadyExists,
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, why)
    }
}

/// The two ends of a socket, local and remote, as far as it has them and they have names.
pub fn addresses_of(socket: &SystemSocket) -> (Option<Address>, Option<Address>) {
    #[cfg(unix)]
    return (unix::local_address(socket), unix::peer_address(socket));
    #[cfg(windows)]
    {
        let _ = socket;
        (None, None)
    }
}

impl Remote {
    /// Which source of this driver is this very socket, through whatever handle. Looks at each of them, so it is for errors and not for every day.
    /// Completion ports cannot tell.
    pub fn key_of(&self, socket: &SystemSocket) -> Option<Key> {
        #[cfg(unix)]
        if let crate::driver::RemoteKind::Unix(remote) = &self.0 {
            return remote.registry.key_of(&unix::Identity::of(socket)?);
        }
        let _ = socket;
        None
    }
}

#[cfg(unix)]
impl TryFrom<SystemSocket> for OsStream {
    type Error = Unregistered<SystemSocket>;

    /// A connected stream socket from elsewhere. It is made non-blocking, and with it every duplicate of the handle. One that does not fit comes back
    /// as it was ([`Unsuitable`]).
    fn try_from(socket: SystemSocket) -> Result<OsStream, Unregistered<SystemSocket>> {
        unix::OsStream::from_foreign(socket).map(|stream| OsStream(OsStreamKind::Unix(stream)))
    }
}

#[cfg(unix)]
impl TryFrom<SystemSocket> for OsListener {
    type Error = Unregistered<SystemSocket>;

    /// A listening stream socket from elsewhere. It is made non-blocking, and with it every duplicate of the handle. One that does not fit comes back
    /// as it was ([`Unsuitable`]). The file of an ipc listener stays its maker's: it is not unlinked.
    fn try_from(socket: SystemSocket) -> Result<OsListener, Unregistered<SystemSocket>> {
        unix::OsListener::from_foreign(socket).map(|listener| OsListener(OsListenerKind::Unix(listener)))
    }
}

#[cfg(unix)]
impl OsStream {
    /// The system's socket, which was not registered; blocking again if it came so from outside. A simulated one has none and comes back.
    pub fn into_system(self) -> Result<SystemSocket, OsStream> {
        match self.0 {
            OsStreamKind::Unix(stream) => Ok(stream.into_fd()),
            simulated @ OsStreamKind::Simulated(_) => Err(OsStream(simulated)),
        }
    }
}

#[cfg(unix)]
impl OsListener {
    /// The system's socket, which was not registered; blocking again if it came so from outside. A simulated one has none and comes back.
    pub fn into_system(self) -> Result<SystemSocket, OsListener> {
        match self.0 {
            OsListenerKind::Unix(listener) => Ok(listener.into_fd()),
            simulated @ OsListenerKind::Simulated(_) => Err(OsListener(simulated)),
        }
    }
}
