//! Datagrams, as RADIO and DISH exchange them over udp: an octet with the length of the group, the group, the body. No greeting, no handshake, no frames.
//!
//! RFC 48 knows no such transport; the form is libzmq's. Within the library a datagram is a message of two frames like any other: what comes is framed as
//! it comes ([`frame_incoming`]), and what goes out is taken out of its frames right before it is written ([`for_each_outgoing`]). A DGRAM's datagrams are
//! bodies alone; what stands in front of them there is an address, which is not on the wire.

use std::fmt;

use crate::command::MAX_GROUP_LEN;
use crate::frame::{self, Parsed};

/// The longest datagram that udp carries over IPv4, in octets: 65,535 less the headers. More is not sent over IPv6 either.
pub const MAX_DATAGRAM_LEN: usize = 65_507;

/// Why octets that came are no datagram of a RADIO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDatagram {
    /// There is not even the length of a group.
    Empty,
    /// The group is longer than all of it.
    CutGroup,
}

impl fmt::Display for BadDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadDatagram::Empty => "the datagram is empty",
            BadDatagram::CutGroup => "the datagram ends before its group does",
        })
    }
}

impl std::error::Error for BadDatagram {}

/// Octets of the datagram that carries such a group and body. It may be more than [`MAX_DATAGRAM_LEN`].
pub fn len_of(group: &[u8], body: &[u8]) -> usize {
    1 + group.len() + body.len()
}

/// Appends one datagram.
///
/// # Panics
/// When the group has more than [`MAX_GROUP_LEN`] octets: whoever names groups has checked them.
pub fn put(group: &[u8], body: &[u8], out: &mut Vec<u8>) {
    assert!(group.len() <= MAX_GROUP_LEN, "groups are checked before they get here");
    out.reserve(len_of(group, body));
    out.push(group.len() as u8);
    out.extend_from_slice(group);
    out.extend_from_slice(body);
}

/// The group and the body of one datagram that came. Both may be empty.
///
/// # Errors
/// It is none of a RADIO's. Anybody can send one to an open port.
pub fn parse(datagram: &[u8]) -> Result<(&[u8], &[u8]), BadDatagram> {
    let (&group_len, rest) = datagram.split_first().ok_or(BadDatagram::Empty)?;
    rest.split_at_checked(group_len.into()).ok_or(BadDatagram::CutGroup)
}

/// Appends a message of two frames: what is in front (a group, or an address) and the body.
pub fn frame_incoming(first: &[u8], body: &[u8], out: &mut Vec<u8>) {
    out.reserve(2 * frame::MAX_HEADER_LEN + first.len() + body.len());
    frame::put_frame(out, true, first);
    frame::put_frame(out, false, body);
}

/// Calls `visit` with the two parts of each message in `frames`, which are our own.
///
/// # Panics
/// When they are not whole messages of two parts each: they can only be our own mistake.
pub fn for_each_outgoing(frames: &[u8], mut visit: impl FnMut(&[u8], &[u8])) {
    let mut rest = frames;
    while !rest.is_empty() {
        let first = cut(&mut rest, true);
        let body = cut(&mut rest, false);
        visit(first, body);
    }
}

fn cut<'a>(rest: &mut &'a [u8], more: bool) -> &'a [u8] {
    let Ok(Parsed::Complete { header, header_len }) = frame::parse_header(rest) else {
        panic!("only whole frames of our own become datagrams");
    };
    assert!(!header.command && header.more == more, "a message that becomes a datagram has two parts");
    let body_len = usize::try_from(header.body_len).expect("the frame is in memory");
    let (body, after) = rest[header_len..].split_at(body_len);
    *rest = after;
    body
}
