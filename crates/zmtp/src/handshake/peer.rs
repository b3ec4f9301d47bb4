//! What the other side says of itself, and whether we can talk to it.

use serverlink_message::SocketType;

use super::config::{
    HEARTBEATS_PROPERTY, HEARTBEATS_VERSION, IDENTITY, REFUSALS_PROPERTY, REFUSALS_VERSION, SOCKET_TYPE,
    check_identity,
};
use crate::command::Metadata;
use crate::error::{WireError, printable};
use crate::subscription::{GLOBS_PROPERTY, GLOBS_VERSION};
use crate::version::Version;

/// Who is at the other end, as far as its handshake tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The version to speak: the lower of what both announced.
    pub version: Version,
    /// The type of its socket, a legal partner of ours. `None` where ZMTP 1.0 does not tell: whatever comes from it is taken
    /// for what such a partner would send.
    pub socket_type: Option<SocketType>,
    /// The routing id it chose; empty for none. At most 255 octets, the first not zero.
    pub identity: Vec<u8>,
    /// It knows glob subscriptions: PSUBSCRIBE and PCANCEL may be sent to it.
    pub globs: bool,
    /// It may be told by an ERROR that it is refused, and comes back nevertheless.
    pub takes_refusals: bool,
    /// It may be sent PINGs: it speaks ZMTP 3.1, and is no DISH that takes them for messages.
    pub heartbeats: bool,
    /// Its other properties in their order. Compare names without case.
    pub properties: Vec<(String, Vec<u8>)>,
}

impl Peer {
    /// Somebody of whom nothing is known but how to speak with him. For connections without a handshake.
    pub fn unknown(version: Version) -> Peer {
        Peer {
            version,
            socket_type: None,
            identity: Vec::new(),
            globs: false,
            takes_refusals: false,
            heartbeats: version.has_heartbeats(),
            properties: Vec::new(),
        }
    }

    /// Judges the metadata of a READY that came to our socket of type `ours`.
    ///
    /// # Errors
    /// The peer's fault, and worth an ERROR command to it.
    pub(super) fn from_metadata(
        ours: SocketType,
        version: Version,
        metadata: Metadata<'_>,
    ) -> Result<Peer, WireError> {
        let theirs = single(metadata, SOCKET_TYPE)?.ok_or(WireError::SocketTypeMissing)?;
        let socket_type = parse_socket_type(ours, theirs)?;
        if !ours.accepts(socket_type) {
            return Err(WireError::SocketTypeMismatch { ours, theirs: socket_type });
        }
        let identity = single(metadata, IDENTITY)?.unwrap_or_default();
        let known = [SOCKET_TYPE, IDENTITY, GLOBS_PROPERTY, REFUSALS_PROPERTY, HEARTBEATS_PROPERTY];
        let others = metadata.properties().filter(|property| !known.iter().any(|name| property.is(name)));
        Ok(Peer {
            version,
            socket_type: Some(socket_type),
            globs: metadata.value(GLOBS_PROPERTY) == Some(GLOBS_VERSION),
            takes_refusals: metadata.value(REFUSALS_PROPERTY) == Some(REFUSALS_VERSION),
            heartbeats: version.has_heartbeats()
                && (socket_type != SocketType::Dish
                    || metadata.value(HEARTBEATS_PROPERTY) == Some(HEARTBEATS_VERSION)),
            identity: usable_identity(ours, identity)?.to_vec(),
            properties: others.map(|property| (property.name.to_owned(), property.value.to_vec())).collect(),
        })
    }
}

fn single<'a>(metadata: Metadata<'a>, name: &'static str) -> Result<Option<&'a [u8]>, WireError> {
    let mut values = metadata.properties().filter(|property| property.is(name));
    let first = values.next().map(|property| property.value);
    if values.next().is_some() {
        return Err(WireError::DuplicateProperty { name });
    }
    Ok(first)
}

/// Exactly as the RFC spells it: only the names of properties are free in their case.
fn parse_socket_type(ours: SocketType, theirs: &[u8]) -> Result<SocketType, WireError> {
    let known = SocketType::ALL.iter().find(|socket_type| socket_type.as_str().as_bytes() == theirs);
    known.copied().ok_or_else(|| WireError::SocketTypeUnknown { ours, theirs: printable(theirs) })
}

/// A routing id that cannot be used is refused where it is used, by ROUTER, and ignored elsewhere as the RFC wants.
pub(super) fn usable_identity(ours: SocketType, identity: &[u8]) -> Result<&[u8], WireError> {
    match check_identity(identity) {
        Ok(()) => Ok(identity),
        Err(why) if ours == SocketType::Router => Err(WireError::InvalidIdentity { why }),
        Err(_) => Ok(&[]),
    }
}
