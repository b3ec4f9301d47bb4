//! The greeting, and the signs of peers that are too old.

use crate::common::greeting;
use proptest::prelude::*;
use serverlink_zmtp::WireError;
use serverlink_zmtp::error::Revision;
use serverlink_zmtp::greeting::{GREETING_LEN, Greeting, MechanismName, Parsed};

const OURS: Greeting = Greeting { minor: 1, mechanism: MechanismName::NULL, as_server: false };

fn older(revision: Revision) -> Result<Parsed, WireError> {
    Err(WireError::UnsupportedRevision { revision })
}

#[test]
fn it_is_the_64_octets_of_the_rfc() {
    for minor in [0, 1] {
        let mut wire = Vec::new();
        Greeting { minor, ..OURS }.put(&mut wire);
        assert_eq!(wire, greeting(minor));
    }
}

#[test]
fn it_parses_only_when_it_is_whole() {
    let mut wire = greeting(1);
    for len in 0..GREETING_LEN {
        assert_eq!(Greeting::parse(&wire[..len]), Ok(Parsed::Incomplete), "{len} octets");
    }
    assert_eq!(Greeting::parse(&wire), Ok(Parsed::Complete(OURS)));
    wire.extend_from_slice(b"\x04\x1cand frames");
    assert_eq!(Greeting::parse(&wire), Ok(Parsed::Complete(OURS)));
}

#[test]
fn padding_is_never_validated() {
    for octet in [0, 1, 0x7F, 0xFF] {
        let mut wire = greeting(1);
        wire[1..9].fill(octet);
        assert_eq!(Greeting::parse(&wire), Ok(Parsed::Complete(OURS)));
    }
}

#[test]
fn filler_is_never_validated() {
    let mut wire = greeting(1);
    wire[33..].fill(0xAA);
    assert_eq!(Greeting::parse(&wire), Ok(Parsed::Complete(OURS)));
}

#[test]
fn versions_are_accepted_from_3_0_up() {
    for (major, minor, spoken) in [(3, 0, 0), (3, 1, 1), (3, 2, 1), (3, 255, 1), (4, 0, 1), (255, 255, 1)] {
        let mut wire = greeting(minor);
        wire[10] = major;
        assert_eq!(
            Greeting::parse(&wire),
            Ok(Parsed::Complete(Greeting { minor: spoken, ..OURS })),
            "{major}.{minor}"
        );
    }
}

#[test]
fn older_peers_are_known_by_their_first_octets() {
    let v2 = |revision| [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, revision];
    for revision in 0..3 {
        assert_eq!(Greeting::parse(&v2(revision)), older(Revision::V2));
        assert_eq!(Greeting::parse(&v2(revision)[..10]), Ok(Parsed::Incomplete));
    }
    // ZMTP 1.0: an anonymous peer, one with a name, one whose name takes a long frame.
    for wire in [&b"\x01\x00"[..], b"\x06\x00tiger", b"\xff\x00\x00\x00\x00\x00\x00\x01\x2c\x00"] {
        assert_eq!(Greeting::parse(wire), older(Revision::V1), "{wire:?}");
    }
}

#[test]
fn strangers_are_refused_on_their_first_octet() {
    for wire in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-OpenSSH", b"\x16\x03\x01", b"\0"] {
        assert_eq!(Greeting::parse(&wire[..1]), older(Revision::V1));
        assert_eq!(Greeting::parse(wire), older(Revision::V1));
    }
}

#[test]
fn mechanisms_are_compared_with_their_padding() {
    let parsed = |mechanism: &[u8]| {
        let mut wire = greeting(1);
        wire[12..32].fill(0);
        wire[12..12 + mechanism.len()].copy_from_slice(mechanism);
        match Greeting::parse(&wire) {
            Ok(Parsed::Complete(greeting)) => greeting.mechanism,
            other => panic!("a mechanism is not judged here: {other:?}"),
        }
    };
    assert_eq!(parsed(b"NULL"), MechanismName::NULL);
    for other in [
        &b"null"[..],
        b"NULLX",
        b"NULL\0X",
        b"",
        b"CURVE",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        assert_ne!(parsed(other), MechanismName::NULL, "{other:?}");
    }
    assert_eq!(parsed(b"PLAIN").to_string(), "PLAIN");
    assert_eq!(parsed(b"A\0\n").to_string(), r"A\x00\n");
}

proptest! {
    #[test]
    fn greetings_come_back(minor in 0..2u8, as_server: bool, after: Vec<u8>) {
        let greeting = Greeting { minor, as_server, ..OURS };
        let mut wire = Vec::new();
        greeting.put(&mut wire);
        wire.extend_from_slice(&after);
        prop_assert_eq!(Greeting::parse(&wire), Ok(Parsed::Complete(greeting)));
    }

    #[test]
    fn an_error_shows_early_and_stays(bytes: Vec<u8>) {
        let mut failed = None;
        for len in 0..=bytes.len() {
            let parsed = Greeting::parse(&bytes[..len]);
            if let Some(error) = &failed {
                prop_assert_eq!(parsed.as_ref(), Err(error));
            }
            failed = parsed.err();
        }
    }
}
