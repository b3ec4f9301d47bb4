//! Who is at the other end of a pipe.

use std::fmt;

use serverlink_driver::Credentials as PeerCredentials;
use serverlink_message::SocketType;
use serverlink_zmtp::{Version, handshake};

use crate::endpoint::Endpoint;
use crate::security::{PublicKey, User};

/// A peer, as its handshake introduced it.
///
/// It is made once for each connection, when the handshake is done, and never changes; clones of the [`Arc`](std::sync::Arc) around it are cheap to
/// keep. What it says of itself is not proven: decide nothing by [`properties`](Peer::properties) or [`routing_id`](Peer::routing_id).
/// [`credentials`](Peer::credentials) come from the system, [`public_key`](Peer::public_key) is proven by CURVE, and
/// [`user_id`](Peer::user_id) and [`granted`](Peer::granted) are what our own side says of it.
///
/// ```
/// use std::time::Duration;
/// use serverlink::{Context, Error};
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// let push = context.push().metadata("X-Zone", "north").open()?;
/// push.connect(&endpoint.to_string())?;
///
/// push.send("hello")?;
/// let (message, peer) = pull.recv_with_peer()?;
/// let peer = peer.expect("it came from a peer");
/// assert_eq!(message.first(), "hello");
/// assert_eq!(peer.property("x-zone"), Some(&b"north"[..]));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The type of its socket. `None` for a peer of ZMTP 1.0, which does not say, and for the programs that a STREAM talks to.
    pub socket_type: Option<SocketType>,
    /// The routing id that it announced; empty if none. A ROUTER may know it under another name: of its own side's choice, or one it
    /// made up for a peer without.
    pub routing_id: Vec<u8>,
    /// The version of ZMTP that is spoken with it. `None` over inproc and for a STREAM, where none is.
    pub version: Option<Version>,
    /// Where its connection comes from or goes to, where the system knows: an ipc peer that connected to us has no name. Over inproc
    /// the endpoint's name.
    pub address: Option<Endpoint>,
    /// Which process it is, as the system vouches for it: over ipc, where the system knows. `None` over tcp and inproc.
    pub credentials: Option<PeerCredentials>,
    /// What it says of itself beside that, in its order: properties of its application, whose names begin with `X-`, and of its library. It
    /// may say anything under any name, also under those of [`granted`](Peer::granted). Peers before ZMTP 3.0 have none.
    pub properties: Vec<(String, Vec<u8>)>,
    /// The name that an [`Authenticator`](crate::security::Authenticator) or a ZAP handler of this side gave to it when it let it in. `None`:
    /// nobody was asked.
    pub user_id: Option<Vec<u8>>,
    /// The properties that whoever gave the name gave with it: by those a program may decide what the peer is allowed to do, with
    /// [`granted_property`](Peer::granted_property). Empty: none, or nobody was asked.
    pub granted: Vec<(String, Vec<u8>)>,
    /// The long-term key of CURVE that it has proven to have: proven, unlike everything that it only says. `None`: the mechanism is another.
    pub public_key: Option<PublicKey>,
}

impl Peer {
    /// Over a wire, from the peer's handshake.
    pub(crate) fn introduced(
        peer: &handshake::Peer,
        address: Option<Endpoint>,
        credentials: Option<PeerCredentials>,
    ) -> Peer {
        Peer {
            socket_type: peer.socket_type,
            routing_id: peer.identity.clone(),
            version: Some(peer.version),
            address,
            credentials,
            properties: peer.properties.clone(),
            user_id: None,
            granted: Vec::new(),
            public_key: None,
        }
    }

    /// What whoever judged it had to add, and the key that it has proven to have.
    pub(crate) fn is_judged(&mut self, user: Option<User>, public_key: Option<PublicKey>) {
        self.public_key = public_key;
        if let Some(User { id, metadata }) = user {
            self.user_id = Some(id);
            self.granted = metadata;
        }
    }

    /// Over a wire on which nobody introduces himself.
    pub(crate) fn unknown(address: Option<Endpoint>, credentials: Option<PeerCredentials>) -> Peer {
        Peer {
            socket_type: None,
            routing_id: Vec::new(),
            version: None,
            address,
            credentials,
            properties: Vec::new(),
            user_id: None,
            granted: Vec::new(),
            public_key: None,
        }
    }

    /// The value of the property of this name; the case of names does not count. `Socket-Type` and `Identity` are among them, as in the
    /// handshake, and `User-Id`, as in ZAP, which is [`user_id`](Peer::user_id) and nothing that the peer says. A property that our own side
    /// [granted](Peer::granted) hides one of the same name that the peer says of itself. Where none was granted, the answer is the peer's own
    /// claim: what it may do must not depend on that, but on [`granted_property`](Peer::granted_property).
    pub fn property(&self, name: &str) -> Option<&[u8]> {
        match name {
            _ if name.eq_ignore_ascii_case("Socket-Type") => Some(self.socket_type?.as_str().as_bytes()),
            _ if name.eq_ignore_ascii_case("Identity") => Some(&self.routing_id),
            _ if name.eq_ignore_ascii_case("User-Id") => self.user_id.as_deref(),
            _ => self.granted_property(name).or_else(|| find(&self.properties, name)),
        }
    }

    /// The value of the property of this name that whoever judged the peer gave to it, never one that the peer claims; the case of names does
    /// not count.
    pub fn granted_property(&self, name: &str) -> Option<&[u8]> {
        find(&self.granted, name)
    }
}

fn find<'a>(properties: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    let mut named = properties.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| &value[..])
}

/// In one line, for logs: `DEALER "worker-7" at tcp://10.0.0.7:41234, ZMTP 3.1`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket_type {
            Some(socket_type) => write!(f, "{socket_type}")?,
            None => f.write_str("a socket of unknown type")?,
        }
        if !self.routing_id.is_empty() {
            write!(f, " \"{}\"", self.routing_id.escape_ascii())?;
        }
        if let Some(address) = &self.address {
            write!(f, " at {address}")?;
        }
        match self.version {
            Some(version) => write!(f, ", ZMTP {version}"),
            None => Ok(()),
        }
    }
}
