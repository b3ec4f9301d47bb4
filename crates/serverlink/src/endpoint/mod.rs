//! Addresses as people write them: `tcp://host:port`, `ipc://path`, `ipc://@name`, `inproc://name`, `udp://host:port`.

mod parse;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::Error;

/// What binds to a fresh path.
const ANY_PATH: &str = "*";

/// Where a socket listens, or where it connects to.
///
/// ```
/// use serverlink::Endpoint;
///
/// let endpoint: Endpoint = "tcp://[::1]:5555".parse()?;
/// assert_eq!(endpoint.to_string(), "tcp://[::1]:5555");
///
/// let forgotten = "tcp://localhost".parse::<Endpoint>().unwrap_err();
/// assert!(forgotten.to_string().contains("tcp://localhost:5555"));
/// # Ok::<(), serverlink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// `tcp://host:port`, or `tcp://source:port;host:port`: over the network.
    Tcp {
        /// Our own end, for connecting only: which address of this machine the connection comes from. `None`: the system chooses.
        source: Option<Box<SourceAddress>>,
        /// The machine.
        host: Host,
        /// The port on it.
        port: Port,
    },
    /// `ipc://path`: between processes of one machine, through a socket file at `path`. On Linux also `ipc://@name`, an abstract name, which
    /// needs no file and is gone with its listener; anybody on the machine may connect to one. `ipc://*`, for binding only, is a fresh path in a
    /// directory of its own below the temporary one, which no other user can enter; both are removed when the socket is unbound.
    Ipc(PathBuf),
    /// `inproc://name`: between sockets of one context. Nothing is encoded and no system call is made.
    Inproc(String),
    /// `udp://host:port`, or `udp://interface;group:port`: datagrams, over the network. For [`Radio`](crate::Radio), which connects, and for
    /// [`Dish`](crate::Dish) and [`Dgram`](crate::Dgram), which bind. A datagram may be lost, come twice or out of order, and nobody knows who listens. With
    /// a group of IP multicast as its host it reaches everybody who has bound that group.
    Udp {
        /// The network interface for datagrams of the group: the interface's IPv4 address, its name, or `*` for the system's choice, as is `None`. IPv6
        /// knows them by name only.
        interface: Option<Box<Host>>,
        /// Connecting: the machine or the group. Binding: `*`, an address or an interface of this machine, or the group to join.
        host: Host,
        /// The port there.
        port: Port,
    },
}

/// What stands before the `;` of a tcp endpoint: where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceAddress {
    /// An address of this machine, the name of one of its network interfaces (not on Windows), or `*` for any.
    pub host: Host,
    /// A port; `*` or `0` for any.
    pub port: Port,
}

/// The machine of a tcp or udp endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// `*`: every address of this machine. Only for binding.
    Any,
    /// An address, `127.0.0.1` or `[::1]`.
    Ip(IpAddr),
    /// A name to be resolved, for binding also that of a network interface of this machine (`eth0`; not on Windows), or an IPv6 address with a zone (`[fe80::1%eth0]`), which only the resolver understands.
    Name(String),
}

/// The port of a tcp or udp endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Port {
    /// `*` or `0`: the system chooses a free one. Only for binding; ask the socket for its last endpoint afterwards.
    Any,
    /// This one.
    Number(u16),
}

impl Endpoint {
    /// Longest name of an inproc endpoint, in bytes. Names are keys of a table and appear in every error about them.
    pub const MAX_INPROC_NAME_BYTES: usize = 255;

    /// Longest path of an ipc endpoint, in bytes: what `sockaddr_un` holds beside its final zero.
    pub const MAX_IPC_PATH_BYTES: usize =
        if cfg!(any(target_os = "linux", target_os = "android", windows)) { 107 } else { 103 };

    /// The name before `://`.
    pub fn transport(&self) -> &'static str {
        match self {
            Endpoint::Tcp { .. } => "tcp",
            Endpoint::Ipc(_) => "ipc",
            Endpoint::Inproc(_) => "inproc",
            Endpoint::Udp { .. } => "udp",
        }
    }

    /// Refuses what can only be bound: a wildcard names no peer.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`] for a tcp or udp endpoint with `*` as its host or port, and for `ipc://*`.
    pub fn check_connectable(&self) -> Result<(), Error> {
        match self {
            Endpoint::Tcp { host: Host::Any, .. } | Endpoint::Udp { host: Host::Any, .. } => Err(
                Error::invalid_endpoint(self, "`*` is for binding; connecting needs the host of the peer"),
            ),
            Endpoint::Tcp { port: Port::Any, .. } | Endpoint::Udp { port: Port::Any, .. } => {
                Err(Error::invalid_endpoint(self, "connecting needs the port that the peer has bound"))
            }
            Endpoint::Ipc(path) if path == Path::new(ANY_PATH) => Err(Error::invalid_endpoint(
                self,
                "`*` is for binding; connecting needs the path that the peer's bind told",
            )),
            _ => Ok(()),
        }
    }

    /// Datagrams, which have no connections.
    pub(crate) fn is_udp(&self) -> bool {
        matches!(self, Endpoint::Udp { .. })
    }

    /// Refuses what means something only for a connection.
    ///
    /// # Errors
    /// [`Error::InvalidEndpoint`] for a tcp endpoint with a source address.
    pub fn check_bindable(&self) -> Result<(), Error> {
        match self {
            Endpoint::Tcp { source: Some(_), .. } => Err(Error::invalid_endpoint(
                self,
                "a source address before `;` is for connecting; write the address to bind alone",
            )),
            _ => Ok(()),
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Endpoint, Error> {
        parse::endpoint(text).map_err(|why| Error::invalid_endpoint(text, why))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp { source: Some(source), host, port } => {
                write!(f, "tcp://{}:{};{host}:{port}", source.host, source.port)
            }
            Endpoint::Tcp { source: None, host, port } => write!(f, "tcp://{host}:{port}"),
            Endpoint::Ipc(path) => write!(f, "ipc://{}", path.display()),
            Endpoint::Inproc(name) => write!(f, "inproc://{name}"),
            Endpoint::Udp { interface: Some(interface), host, port } => {
                write!(f, "udp://{interface};{host}:{port}")
            }
            Endpoint::Udp { interface: None, host, port } => write!(f, "udp://{host}:{port}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Any => f.write_str("*"),
            Host::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Name(zoned) if zoned.contains(':') => write!(f, "[{zoned}]"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Any => f.write_str("*"),
            Port::Number(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests;
