//! A stream of ZMTP 1.0 frames: any octets, in any pieces, and the same frames there and back.
//!
//! The first octet chooses how the rest is cut. The outcome must not depend on the cutting, what comes out must never be longer
//! than what went in, and whole frames must be the same after both rewritings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_zmtp::WireError;
use serverlink_zmtp::frame::{Parsed, parse_header};
use serverlink_zmtp::v1::{Incoming, rewrite_outgoing};

fuzz_target!(|data: &[u8]| {
    let Some((&step, wire)) = data.split_first() else { return };
    let whole = rewrite(&[wire]);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(step).max(1)).collect();
    assert_eq!(whole, rewrite(&pieces));
    let frames = &whole.0[..whole_frames_len(&whole.0)];
    let mut there = Vec::new();
    rewrite_outgoing(frames, &mut there);
    let (back, outcome) = rewrite(&[&there]);
    assert_eq!((&back[..], outcome), (frames, Ok(())));
});

fn rewrite(pieces: &[&[u8]]) -> (Vec<u8>, Result<(), WireError>) {
    let (mut incoming, mut out, mut fed) = (Incoming::new(), Vec::new(), 0);
    for piece in pieces {
        fed += piece.len();
        let outcome = incoming.handle_input(piece, &mut out);
        assert!(out.len() <= fed);
        if outcome.is_err() {
            return (out, outcome);
        }
    }
    (out, Ok(()))
}

/// What comes out are frames, of which the last may be cut.
fn whole_frames_len(frames: &[u8]) -> usize {
    let mut end = 0;
    while let Parsed::Complete { header, header_len } = parse_header(&frames[end..]).expect("our own form") {
        let Ok(body_len) = usize::try_from(header.body_len) else { break };
        match end.checked_add(header_len).and_then(|start| start.checked_add(body_len)) {
            Some(next) if next <= frames.len() => end = next,
            _ => break,
        }
    }
    end
}
