//! The greeting, and the signs of peers that are too old.

use crate::common::{greeting, signature};
use proptest::prelude::*;
use serverlink_zmtp::Version;
use serverlink_zmtp::greeting::{GREETING_LEN, Greeting, MechanismName, Shown, look, put_signature};

const OURS: Greeting = Greeting { minor: 1, mechanism: MechanismName::NULL, as_server: false };

fn parse(wire: &[u8]) -> Greeting {
    assert_eq!(look(wire), Shown::Current);
    Greeting::parse(wire.first_chunk().expect("64 octets"))
}

#[test]
fn it_is_the_64_octets_of_the_rfc() {
    for minor in [0, 1] {
        let mut wire = Vec::new();
        put_signature(&mut wire, 0);
        assert_eq!(wire, signature(0));
        wire.push(3);
        Greeting { minor, ..OURS }.put_rest(&mut wire);
        assert_eq!(wire.len(), GREETING_LEN);
        assert_eq!(wire[9..], greeting(minor)[9..]);
    }
}

#[test]
fn it_shows_itself_octet_by_octet() {
    let wire = greeting(1);
    for len in 0..=GREETING_LEN {
        let expected = match len {
            0..10 => Shown::Nothing,
            10 => Shown::Signature,
            _ => Shown::Current,
        };
        assert_eq!(look(&wire[..len]), expected, "{len} octets");
    }
    assert_eq!(parse(&wire), OURS);
}

#[test]
fn padding_is_never_validated() {
    for octet in [0, 1, 0x7F, 0xFF] {
        let mut wire = greeting(1);
        wire[1..9].fill(octet);
        assert_eq!(parse(&wire), OURS);
    }
}

#[test]
fn filler_is_never_validated() {
    let mut wire = greeting(1);
    wire[33..].fill(0xAA);
    assert_eq!(parse(&wire), OURS);
}

#[test]
fn versions_are_accepted_from_3_0_up() {
    for (major, minor, spoken) in [(3, 0, 0), (3, 1, 1), (3, 2, 1), (3, 255, 1), (4, 0, 1), (255, 255, 1)] {
        let mut wire = greeting(minor);
        wire[10] = major;
        assert_eq!(parse(&wire), Greeting { minor: spoken, ..OURS }, "{major}.{minor}");
    }
}

#[test]
fn older_peers_are_known_by_their_first_octets() {
    for (revision, version) in [(0, Version::V1_0), (1, Version::V2_0), (2, Version::V2_0)] {
        let wire = [&signature(5)[..], &[revision]].concat();
        assert_eq!(look(&wire), Shown::Older(version));
        assert_eq!(look(&wire[..10]), Shown::Signature);
        assert_eq!(look(&wire[..9]), Shown::Nothing);
    }
    // ZMTP 1.0: an anonymous peer, one with a name, one whose name takes a long frame.
    for wire in [&b"\x01\x00"[..], b"\x06\x00tiger", b"\xff\x00\x00\x00\x00\x00\x00\x01\x2c\x00"] {
        assert_eq!(look(wire), Shown::Unversioned, "{wire:?}");
    }
}

#[test]
fn mechanisms_are_compared_with_their_padding() {
    let parsed = |mechanism: &[u8]| {
        let mut wire = greeting(1);
        wire[12..32].fill(0);
        wire[12..12 + mechanism.len()].copy_from_slice(mechanism);
        parse(&wire).mechanism
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
    fn greetings_come_back(minor in 0..2u8, as_server: bool, identity_len in 0..=255usize) {
        let greeting = Greeting { minor, as_server, ..OURS };
        let mut wire = Vec::new();
        put_signature(&mut wire, identity_len);
        wire.push(3);
        greeting.put_rest(&mut wire);
        prop_assert_eq!(parse(&wire), greeting);
    }

    #[test]
    fn what_is_shown_stays(bytes: Vec<u8>, signed: bool) {
        let bytes = if signed { [signature(0), bytes].concat() } else { bytes };
        let mut before = Shown::Nothing;
        for len in 0..=bytes.len() {
            let shown = look(&bytes[..len]);
            match before {
                Shown::Nothing => {}
                Shown::Signature => prop_assert!(matches!(shown, Shown::Older(_) | Shown::Current)),
                certain => prop_assert_eq!(shown, certain),
            }
            before = shown;
        }
    }
}
