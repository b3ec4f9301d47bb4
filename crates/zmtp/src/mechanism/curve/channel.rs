//! After the handshake: every frame in a MESSAGE, sealed.
//!
//! A MESSAGE has an octet of flags and the frame's body in its box. libzmq sends it as an ordinary frame, RFC 26 as a command; either is
//! taken, and the first is sent. Nonces count up from connection to connection anew, under keys that are the connection's own.

use std::fmt;

use super::boxes::{Key, Nonce, PREFIX_LEN, TAG_LEN};
use super::{FROM_CLIENT_PREFIX, FROM_SERVER_PREFIX, SHORT_NONCE_LEN, malformed, sealed_wrongly};
use crate::error::{Limited, WireError, check_limit, printable};
use crate::frame::{self, Header, MAX_HEADER_LEN, Parsed, SHORT_HEADER_LEN};
use crate::limits::Limits;

const MESSAGE: &str = "MESSAGE";
/// The name with its length.
const NAME: [u8; 8] = *b"\x07MESSAGE";
/// Octets before the box.
const BEFORE_BOX: usize = NAME.len() + SHORT_NONCE_LEN;
/// Octets before what was sealed: the authenticator is in front.
const BEFORE_INSIDE: usize = BEFORE_BOX + TAG_LEN;
/// Octets of a MESSAGE beside the body that it carries.
pub const SEALED_OVERHEAD: usize = BEFORE_INSIDE + 1;

/// Flags inside of the box.
const MORE: u8 = 0b01;
const COMMAND: u8 = 0b10;

/// What both directions of an open connection need.
#[derive(Debug)]
pub struct Channel {
    /// For what goes out.
    pub sealer: Sealer,
    /// For what comes in.
    pub opener: Opener,
}

impl Channel {
    pub(super) fn of_client(key: &Key, last_sent: u64, last_seen: u64, limits: &Limits) -> Channel {
        Channel::new(key, FROM_CLIENT_PREFIX, last_sent, FROM_SERVER_PREFIX, last_seen, limits)
    }

    pub(super) fn of_server(key: &Key, last_sent: u64, last_seen: u64, limits: &Limits) -> Channel {
        Channel::new(key, FROM_SERVER_PREFIX, last_sent, FROM_CLIENT_PREFIX, last_seen, limits)
    }

    fn new(
        key: &Key,
        ours: &'static [u8; PREFIX_LEN],
        last_sent: u64,
        theirs: &'static [u8; PREFIX_LEN],
        last_seen: u64,
        limits: &Limits,
    ) -> Channel {
        Channel {
            sealer: Sealer { key: key.clone(), prefix: ours, last: last_sent },
            opener: Opener {
                key: key.clone(),
                prefix: theirs,
                last: last_seen,
                longest: limits.max_frame_bytes.max(limits.max_command_bytes),
                piece: Vec::new(),
            },
        }
    }
}

/// Seals frames in the order in which they are written.
///
/// It cannot be cloned: two that go on from the same place would seal different frames with the same nonce, and whoever reads both could open them.
pub struct Sealer {
    key: Key,
    prefix: &'static [u8; PREFIX_LEN],
    /// The last nonce that was used.
    last: u64,
}

impl Sealer {
    /// Appends one frame, sealed.
    ///
    /// # Panics
    /// After 2^64 frames, for which there is no nonce.
    pub fn seal(&mut self, more: bool, command: bool, body: &[u8], out: &mut Vec<u8>) {
        self.last = self.last.checked_add(1).expect("no connection lives for 2^64 frames");
        let counter = self.last.to_be_bytes();
        let flags = (u8::from(more) * MORE) | (u8::from(command) * COMMAND);
        let sealed_len = SEALED_OVERHEAD + body.len();
        out.reserve(MAX_HEADER_LEN + sealed_len);
        frame::put_header(out, Header { more: false, command: false, body_len: sealed_len as u64 });
        out.extend_from_slice(&NAME);
        out.extend_from_slice(&counter);
        let sealed_at = out.len();
        out.extend_from_slice(&[0; TAG_LEN]);
        out.push(flags);
        out.extend_from_slice(body);
        self.key.seal_in_place(&Nonce::short(self.prefix, counter), &mut out[sealed_at..]);
    }

    /// Appends frames of our own, sealed. The body of the last one may be missing, all of it, where it comes from elsewhere: then its
    /// header is given back, to be sealed with it by [`seal`](Self::seal).
    ///
    /// # Panics
    /// When `frames` are not frames in the form of ZMTP 3.x: they can only be our own mistake.
    pub fn seal_frames(&mut self, frames: &[u8], out: &mut Vec<u8>) -> Option<Header> {
        let mut rest = frames;
        while !rest.is_empty() {
            let Ok(Parsed::Complete { header, header_len }) = frame::parse_header(rest) else {
                panic!("only whole frames of our own are sealed");
            };
            let behind = &rest[header_len..];
            let Some((body, after)) =
                usize::try_from(header.body_len).ok().and_then(|body_len| behind.split_at_checked(body_len))
            else {
                assert!(behind.is_empty(), "a body is either here or elsewhere");
                return Some(header);
            };
            self.seal(header.more, header.command, body, out);
            rest = after;
        }
        None
    }

    /// Opens what it sealed itself, whole frames: gives each with how many octets it takes up sealed. For what has to be sent again on
    /// another connection.
    ///
    /// # Panics
    /// When they are not: that can only be our own mistake.
    pub fn reopen(&self, sealed: &[u8], mut each: impl FnMut(usize, Header, &[u8])) {
        let mut rest = sealed;
        while !rest.is_empty() {
            let Ok(Parsed::Complete { header, header_len }) = frame::parse_header(rest) else {
                panic!("only whole frames of our own are opened again");
            };
            let end = header_len + usize::try_from(header.body_len).expect("the frame is in memory");
            let body = &rest[header_len..end];
            let (_, counter, sealed) = split(body).expect("we sealed it ourselves");
            let inside = self.key.open(&Nonce::short(self.prefix, counter), sealed);
            let inside = inside.expect("we sealed it ourselves");
            let (&flags, inner) = inside.split_first().expect("every box has its flags");
            each(end, header_of(flags, inner.len()).expect("we set the flags ourselves"), inner);
            rest = &rest[end..];
        }
    }
}

/// Opens what comes, in pieces of any size, into frames of ZMTP 3.x.
///
/// It holds what has come of a cut frame and nothing else. A frame is judged by its header before its body is here; what is in it is judged
/// where frames are read, as for every peer.
pub struct Opener {
    key: Key,
    prefix: &'static [u8; PREFIX_LEN],
    /// The highest nonce that came.
    last: u64,
    /// Octets in the longest body of a frame or command.
    longest: u64,
    /// The frame that is not whole yet.
    piece: Vec<u8>,
}

impl Opener {
    /// Appends the frames in `input` to `out`.
    ///
    /// # Errors
    /// The peer's fault, or that of somebody on the way: something that is no MESSAGE, a box that cannot be opened, a nonce that is not
    /// higher than the last. What came before it is in `out`. Close the connection.
    pub fn handle_input(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        if !self.piece.is_empty() {
            input = self.complete_piece(input)?;
            let piece = std::mem::take(&mut self.piece);
            match self.frame_len(&piece)? {
                Some(len) if len == piece.len() => self.open_frame(&piece, out)?,
                _ => {
                    self.piece = piece;
                    return Ok(());
                }
            }
        }
        while let Some(len) = self.frame_len(input)?
            && let Some((whole, rest)) = input.split_at_checked(len)
        {
            self.open_frame(whole, out)?;
            input = rest;
        }
        self.piece.extend_from_slice(input);
        Ok(())
    }

    /// Moves octets of `input` behind the piece until that is a whole frame; gives the rest.
    fn complete_piece<'a>(&mut self, mut input: &'a [u8]) -> Result<&'a [u8], WireError> {
        loop {
            let wanted = match self.frame_len(&self.piece)? {
                Some(len) => len,
                // One octet more may be enough.
                None => self.piece.len() + 1,
            };
            let (taken, rest) = input.split_at(input.len().min(wanted - self.piece.len()));
            self.piece.extend_from_slice(taken);
            input = rest;
            if taken.is_empty() || self.frame_len(&self.piece)? == Some(self.piece.len()) {
                return Ok(input);
            }
        }
    }

    /// Octets of the frame at the start, as soon as its header is here.
    fn frame_len(&self, input: &[u8]) -> Result<Option<usize>, WireError> {
        let Parsed::Complete { header, header_len } = frame::parse_header(input)? else { return Ok(None) };
        let Some(inner_len) = header.body_len.checked_sub(SEALED_OVERHEAD as u64) else {
            return Err(malformed(MESSAGE, "it is shorter than any that is sealed"));
        };
        check_limit(Limited::Frame, inner_len, self.longest)?;
        let len = usize::try_from(header.body_len).ok().and_then(|len| len.checked_add(header_len));
        len.map(Some).ok_or(WireError::SizeOutOfRange { size: header.body_len })
    }

    fn open_frame(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        let Ok(Parsed::Complete { header_len, .. }) = frame::parse_header(frame) else {
            unreachable!("its header was looked at")
        };
        let (name, counter, sealed) =
            split(&frame[header_len..]).ok_or_else(|| malformed(MESSAGE, "it ends before its box does"))?;
        if name != NAME {
            return Err(WireError::NotSealed { name: printable(&name) });
        }
        let nonce = u64::from_be_bytes(counter);
        if nonce <= self.last {
            return Err(WireError::StaleNonce { nonce, last: self.last });
        }
        // The flags lie where the last octet of the frame's header will be.
        let inner_len = sealed.len() - TAG_LEN - 1;
        let header_room = if inner_len > usize::from(u8::MAX) { MAX_HEADER_LEN } else { SHORT_HEADER_LEN };
        let start = out.len();
        out.resize(start + header_room + inner_len, 0);
        let flags_at = start + header_room - 1;
        if !self.key.open_into(&Nonce::short(self.prefix, counter), sealed, &mut out[flags_at..]) {
            out.truncate(start);
            return Err(sealed_wrongly(MESSAGE));
        }
        self.last = nonce;
        match header_of(out[flags_at], inner_len) {
            Ok(header) => {
                frame::write_header(&mut out[start..flags_at + 1], header);
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }
}

/// Name, nonce and box of a MESSAGE.
fn split(body: &[u8]) -> Option<([u8; NAME.len()], [u8; SHORT_NONCE_LEN], &[u8])> {
    let (name, rest) = body.split_first_chunk()?;
    let (counter, sealed) = rest.split_first_chunk()?;
    (sealed.len() > TAG_LEN).then_some((*name, *counter, sealed))
}

fn header_of(flags: u8, body_len: usize) -> Result<Header, WireError> {
    match flags {
        0 | MORE | COMMAND => {
            Ok(Header { more: flags == MORE, command: flags == COMMAND, body_len: body_len as u64 })
        }
        flags if flags & !(MORE | COMMAND) == 0 => Err(WireError::MoreOnCommand { flags }),
        flags => Err(WireError::ReservedFlags { flags }),
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer {{ last: {} }}", self.last)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener {{ last: {}, waiting: {} }}", self.last, self.piece.len())
    }
}
