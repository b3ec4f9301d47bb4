//! Which mechanism a socket has, as an option.

use std::fmt;
use std::io;

use serverlink_zmtp::keys::{KeyPair, PublicKey, SecretKey};
use serverlink_zmtp::mechanism::{self, MAX_PLAIN_LEN, Seed};
use zeroize::Zeroizing;

use crate::env::Env;
use crate::error::Error;

/// The mechanism of a socket, its role in it, and what it needs for that. See the [module](crate::security).
///
/// Secrets are never shown by `Debug`, and overwritten when they are dropped. What of a password of PLAIN went through a connection's buffers,
/// where it is in clear as on the wire, is not overwritten there.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Security(Kind);

#[derive(Clone, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    PlainServer,
    PlainClient {
        username: Vec<u8>,
        password: Zeroizing<Vec<u8>>,
    },
    CurveServer(KeyPair),
    CurveClient {
        keys: KeyPair,
        server: PublicKey,
    },
}

impl Security {
    /// No security: anybody can connect, read along and change what is on its way. Also called NULL.
    pub fn none() -> Security {
        Security(Kind::None)
    }

    /// Asks peers for a user name and a password, in clear: for networks that nobody else can read. Somebody has to judge them, or nobody is
    /// let in. Source: RFC 24. libzmq: `ZMQ_PLAIN_SERVER`.
    pub fn plain_server() -> Security {
        Security(Kind::PlainServer)
    }

    /// Says a user name and a password, of up to 255 bytes each, in clear, to whoever is at the other end and asks for it. Source: RFC 24.
    /// libzmq: `ZMQ_PLAIN_USERNAME`, `ZMQ_PLAIN_PASSWORD`.
    pub fn plain_client(username: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Security {
        Security(Kind::PlainClient { username: username.into(), password: Zeroizing::new(password.into()) })
    }

    /// Encrypts, and lets in whoever knows its public key and is accepted by whoever judges peers by theirs. **Where there is nobody to judge,
    /// everybody is let in who knows the public key**, and that is no secret: give the socket an
    /// [`authenticator`](crate::Options::authenticator) that knows its clients' keys. Source: RFC 26. libzmq:
    /// `ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`.
    pub fn curve_server(keys: KeyPair) -> Security {
        Security(Kind::CurveServer(keys))
    }

    /// Encrypts, and talks to nobody but the holder of the secret half of `server`. Source: RFC 26. libzmq: `ZMQ_CURVE_SECRETKEY`,
    /// `ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SERVERKEY`.
    pub fn curve_client(keys: KeyPair, server: PublicKey) -> Security {
        Security(Kind::CurveClient { keys, server })
    }

    /// `NULL`, `PLAIN` or `CURVE`.
    pub fn mechanism(&self) -> &'static str {
        match self.0 {
            Kind::None => "NULL",
            Kind::PlainServer | Kind::PlainClient { .. } => "PLAIN",
            Kind::CurveServer(_) | Kind::CurveClient { .. } => "CURVE",
        }
    }

    /// Whether it is the side that has the other judged.
    pub fn is_server(&self) -> bool {
        matches!(self.0, Kind::PlainServer | Kind::CurveServer(_))
    }

    /// Whether nothing may go over a connection in clear.
    pub(crate) fn encrypts(&self) -> bool {
        matches!(self.0, Kind::CurveServer(_) | Kind::CurveClient { .. })
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0 == Kind::None
    }

    pub(crate) fn is_plain_server(&self) -> bool {
        self.0 == Kind::PlainServer
    }

    /// Whom a client has proven to be at the other end, once the handshake is done.
    pub(crate) fn server_key(&self) -> Option<PublicKey> {
        match &self.0 {
            Kind::CurveClient { server, .. } => Some(*server),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Kind::PlainClient { username, password } => {
                for (what, len) in [("user name", username.len()), ("password", password.len())] {
                    if len > MAX_PLAIN_LEN {
                        let why = format!("the {what} may have 255 bytes and has {len}");
                        return Err(Error::invalid_option("security", self, why));
                    }
                }
                Ok(())
            }
            Kind::CurveServer(keys) | Kind::CurveClient { keys, .. } if !keys.secret.is_usable() => {
                let why = "the secret key is all zeros, which everybody knows; `generate_keys` makes one";
                Err(Error::invalid_option("security", self, why))
            }
            Kind::CurveClient { server, .. } if !server.is_usable() => {
                let why = "the server's key is none that a server can have";
                Err(Error::invalid_option("security", self, why))
            }
            _ => Ok(()),
        }
    }

    /// What one handshake needs, with chance of its own.
    pub(crate) fn for_connection(&self, env: &Env) -> io::Result<mechanism::Security> {
        Ok(match &self.0 {
            Kind::None => mechanism::Security::Null,
            Kind::PlainServer => mechanism::Security::PlainServer,
            Kind::PlainClient { username, password } => {
                mechanism::Security::PlainClient { username: username.clone(), password: password.clone() }
            }
            Kind::CurveServer(keys) => {
                mechanism::Security::CurveServer { keys: keys.clone(), seed: seed(env)? }
            }
            Kind::CurveClient { keys, server } => {
                mechanism::Security::CurveClient { keys: keys.clone(), server: *server, seed: seed(env)? }
            }
        })
    }
}

fn seed(env: &Env) -> io::Result<Seed> {
    let mut octets = Zeroizing::new([0; Seed::LEN]);
    env.fill_with_chance(&mut *octets)?;
    Ok(Seed::new(*octets))
}

/// Without secrets.
impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::None => f.write_str("none"),
            Kind::PlainServer => f.write_str("PLAIN server"),
            Kind::PlainClient { username, .. } => {
                write!(f, "PLAIN client \"{}\"", username.escape_ascii())
            }
            Kind::CurveServer(keys) => write!(f, "CURVE server {}", keys.public),
            Kind::CurveClient { keys, server } => write!(f, "CURVE client {} of {server}", keys.public),
        }
    }
}

/// New keys for CURVE, from the system's source of randomness.
///
/// Keep the secret half where only its program can read it, and give the public half to the peers.
///
/// ```
/// let keys = serverlink::security::generate_keys()?;
/// println!("give this to the clients: {}", keys.public);
/// # Ok::<(), serverlink::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]: the system gives no randomness.
pub fn generate_keys() -> Result<KeyPair, Error> {
    let mut octets = Zeroizing::new([0; 32]);
    let filled = getrandom::fill(&mut *octets);
    filled.map_err(|error| Error::Io {
        doing: "asking the system for random octets",
        endpoint: None,
        source: error.into(),
    })?;
    Ok(KeyPair::new(SecretKey::from_bytes(*octets)))
}
