//! What a connection's security needs from outside: keys, passwords, chance, and the word of who judges peers.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::WireError;
use crate::keys::{KEY_LEN, KeyPair, PublicKey};

/// Octets of a user name, and of a password: each has its length in one octet.
pub const MAX_PLAIN_LEN: usize = u8::MAX as usize;

/// Which mechanism a connection uses, in which role, and with what.
///
/// Which side is the mechanism's server has nothing to do with which side listens.
#[derive(Debug, Default)]
pub enum Security {
    /// No security (RFC 37).
    #[default]
    Null,
    /// A user name and a password, in clear (RFC 24): the side that asks for them.
    PlainServer,
    /// The side that has them.
    PlainClient {
        /// At most [`MAX_PLAIN_LEN`] octets; more are cut off.
        username: Vec<u8>,
        /// The same.
        password: Zeroizing<Vec<u8>>,
    },
    /// Encryption and proof of who is who by keys (RFC 26): the side whose key is known beforehand.
    CurveServer {
        /// Its long-term keys.
        keys: KeyPair,
        /// For this connection alone.
        seed: Seed,
    },
    /// The side that knows the server's key.
    CurveClient {
        /// Its own long-term keys.
        keys: KeyPair,
        /// Whom it wants to reach.
        server: PublicKey,
        /// For this connection alone.
        seed: Seed,
    },
}

impl Security {
    /// Passes `through` what is fine, if a handshake can be made with these settings.
    pub(crate) fn check<T>(&self, through: T) -> Result<T, WireError> {
        match self {
            Security::CurveServer { keys, .. } | Security::CurveClient { keys, .. }
                if !keys.secret.is_usable() =>
            {
                Err(WireError::InvalidConfig { why: "the secret key is all zeros, which everybody knows" })
            }
            Security::CurveClient { server, .. } if !server.is_usable() => {
                Err(WireError::InvalidConfig { why: "the server's key is none that a CURVE server can have" })
            }
            _ => Ok(through),
        }
    }

    /// Whether it has a server's part: the side that judges the other.
    pub fn is_server(&self) -> bool {
        matches!(self, Security::PlainServer | Security::CurveServer { .. })
    }
}

/// The chance of one connection: keys and nonces are made of it.
///
/// It must come from a source of randomness for cryptography, and be used for one handshake only: that is why it cannot be cloned.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; Seed::LEN]);

impl Seed {
    /// Octets of it.
    pub const LEN: usize = 2 * KEY_LEN + 2 * 16;

    /// From random octets.
    pub fn new(octets: [u8; Seed::LEN]) -> Seed {
        Seed(octets)
    }

    /// One of the two keys in it.
    pub(super) fn key(&self, index: usize) -> [u8; KEY_LEN] {
        let (keys, _) = self.0.as_chunks::<KEY_LEN>();
        keys[index]
    }

    /// One of the two nonces in it.
    pub(super) fn nonce(&self, index: usize) -> [u8; 16] {
        let (nonces, _) = self.0[2 * KEY_LEN..].as_chunks::<16>();
        nonces[index]
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What a peer has shown of itself, for whoever judges it.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing: there is no security.
    Null,
    /// A user name and a password.
    Plain {
        /// Any octets, at most 255.
        username: Vec<u8>,
        /// The same.
        password: Zeroizing<Vec<u8>>,
    },
    /// A key, and the peer has proven that it has the secret half.
    Curve {
        /// Its long-term key.
        public_key: PublicKey,
    },
}

/// Without the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Null => f.write_str("Null"),
            Credentials::Plain { username, .. } => {
                write!(f, "Plain {{ username: \"{}\", password: .. }}", username.escape_ascii())
            }
            Credentials::Curve { public_key } => write!(f, "Curve {{ public_key: {public_key} }}"),
        }
    }
}

/// Why a peer is not let in, by the numbers of ZAP (RFC 27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// 300: it cannot be judged now. The peer is told nothing and may come back.
    Temporary,
    /// 400: its credentials are not good. It is told so.
    Refused,
    /// 500: judging failed. It is told so.
    Failed,
}

impl Denial {
    /// The number of ZAP.
    pub fn status(self) -> u16 {
        match self {
            Denial::Temporary => 300,
            Denial::Refused => 400,
            Denial::Failed => 500,
        }
    }

    /// What the peer is told, if anything.
    pub(crate) fn reason(self) -> Option<&'static str> {
        match self {
            Denial::Temporary => None,
            Denial::Refused => Some("400"),
            Denial::Failed => Some("500"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Denial::Temporary => "it cannot be judged now (300)",
            Denial::Refused => "its credentials are not accepted (400)",
            Denial::Failed => "judging its credentials failed (500)",
        })
    }
}
