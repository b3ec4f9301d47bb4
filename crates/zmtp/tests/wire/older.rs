//! Handshakes with peers before ZMTP 3.0, written out octet by octet.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_zmtp::handshake::{Config, Handshake, Peer};
use serverlink_zmtp::{Version, WireError};

use crate::common::{any_places, cut, greeting, signature};

/// The types by their numbers (RFC 15; 9 and 10 after libzmq).
const NUMBERED: [SocketType; 11] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::Xpub,
    SocketType::Xsub,
];

fn v2_greeting(revision: u8, socket_type: u8) -> Vec<u8> {
    [&signature(0)[..], &[revision, socket_type]].concat()
}

fn said(handshake: &mut Handshake) -> Vec<u8> {
    let mut out = Vec::new();
    handshake.poll_output(&mut out);
    out
}

fn config(socket_type: SocketType, identity: &[u8]) -> Config {
    Config { identity: identity.to_vec(), ..Config::new(socket_type) }
}

fn peer(version: Version, socket_type: Option<SocketType>, identity: &[u8]) -> Peer {
    Peer {
        version,
        socket_type,
        identity: identity.to_vec(),
        globs: false,
        takes_refusals: false,
        heartbeats: false,
        properties: Vec::new(),
    }
}

#[test]
fn a_peer_of_2_0_gets_revision_type_and_identity() {
    let mut handshake = Handshake::new(config(SocketType::Router, b"me"));
    assert_eq!(said(&mut handshake), signature(2));
    handshake.handle_input(&signature(0)).expect("legal");
    assert_eq!(said(&mut handshake), [3]);
    handshake.handle_input(&[1]).expect("legal");
    assert_eq!(said(&mut handshake), b"\x06\x00\x02me", "ROUTER, then a frame");
    handshake.handle_input(&[5]).expect("legal");
    let first = b"\x00\x04them\x00\x05Hello";
    assert_eq!(handshake.handle_input(first), Ok(6), "the message is none of the handshake's");
    assert_eq!(handshake.poll_peer(), Some(peer(Version::V2_0, Some(SocketType::Dealer), b"them")));
    assert_eq!(said(&mut handshake), b"", "no READY");
}

#[test]
fn a_peer_of_1_0_gets_the_body_of_our_identity() {
    for (identity, theirs, name) in [
        (&b""[..], &b"\x01\x00"[..], &b""[..]),
        (b"me", b"\x05\x7ethem", b"them"),
        (b"me", b"\xff\0\0\0\0\0\0\0\x05\0them", b"them"),
    ] {
        let mut handshake = Handshake::new(config(SocketType::Pull, identity));
        assert_eq!(said(&mut handshake), signature(identity.len()));
        let wire = [theirs, b"\x06\x00Hello"].concat();
        assert_eq!(handshake.handle_input(&wire), Ok(theirs.len()));
        assert_eq!(handshake.poll_peer(), Some(peer(Version::V1_0, None, name)));
        assert_eq!(said(&mut handshake), identity, "its header was our signature");
    }
}

/// As libzmq has it: a greeting like that of 2.0, and the frames of 1.0.
#[test]
fn a_peer_of_revision_0_frames_as_1_0() {
    let mut handshake = Handshake::new(config(SocketType::Pull, b"me"));
    said(&mut handshake);
    let wire = [&v2_greeting(0, 8)[..], b"\x05\x00them"].concat();
    assert_eq!(handshake.handle_input(&wire), Ok(wire.len()));
    assert_eq!(handshake.poll_peer(), Some(peer(Version::V1_0, Some(SocketType::Push), b"them")));
    assert_eq!(said(&mut handshake), b"\x03\x07\x03\x00me");
}

#[test]
fn every_pair_is_judged_by_the_number_of_its_type() {
    for ours in NUMBERED {
        for (number, theirs) in NUMBERED.into_iter().enumerate() {
            let mut handshake = Handshake::new(Config::new(ours));
            let wire = [&v2_greeting(1, number as u8)[..], b"\x00\x00"].concat();
            let outcome = handshake.handle_input(&wire);
            if ours.accepts(theirs) {
                assert_eq!(outcome, Ok(wire.len()), "{ours} and {theirs}");
                assert_eq!(handshake.poll_peer(), Some(peer(Version::V2_0, Some(theirs), b"")));
            } else {
                assert_eq!(outcome, Err(WireError::SocketTypeMismatch { ours, theirs }));
            }
            let on_the_wire = match ours {
                SocketType::Xpub => SocketType::Pub,
                SocketType::Xsub => SocketType::Sub,
                other => other,
            };
            assert_eq!(NUMBERED[usize::from(said(&mut handshake)[11])], on_the_wire);
        }
    }
    let mut handshake = Handshake::new(Config::new(SocketType::Pull));
    let error = handshake.handle_input(&v2_greeting(1, 11)).expect_err("there is no such type");
    assert!(error.to_string().contains("number 11"), "{error}");
}

/// The types that are younger than ZMTP 3.0 have no partners before it, whether those say what they are or not.
#[test]
fn younger_types_do_not_talk_to_older_peers() {
    let younger = SocketType::ALL.into_iter().filter(|kind| kind.has_single_part());
    for ours in younger.filter(|kind| !matches!(kind, SocketType::Stream | SocketType::Dgram)) {
        for number in 0..=30 {
            let mut handshake = Handshake::new(Config::new(ours));
            let wire = [&v2_greeting(1, number)[..], b"\x00\x00"].concat();
            handshake.handle_input(&wire).expect_err("no type of that version fits");
        }
        let mut handshake = Handshake::new(Config::new(ours));
        let error = handshake.handle_input(b"\x01\x00").expect_err("it cannot be a partner");
        assert!(error.to_string().contains("ZMTP 1.0"), "{ours}: {error}");
    }
}

#[test]
fn what_is_no_identity_is_refused_by_its_header() {
    let v2 = |frame: &[u8]| [&v2_greeting(1, 5)[..], frame].concat();
    let table: &[(Vec<u8>, &str)] = &[
        (b"GET / HTTP/1.1\r\n".to_vec(), "reserved flags"),
        (b"SSH-2.0-OpenSSH".to_vec(), "reserved flags"),
        (b"\x16\x03\x01".to_vec(), "reserved flags"),
        (b"\0".to_vec(), "length 0"),
        (b"\x05\x01".to_vec(), "no routing id"),
        (b"\xff\0\0\0\0\0\0\x01\x01\0".to_vec(), "at most 255"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\0".to_vec(), "2^63-1"),
        (b"\x02\0\0".to_vec(), "zero octet"),
        (v2(b"\x01\x00"), "no routing id"),
        (v2(b"\x04\x05"), "no routing id"),
        (v2(b"\x02\0\0\0\0\0\0\x01\0"), "at most 255"),
        (v2(b"\x00\x01\0"), "zero octet"),
        (v2(b"\x08"), "reserved flags"),
    ];
    for (wire, part) in table {
        let mut handshake = Handshake::new(Config::new(SocketType::Router));
        let error = handshake.handle_input(wire).expect_err("it must be refused");
        assert!(error.to_string().contains(part), "{wire:?}: {error}");
        assert_eq!(handshake.poll_peer(), None);
        assert_eq!(handshake.handle_input(&greeting(1)), Err(error), "an error stays");
    }
}

#[test]
fn a_judged_peer_gets_neither_ready_nor_error() {
    for wire in [b"\x05\x00them".to_vec(), [&v2_greeting(1, 5)[..], b"\x00\x04them"].concat()] {
        for admitted in [false, true] {
            let config = Config { judges: true, ..config(SocketType::Router, b"me") };
            let mut handshake = Handshake::new(config);
            handshake.handle_input(&wire).expect("legal");
            said(&mut handshake);
            assert_eq!(handshake.candidate().expect("it waits").identity, b"them");
            if admitted {
                handshake.admit()
            } else {
                handshake.refuse("taken")
            }
            assert_eq!(said(&mut handshake), b"");
            assert_eq!(handshake.poll_peer().is_some(), admitted);
        }
    }
}

proptest! {
    #[test]
    fn older_peers_are_understood_at_any_split(
        revision in prop::option::of(0..3u8),
        identity in prop::collection::vec(1..=u8::MAX, 0..=255),
        traffic in prop::collection::vec(any::<u8>(), 0..40),
        places in any_places(),
    ) {
        let mut frame = Vec::new();
        match revision {
            Some(1 | 2) => serverlink_zmtp::frame::put_frame(&mut frame, false, &identity),
            _ => serverlink_zmtp::v1::put_frame(&mut frame, false, &identity),
        }
        let greeting = revision.map(|revision| v2_greeting(revision, 5)).unwrap_or_default();
        let shake = [greeting, frame].concat();
        let wire = [&shake[..], &traffic].concat();
        let mut handshake = Handshake::new(config(SocketType::Router, b"me"));
        let mut consumed = 0;
        for piece in cut(&wire, &places) {
            consumed += handshake.handle_input(piece).expect("legal at any split");
        }
        prop_assert_eq!(consumed, shake.len());
        let version = if matches!(revision, Some(1 | 2)) { Version::V2_0 } else { Version::V1_0 };
        let expected = peer(version, revision.map(|_| SocketType::Dealer), &identity);
        prop_assert_eq!(handshake.poll_peer(), Some(expected));
        let ours = said(&mut handshake);
        let rest = match revision {
            Some(1 | 2) => &b"\x03\x06\x00\x02me"[..],
            Some(_) => b"\x03\x06\x03\x00me",
            None => b"me",
        };
        prop_assert_eq!(&ours[10..], rest);
    }
}
