//! The framing of ZMTP 1.0 (RFC 13): the length first, and the octet of flags counted in it.
//!
//! [`parse_header`] and [`put_header`] are the only places that know its layout. Nothing else of this library holds frames
//! in this form: what comes is rewritten as it comes ([`Incoming`]), what goes out right before it is written
//! ([`rewrite_outgoing`]).

mod incoming;

pub use incoming::Incoming;

use crate::error::WireError;
use crate::frame::{self, Header, Parsed};

/// Octets in the longest header: the sign of a long length, the length, and the flags.
pub const MAX_HEADER_LEN: usize = 10;
/// Octets in the shortest header.
pub const SHORT_HEADER_LEN: usize = 2;

const LONG: u8 = 0xFF;
const MORE: u8 = 1;
/// libzmq before 2.1.10 sent all the reserved bits set but the highest.
const RESERVED_AS_SET_BY_LIBZMQ: u8 = 0x7E;

/// Reads the header at the start of `input`, which may hold less than a header or any amount more. The body's length is
/// without the flags.
///
/// # Errors
/// The peer's fault, on the first octet that shows it: a length of 0, which has no room for the flags; one above 2^63;
/// reserved flags other than libzmq 2.x sets them.
pub fn parse_header(input: &[u8]) -> Result<Parsed, WireError> {
    let Some((&first, rest)) = input.split_first() else {
        return Ok(Parsed::Incomplete { need: SHORT_HEADER_LEN });
    };
    let (len, header_len) = if first != LONG {
        (u64::from(first), SHORT_HEADER_LEN)
    } else {
        let Some(&octets) = rest.first_chunk::<8>() else {
            return Ok(Parsed::Incomplete { need: MAX_HEADER_LEN });
        };
        (u64::from_be_bytes(octets), MAX_HEADER_LEN)
    };
    let body_len = len.checked_sub(1).ok_or(WireError::FrameWithoutFlags)?;
    if body_len > i64::MAX as u64 {
        return Err(WireError::SizeOutOfRange { size: body_len });
    }
    let Some(&flags) = input.get(header_len - 1) else {
        return Ok(Parsed::Incomplete { need: header_len });
    };
    match flags & !MORE {
        0 | RESERVED_AS_SET_BY_LIBZMQ => {
            let header = Header { more: flags & MORE != 0, command: false, body_len };
            Ok(Parsed::Complete { header, header_len })
        }
        _ => Err(WireError::ReservedFlags { flags }),
    }
}

/// Appends the header of a message's frame, in the short form wherever the length allows it.
pub fn put_header(out: &mut Vec<u8>, more: bool, body_len: u64) {
    let flags = u8::from(more) * MORE;
    let len = body_len + 1;
    match u8::try_from(len) {
        Ok(len) if len != LONG => out.extend_from_slice(&[len, flags]),
        _ => {
            out.push(LONG);
            out.extend_from_slice(&len.to_be_bytes());
            out.push(flags);
        }
    }
}

/// Appends one whole frame of a message.
pub fn put_frame(out: &mut Vec<u8>, more: bool, body: &[u8]) {
    put_header(out, more, body.len() as u64);
    out.extend_from_slice(body);
}

/// Rewrites frames of our own that are to be sent to a peer of ZMTP 1.0. The body of the last one may be missing, all of
/// it, where it is sent from elsewhere.
///
/// # Panics
/// When `frames` are not message frames in the form of ZMTP 3.x: they can only be our own mistake.
pub fn rewrite_outgoing(frames: &[u8], out: &mut Vec<u8>) {
    out.reserve(frames.len());
    let mut rest = frames;
    while !rest.is_empty() {
        let Ok(Parsed::Complete { header, header_len }) = frame::parse_header(rest) else {
            panic!("only whole frames of our own are rewritten");
        };
        assert!(!header.command, "ZMTP 1.0 has no commands, and none are made for such a peer");
        put_header(out, header.more, header.body_len);
        rest = &rest[header_len..];
        let body_len = usize::try_from(header.body_len).map_or(rest.len(), |len| len.min(rest.len()));
        let (body, after) = rest.split_at(body_len);
        out.extend_from_slice(body);
        rest = after;
    }
}
