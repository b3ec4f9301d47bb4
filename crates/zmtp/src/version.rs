//! The versions of ZMTP, as a peer's first octets show them.

use std::fmt;

/// A version of ZMTP that is spoken with a peer, from the oldest to the newest.
///
/// ```
/// use serverlink_zmtp::Version;
/// assert!(Version::V2_0 < Version::V3_0 && !Version::V2_0.has_commands());
/// assert_eq!(Version::V3_1.to_string(), "3.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// RFC 13, libzmq 2.x: frames in a form of their own ([`v1`](crate::v1)), and no greeting but the peer's identity.
    V1_0,
    /// RFC 15, libzmq 3.2: the frames of 3.x, socket type and identity, and no commands.
    V2_0,
    /// RFC 23, libzmq 4.0 and 4.1: commands, of which none are for subscriptions and heartbeats.
    V3_0,
    /// RFC 37, libzmq 4.2 and later.
    V3_1,
}

impl Version {
    /// Whether there is anything but messages after the handshake.
    pub fn has_commands(self) -> bool {
        self >= Version::V3_0
    }

    /// Whether there are PING and PONG, and commands for subscriptions.
    pub fn has_heartbeats(self) -> bool {
        self >= Version::V3_1
    }

    /// Major and minor version.
    pub fn numbers(self) -> (u8, u8) {
        match self {
            Version::V1_0 => (1, 0),
            Version::V2_0 => (2, 0),
            Version::V3_0 => (3, 0),
            Version::V3_1 => (3, 1),
        }
    }

    /// What [`subscription`](crate::subscription) asks for: 1 where subscriptions are commands.
    pub fn minor(self) -> u8 {
        u8::from(self.has_heartbeats())
    }

    /// ZMTP 3 with this minor version; what is newer is spoken as 3.1.
    pub(crate) fn of_minor(minor: u8) -> Version {
        if minor == 0 { Version::V3_0 } else { Version::V3_1 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.numbers();
        write!(f, "{major}.{minor}")
    }
}
