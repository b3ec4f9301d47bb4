//! Sockets that the application made, and why one of them may not be taken.

use std::fmt;
use std::io;

use serverlink_driver::{SystemSocket, Unsuitable};
use serverlink_message::SocketType;

use crate::endpoint::Endpoint;
use crate::error::Error;

/// A socket of the system that [`Socket::adopt`](crate::Socket::adopt) or [`Socket::listen_on`](crate::Socket::listen_on) did not
/// take. It comes back as it was; nothing else has changed.
///
/// ```
/// use serverlink::{Context, RefusalReason};
/// use std::net::TcpListener;
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// let listening = TcpListener::bind("127.0.0.1:0")?;
/// let refused = pull.adopt(listening).expect_err("it is no connection");
/// assert!(matches!(refused.refusal.reason, RefusalReason::Listening));
///
/// let endpoint = pull.listen_on(refused.socket)?; // this is how a listener is brought in
/// let push = context.push().open()?;
/// push.connect(&endpoint.to_string())?;
/// push.send("through a listener that the application made")?;
/// pull.recv()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AdoptError<S> {
    /// What was not taken.
    pub socket: S,
    /// Which it was, and why.
    pub refusal: Box<AdoptRefusal>,
}

/// Which socket of the system was not taken, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct AdoptRefusal {
    /// Its number in this process: a descriptor, or a `SOCKET`.
    pub handle: u64,
    /// Its own end, if it has one that has a name.
    pub local: Option<Endpoint>,
    /// The other end, if it has one that has a name.
    pub peer: Option<Endpoint>,
    /// Why it was not taken.
    pub reason: RefusalReason,
}

/// Why a socket of the system was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// A file, a pipe or anything else.
    #[error("it is not a socket")]
    NotASocket,
    /// It keeps datagrams or packets apart.
    #[error("it is not a stream socket; tcp and unix stream sockets can be adopted")]
    NotAStream,
    /// It was never connected, or the connection is gone.
    #[error("it is not connected; connect it first, or let `connect` do both")]
    NotConnected,
    /// It listens, and a connection was wanted.
    #[error("it listens and is not a connection; use `listen_on` for it")]
    Listening,
    /// It does not listen, and a listener was wanted.
    #[error("it does not listen; call listen on it first, or use `adopt` if it is a connection")]
    NotListening,
    /// It listens where no endpoint leads.
    #[error("it listens at no tcp address and no path, so no peer could be told where")]
    Nameless,
    /// A socket of the system has one registration, and this one has it: here, through another duplicate of the handle, or with
    /// somebody else's completion port.
    #[error("it is registered already{}; a socket is registered once in its life, so close this duplicate or keep using that owner", by(holder.as_ref()))]
    Registered {
        /// Who holds it, where it is a socket of this context.
        holder: Option<Holder>,
        /// What the driver said.
        source: io::Error,
    },
    /// It fits, and something else is in the way.
    #[error(transparent)]
    Failed(Error),
}

/// The socket that holds what was to be adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its type.
    pub socket_type: SocketType,
    /// The endpoint under which it has it.
    pub endpoint: Endpoint,
    /// The registration, as in [`ConnectionReport::registration`](crate::ConnectionReport::registration).
    pub registration: u64,
}

impl RefusalReason {
    pub(crate) fn of(error: io::Error, holder: impl FnOnce() -> Option<Holder>) -> RefusalReason {
        match Unsuitable::in_error(&error) {
            Some(Unsuitable::NotASocket) => RefusalReason::NotASocket,
            Some(Unsuitable::NotAStream) => RefusalReason::NotAStream,
            Some(Unsuitable::NotConnected) => RefusalReason::NotConnected,
            Some(Unsuitable::Listening) => RefusalReason::Listening,
            Some(Unsuitable::NotListening) => RefusalReason::NotListening,
            Some(Unsuitable::Nameless) => RefusalReason::Nameless,
            // Where the system knows of registrations, it is the system that says so.
            _ if error.kind() == io::ErrorKind::AlreadyExists => {
                RefusalReason::Registered { holder: holder(), source: error }
            }
            _ => RefusalReason::Failed(Error::Io { doing: "registering it", endpoint: None, source: error }),
        }
    }
}

impl<S> AdoptError<S> {
    /// The socket in another form.
    pub(crate) fn map<T>(self, form: impl FnOnce(S) -> T) -> AdoptError<T> {
        AdoptError { socket: form(self.socket), refusal: self.refusal }
    }
}

impl fmt::Display for AdoptRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket {} ", self.handle)?;
        match (&self.local, &self.peer) {
            (Some(local), Some(peer)) => write!(f, "({local} to {peer}) ")?,
            (Some(local), None) => write!(f, "({local}) ")?,
            (None, Some(peer)) => write!(f, "(to {peer}) ")?,
            (None, None) => {}
        }
        write!(f, "was not adopted: {}", self.reason)
    }
}

impl<S> fmt::Display for AdoptError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

/// The socket is left out: it need not be printable.
impl<S> fmt::Debug for AdoptError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdoptError").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

impl<S> std::error::Error for AdoptError<S> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.refusal.reason {
            RefusalReason::Failed(error) => Some(error),
            RefusalReason::Registered { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Drops the socket.
impl<S> From<AdoptError<S>> for Error {
    fn from(refused: AdoptError<S>) -> Error {
        let AdoptRefusal { local, reason, .. } = *refused.refusal;
        match reason {
            RefusalReason::Failed(error) => error,
            reason => Error::Io {
                doing: "adopting a socket",
                endpoint: local,
                source: io::Error::new(io::ErrorKind::InvalidInput, reason.to_string()),
            },
        }
    }
}

/// What a program owns a socket of the system with, and gets back if it is refused: [`TcpStream`](std::net::TcpStream),
/// [`TcpListener`](std::net::TcpListener), the system's own `OwnedFd` or `OwnedSocket`, and on unix `UnixStream` and `UnixListener`.
///
/// Everything that turns into the system's type and back is one.
pub trait ForeignSocket: Into<SystemSocket> + From<SystemSocket> {}

impl<S: Into<SystemSocket> + From<SystemSocket>> ForeignSocket for S {}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| {
        format!(", by the {} socket of this context at {}", holder.socket_type, holder.endpoint)
    })
}
