//! What the test files of this crate share.

use proptest::prelude::*;
use serverlink_zmtp::frame::{self, Header, Parsed};
use serverlink_zmtp::{Limits, WireError};

/// A frame and what it carries.
pub(crate) type Frame = (Header, Vec<u8>);

/// Cuts frames off a stream that comes in pieces, as slowly and plainly as possible.
#[derive(Default)]
pub(crate) struct Stream {
    waiting: Vec<u8>,
    pub(crate) frames: Vec<Frame>,
}

impl Stream {
    pub(crate) fn feed(&mut self, piece: &[u8], limits: &Limits) -> Result<(), WireError> {
        self.waiting.extend_from_slice(piece);
        while let Parsed::Complete { header, header_len } = frame::parse_header(&self.waiting)? {
            let end = header_len + header.body_len_within(limits)?;
            if self.waiting.len() < end {
                break;
            }
            let body = self.waiting[header_len..end].to_vec();
            self.waiting.drain(..end);
            self.frames.push((header, body));
        }
        Ok(())
    }

    pub(crate) fn is_at_frame_start(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Cuts `bytes` at the given places, which may be anything.
pub(crate) fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Places for [`cut`]; equal ones make empty pieces.
pub(crate) fn any_places() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        prop::collection::vec(any::<usize>(), 0..8),
        // One octet at a time.
        Just((0..4096).collect()),
    ]
}

/// Bodies around the lengths where the form changes.
pub(crate) fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(any::<u8>(), 250..262),
        prop::collection::vec(any::<u8>(), 0..2000),
    ]
}

/// A command frame with this body.
pub(crate) fn command_frame(body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    frame::put_header(&mut wire, Header { more: false, command: true, body_len: body.len() as u64 });
    wire.extend_from_slice(body);
    wire
}

/// A READY with these properties, whatever they are.
pub(crate) fn ready(properties: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in properties {
        body.push(name.len() as u8);
        body.extend_from_slice(name);
        body.extend_from_slice(&(value.len() as u32).to_be_bytes());
        body.extend_from_slice(value);
    }
    command_frame(&body)
}

/// A greeting, written out octet by octet and not with our emitter.
pub(crate) fn greeting(minor: u8) -> Vec<u8> {
    let mut wire = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, minor];
    wire.extend_from_slice(b"NULL");
    wire.resize(64, 0);
    wire
}

/// A signature, as a peer with an identity of this length sends it.
pub(crate) fn signature(identity_len: usize) -> Vec<u8> {
    [&[0xFF][..], &(identity_len as u64 + 1).to_be_bytes(), &[0x7F]].concat()
}
