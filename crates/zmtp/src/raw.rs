//! Octets without ZMTP, as STREAM sends and receives them.
//!
//! Within the library they are bodies of frames like any other: what comes is framed as it comes ([`frame_incoming`]), and what goes out loses its
//! headers right before it is written ([`strip_outgoing`]).

use crate::frame::{self, Parsed};

/// Appends `input` to `out` as messages of one frame, none longer than `max_body_bytes`, which is not 0. Nothing becomes nothing.
pub fn frame_incoming(input: &[u8], max_body_bytes: u64, out: &mut Vec<u8>) {
    let longest = usize::try_from(max_body_bytes).unwrap_or(usize::MAX).max(1);
    out.reserve(frame::MAX_HEADER_LEN + input.len());
    input.chunks(longest).for_each(|body| frame::put_frame(out, false, body));
}

/// Appends the bodies of frames of our own to `out`. The body of the last one may be missing, all of it, where it is sent from elsewhere.
///
/// # Panics
/// When `frames` are not message frames in the form of ZMTP 3.x: they can only be our own mistake.
pub fn strip_outgoing(frames: &[u8], out: &mut Vec<u8>) {
    out.reserve(frames.len());
    let mut rest = frames;
    while !rest.is_empty() {
        let Ok(Parsed::Complete { header, header_len }) = frame::parse_header(rest) else {
            panic!("only whole frames of our own are stripped");
        };
        assert!(!header.command, "no commands are made for peers without ZMTP");
        rest = &rest[header_len..];
        let body_len = usize::try_from(header.body_len).map_or(rest.len(), |len| len.min(rest.len()));
        let (body, after) = rest.split_at(body_len);
        out.extend_from_slice(body);
        rest = after;
    }
}
