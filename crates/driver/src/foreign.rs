//! Sockets from outside: the only ones whose history no type knows, so they are looked at before they are registered.

use std::fmt;
use std::io;

use crate::source::{OsListenerKind, OsStreamKind};
#[cfg(unix)]
use crate::unix;
#[cfg(windows)]
use crate::windows;
use crate::{Address, Key, OsListener, OsStream, Remote, Unregistered};

/// A socket of the system as a program owns it.
#[cfg(unix)]
pub type SystemSocket = std::os::fd::OwnedFd;
/// A socket of the system as a program owns it.
#[cfg(windows)]
pub type SystemSocket = std::os::windows::io::OwnedSocket;
/// Systems without sockets of their own have none.
#[cfg(not(any(unix, windows)))]
#[derive(Debug)]
pub enum SystemSocket {}

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
    return windows::addresses_of(socket);
    #[cfg(not(any(unix, windows)))]
    match *socket {}
}

/// The number of its handle: a descriptor, or a `SOCKET`. For people; it is used again as soon as the socket is closed.
pub fn handle_of(socket: &SystemSocket) -> u64 {
    #[cfg(unix)]
    return u64::try_from(std::os::fd::AsRawFd::as_raw_fd(socket))
        .expect("an open descriptor is not negative");
    #[cfg(windows)]
    return std::os::windows::io::AsRawSocket::as_raw_socket(socket);
    #[cfg(not(any(unix, windows)))]
    match *socket {}
}

impl TryFrom<SystemSocket> for OsStream {
    type Error = Unregistered<SystemSocket>;

    /// A connected stream socket from elsewhere. One that does not fit comes back as it was ([`Unsuitable`]). It is made non-blocking, and with it every
    /// duplicate of the handle; on Windows only when it is adopted. Whether it can be registered is known then: a socket has one registration.
    fn try_from(socket: SystemSocket) -> Result<OsStream, Unregistered<SystemSocket>> {
        #[cfg(unix)]
        return unix::OsStream::from_foreign(socket).map(|stream| OsStream(OsStreamKind::Unix(stream)));
        #[cfg(windows)]
        return windows::OsStream::from_foreign(socket).map(|stream| OsStream(OsStreamKind::Windows(stream)));
        #[cfg(not(any(unix, windows)))]
        match socket {}
    }
}

impl TryFrom<SystemSocket> for OsListener {
    type Error = Unregistered<SystemSocket>;

    /// A listening stream socket from elsewhere, as a stream is taken. The file of an ipc listener stays its maker's: it is not unlinked.
    fn try_from(socket: SystemSocket) -> Result<OsListener, Unregistered<SystemSocket>> {
        #[cfg(unix)]
        return unix::OsListener::from_foreign(socket)
            .map(|listener| OsListener(OsListenerKind::Unix(listener)));
        #[cfg(windows)]
        return windows::OsListener::from_foreign(socket)
            .map(|listener| OsListener(OsListenerKind::Windows(listener)));
        #[cfg(not(any(unix, windows)))]
        match socket {}
    }
}

impl OsStream {
    /// The system's socket, which was not registered; blocking again if it came so from outside. A simulated one has none and comes back, and so does
    /// one for datagrams, which never came from outside.
    pub fn into_system(self) -> Result<SystemSocket, OsStream> {
        match self.0 {
            #[cfg(unix)]
            OsStreamKind::Unix(stream) => Ok(stream.into_fd()),
            #[cfg(windows)]
            OsStreamKind::Windows(stream) => {
                stream.into_socket().map_err(|pipe| OsStream(OsStreamKind::Windows(pipe)))
            }
            #[cfg(any(unix, windows))]
            datagrams @ OsStreamKind::Datagrams(_) => Err(OsStream(datagrams)),
            simulated @ OsStreamKind::Simulated(_) => Err(OsStream(simulated)),
        }
    }
}

impl OsListener {
    /// The system's socket, which was not registered; blocking again if it came so from outside. A simulated one has none and comes back.
    pub fn into_system(self) -> Result<SystemSocket, OsListener> {
        match self.0 {
            #[cfg(unix)]
            OsListenerKind::Unix(listener) => Ok(listener.into_fd()),
            #[cfg(windows)]
            OsListenerKind::Windows(listener) => {
                listener.into_socket().map_err(|pipe| OsListener(OsListenerKind::Windows(pipe)))
            }
            simulated @ OsListenerKind::Simulated(_) => Err(OsListener(simulated)),
        }
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
