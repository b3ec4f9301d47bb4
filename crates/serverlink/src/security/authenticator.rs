//! Whoever judges peers: what it is asked, and how it answers.

use std::fmt;
use std::sync::{Arc, Weak};

use serverlink_driver::{Credentials as PeerCredentials, Key};
use serverlink_zmtp::keys::PublicKey;
use serverlink_zmtp::mechanism::{Credentials, Denial};

use crate::endpoint::Endpoint;
use crate::reactor::{Command, Reactor};

/// Judges peers before they are let in.
///
/// Any `Fn(&AuthRequest) -> Result<User, Denial>` is one that answers at once. One that has to ask a database first implements
/// [`judge`](Authenticator::judge), hands the [`Answer`] on and returns.
///
/// It is called by whichever thread drives the socket, without any lock. That may be a thread of the application, inside of its `recv` or
/// `send`. It may call the library, but while it runs that thread and its connections wait: one that may take long hands the question
/// to a thread of its own. A panic counts as [`Denial::Failed`].
///
/// ```
/// use std::sync::mpsc::{self, SyncSender, TrySendError};
/// use std::thread;
/// use serverlink::security::{Answer, AuthRequest, Authenticator, Denial, User};
///
/// struct Slow(SyncSender<(AuthRequest, Answer)>);
///
/// impl Slow {
///     fn new() -> Slow {
///         // Strangers may ask faster than anybody decides, so there is a bound.
///         let (ask, questions) = mpsc::sync_channel::<(AuthRequest, Answer)>(100);
///         thread::spawn(move || {
///             for (request, answer) in questions {
///                 match request.username() {
///                     Some(b"admin") => answer.give(Ok(User::named("admin"))),
///                     _ => answer.give(Err(Denial::Refused)),
///                 }
///             }
///         });
///         Slow(ask)
///     }
/// }
///
/// impl Authenticator for Slow {
///     fn judge(&self, request: AuthRequest, answer: Answer) {
///         match self.0.try_send((request, answer)) {
///             Ok(()) => {}
///             // Not now: it may come back.
///             Err(TrySendError::Full((_, answer))) => answer.give(Err(Denial::Temporary)),
///             Err(TrySendError::Disconnected((_, answer))) => answer.give(Err(Denial::Failed)),
///         }
///     }
/// }
/// # let _ = Slow::new();
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Judges one peer, now or later: the handshake goes on when `answer` is given, until the socket's
    /// [`handshake_timeout`](crate::Options::handshake_timeout). Whether the peer is still there is not looked at before that. An answer that is
    /// dropped is [`Denial::Failed`].
    fn judge(&self, request: AuthRequest, answer: Answer);
}

impl<F> Authenticator for F
where
    F: Fn(&AuthRequest) -> Result<User, Denial> + Send + Sync + 'static,
{
    fn judge(&self, request: AuthRequest, answer: Answer) {
        answer.give(self(&request));
    }
}

/// An [`Authenticator`] that several sockets may have. Two are equal if they are the same one.
#[derive(Clone)]
pub struct SharedAuthenticator(Arc<dyn Authenticator>);

impl SharedAuthenticator {
    /// For [`Options::authenticator`](crate::Options::authenticator).
    pub fn new(authenticator: impl Authenticator) -> SharedAuthenticator {
        SharedAuthenticator(Arc::new(authenticator))
    }

    pub(crate) fn judge(&self, request: AuthRequest, answer: Answer) {
        self.0.judge(request, answer);
    }
}

impl PartialEq for SharedAuthenticator {
    fn eq(&self, other: &SharedAuthenticator) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedAuthenticator {}

impl fmt::Debug for SharedAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAuthenticator(..)")
    }
}

/// A peer that wants to be let in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthRequest {
    /// The socket's [`zap_domain`](crate::Options::zap_domain).
    pub domain: String,
    /// The socket's number in its context: [`Socket::id`](crate::Socket::id).
    pub socket: u64,
    /// The listener's or dialer's endpoint, as the application wrote it.
    pub endpoint: Endpoint,
    /// The connection, as in [`EventKind`](crate::EventKind).
    pub registration: u64,
    /// Where the peer is, where the system knows.
    pub peer_address: Option<Endpoint>,
    /// Which process the peer is, over ipc and where the system knows.
    pub peer_credentials: Option<PeerCredentials>,
    /// The socket's own routing id; empty if it has none.
    pub routing_id: Vec<u8>,
    /// What the peer shows. A key of CURVE is proven; a password is what the peer says.
    pub credentials: Credentials,
}

impl AuthRequest {
    /// `NULL`, `PLAIN` or `CURVE`.
    pub fn mechanism(&self) -> &'static str {
        match self.credentials {
            Credentials::Null => "NULL",
            Credentials::Plain { .. } => "PLAIN",
            Credentials::Curve { .. } => "CURVE",
        }
    }

    /// The user name of PLAIN.
    pub fn username(&self) -> Option<&[u8]> {
        match &self.credentials {
            Credentials::Plain { username, .. } => Some(username),
            _ => None,
        }
    }

    /// The password of PLAIN.
    pub fn password(&self) -> Option<&[u8]> {
        match &self.credentials {
            Credentials::Plain { password, .. } => Some(password),
            _ => None,
        }
    }

    /// The key of CURVE, of which the peer has proven to have the secret half.
    pub fn public_key(&self) -> Option<&PublicKey> {
        match &self.credentials {
            Credentials::Curve { public_key } => Some(public_key),
            _ => None,
        }
    }
}

/// Who a peer is that is let in, as whoever judged it calls it: [`Peer::user_id`](crate::Peer::user_id) and
/// [`Peer::granted`](crate::Peer::granted) tell the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    pub(crate) id: Vec<u8>,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
}

impl User {
    /// A name by which the application knows the peer. Empty for none.
    pub fn named(id: impl Into<Vec<u8>>) -> User {
        User { id: id.into(), metadata: Vec::new() }
    }

    /// One more property of the peer, apart from those that it says of itself: [`Peer::granted_property`](crate::Peer::granted_property).
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> User {
        self.metadata.push((name.into(), value.into()));
        self
    }
}

/// What becomes of a peer. `None`: nobody was asked.
pub(crate) type Verdict = Result<Option<User>, Denial>;

/// The answer to one question, which any thread may give, once. Dropping it is [`Denial::Failed`].
#[must_use = "dropping it turns the peer away"]
pub struct Answer {
    /// The connection that waits.
    to: Option<(Weak<Reactor>, Key)>,
}

impl Answer {
    pub(crate) fn new(reactor: &Arc<Reactor>, connection: Key) -> Answer {
        Answer { to: Some((Arc::downgrade(reactor), connection)) }
    }

    /// Lets the peer in, or turns it away. A peer that is gone meanwhile does not hear of it.
    pub fn give(mut self, verdict: Result<User, Denial>) {
        self.tell(verdict.map(Some));
    }

    fn tell(&mut self, verdict: Verdict) {
        if let Some((reactor, connection)) = self.to.take()
            && let Some(reactor) = reactor.upgrade()
        {
            reactor.post(Command::Judged(connection, Box::new(verdict)));
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.tell(Err(Denial::Failed));
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}
