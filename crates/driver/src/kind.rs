//! Which back end drives the I/O.

use std::fmt;
use std::str::FromStr;

/// A back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Linux epoll, edge-triggered.
    Epoll,
    /// Completion ports of Windows.
    Iocp,
    /// The `polling` crate: kqueue on macOS and the BSDs; epoll on Linux and completion ports on Windows where it is chosen there.
    Polling,
    /// A virtual network on a virtual clock; its drivers come from [`sim::World`](crate::sim::World).
    Simulated,
}

impl Kind {
    /// Every kind, in the order of [`Kind`].
    pub const ALL: [Kind; 4] = [Kind::Epoll, Kind::Iocp, Kind::Polling, Kind::Simulated];

    /// The back end that fits this operating system best.
    pub const fn native() -> Kind {
        if cfg!(any(target_os = "linux", target_os = "android")) {
            Kind::Epoll
        } else if cfg!(unix) {
            Kind::Polling
        } else if cfg!(windows) {
            Kind::Iocp
        } else {
            Kind::Simulated
        }
    }

    /// The name that [`FromStr`] reads, as in `SERVERLINK_DRIVER=epoll`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Epoll => "epoll",
            Kind::Iocp => "iocp",
            Kind::Polling => "polling",
            Kind::Simulated => "simulated",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Kind, UnknownKind> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

/// A name that is no back end; it keeps the name for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind(pub String);

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no driver; use epoll, iocp, polling or simulated", self.0)
    }
}

impl std::error::Error for UnknownKind {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().to_uppercase().parse(), Ok(kind));
        }
        assert_eq!("io_uring".parse::<Kind>(), Err(UnknownKind("io_uring".to_owned())));
    }
}
