//! Handshakes that fail: what is refused, when, and what the peer is told.

use serverlink_message::SocketType;
use serverlink_zmtp::command::Command;
use serverlink_zmtp::error::{Fault, Limited};
use serverlink_zmtp::handshake::{Config, Handshake};
use serverlink_zmtp::{Limits, WireError};

use crate::common::{command_frame, greeting, ready};

/// A handshake that has exchanged greetings and said READY.
fn greeted(config: Config) -> Handshake {
    let mut handshake = Handshake::new(config);
    handshake.handle_input(&greeting(1)).expect("a legal greeting");
    handshake.poll_output(&mut Vec::new());
    handshake
}

/// Feeds what must be refused; gives the error and what is still said to the peer.
fn refused(handshake: &mut Handshake, input: &[u8]) -> (WireError, Vec<u8>) {
    let error = handshake.handle_input(input).expect_err("it must be refused");
    assert_eq!(error.fault(), Fault::Peer);
    assert!(!handshake.is_done());
    assert_eq!(handshake.poll_peer(), None);
    assert_eq!(handshake.handle_input(b""), Err(error.clone()), "an error stays");
    assert_eq!(handshake.handle_input(&greeting(1)), Err(error.clone()), "an error stays");
    let mut last_words = Vec::new();
    handshake.poll_output(&mut last_words);
    (error, last_words)
}

fn error_command(reason: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    Command::Error { reason: reason.as_bytes() }.put(&mut wire);
    wire
}

#[test]
fn another_mechanism_is_refused_by_name() {
    let mut theirs = greeting(1);
    theirs[12..17].copy_from_slice(b"CURVE");
    let mut handshake = Handshake::new(Config::new(SocketType::Pull));
    handshake.poll_output(&mut Vec::new());
    let (error, last_words) = refused(&mut handshake, &theirs);
    assert_eq!(
        error.to_string(),
        "the peer wants the security mechanism CURVE, this socket uses NULL: configure both alike"
    );
    assert_eq!(last_words, greeting(1)[10..], "no READY for a peer that asks for another mechanism");
}

#[test]
fn illegal_pairs_are_refused_with_both_names_and_an_error_command() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL.into_iter().filter(|&theirs| !ours.accepts(theirs)) {
            let ready = ready(&[(b"Socket-Type", theirs.as_str().as_bytes())]);
            let (error, last_words) = refused(&mut greeted(Config::new(ours)), &ready);
            assert_eq!(error, WireError::SocketTypeMismatch { ours, theirs });
            assert_eq!(last_words, error_command(&format!("{ours}-does-not-accept-{theirs}")));
        }
    }
}

#[test]
fn a_ready_that_does_not_introduce_its_peer_is_answered_with_an_error_command() {
    type Properties<'a> = &'a [(&'a [u8], &'a [u8])];
    let table: &[(Properties<'_>, &str, &str)] = &[
        (&[], "names no Socket-Type", "Socket-Type-missing"),
        (&[(b"Identity", b"x")], "names no Socket-Type", "Socket-Type-missing"),
        (&[(b"Socket-Type", b"")], "a type unknown here", "Socket-Type-unknown"),
        (&[(b"Socket-Type", b"dealer")], "\"dealer\"", "Socket-Type-unknown"),
        (&[(b"Socket-Type", b"TELEPATH")], "\"TELEPATH\"", "Socket-Type-unknown"),
        (&[(b"Socket-Type", b"A\n\xff")], r#""A\n\xff""#, "Socket-Type-unknown"),
        (
            &[(b"Socket-Type", b"DEALER"), (b"socket-type", b"DEALER")],
            "Socket-Type twice",
            "READY-not-accepted",
        ),
        (
            &[(b"Socket-Type", b"DEALER"), (b"Identity", b"a"), (b"IDENTITY", b"b")],
            "Identity twice",
            "READY-not-accepted",
        ),
        (&[(b"Socket-Type", b"DEALER"), (b"Identity", b"\0abc")], "zero octet", "Identity-not-accepted"),
        (&[(b"Socket-Type", b"DEALER"), (b"Identity", &[b'i'; 256])], "at most 255", "Identity-not-accepted"),
    ];
    for &(properties, part, reason) in table {
        let (error, last_words) = refused(&mut greeted(Config::new(SocketType::Router)), &ready(properties));
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(last_words, error_command(reason));
        assert!(
            reason.bytes().all(|octet| octet.is_ascii_graphic()),
            "RFC 37: a reason has visible characters only"
        );
    }
}

#[test]
fn the_peers_error_ends_the_handshake_with_its_reason() {
    let (error, last_words) =
        refused(&mut greeted(Config::new(SocketType::Pull)), &error_command("go away\u{7}"));
    assert_eq!(error, WireError::RefusedByPeer { reason: r"go away\x07".to_owned() });
    assert_eq!(last_words, b"", "an ERROR is not answered");
}

#[test]
fn what_a_peer_says_is_repeated_only_in_part() {
    let (error, _) = refused(&mut greeted(Config::new(SocketType::Pull)), &error_command(&"z".repeat(255)));
    assert!(error.to_string().ends_with(&format!(": {}...", "z".repeat(64))), "{error}");
}

#[test]
fn messages_before_ready_are_refused_by_their_flags() {
    for flags in 0..4 {
        let input = [flags, 0, 0, 0, 0, 0, 0, 0, 0];
        let (error, last_words) = refused(&mut greeted(Config::new(SocketType::Pull)), &input);
        assert_eq!(error, WireError::MessageInHandshake);
        assert_eq!(last_words, b"");
    }
}

#[test]
fn endless_commands_before_ready_end_with_the_first() {
    let mut commands = Vec::new();
    Command::Ping { ttl_deciseconds: 0, context: b"" }.put(&mut commands);
    let endless = commands.repeat(10_000);
    let (error, _) = refused(&mut greeted(Config::new(SocketType::Pull)), &endless);
    assert_eq!(error, WireError::UnexpectedCommand { name: "PING".to_owned(), mechanism: "NULL" });
    for body in [&b"\x09SUBSCRIBE"[..], b"\x05HELLO", b"\x04PONG", b"\x05ready"] {
        let (error, _) = refused(&mut greeted(Config::new(SocketType::Pull)), &command_frame(body));
        assert!(matches!(error, WireError::UnexpectedCommand { .. }), "{error:?}");
    }
}

#[test]
fn broken_frames_and_commands_are_refused() {
    let table: &[(&[u8], &str)] = &[
        (b"\x05\x06\x05READY", "announces more frames"),
        (b"\x14\x06\x05READY", "reserved flags"),
        (b"\x06\xff\xff\xff\xff\xff\xff\xff\xff", "2^63-1"),
        (b"\x04\x00", "malformed unnamed command"),
        (b"\x04\x01\x05", "malformed unnamed command"),
        (b"\x04\x07\x05READY\x01", "malformed READY command"),
        (b"\x04\x06\x05ERROR", "malformed ERROR command"),
    ];
    for (input, part) in table {
        let (error, last_words) = refused(&mut greeted(Config::new(SocketType::Pull)), input);
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(last_words, b"", "RFC 37: any other error is signalled by closing");
    }
}

#[test]
fn a_huge_ready_is_refused_by_its_header() {
    let limits = Limits::default();
    let config = Config::new(SocketType::Pull);
    let header = |size: u64| [&[6], &size.to_be_bytes()[..]].concat();
    let (error, _) = refused(&mut greeted(config.clone()), &header(i64::MAX as u64));
    assert_eq!(
        error,
        WireError::LimitExceeded {
            what: Limited::Command,
            size: i64::MAX as u64,
            limit: limits.max_command_bytes
        }
    );
    // One octet more than the handshake may have, and exactly as many.
    let room = limits.max_handshake_bytes - 64 - 9;
    let (error, _) = refused(&mut greeted(config.clone()), &header(room + 1));
    let (size, limit) = (limits.max_handshake_bytes + 1, limits.max_handshake_bytes);
    assert_eq!(error, WireError::LimitExceeded { what: Limited::Handshake, size, limit });
    assert_eq!(greeted(config).handle_input(&header(room)), Ok(9));
}

#[test]
fn settings_that_cannot_be_sent_are_our_own_fault_and_nothing_is_sent() {
    let good = Config::new(SocketType::Dealer);
    assert_eq!(good.validate(), Ok(()));
    let property = |name: &str| vec![(name.to_owned(), Vec::new())];
    let table = [
        (Config { identity: b"\0x".to_vec(), ..good.clone() }, "zero octet"),
        (Config { identity: vec![b'x'; 256], ..good.clone() }, "at most 255 octets"),
        (Config { minor: 2, ..good.clone() }, "must be 0 or 1"),
        (Config { properties: property("a b"), ..good.clone() }, "1 to 255 letters"),
        (Config { properties: property(""), ..good.clone() }, "1 to 255 letters"),
        (Config { properties: property("socket-type"), ..good.clone() }, "settings of their own"),
        (Config { properties: property("IDENTITY"), ..good }, "settings of their own"),
    ];
    for (config, part) in table {
        let error = config.validate().expect_err("it cannot be sent");
        assert_eq!(error.fault(), Fault::Local);
        assert!(error.to_string().contains(part), "{error}");
        let mut handshake = Handshake::new(config);
        let mut out = Vec::new();
        handshake.poll_output(&mut out);
        assert_eq!(out, b"");
        assert_eq!(handshake.handle_input(&greeting(1)), Err(error));
    }
}

/// A dialer of libzmq that is sent an ERROR never tries again; one whose connection ends does.
#[test]
fn a_candidate_is_told_why_it_is_turned_away_only_if_it_comes_back() {
    let property: (&[u8], &[u8]) = (b"X-ServerLink-Refusals", b"1");
    for (properties, told) in [(vec![], Vec::new()), (vec![property], error_command("routing-id-is-taken"))] {
        let mut handshake = greeted(Config { judges: true, ..Config::new(SocketType::Router) });
        let theirs = [vec![(&b"Socket-Type"[..], &b"DEALER"[..])], properties].concat();
        handshake.handle_input(&ready(&theirs)).expect("a legal READY");
        handshake.refuse("routing-id-is-taken");
        let mut last_words = Vec::new();
        handshake.poll_output(&mut last_words);
        assert_eq!(last_words, told);
        assert_eq!(handshake.poll_peer(), None);
    }
}

#[test]
fn those_who_may_be_turned_away_announce_that_they_come_back() {
    for socket_type in SocketType::ALL {
        use SocketType::{Channel, Dealer, Pair, Req, Router};
        for takes_refusals in [true, false] {
            let mut handshake = Handshake::new(Config { takes_refusals, ..Config::new(socket_type) });
            handshake.handle_input(&greeting(1)).expect("a legal greeting");
            let mut said = Vec::new();
            handshake.poll_output(&mut said);
            let wanted = b"\x15X-ServerLink-Refusals\0\0\0\x011";
            let announced = said.windows(wanted.len()).any(|octets| octets == wanted);
            let may_be_turned_away = matches!(socket_type, Channel | Dealer | Pair | Req | Router);
            assert_eq!(announced, takes_refusals && may_be_turned_away, "{socket_type}");
        }
    }
}
