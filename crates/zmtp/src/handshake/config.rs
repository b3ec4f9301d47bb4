//! What we say of ourselves in a handshake.

use serverlink_message::SocketType;

use crate::command::{MetadataBuilder, Property};
use crate::error::WireError;
use crate::greeting::NEWEST_MINOR;
use crate::limits::Limits;
use crate::subscription::{GLOBS_PROPERTY, GLOBS_VERSION};

pub(super) const SOCKET_TYPE: &str = "Socket-Type";
pub(super) const IDENTITY: &str = "Identity";
/// Octets in the longest routing id (RFC 37, "The Identity Property").
pub const MAX_IDENTITY_LEN: usize = 255;

/// Our half of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The type of our socket.
    pub socket_type: SocketType,
    /// Our routing id: at most 255 octets, the first not zero; empty for none. REQ, DEALER and ROUTER announce it, for
    /// no other type does it mean anything on the wire.
    pub identity: Vec<u8>,
    /// Whether our READY waits for the peer's, and for our [`admit`](super::Handshake::admit). For the accepting side only: RFC 37 has
    /// the connecting side speak first, and two who wait would wait for ever.
    pub judges: bool,
    /// Whether somebody has to judge a peer before it is told that it is let in, also where there is no security: see
    /// [`question`](super::Handshake::question). The server's side of PLAIN and CURVE always asks: whoever wants everybody in says so there.
    pub asks: bool,
    /// What the peer may make us hold.
    pub limits: Limits,
    /// Further properties to announce, after Socket-Type and Identity. Applications choose names that begin with `X-`.
    pub properties: Vec<(String, Vec<u8>)>,
    /// Whether to announce that we know glob subscriptions. For PUB, SUB, XPUB and XSUB; no other type announces it.
    pub globs: bool,
    /// Whether to announce that an ERROR in place of READY does not keep us away: we say why, and come back. For those whom a ROUTER or a
    /// PAIR or a CHANNEL may turn away, PAIR, CHANNEL, REQ, DEALER and ROUTER; no other type announces it.
    pub takes_refusals: bool,
    /// The minor version to announce: 1, or 0 to be a ZMTP 3.0 peer.
    pub minor: u8,
}

impl Config {
    /// An anonymous peer that speaks ZMTP 3.1.
    pub fn new(socket_type: SocketType) -> Self {
        Config {
            socket_type,
            identity: Vec::new(),
            judges: false,
            asks: false,
            limits: Limits::default(),
            properties: Vec::new(),
            globs: false,
            takes_refusals: false,
            minor: NEWEST_MINOR,
        }
    }

    /// Tells whether a handshake can be made of it. Ask when the setting is made: a [`Handshake`](super::Handshake)
    /// from settings that cannot be sent fails with the same error at its first input.
    ///
    /// # Errors
    /// [`WireError::InvalidConfig`], our own fault.
    pub fn validate(&self) -> Result<(), WireError> {
        self.metadata().map(drop)
    }

    /// The metadata that we announce.
    pub(super) fn metadata(&self) -> Result<MetadataBuilder, WireError> {
        let invalid = |why| Err(WireError::InvalidConfig { why });
        if self.minor > NEWEST_MINOR {
            return invalid("the minor version of ZMTP 3 must be 0 or 1");
        }
        if let Err(why) = check_identity(&self.identity) {
            return invalid(why);
        }
        let mut metadata = MetadataBuilder::new();
        push(&mut metadata, SOCKET_TYPE, self.socket_type.as_str().as_bytes())?;
        if announces_identity(self.socket_type) {
            push(&mut metadata, IDENTITY, &self.identity)?;
        }
        if self.globs && publishes_or_subscribes(self.socket_type) {
            push(&mut metadata, GLOBS_PROPERTY, GLOBS_VERSION)?;
        }
        if self.takes_refusals
            && (announces_identity(self.socket_type)
                || matches!(self.socket_type, SocketType::Pair | SocketType::Channel))
        {
            push(&mut metadata, REFUSALS_PROPERTY, REFUSALS_VERSION)?;
        }
        if self.socket_type == SocketType::Dish {
            push(&mut metadata, HEARTBEATS_PROPERTY, HEARTBEATS_VERSION)?;
        }
        for (name, value) in &self.properties {
            let property = Property { name, value };
            if property.is(SOCKET_TYPE) || property.is(IDENTITY) {
                return invalid(
                    "Socket-Type and Identity have settings of their own and must not be among the properties",
                );
            }
            push(&mut metadata, name, value)?;
        }
        Ok(metadata)
    }
}

/// The property of a READY by which a peer says that it comes back after a refusal. One of libzmq never does: an ERROR ends its dialer for
/// good, while a connection that just ends is made again.
pub(super) const REFUSALS_PROPERTY: &str = "X-ServerLink-Refusals";
pub(super) const REFUSALS_VERSION: &[u8] = b"1";

/// The property of a READY by which a DISH says that it may be sent PINGs: a DISH of libzmq takes each command for a message that does not begin
/// with a group, and ends the connection.
pub(super) const HEARTBEATS_PROPERTY: &str = "X-ServerLink-Heartbeats";
pub(super) const HEARTBEATS_VERSION: &[u8] = b"1";

fn push(metadata: &mut MetadataBuilder, name: &str, value: &[u8]) -> Result<(), WireError> {
    metadata.push(name, value).map_err(|error| WireError::InvalidConfig { why: error.sentence() })
}

fn announces_identity(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Req | SocketType::Dealer | SocketType::Router)
}

fn publishes_or_subscribes(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Pub | SocketType::Sub | SocketType::Xpub | SocketType::Xsub)
}

/// Whether a ROUTER can address a peer by `identity`; empty means anonymous.
pub(super) fn check_identity(identity: &[u8]) -> Result<(), &'static str> {
    match identity {
        [0, ..] => Err("a routing id must not begin with a zero octet, such ids are given out by the ROUTER"),
        _ if identity.len() > MAX_IDENTITY_LEN => Err("a routing id must have at most 255 octets"),
        _ => Ok(()),
    }
}
