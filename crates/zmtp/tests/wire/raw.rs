//! Octets without ZMTP.

use proptest::prelude::*;
use serverlink_zmtp::{frame, raw};

#[test]
fn what_comes_is_cut_where_it_gets_too_long() {
    let mut frames = Vec::new();
    raw::frame_incoming(b"hello", 2, &mut frames);
    assert_eq!(frames, b"\x00\x02he\x00\x02ll\x00\x01o");
    frames.clear();
    raw::frame_incoming(b"", 2, &mut frames);
    assert_eq!(frames, b"", "nothing is no message");
}

#[test]
fn a_body_that_lies_elsewhere_is_left_out() {
    let mut frames = Vec::new();
    frame::put_frame(&mut frames, false, b"here");
    frame::put_header(&mut frames, frame::Header { more: false, command: false, body_len: 70_000 });
    let mut octets = Vec::new();
    raw::strip_outgoing(&frames, &mut octets);
    assert_eq!(octets, b"here");
}

proptest! {
    #[test]
    fn octets_come_back(octets in prop::collection::vec(any::<u8>(), 0..2000), longest in 1..700u64) {
        let mut frames = Vec::new();
        raw::frame_incoming(&octets, longest, &mut frames);
        let mut back = Vec::new();
        raw::strip_outgoing(&frames, &mut back);
        prop_assert_eq!(back, octets);
    }
}
