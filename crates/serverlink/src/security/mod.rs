//! Authentication and encryption: who may connect, and who can read along.
//!
//! A socket has one mechanism, and talks only to peers that have the same: [`Security::none`] (NULL), [`Security::plain_server`] and
//! [`Security::plain_client`] (PLAIN: a user name and a password, in clear), [`Security::curve_server`] and [`Security::curve_client`]
//! (CURVE: encryption and keys). Which side is the mechanism's server has nothing to do with which side binds. `inproc://` never leaves the
//! process and is not protected.
//!
//! ```
//! use serverlink::security::{Security, generate_keys};
//! use serverlink::{Context, Error};
//!
//! let context = Context::new()?;
//! let (server, client) = (generate_keys()?, generate_keys()?);
//! let wanted = client.public;
//!
//! let pull = context
//!     .pull()
//!     .security(Security::curve_server(server.clone()))
//!     .authenticator(move |request: &AuthRequest| match request.public_key() {
//!         Some(key) if *key == wanted => Ok(User::named("sensor-7")),
//!         _ => Err(Denial::Refused),
//!     })
//!     .open()?;
//! let endpoint = pull.bind("tcp://127.0.0.1:*")?;
//!
//! let push = context.push().security(Security::curve_client(client, server.public)).open()?;
//! push.connect(&endpoint.to_string())?;
//! push.send("nobody else can read this")?;
//!
//! let (message, peer) = pull.recv_with_peer()?;
//! assert_eq!(message.first(), "nobody else can read this");
//! assert_eq!(peer.and_then(|peer| peer.user_id.clone()).as_deref(), Some(&b"sensor-7"[..]));
//! # use serverlink::security::{AuthRequest, Denial, User};
//! # Ok::<(), Error>(())
//! ```
//!
//! # Who judges
//!
//! The first of these that is there is asked about each peer of a PLAIN or CURVE server, and of a socket without security:
//!
//! 1. the socket's own [`authenticator`](crate::Options::authenticator);
//! 2. the context's ([`ContextBuilder::authenticator`](crate::ContextBuilder::authenticator));
//! 3. a handler that speaks ZAP (RFC 27), bound to `inproc://zeromq.zap.01` in the same context.
//!
//! The last two are asked about peers of a socket without security only if it has a [`zap_domain`](crate::Options::zap_domain). Where nobody is
//! there to ask, a PLAIN server lets nobody in. A CURVE server, and a socket without security, let everybody in, who has the server's key
//! where there is one; [`zap_enforce_domain`](crate::Options::zap_enforce_domain) makes those with a domain let nobody in. Without a domain it
//! keeps, as in libzmq, only the handler from being asked about the peers of a CURVE server.
//!
//! What is told apart, and what an attacker gets: `docs/security.md`.

mod authenticator;
mod mechanism;
mod password;

pub use authenticator::{Answer, AuthRequest, Authenticator, SharedAuthenticator, User};
pub use mechanism::{Security, generate_keys};
pub use password::Password;
pub use serverlink_zmtp::keys::{KeyError, KeyPair, PublicKey, SecretKey};
pub use serverlink_zmtp::mechanism::{Credentials, Denial};
pub use serverlink_zmtp::z85;

pub(crate) use authenticator::Verdict;

/// Who was found to judge a peer.
#[derive(Debug)]
pub(crate) enum Opinion {
    /// Somebody who tells later. What is kept for as long as the question stands.
    Later(Option<crate::zap::Question>),
    /// Somebody who cannot be asked now.
    Denied(Denial),
    /// Nobody, and nobody is needed.
    Allowed,
    /// Nobody, and without one nobody is let in.
    Nobody,
}
