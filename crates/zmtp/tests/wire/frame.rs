//! Frame headers: every flags octet, every edge of the sizes, and streams cut anywhere.

use crate::common::{Stream, any_body, any_places, cut};
use proptest::prelude::*;
use serverlink_zmtp::error::{Fault, Limited};
use serverlink_zmtp::frame::{Header, MAX_HEADER_LEN, Parsed, parse_header, put_frame, put_header};
use serverlink_zmtp::{Limits, WireError};

fn message(more: bool, body_len: u64) -> Header {
    Header { more, command: false, body_len }
}

fn command(body_len: u64) -> Header {
    Header { more: false, command: true, body_len }
}

fn complete(header: Header, header_len: usize) -> Result<Parsed, WireError> {
    Ok(Parsed::Complete { header, header_len })
}

#[test]
fn headers_parse_as_the_grammar_has_them() {
    let table: &[(&[u8], Header, usize)] = &[
        (&[0, 0], message(false, 0), 2),
        (&[0, 5, 9, 9], message(false, 5), 2),
        (&[1, 255], message(true, 255), 2),
        (&[2, 0, 0, 0, 0, 0, 0, 1, 0], message(false, 256), 9),
        (&[3, 0, 0, 0, 0, 0, 1, 0, 0, 7], message(true, 65_536), 9),
        (&[4, 41], command(41), 2),
        (&[6, 0, 0, 0, 0, 0, 0, 1, 1], command(257), 9),
    ];
    for &(input, header, header_len) in table {
        assert_eq!(parse_header(input), complete(header, header_len), "{input:?}");
    }
}

#[test]
fn a_long_form_with_a_short_size_is_legal() {
    assert_eq!(parse_header(&[2, 0, 0, 0, 0, 0, 0, 0, 3]), complete(message(false, 3), 9));
    assert_eq!(parse_header(&[6, 0, 0, 0, 0, 0, 0, 0, 0]), complete(command(0), 9));
}

#[test]
fn what_is_needed_is_told_and_always_more_than_there_is() {
    assert_eq!(parse_header(&[]), Ok(Parsed::Incomplete { need: 2 }));
    for (flags, need) in [(0, 2), (1, 2), (4, 2), (2, 9), (3, 9), (6, 9)] {
        for len in 1..need {
            let input = [flags, 0, 0, 0, 0, 0, 0, 0, 0];
            assert_eq!(
                parse_header(&input[..len]),
                Ok(Parsed::Incomplete { need }),
                "flags {flags}, {len} octets"
            );
        }
    }
}

#[test]
fn every_flags_octet_is_judged_by_itself() {
    for flags in 0..=u8::MAX {
        let alone = parse_header(&[flags]);
        let with_size = parse_header(&[flags, 0, 0, 0, 0, 0, 0, 0, 0]);
        match flags {
            0..=4 | 6 => assert!(alone.is_ok() && with_size.is_ok(), "flags {flags}"),
            5 | 7 => {
                assert_eq!(alone, Err(WireError::MoreOnCommand { flags }));
                assert_eq!(with_size, Err(WireError::MoreOnCommand { flags }));
            }
            8.. => {
                assert_eq!(alone, Err(WireError::ReservedFlags { flags }));
                assert_eq!(with_size, Err(WireError::ReservedFlags { flags }));
            }
        }
    }
}

#[test]
fn sizes_have_63_bits() {
    let wire = |size: u64| [&[2][..], &size.to_be_bytes()].concat();
    let largest = i64::MAX as u64;
    assert_eq!(parse_header(&wire(largest)), complete(message(false, largest), 9));
    for size in [largest + 1, u64::MAX] {
        let error = parse_header(&wire(size)).expect_err("the sign bit is set");
        assert_eq!(error, WireError::SizeOutOfRange { size });
        assert_eq!(error.fault(), Fault::Peer);
    }
}

#[test]
fn a_huge_length_is_refused_by_its_header_alone() {
    let limits = Limits { max_frame_bytes: 1000, max_command_bytes: 100, ..Limits::default() };
    assert_eq!(message(false, 1000).body_len_within(&limits), Ok(1000));
    assert_eq!(command(100).body_len_within(&limits), Ok(100));
    for size in [1001, i64::MAX as u64] {
        let refused = WireError::LimitExceeded { what: Limited::Frame, size, limit: 1000 };
        assert_eq!(message(true, size).body_len_within(&limits), Err(refused));
    }
    let refused = WireError::LimitExceeded { what: Limited::Command, size: 101, limit: 100 };
    assert_eq!(command(101).body_len_within(&limits), Err(refused));
}

#[test]
fn the_short_form_ends_at_255() {
    for (body_len, header_len) in [(0, 2), (1, 2), (255, 2), (256, 9), (70_000, 9)] {
        let mut wire = Vec::new();
        put_frame(&mut wire, false, &vec![b'x'; body_len]);
        assert_eq!(wire.len(), header_len + body_len);
        assert_eq!(parse_header(&wire), complete(message(false, body_len as u64), header_len));
    }
}

#[test]
fn a_frame_appends_alike_with_and_without_room() {
    for body_len in [0, 1, 46, 254, 255, 256, 300] {
        for room in 0..body_len + MAX_HEADER_LEN + 2 {
            let body = vec![7; body_len];
            let mut wire = Vec::with_capacity(1 + room);
            wire.push(b'!');
            put_frame(&mut wire, true, &body);
            let mut plain = vec![b'!'];
            put_header(&mut plain, message(true, body_len as u64));
            plain.extend_from_slice(&body);
            assert_eq!(wire, plain, "{body_len} octets with room for {room}");
        }
    }
}

proptest! {
    #[test]
    fn headers_come_back(more: bool, command: bool, body_len in prop_oneof![0..600u64, 0..=i64::MAX as u64], after: [u8; 3]) {
        let header = Header { more: more && !command, command, body_len };
        let mut wire = Vec::new();
        put_header(&mut wire, header);
        let header_len = wire.len();
        for len in 0..header_len {
            let parsed = parse_header(&wire[..len]);
            let is_told = matches!(parsed, Ok(Parsed::Incomplete { need }) if need > len && need <= header_len);
            prop_assert!(is_told, "{:?}", parsed);
        }
        wire.extend_from_slice(&after);
        prop_assert_eq!(parse_header(&wire), complete(header, header_len));
    }

    #[test]
    fn frames_come_back_at_any_split(frames in prop::collection::vec((any::<bool>(), any_body()), 0..6), places in any_places()) {
        let mut wire = Vec::new();
        for (more, body) in &frames {
            put_frame(&mut wire, *more, body);
        }
        let mut stream = Stream::default();
        for piece in cut(&wire, &places) {
            stream.feed(piece, &Limits::default()).expect("our own frames are legal");
        }
        prop_assert!(stream.is_at_frame_start());
        let expected: Vec<_> = frames.into_iter().map(|(more, body)| (message(more, body.len() as u64), body)).collect();
        prop_assert_eq!(stream.frames, expected);
    }

    #[test]
    fn any_octets_parse_alike_at_any_split(bytes in prop::collection::vec(prop_oneof![0..8u8, any::<u8>()], 0..200), places in any_places()) {
        let limits = Limits { max_frame_bytes: 64, ..Limits::default() };
        let mut whole = Stream::default();
        let whole_result = whole.feed(&bytes, &limits);
        let mut pieces = Stream::default();
        let pieces_result = cut(&bytes, &places).into_iter().try_for_each(|piece| pieces.feed(piece, &limits));
        prop_assert_eq!(whole_result, pieces_result);
        prop_assert_eq!(whole.frames, pieces.frames);
    }
}
