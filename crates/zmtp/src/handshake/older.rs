//! What peers before ZMTP 3.0 say of themselves: an octet for the socket type (2.0), and a frame with their identity.

use serverlink_message::SocketType;

use super::Peer;
use super::config::MAX_IDENTITY_LEN;
use super::peer::usable_identity;
use crate::error::WireError;
use crate::frame::{self, Parsed};
use crate::v1;
use crate::version::Version;

/// The types as ZMTP 2.0 numbers them (RFC 15). The last two are libzmq's: the RFC has XPUB and XSUB go as PUB and SUB.
const NUMBERED: [SocketType; 11] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::Xpub,
    SocketType::Xsub,
];

/// Our type for a peer of ZMTP 2.0, as the RFC numbers it.
pub(super) fn socket_type_octet(ours: SocketType) -> u8 {
    let on_the_wire = match ours {
        SocketType::Xpub => SocketType::Pub,
        SocketType::Xsub => SocketType::Sub,
        other => other,
    };
    match NUMBERED.iter().position(|&numbered| numbered == on_the_wire) {
        Some(number) => u8::try_from(number).expect("the table is short"),
        None => younger_octet(ours),
    }
}

/// The types that are younger than ZMTP 2.0, as libzmq numbers them. No peer of that version is a partner of theirs.
fn younger_octet(ours: SocketType) -> u8 {
    match ours {
        SocketType::Server => 12,
        SocketType::Client => 13,
        SocketType::Radio => 14,
        SocketType::Dish => 15,
        SocketType::Gather => 16,
        SocketType::Scatter => 17,
        SocketType::Peer => 19,
        SocketType::Channel => 20,
        _ => 11,
    }
}

/// The type of a peer of ZMTP 2.0.
///
/// # Errors
/// The peer's fault: no such type, or none that talks to `ours`. There is no way to tell it.
pub(super) fn parse_socket_type(ours: SocketType, octet: u8) -> Result<SocketType, WireError> {
    let Some(&theirs) = NUMBERED.get(usize::from(octet)) else {
        return Err(WireError::SocketTypeUnknown { ours, theirs: format!("number {octet}") });
    };
    match ours.accepts(theirs) {
        true => Ok(theirs),
        false => Err(WireError::SocketTypeMismatch { ours, theirs }),
    }
}

/// Appends our identity's frame. For a peer without a greeting only the body is left: our signature was its header.
pub(super) fn put_identity(out: &mut Vec<u8>, version: Version, identity: &[u8]) {
    match version {
        Version::V1_0 => v1::put_frame(out, false, identity),
        _ => frame::put_frame(out, false, identity),
    }
}

/// Octets of the identity's frame that has begun, or as many as it takes to know that.
///
/// # Errors
/// The peer's fault, found by the header alone: the frame is no identity.
pub(super) fn identity_frame_len(version: Version, piece: &[u8]) -> Result<usize, WireError> {
    match parse_header(version, piece)? {
        Parsed::Incomplete { need } => Ok(need),
        Parsed::Complete { header, .. } if header.more || header.command => Err(WireError::NoIdentityFrame),
        Parsed::Complete { header, header_len } => match usize::try_from(header.body_len) {
            Ok(len) if len <= MAX_IDENTITY_LEN => Ok(header_len + len),
            _ => Err(WireError::InvalidIdentity { why: "a routing id must have at most 255 octets" }),
        },
    }
}

/// The peer, from the whole frame with its identity.
///
/// # Errors
/// The peer's fault.
pub(super) fn peer_of(
    ours: SocketType,
    version: Version,
    socket_type: Option<SocketType>,
    frame: &[u8],
) -> Result<Peer, WireError> {
    let Parsed::Complete { header_len, .. } = parse_header(version, frame)? else {
        unreachable!("a frame is whole only after its header is");
    };
    // Of 1.0 the type is not known: it is taken for a partner, which for the younger types it cannot be.
    if socket_type.is_none() && ours.has_single_part() {
        return Err(WireError::SocketTypeUnknown { ours, theirs: "ZMTP 1.0".into() });
    }
    let identity = usable_identity(ours, &frame[header_len..])?.to_vec();
    Ok(Peer { socket_type, identity, ..Peer::unknown(version) })
}

fn parse_header(version: Version, piece: &[u8]) -> Result<Parsed, WireError> {
    match version {
        Version::V1_0 => v1::parse_header(piece),
        _ => frame::parse_header(piece),
    }
}
