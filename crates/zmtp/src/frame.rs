//! Frames, the unit of everything after the greeting (RFC 37, "Framing").
//!
//! A frame is an octet of flags, a size in one octet or eight, and a body. [`parse_header`] and [`put_header`] are the
//! only places that know its layout.

use serverlink_message::append::append_within;

use crate::error::{Limited, WireError};
use crate::limits::Limits;

/// Octets in the longest header: flags and a size of eight octets.
pub const MAX_HEADER_LEN: usize = 9;
/// Octets in the shortest header, and in that of every body up to 255 octets.
pub const SHORT_HEADER_LEN: usize = 2;

const MORE: u8 = 0b001;
const LONG: u8 = 0b010;
const COMMAND: u8 = 0b100;
const RESERVED: u8 = !(MORE | LONG | COMMAND);

/// What stands before a frame's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Another frame of the same message follows. Never set on a command.
    pub more: bool,
    /// The body is a command and not part of a message.
    pub command: bool,
    /// Octets in the body. A peer chose it: ask [`Header::body_len_within`] before making room.
    pub body_len: u64,
}

impl Header {
    /// The body's length as a size in memory, if the limits allow a body of that length.
    ///
    /// # Errors
    /// [`WireError::LimitExceeded`]: the frame or command is larger than the limit, or than this machine can address.
    #[inline]
    pub fn body_len_within(&self, limits: &Limits) -> Result<usize, WireError> {
        let limit = if self.command { limits.max_command_bytes } else { limits.max_frame_bytes };
        match usize::try_from(self.body_len) {
            Ok(len) if self.body_len <= limit => Ok(len),
            _ => Err(oversized(self.command, self.body_len, limit)),
        }
    }
}

/// What [`parse_header`] found at the start of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The header does not end within the input.
    Incomplete {
        /// Octets of header needed in total, as far as is known; always more than the input has.
        need: usize,
    },
    /// The header is whole. Its body starts `header_len` octets into the input.
    Complete {
        /// The header.
        header: Header,
        /// Octets it takes up.
        header_len: usize,
    },
}

/// Reads the frame header at the start of `input`, which may hold less than a header or any amount more.
///
/// A size is read but not judged here beyond its 63 bits; see [`Header::body_len_within`]. A body of up to 255 octets
/// with a size of eight octets is unusual but legal.
///
/// # Errors
/// The peer's fault, and found on the first octet that shows it: reserved flags, MORE on a command, a size of 2^63 or more.
#[inline]
pub fn parse_header(input: &[u8]) -> Result<Parsed, WireError> {
    // Nearly every frame is a short part of a message; one comparison tells it from everything else.
    if let [flags @ (0 | MORE), body_len, ..] = *input {
        let header = Header { more: flags == MORE, command: false, body_len: u64::from(body_len) };
        return Ok(Parsed::Complete { header, header_len: SHORT_HEADER_LEN });
    }
    parse_other(input)
}

#[inline]
fn parse_other(input: &[u8]) -> Result<Parsed, WireError> {
    let Some((&flags, size)) = input.split_first() else {
        return Ok(Parsed::Incomplete { need: SHORT_HEADER_LEN });
    };
    if flags & RESERVED != 0 || flags & (COMMAND | MORE) == COMMAND | MORE {
        return Err(refuse_flags(flags));
    }
    let (body_len, header_len) = if flags & LONG == 0 {
        let Some(&body_len) = size.first() else {
            return Ok(Parsed::Incomplete { need: SHORT_HEADER_LEN });
        };
        (u64::from(body_len), SHORT_HEADER_LEN)
    } else {
        let Some(&octets) = size.first_chunk::<8>() else {
            return Ok(Parsed::Incomplete { need: MAX_HEADER_LEN });
        };
        (u64::from_be_bytes(octets), MAX_HEADER_LEN)
    };
    if body_len > i64::MAX as u64 {
        return Err(WireError::SizeOutOfRange { size: body_len });
    }
    let header = Header { more: flags & MORE != 0, command: flags & COMMAND != 0, body_len };
    Ok(Parsed::Complete { header, header_len })
}

// By value, so that a header stays in registers on the way that is taken.
#[cold]
fn oversized(command: bool, size: u64, limit: u64) -> WireError {
    let what = if command { Limited::Command } else { Limited::Frame };
    WireError::LimitExceeded { what, size, limit: limit.min(usize::MAX as u64) }
}

#[cold]
fn refuse_flags(flags: u8) -> WireError {
    if flags & RESERVED != 0 {
        WireError::ReservedFlags { flags }
    } else {
        WireError::MoreOnCommand { flags }
    }
}

/// Appends a frame header, in the short form wherever the length allows it.
///
/// The body, exactly `header.body_len` octets, is the caller's to append or to send after it.
#[inline]
pub fn put_header(out: &mut Vec<u8>, header: Header) {
    debug_assert!(!(header.more && header.command), "a command is always a single frame");
    let flags = (u8::from(header.more) * MORE) | (u8::from(header.command) * COMMAND);
    match u8::try_from(header.body_len) {
        Ok(body_len) => out.extend_from_slice(&[flags, body_len]),
        Err(_) => {
            let mut octets = [flags | LONG; MAX_HEADER_LEN];
            octets[1..].copy_from_slice(&header.body_len.to_be_bytes());
            out.extend_from_slice(&octets);
        }
    }
}

/// Writes a frame header into memory that has room for exactly this one.
///
/// # Panics
/// When it has not: the caller's mistake.
pub(crate) fn write_header(room: &mut [u8], header: Header) {
    let flags = (u8::from(header.more) * MORE) | (u8::from(header.command) * COMMAND);
    match (room, u8::try_from(header.body_len)) {
        ([flags_octet, len_octet], Ok(body_len)) => (*flags_octet, *len_octet) = (flags, body_len),
        (room, _) => {
            room[0] = flags | LONG;
            room[1..].copy_from_slice(&header.body_len.to_be_bytes());
        }
    }
}

/// Appends one whole frame of a message.
#[inline]
pub fn put_frame(out: &mut Vec<u8>, more: bool, body: &[u8]) {
    let head = |body_len| [u8::from(more) * MORE, body_len];
    if !u8::try_from(body.len()).is_ok_and(|body_len| append_within(out, head(body_len), body)) {
        put_frame_growing(out, more, body);
    }
}

#[inline(never)]
fn put_frame_growing(out: &mut Vec<u8>, more: bool, body: &[u8]) {
    out.reserve(body.len().saturating_add(MAX_HEADER_LEN));
    put_header(out, Header { more, command: false, body_len: body.len() as u64 });
    out.extend_from_slice(body);
}
