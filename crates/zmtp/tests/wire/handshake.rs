//! Handshakes that succeed, state by state and at any split.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_zmtp::handshake::{Config, Handshake, Peer};
use serverlink_zmtp::{Limits, Version};

use crate::common::{any_places, cut, greeting, ready, signature};

/// A handshake whose signature has been taken.
fn started(config: Config) -> Handshake {
    let mut handshake = Handshake::new(config);
    output(&mut handshake);
    handshake
}

fn output(handshake: &mut Handshake) -> Vec<u8> {
    let mut out = Vec::new();
    handshake.poll_output(&mut out);
    out
}

fn peer(version: Version, socket_type: SocketType) -> Peer {
    Peer {
        version,
        socket_type: Some(socket_type),
        identity: Vec::new(),
        globs: false,
        takes_refusals: false,
        heartbeats: version.has_heartbeats(),
        properties: Vec::new(),
    }
}

/// What follows our signature once a peer of ZMTP 3 has greeted.
fn rest_and(ready: Vec<u8>) -> Vec<u8> {
    [&greeting(1)[10..], &ready].concat()
}

#[test]
fn our_greeting_goes_out_as_far_as_the_peers_octets_allow() {
    for minor in [0, 1] {
        let mut handshake = Handshake::new(Config { minor, ..Config::new(SocketType::Pull) });
        assert_eq!(output(&mut handshake), signature(0), "at once, because the peer may wait for it");
        let theirs = greeting(1);
        for (from, deciding, said) in [(0, 9, 10..11), (10, 10, 11..64)] {
            handshake.handle_input(&theirs[from..deciding]).expect("legal");
            assert_eq!(output(&mut handshake), b"");
            handshake.handle_input(&theirs[deciding..=deciding]).expect("legal");
            assert_eq!(output(&mut handshake), greeting(minor)[said]);
        }
        assert!(!handshake.is_done());
        assert_eq!(handshake.poll_peer(), None);
    }
}

#[test]
fn the_signature_has_the_length_of_our_identity_for_the_oldest() {
    for identity_len in [0, 1, 7, 254, 255] {
        let identity = vec![b'i'; identity_len];
        let mut handshake = Handshake::new(Config { identity, ..Config::new(SocketType::Pull) });
        assert_eq!(output(&mut handshake), signature(identity_len));
    }
}

#[test]
fn ready_follows_the_peers_greeting_and_not_a_part_of_it() {
    let mut handshake = started(Config::new(SocketType::Pull));
    let theirs = greeting(1);
    assert_eq!(handshake.handle_input(&theirs[..63]), Ok(63));
    assert_eq!(output(&mut handshake), greeting(1)[10..]);
    assert_eq!(handshake.handle_input(&theirs[63..]), Ok(1));
    assert_eq!(output(&mut handshake), ready(&[(b"Socket-Type", b"PULL")]));
    assert!(!handshake.is_done());
    assert_eq!(handshake.poll_peer(), None);
}

#[test]
fn the_peer_is_given_exactly_once() {
    let mut handshake = started(Config::new(SocketType::Pull));
    handshake.handle_input(&greeting(1)).expect("a legal greeting");
    handshake.handle_input(&ready(&[(b"Socket-Type", b"PUSH")])).expect("a legal READY");
    assert!(handshake.is_done());
    assert_eq!(handshake.poll_peer(), Some(peer(Version::V3_1, SocketType::Push)));
    assert_eq!(handshake.poll_peer(), None);
    assert!(handshake.is_done());
}

#[test]
fn nothing_is_consumed_once_it_is_done() {
    let mut handshake = started(Config::new(SocketType::Pull));
    let wire = [greeting(1), ready(&[(b"Socket-Type", b"PUSH")])].concat();
    assert_eq!(handshake.handle_input(&wire), Ok(wire.len()));
    assert_eq!(handshake.handle_input(b"\x00\x05Hello"), Ok(0));
    assert_eq!(handshake.handle_input(b"\xff"), Ok(0));
}

#[test]
fn greeting_ready_and_messages_in_one_segment() {
    let mut handshake = started(Config::new(SocketType::Pull));
    let ours = [greeting(1), ready(&[(b"Socket-Type", b"PUSH")])].concat();
    let wire = [&ours[..], b"\x00\x05Hello\x01\x00"].concat();
    assert_eq!(handshake.handle_input(&wire), Ok(ours.len()));
    assert_eq!(handshake.poll_peer(), Some(peer(Version::V3_1, SocketType::Push)));
    assert_eq!(output(&mut handshake), rest_and(ready(&[(b"Socket-Type", b"PULL")])));
}

#[test]
fn one_octet_at_a_time() {
    let mut handshake = started(Config::new(SocketType::Pull));
    let wire = [greeting(1), ready(&[(b"Socket-Type", b"PUSH")])].concat();
    let (last, others) = wire.split_last().expect("there are octets");
    for octet in others {
        assert_eq!(handshake.handle_input(&[*octet]), Ok(1));
        assert!(!handshake.is_done());
    }
    assert_eq!(handshake.handle_input(&[*last]), Ok(1));
    assert_eq!(handshake.poll_peer(), Some(peer(Version::V3_1, SocketType::Push)));
}

#[test]
fn a_ready_in_the_long_form_is_taken() {
    let mut handshake = started(Config::new(SocketType::Pull));
    handshake.handle_input(&greeting(1)).expect("a legal greeting");
    let short = ready(&[(b"Socket-Type", b"PUSH")]);
    let long = [&[6], &(short.len() as u64 - 2).to_be_bytes()[..], &short[2..]].concat();
    assert_eq!(handshake.handle_input(&long), Ok(long.len()));
    assert!(handshake.is_done());
}

#[test]
fn the_lower_minor_version_is_spoken() {
    let (old, new) = (Version::V3_0, Version::V3_1);
    for (ours, theirs, spoken) in
        [(0, 0, old), (0, 1, old), (1, 0, old), (1, 1, new), (1, 9, new), (0, 9, old)]
    {
        let mut handshake = started(Config { minor: ours, ..Config::new(SocketType::Pull) });
        let wire = [greeting(theirs), ready(&[(b"Socket-Type", b"PUSH")])].concat();
        handshake.handle_input(&wire).expect("a legal handshake");
        assert_eq!(handshake.poll_peer(), Some(peer(spoken, SocketType::Push)), "{ours} with {theirs}");
    }
}

#[test]
fn identities_are_announced_by_those_who_are_addressed() {
    for socket_type in SocketType::ALL {
        let mut handshake = started(Config { identity: b"me".to_vec(), ..Config::new(socket_type) });
        handshake.handle_input(&greeting(1)).expect("a legal greeting");
        let said = output(&mut handshake);
        let name = socket_type.as_str().as_bytes();
        let expected = match socket_type {
            SocketType::Req | SocketType::Dealer | SocketType::Router => {
                ready(&[(b"Socket-Type", name), (b"Identity", b"me")])
            }
            SocketType::Dish => ready(&[(b"Socket-Type", name), (b"X-ServerLink-Heartbeats", b"1")]),
            _ => ready(&[(b"Socket-Type", name)]),
        };
        assert_eq!(said, rest_and(expected), "{socket_type}");
    }
}

#[test]
fn publishers_and_subscribers_announce_globs() {
    let announced = |config: Config| {
        let mut ours = started(Config { globs: config.globs, ..Config::new(config.socket_type) });
        ours.handle_input(&greeting(1)).expect("a legal greeting");
        let wanted = b"\x12X-ServerLink-Globs\0\0\0\x011";
        output(&mut ours).windows(wanted.len()).any(|octets| octets == wanted)
    };
    for socket_type in SocketType::ALL {
        use SocketType::{Pub, Sub, Xpub, Xsub};
        let does = matches!(socket_type, Pub | Sub | Xpub | Xsub);
        assert_eq!(announced(Config { globs: true, ..Config::new(socket_type) }), does, "{socket_type}");
        assert!(!announced(Config::new(socket_type)));
    }
    for (name, value, globs) in
        [("x-serverlink-GLOBS", "1", true), ("X-ServerLink-Globs", "2", false), ("X-Globs", "1", false)]
    {
        let mut ours = started(Config::new(SocketType::Pub));
        ours.handle_input(&greeting(1)).expect("a legal greeting");
        let theirs = ready(&[(b"Socket-Type", b"SUB"), (name.as_bytes(), value.as_bytes())]);
        ours.handle_input(&theirs).expect("a legal READY");
        assert_eq!(ours.poll_peer().expect("a peer").globs, globs, "{name}");
    }
}

#[test]
fn as_server_is_ignored_and_under_null_never_announced() {
    let mut handshake = Handshake::new(Config::new(SocketType::Pull));
    handshake.handle_input(&greeting(1)).expect("a legal greeting");
    assert_eq!(output(&mut handshake)[10..64], greeting(1)[10..]);
    for as_server in [0, 1, 0xFF] {
        let mut handshake = started(Config::new(SocketType::Pull));
        let mut theirs = greeting(1);
        theirs[32] = as_server;
        handshake.handle_input(&theirs).expect("as-server has no meaning under NULL");
        handshake.handle_input(&ready(&[(b"Socket-Type", b"PUSH")])).expect("a legal READY");
        assert!(handshake.is_done());
    }
}

#[test]
fn padding_and_filler_of_the_peer_do_not_matter() {
    let mut handshake = started(Config::new(SocketType::Pull));
    let mut theirs = greeting(1);
    theirs[1..9].fill(0xEE);
    theirs[33..].fill(0xEE);
    handshake.handle_input(&theirs).expect("neither is looked at");
    assert_eq!(output(&mut handshake), rest_and(ready(&[(b"Socket-Type", b"PULL")])));
}

#[test]
fn property_names_of_the_peer_are_read_in_any_case() {
    let mut handshake = started(Config::new(SocketType::Router));
    let wire = [greeting(1), ready(&[(b"SOCKET-TYPE", b"DEALER"), (b"identity", b"d1"), (b"x-Rack", b"7")])]
        .concat();
    handshake.handle_input(&wire).expect("a legal handshake");
    let expected = Peer {
        identity: b"d1".to_vec(),
        properties: vec![("x-Rack".to_owned(), b"7".to_vec())],
        ..peer(Version::V3_1, SocketType::Dealer)
    };
    assert_eq!(handshake.poll_peer(), Some(expected));
}

#[test]
fn identities_of_255_octets_are_taken_and_unusable_ones_ignored_but_by_a_router() {
    let longest = vec![b'i'; 255];
    for (ours, theirs) in [(SocketType::Router, "DEALER"), (SocketType::Dealer, "ROUTER")] {
        let mut handshake = started(Config::new(ours));
        let wire =
            [greeting(1), ready(&[(b"Socket-Type", theirs.as_bytes()), (b"Identity", &longest)])].concat();
        handshake.handle_input(&wire).expect("a legal handshake");
        assert_eq!(handshake.poll_peer().expect("it is done").identity, longest);
    }
    for unusable in [&b"\0abc"[..], &[b'i'; 256]] {
        let mut handshake = started(Config::new(SocketType::Dealer));
        let wire = [greeting(1), ready(&[(b"Socket-Type", b"ROUTER"), (b"Identity", unusable)])].concat();
        handshake.handle_input(&wire).expect("RFC 37: ignored where it has no meaning");
        assert_eq!(handshake.poll_peer().expect("it is done").identity, b"");
    }
}

#[test]
fn every_legal_pair_shakes_hands() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL.into_iter().filter(|&theirs| ours.accepts(theirs)) {
            let (mut a, mut b) = (Handshake::new(Config::new(ours)), Handshake::new(Config::new(theirs)));
            while !(a.is_done() && b.is_done()) {
                let (from_a, from_b) = (output(&mut a), output(&mut b));
                assert!(!from_a.is_empty() || !from_b.is_empty(), "{ours} and {theirs} wait for each other");
                b.handle_input(&from_a).expect("legal");
                a.handle_input(&from_b).expect("legal");
            }
            assert_eq!(a.poll_peer().expect("it is done").socket_type, Some(theirs));
            assert_eq!(b.poll_peer().expect("it is done").socket_type, Some(ours));
        }
    }
}

proptest! {
    /// Two sides, each with its bytes cut anywhere and with traffic right behind them, learn about each other exactly
    /// what the other was made of, and leave the traffic alone.
    #[test]
    fn both_sides_agree_at_any_split(
        minors in (0..2u8, 0..2u8),
        identity in prop::collection::vec(1..=u8::MAX, 0..=255),
        properties in prop::collection::vec(("X-[a-z]{1,9}", prop::collection::vec(any::<u8>(), 0..300)), 0..4),
        traffic in prop::collection::vec(any::<u8>(), 0..40),
        places in any_places(),
    ) {
        let config = Config { minor: minors.0, identity: identity.clone(), properties: properties.clone(), ..Config::new(SocketType::Dealer) };
        let mut dealer = Handshake::new(config);
        let mut router = Handshake::new(Config { minor: minors.1, ..Config::new(SocketType::Router) });
        let (mut from_dealer, mut silent) = (Vec::new(), Handshake::new(Config { minor: minors.1, ..Config::new(SocketType::Router) }));
        // What the dealer says to such a router does not depend on how it comes.
        while !dealer.is_done() {
            let said = output(&mut dealer);
            from_dealer.extend_from_slice(&said);
            silent.handle_input(&said).expect("legal");
            dealer.handle_input(&output(&mut silent)).expect("legal");
        }
        dealer.poll_output(&mut from_dealer);
        let handshake_len = from_dealer.len();
        from_dealer.extend_from_slice(&traffic);

        let mut consumed = 0;
        for piece in cut(&from_dealer, &places) {
            let taken = router.handle_input(piece).expect("legal at any split");
            prop_assert!(taken == piece.len() || router.is_done());
            consumed += taken;
        }
        prop_assert_eq!(consumed, handshake_len);
        let version = if minors.0.min(minors.1) == 0 { Version::V3_0 } else { Version::V3_1 };
        let expected = Peer { version, socket_type: Some(SocketType::Dealer), identity, globs: false, takes_refusals: false, heartbeats: version.has_heartbeats(), properties };
        prop_assert_eq!(router.poll_peer(), Some(expected));
    }

    /// Whatever comes, and however it is cut, the outcome is the same, and no more is taken than came.
    #[test]
    fn any_octets_have_one_outcome_at_any_split(
        whole_greeting: bool,
        bytes in prop::collection::vec(prop_oneof![0..8u8, any::<u8>()], 0..200),
        places in any_places(),
    ) {
        let wire = if whole_greeting { [greeting(1), bytes].concat() } else { bytes };
        let limits = Limits { max_handshake_bytes: 150, ..Limits::default() };
        let config = Config { limits, ..Config::new(SocketType::Pull) };
        let (mut at_once, mut in_pieces) = (started(config.clone()), started(config));
        let expected = at_once.handle_input(&wire);
        let mut outcome = Ok(0);
        for piece in cut(&wire, &places) {
            let Ok(consumed) = outcome else { break };
            outcome = in_pieces.handle_input(piece).map(|taken| consumed + taken);
        }
        prop_assert_eq!(outcome, expected);
        prop_assert_eq!(output(&mut in_pieces), output(&mut at_once));
    }
}
