//! The frames of ZMTP 1.0, and their way to and from the form that everything else understands.

use proptest::prelude::*;
use serverlink_zmtp::WireError;
use serverlink_zmtp::frame::{self, Header, Parsed};
use serverlink_zmtp::v1::{self, Incoming, parse_header, put_frame, rewrite_outgoing};

use crate::common::{any_body, any_places, cut};

fn header(more: bool, body_len: u64) -> Header {
    Header { more, command: false, body_len }
}

fn complete(more: bool, body_len: u64, header_len: usize) -> Result<Parsed, WireError> {
    Ok(Parsed::Complete { header: header(more, body_len), header_len })
}

#[test]
fn headers_are_those_of_the_rfc() {
    let long = |len: u64, flags: u8| [&[0xFF][..], &len.to_be_bytes(), &[flags]].concat();
    for (body_len, more, wire) in [
        (0, false, vec![1, 0]),
        (0, true, vec![1, 1]),
        (253, false, vec![254, 0]),
        (254, false, long(255, 0)),
        (255, true, long(256, 1)),
        (i64::MAX as u64, false, long(1 << 63, 0)),
    ] {
        let mut out = Vec::new();
        v1::put_header(&mut out, more, body_len);
        assert_eq!(out, wire);
        assert_eq!(parse_header(&wire), complete(more, body_len, wire.len()));
        for len in 0..wire.len() {
            let Ok(Parsed::Incomplete { need }) = parse_header(&wire[..len]) else { panic!("{len} octets") };
            assert!(need > len && need <= wire.len());
        }
    }
    // Unusual, and legal.
    assert_eq!(parse_header(&long(1, 0)), complete(false, 0, 10));
    // As libzmq 2.1 sets the reserved bits.
    assert_eq!(parse_header(&[1, 0x7E]), complete(false, 0, 2));
    assert_eq!(parse_header(&[1, 0x7F]), complete(true, 0, 2));
}

#[test]
fn what_is_no_frame_is_refused_by_its_header() {
    assert_eq!(parse_header(&[0]), Err(WireError::FrameWithoutFlags));
    assert_eq!(parse_header(b"\xff\0\0\0\0\0\0\0\0"), Err(WireError::FrameWithoutFlags));
    assert_eq!(parse_header(&[0xFF; 9]), Err(WireError::SizeOutOfRange { size: u64::MAX - 1 }));
    for flags in [2, 4, 0x5A, 0x7C, 0x80, 0xFF] {
        assert_eq!(parse_header(&[1, flags]), Err(WireError::ReservedFlags { flags }));
    }
}

/// Frames in the form of ZMTP 3, and the same ones as 1.0 has them.
fn both_forms(parts: &[(bool, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let (mut current, mut old) = (Vec::new(), Vec::new());
    for (more, body) in parts {
        frame::put_frame(&mut current, *more, body);
        put_frame(&mut old, *more, body);
    }
    (current, old)
}

#[test]
fn a_body_that_follows_from_elsewhere_may_be_missing() {
    let (current, old) = both_forms(&[(true, b"first".to_vec()), (false, vec![b'x'; 10_000])]);
    let mut out = Vec::new();
    rewrite_outgoing(&current[..current.len() - 10_000], &mut out);
    assert_eq!(out, old[..old.len() - 10_000]);
}

proptest! {
    #[test]
    fn frames_come_and_go_in_either_form(
        parts in prop::collection::vec((any::<bool>(), any_body()), 0..12),
        places in any_places(),
    ) {
        let (current, old) = both_forms(&parts);
        let mut out = Vec::new();
        rewrite_outgoing(&current, &mut out);
        prop_assert_eq!(&out, &old);

        let (mut incoming, mut back, mut fed) = (Incoming::new(), Vec::new(), 0);
        for piece in cut(&old, &places) {
            incoming.handle_input(piece, &mut back).expect("legal frames");
            fed += piece.len();
            prop_assert!(back.len() <= fed, "a peer cannot make it grow");
        }
        prop_assert!(incoming.is_at_frame_start());
        prop_assert_eq!(back, current);
    }

    #[test]
    fn any_octets_have_one_outcome(bytes in prop::collection::vec(prop_oneof![0..8u8, any::<u8>()], 0..300), places in any_places()) {
        let (mut at_once, mut in_pieces) = (Incoming::new(), Incoming::new());
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let expected = at_once.handle_input(&bytes, &mut whole);
        let mut outcome = Ok(());
        for piece in cut(&bytes, &places) {
            if outcome.is_ok() {
                outcome = in_pieces.handle_input(piece, &mut pieces);
            }
        }
        prop_assert_eq!(outcome, expected);
        prop_assert!(whole.len() <= bytes.len());
        prop_assert_eq!(pieces, whole);
    }
}
