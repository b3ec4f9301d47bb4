//! Asking a SOCKS5 proxy for a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use serverlink_zmtp::socks::{
    Credentials, MAX_MESSAGE_LEN, Negotiation, SocksFailure, SocksRefusal, Target, TooLong,
};

const TARGET: Target<'static> = Target::Name("db.example");
const ME: Credentials<'static> = Credentials { username: b"me", password: b"swordfish" };

/// What a proxy says that lets anybody through.
const OPEN: &[u8] = b"\x05\x00\x05\x00\x00\x01\x0a\x00\x00\x07\x15\xb3";
/// What one says that wants to know who it is.
const ASKING: &[u8] = b"\x05\x02\x01\x00\x05\x00\x00\x03\x02db\x15\xb3";

fn negotiation(credentials: Option<Credentials<'_>>) -> Negotiation {
    Negotiation::new(TARGET, 5555, credentials).expect("short enough")
}

/// How many octets were the proxy's, and all that was said to it.
type Outcome = (Result<usize, SocksFailure>, bool, Vec<u8>);

fn run(mut negotiation: Negotiation, pieces: &[&[u8]]) -> Outcome {
    let (mut taken, mut said) = (Ok(0), Vec::new());
    negotiation.poll_output(&mut said);
    for piece in pieces {
        let Ok(so_far) = taken else { break };
        taken = negotiation.handle_input(piece).map(|count| so_far + count);
        negotiation.poll_output(&mut said);
    }
    (taken, negotiation.is_done(), said)
}

fn fails(with: Option<Credentials<'_>>, octets: &[u8]) -> SocksFailure {
    let (taken, done, _) = run(negotiation(with), &[octets]);
    assert!(!done);
    taken.expect_err("no proxy says this")
}

#[test]
fn everything_that_is_said_is_as_the_rfcs_have_it() {
    let (taken, done, said) = run(negotiation(None), &[OPEN]);
    assert_eq!((taken, done), (Ok(OPEN.len()), true));
    assert_eq!(said, b"\x05\x01\x00\x05\x01\x00\x03\x0adb.example\x15\xb3");

    let (taken, done, said) = run(negotiation(Some(ME)), &[ASKING]);
    assert_eq!((taken, done), (Ok(ASKING.len()), true));
    assert_eq!(said, b"\x05\x02\x00\x02\x01\x02me\x09swordfish\x05\x01\x00\x03\x0adb.example\x15\xb3");

    let (_, done, said) = run(negotiation(Some(ME)), &[OPEN]);
    assert!(done, "a proxy that asks for no password gets none");
    assert_eq!(said, b"\x05\x02\x00\x02\x05\x01\x00\x03\x0adb.example\x15\xb3");
}

#[test]
fn addresses_go_as_addresses() {
    for (address, expected) in [
        (IpAddr::from(Ipv4Addr::new(10, 0, 0, 7)), &b"\x01\x0a\x00\x00\x07\xff\xff"[..]),
        (Ipv6Addr::LOCALHOST.into(), b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff"),
    ] {
        let negotiation = Negotiation::new(Target::Ip(address), 65_535, None).expect("short enough");
        let (_, _, said) = run(negotiation, &[OPEN]);
        assert_eq!(said[3..], [b"\x05\x01\x00", expected].concat());
    }
}

#[test]
fn each_refusal_has_its_name() {
    use SocksRefusal::*;
    let known = [
        General,
        NotAllowed,
        NetworkUnreachable,
        HostUnreachable,
        ConnectionRefused,
        TtlExpired,
        CommandNotSupported,
        AddressTypeNotSupported,
        Unassigned(9),
    ];
    for (refusal, code) in known.into_iter().chain([Unassigned(255)]).zip((1..10).chain([255])) {
        assert_eq!(refusal.code(), code);
        let failure = fails(None, &[5, 0, 5, code]);
        assert_eq!(failure, SocksFailure::Refused(refusal), "before the rest of it is here");
        assert!(failure.to_string().contains(&format!("reply {code}")), "{failure}");
    }
}

#[test]
fn what_is_no_proxy_is_told_by_what_it_said() {
    assert_eq!(fails(None, b"HTTP/1.1 400 Bad Request"), SocksFailure::NotSocks5(b'H'));
    assert_eq!(fails(None, b"\x00\x5b"), SocksFailure::NotSocks5(0), "SOCKS4");
    assert_eq!(fails(None, b"\x05\xff"), SocksFailure::NoMethod);
    assert_eq!(fails(Some(ME), b"\x05\x01"), SocksFailure::UnknownMethod(1), "GSSAPI");
    assert_eq!(fails(None, b"\x05\x02"), SocksFailure::UnknownMethod(2), "nobody said that there is a name");
    assert_eq!(fails(Some(ME), b"\x05\x02\x01\x07"), SocksFailure::CredentialsRefused(7));
    assert_eq!(fails(None, b"\x05\x00\x04"), SocksFailure::NotSocks5(4));
    assert_eq!(fails(None, b"\x05\x00\x05\x00\x00\x02"), SocksFailure::UnknownAddressType(2));
}

#[test]
fn an_end_in_the_middle_is_no_way() {
    for len in 0..ASKING.len() {
        let mut negotiation = negotiation(Some(ME));
        assert_eq!(negotiation.handle_input(&ASKING[..len]), Ok(len));
        assert_eq!(negotiation.handle_end(), SocksFailure::Closed);
        assert_eq!(negotiation.handle_input(ASKING), Err(SocksFailure::Closed), "and it stays one");
    }
}

#[test]
fn a_failure_stays() {
    let mut negotiation = negotiation(None);
    negotiation.handle_input(b"\x05\xff").expect_err("no method");
    assert_eq!(negotiation.handle_input(OPEN), Err(SocksFailure::NoMethod));
    assert_eq!(negotiation.handle_end(), SocksFailure::NoMethod);
    assert_eq!(negotiation.wanted(), 0);
}

#[test]
fn what_has_no_room_is_not_cut() {
    let long = "x".repeat(256);
    let too_long = |what| TooLong { what, len: 256 };
    assert_eq!(Negotiation::new(Target::Name(&long), 1, None).err(), Some(too_long("name")));
    let user = Credentials { username: long.as_bytes(), password: b"" };
    assert_eq!(Negotiation::new(TARGET, 1, Some(user)).err(), Some(too_long("user name")));
    let password = Credentials { username: b"me", password: long.as_bytes() };
    assert_eq!(Negotiation::new(TARGET, 1, Some(password)).err(), Some(too_long("password")));
    let fitting = Credentials { username: &long.as_bytes()[1..], password: &long.as_bytes()[1..] };
    assert!(Negotiation::new(Target::Name(&long[1..]), 1, Some(fitting)).is_ok());
}

#[test]
fn nothing_shows_a_password() {
    let shown = format!("{:?} {ME:?}", negotiation(Some(ME)));
    assert!(!shown.contains("swordfish") && shown.contains("me"), "{shown}");
}

proptest! {
    /// However it is cut, and whatever the peer says behind it.
    #[test]
    fn a_proxy_is_understood_at_any_split(
        wants_name in any::<bool>(),
        name in prop::collection::vec(any::<u8>(), 0..=255),
        of_peer in prop::collection::vec(any::<u8>(), 0..100),
        sizes in prop::collection::vec(1..9_usize, 1..50),
    ) {
        let head: &[u8] = if wants_name { b"\x05\x02\x01\x00" } else { b"\x05\x00" };
        let proxy = [head, b"\x05\x00\x00\x03", &[name.len() as u8], &name, b"\x15\xb3"].concat();
        let whole = [&proxy[..], &of_peer].concat();
        let mut pieces = Vec::new();
        let mut rest = &whole[..];
        for size in sizes.into_iter().cycle() {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = behind;
            if rest.is_empty() { break }
        }
        let at_once = run(negotiation(Some(ME)), &[&whole]);
        prop_assert_eq!((&at_once.0, at_once.1), (&Ok(proxy.len()), true));
        prop_assert_eq!(run(negotiation(Some(ME)), &pieces), at_once);
    }

    /// Who reads no more than is wanted never reads an octet of the peer, and comes to the same end.
    #[test]
    fn what_is_wanted_is_the_proxys(octets in prop::collection::vec(any::<u8>(), 0..600), legal in 0..4_usize) {
        let start: [&[u8]; 4] = [b"", b"\x05\x00", b"\x05\x02\x01\x00", b"\x05\x00\x05\x00\x00\x03"];
        let wire = [start[legal], &octets].concat();
        let at_once = run(negotiation(Some(ME)), &[&wire]);
        let mut careful = negotiation(Some(ME));
        let (mut read, mut said) = (0, Vec::new());
        careful.poll_output(&mut said);
        let outcome = loop {
            let wanted = careful.wanted();
            prop_assert!(wanted <= MAX_MESSAGE_LEN);
            let piece = &wire[read..][..wanted.min(wire.len() - read)];
            if piece.is_empty() { break Ok(read) }
            match careful.handle_input(piece) {
                Ok(count) => prop_assert_eq!(count, piece.len()),
                Err(failure) => break Err(failure),
            }
            read += piece.len();
            careful.poll_output(&mut said);
        };
        prop_assert_eq!((outcome, careful.is_done(), said), at_once);
    }
}
