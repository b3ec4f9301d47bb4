//! PLAIN and CURVE: two honest sides, and everybody else.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_zmtp::handshake::{Config, Handshake, Peer};
use serverlink_zmtp::keys::{KeyPair, SecretKey};
use serverlink_zmtp::mechanism::curve::Channel;
use serverlink_zmtp::mechanism::{Credentials, Denial, Security, Seed};
use serverlink_zmtp::{Limits, WireError, frame, z85};
use zeroize::Zeroizing;

use crate::common::{any_body, any_places, command_frame, cut, greeting};

/// Keys that are told apart by a number.
fn keys(number: u8) -> KeyPair {
    KeyPair::new(SecretKey::from_bytes([number; 32]))
}

const SERVER: u8 = 1;
const CLIENT: u8 = 2;

fn seed(number: u8) -> Seed {
    Seed::new(std::array::from_fn(|index| number.wrapping_mul(31).wrapping_add(index as u8)))
}

fn curve_server(connection: u8) -> Handshake {
    let config = Config { asks: true, ..Config::new(SocketType::Rep) };
    Handshake::with_security(config, Security::CurveServer { keys: keys(SERVER), seed: seed(connection) })
}

fn curve_client(server: u8, connection: u8) -> Handshake {
    let security = Security::CurveClient {
        keys: keys(CLIENT),
        server: keys(server).public,
        seed: seed(connection.wrapping_add(100)),
    };
    Handshake::with_security(Config::new(SocketType::Req), security)
}

fn plain_server() -> Handshake {
    Handshake::with_security(Config { asks: true, ..Config::new(SocketType::Rep) }, Security::PlainServer)
}

fn plain_client() -> Handshake {
    let security =
        Security::PlainClient { username: b"admin".to_vec(), password: Zeroizing::new(b"secret".to_vec()) };
    Handshake::with_security(Config::new(SocketType::Req), security)
}

/// What came of two handshakes that were led to their end.
struct Led {
    client: Result<(), WireError>,
    server: Result<(), WireError>,
    asked: Option<Credentials>,
    /// What each side wrote, step by step.
    from_client: Vec<Vec<u8>>,
    from_server: Vec<Vec<u8>>,
}

/// Leads both to their end, through somebody on the way who may change what each side says.
fn lead(
    client: &mut Handshake,
    server: &mut Handshake,
    verdict: Result<(), Denial>,
    mut on_the_way: impl FnMut(bool, &mut Vec<u8>),
) -> Led {
    let mut led =
        Led { client: Ok(()), server: Ok(()), asked: None, from_client: vec![], from_server: vec![] };
    for _ in 0..16 {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        client.poll_output(&mut to_server);
        if !to_server.is_empty() {
            led.from_client.push(to_server.clone());
            on_the_way(true, &mut to_server);
        }
        if led.server.is_ok() {
            led.server = server.handle_input(&to_server).map(drop);
        }
        if let Some(credentials) = server.question() {
            led.asked = Some(credentials);
            led.server = server.answer(verdict);
        }
        server.poll_output(&mut to_client);
        if !to_client.is_empty() {
            led.from_server.push(to_client.clone());
            on_the_way(false, &mut to_client);
        }
        if led.client.is_ok() {
            led.client = client.handle_input(&to_client).map(drop);
        }
    }
    led
}

fn undisturbed(_: bool, _: &mut Vec<u8>) {}

fn established(client: &mut Handshake, server: &mut Handshake) -> (Channel, Channel) {
    let led = lead(client, server, Ok(()), undisturbed);
    assert_eq!((led.client, led.server), (Ok(()), Ok(())));
    let channels = (client.take_channel(), server.take_channel());
    (channels.0.expect("the client is ready"), channels.1.expect("the server is ready"))
}

fn type_of(peer: Option<Peer>) -> Option<SocketType> {
    peer.and_then(|peer| peer.socket_type)
}

#[test]
fn plain_lets_in_whom_the_judge_lets_in() {
    let (mut client, mut server) = (plain_client(), plain_server());
    let led = lead(&mut client, &mut server, Ok(()), undisturbed);
    assert_eq!((led.client, led.server), (Ok(()), Ok(())));
    let password = Zeroizing::new(b"secret".to_vec());
    assert_eq!(led.asked, Some(Credentials::Plain { username: b"admin".to_vec(), password }));
    assert_eq!(type_of(client.poll_peer()), Some(SocketType::Rep));
    assert_eq!(type_of(server.poll_peer()), Some(SocketType::Req));
    assert!(client.take_channel().is_none(), "PLAIN encrypts nothing");
}

#[test]
fn passwords_and_keys_are_not_shown() {
    let password = Zeroizing::new(b"hunter2".to_vec());
    let shown = [
        format!("{:?}", plain_client()),
        format!("{:?}", Credentials::Plain { username: b"admin".to_vec(), password }),
        format!("{:?}", curve_client(SERVER, 0)),
        format!("{:?}", curve_server(0)),
    ]
    .concat();
    let secret = keys(CLIENT).secret.to_z85();
    for secret in ["hunter2", "secret\"", secret.as_str(), "[2, 2", "[1, 1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_denied_peer_is_told_as_the_number_wants_it() {
    for (denial, told) in
        [(Denial::Temporary, None), (Denial::Refused, Some("400")), (Denial::Failed, Some("500"))]
    {
        for (mut client, mut server) in
            [(plain_client(), plain_server()), (curve_client(SERVER, 0), curve_server(0))]
        {
            let led = lead(&mut client, &mut server, Err(denial), undisturbed);
            assert_eq!(led.server, Err(WireError::Denied(denial)));
            let reason = told.map(|reason| WireError::RefusedByPeer { reason: reason.to_owned() });
            assert_eq!(led.client.err(), reason);
            assert!(!client.is_done() && !server.is_done());
        }
    }
}

/// libzmq's PLAIN has a name of its own for ERROR; others have the right one.
#[test]
fn plain_knows_both_names_of_error() {
    for body in [&b"\x05ERROR\x03400"[..], b"\x5eRROR\x03400"] {
        let mut client = plain_client();
        let outcome = client.handle_input(&[greeting_of(b"PLAIN"), command_frame(body)].concat());
        assert_eq!(outcome, Err(WireError::RefusedByPeer { reason: "400".to_owned() }));
    }
}

#[test]
fn null_asks_as_well_and_says_nothing_before_the_answer() {
    let config = Config { asks: true, ..Config::new(SocketType::Rep) };
    let mut server = Handshake::new(config);
    let peer = [greeting(1), crate::common::ready(&[(b"Socket-Type", b"REQ")])].concat();
    assert_eq!(server.handle_input(&peer), Ok(64), "what follows waits for the answer");
    assert_eq!(server.question(), Some(Credentials::Null));
    assert_eq!(server.question(), None);
    let mut said = Vec::new();
    server.poll_output(&mut said);
    assert_eq!(said.len(), 64);
    server.answer(Ok(())).expect("it is let in");
    assert_eq!(server.handle_input(&peer[64..]), Ok(peer.len() - 64));
    said.clear();
    server.poll_output(&mut said);
    assert!(said.starts_with(b"\x04\x19\x05READY"), "{said:?}");
    assert!(server.is_done());
}

/// Only ZMTP 3 can be told why; an older peer must not get around the judge either.
#[test]
fn an_older_peer_is_judged_too() {
    let mut server = Handshake::new(Config { asks: true, ..Config::new(SocketType::Rep) });
    let mut peer = crate::common::signature(0);
    peer.extend_from_slice(&[1, 3, 0, 0]);
    server.handle_input(&peer).expect("a peer of ZMTP 2.0");
    assert_eq!(server.question(), Some(Credentials::Null));
    assert!(!server.is_done());
    assert_eq!(server.answer(Err(Denial::Refused)), Err(WireError::Denied(Denial::Refused)));
    assert!(!server.is_done());
}

#[test]
fn curve_proves_the_client_and_seals_what_follows() {
    let (mut client, mut server) = (curve_client(SERVER, 0), curve_server(0));
    let led = lead(&mut client, &mut server, Ok(()), undisturbed);
    assert_eq!(led.asked, Some(Credentials::Curve { public_key: keys(CLIENT).public }));
    assert_eq!(type_of(client.poll_peer()), Some(SocketType::Rep));
    assert_eq!(type_of(server.poll_peer()), Some(SocketType::Req));
    let (mut client, mut server) =
        (client.take_channel().expect("ready"), server.take_channel().expect("ready"));
    let (mut wire, mut got) = (Vec::new(), Vec::new());
    client.sealer.seal(false, false, b"attack at dawn", &mut wire);
    assert!(!wire.windows(6).any(|octets| octets == b"attack"));
    assert_eq!(&wire[..10], b"\x00\x2f\x07MESSAGE", "as libzmq frames it");
    server.opener.handle_input(&wire, &mut got).expect("sealed for it");
    assert_eq!(got, b"\x00\x0eattack at dawn");
    let metadata = b"Socket-Type";
    for said in led.from_client.iter().chain(&led.from_server) {
        assert!(!said.windows(metadata.len()).any(|octets| octets == metadata), "metadata is sealed");
    }
}

#[test]
fn the_hello_is_longer_than_its_answer() {
    let (mut client, mut server) = (curve_client(SERVER, 0), curve_server(0));
    let led = lead(&mut client, &mut server, Ok(()), undisturbed);
    let hello = led.from_client.iter().find(|said| said.windows(5).any(|octets| octets == b"HELLO"));
    let welcome = led.from_server.iter().find(|said| said.windows(7).any(|octets| octets == b"WELCOME"));
    let (hello, welcome) = (hello.expect("said"), welcome.expect("said"));
    assert!(hello.len() > welcome.len(), "{} octets for {}", welcome.len(), hello.len());
}

#[test]
fn another_servers_key_opens_nothing() {
    let (mut client, mut server) = (curve_client(7, 0), curve_server(0));
    let led = lead(&mut client, &mut server, Ok(()), undisturbed);
    assert_eq!(led.server, Err(WireError::CannotOpen { command: "HELLO" }));
    assert_eq!((led.asked, server.is_done(), client.is_done()), (None, false, false));
    assert_eq!(led.from_server.concat().len(), 64, "nothing but the greeting");
}

/// Whoever changes an octet of a command gets nothing but an end.
#[test]
fn a_changed_octet_ends_the_handshake() {
    let mut lens = Vec::new();
    let led = lead(&mut curve_client(SERVER, 0), &mut curve_server(0), Ok(()), undisturbed);
    for (of_client, said) in [(true, &led.from_client), (false, &led.from_server)] {
        for (step, octets) in said.iter().enumerate() {
            lens.push((of_client, step, octets.clone()));
        }
    }
    for (of_client, step, octets) in lens {
        let Some(frame_at) = octets.windows(2).position(|octets| octets[0] & !2 == 4) else { continue };
        let name_at = frame_at.max(octets.len().saturating_sub(400));
        for at in (name_at..octets.len()).step_by(5) {
            let (mut client, mut server) = (curve_client(SERVER, 0), curve_server(0));
            let mut seen = [0, 0];
            let led = lead(&mut client, &mut server, Ok(()), |is_client, said| {
                let count = &mut seen[usize::from(is_client)];
                if is_client == of_client && *count == step {
                    said[at] ^= 0x10;
                }
                *count += 1;
            });
            let padding = of_client && octets[frame_at..].windows(5).any(|octets| octets == b"HELLO");
            let both = led.client.is_ok() && led.server.is_ok() && client.is_done() && server.is_done();
            assert!(!both || padding, "octet {at} of step {step} of the client: {of_client}");
        }
    }
}

#[test]
fn commands_that_are_cut_short_or_go_on_are_refused() {
    let mut client = curve_client(SERVER, 0);
    let mut hello = Vec::new();
    client.poll_output(&mut Vec::new());
    client.handle_input(&greeting_of(b"CURVE")).expect("a server's greeting");
    client.poll_output(&mut hello);
    let hello = &hello[hello.len() - 200..];
    for len in 0..=205 {
        let mut body = hello[..len.min(200)].to_vec();
        body.resize(len, 0);
        let mut server = curve_server(0);
        let outcome = server.handle_input(&[greeting_of(b"CURVE"), command_frame(&body)].concat());
        assert_eq!(outcome.is_ok(), len == 200, "{len} octets: {outcome:?}");
    }
}

#[test]
fn what_was_said_on_one_connection_says_nothing_on_another() {
    let led = lead(&mut curve_client(SERVER, 0), &mut curve_server(0), Ok(()), undisturbed);
    let mut server = curve_server(1);
    let mut outcome = Ok(0);
    for said in &led.from_client {
        outcome = outcome.and_then(|_| server.handle_input(said));
        server.poll_output(&mut Vec::new());
    }
    assert_eq!(outcome, Err(WireError::CannotOpen { command: "INITIATE" }));
    assert_eq!(server.question(), None, "nobody is asked about a recording");
}

#[test]
fn commands_in_another_order_are_refused() {
    let led = lead(&mut curve_client(SERVER, 0), &mut curve_server(0), Ok(()), undisturbed);
    let (hello, initiate) = (&led.from_client[led.from_client.len() - 2], led.from_client.last());
    let initiate = initiate.expect("it was said");
    let name = |said: &Vec<u8>| said.windows(5).any(|octets| octets == b"HELLO");
    assert!(name(hello) && !name(initiate));
    let hello = &hello[hello.len() - 202..];
    let twice = [greeting_of(b"CURVE"), hello.to_vec(), hello.to_vec()].concat();
    let at_once = [greeting_of(b"CURVE"), initiate.clone()].concat();
    for wire in [twice, at_once] {
        let outcome = curve_server(0).handle_input(&wire);
        assert!(matches!(outcome, Err(WireError::UnexpectedCommand { .. })), "{outcome:?}");
    }
}

#[test]
fn replayed_and_reordered_messages_are_refused() {
    let (mut client, mut server) = established(&mut curve_client(SERVER, 0), &mut curve_server(0));
    let (mut first, mut second, mut got) = (Vec::new(), Vec::new(), Vec::new());
    client.sealer.seal(false, false, b"first", &mut first);
    client.sealer.seal(false, false, b"second", &mut second);
    server.opener.handle_input(&second, &mut got).expect("a gap is no trouble of CURVE's");
    for replay in [&second, &first] {
        let outcome = server.opener.handle_input(replay, &mut got);
        assert!(matches!(outcome, Err(WireError::StaleNonce { .. })), "{outcome:?}");
    }
    assert_eq!(got, b"\x00\x06second");
    let reflected = client.opener.handle_input(&first, &mut got);
    assert_eq!(reflected, Err(WireError::CannotOpen { command: "MESSAGE" }));
}

#[test]
fn nothing_in_clear_is_taken_after_the_handshake() {
    let (_, mut server) = established(&mut curve_client(SERVER, 0), &mut curve_server(0));
    let mut clear = Vec::new();
    frame::put_frame(&mut clear, false, &[b'x'; 100]);
    let outcome = server.opener.handle_input(&clear, &mut Vec::new());
    assert!(matches!(outcome, Err(WireError::NotSealed { .. })), "{outcome:?}");
    let ping = command_frame(b"\x04PING\0\x01");
    let (_, mut server) = established(&mut curve_client(SERVER, 0), &mut curve_server(0));
    assert!(server.opener.handle_input(&ping, &mut Vec::new()).is_err());
}

#[test]
fn a_sealed_frame_is_judged_by_its_header() {
    let limits = Limits { max_frame_bytes: 1000, max_command_bytes: 500, ..Limits::default() };
    let config = Config { limits, ..Config::new(SocketType::Rep) };
    let mut server =
        Handshake::with_security(config, Security::CurveServer { keys: keys(SERVER), seed: seed(0) });
    let (_, mut server) = established(&mut curve_client(SERVER, 0), &mut server);
    let header = [&[2][..], &1034_u64.to_be_bytes()].concat();
    let outcome = server.opener.handle_input(&header, &mut Vec::new());
    assert!(matches!(outcome, Err(WireError::LimitExceeded { size: 1001, limit: 1000, .. })), "{outcome:?}");
}

#[test]
fn both_must_want_the_same_and_one_be_the_server() {
    for mechanism in [&b"NULL"[..], b"PLAIN", b"CURVE0"] {
        let mut client = curve_client(SERVER, 0);
        client.poll_output(&mut Vec::new());
        let outcome = client.handle_input(&greeting_of(mechanism));
        assert!(matches!(outcome, Err(WireError::MechanismMismatch { .. })), "{outcome:?}");
        let mut said = Vec::new();
        client.poll_output(&mut said);
        assert!(said.len() <= 64, "nothing but the greeting");
    }
    let led = lead(&mut curve_server(0), &mut curve_server(1), Ok(()), undisturbed);
    assert!(matches!(led.client, Err(WireError::TwoServers { .. })), "{:?}", led.client);
    let led = lead(&mut plain_client(), &mut plain_client(), Ok(()), undisturbed);
    assert!(matches!(led.client, Err(WireError::UnexpectedCommand { .. })), "{:?}", led.client);
}

#[test]
fn a_key_that_makes_no_secret_is_refused_on_both_sides() {
    let nothing = serverlink_zmtp::keys::PublicKey::from_bytes([0; 32]);
    let security = Security::CurveClient { keys: keys(CLIENT), server: nothing, seed: seed(0) };
    let mut client = Handshake::with_security(Config::new(SocketType::Req), security);
    assert!(matches!(client.handle_input(b""), Err(WireError::InvalidConfig { .. })));
    let mut hello = [b"\x05HELLO\x01\0".to_vec(), vec![0; 72 + 32 + 8 + 80]].concat();
    hello[119] = 1;
    let outcome = curve_server(0).handle_input(&[greeting_of(b"CURVE"), command_frame(&hello)].concat());
    assert_eq!(outcome, Err(WireError::CannotOpen { command: "HELLO" }));
}

#[test]
fn a_key_that_nobody_filled_is_none() {
    let zeros = || KeyPair::new(SecretKey::from_bytes([0; 32]));
    let client = Security::CurveClient { keys: zeros(), server: keys(SERVER).public, seed: seed(0) };
    for security in [Security::CurveServer { keys: zeros(), seed: seed(0) }, client] {
        let mut ours = Handshake::with_security(Config::new(SocketType::Push), security);
        assert!(!ours.has_output());
        assert!(matches!(ours.handle_input(b"\xFF"), Err(WireError::InvalidConfig { .. })));
    }
}

/// Also one that was not told to.
#[test]
fn a_server_asks_before_it_lets_anybody_in() {
    let config = || Config::new(SocketType::Rep);
    let curve = Security::CurveServer { keys: keys(SERVER), seed: seed(0) };
    for (mut server, mut client) in [
        (Handshake::with_security(config(), curve), curve_client(SERVER, 0)),
        (Handshake::with_security(config(), Security::PlainServer), plain_client()),
    ] {
        let led = lead(&mut client, &mut server, Err(Denial::Refused), undisturbed);
        assert!(led.asked.is_some());
        assert_eq!(led.server, Err(WireError::Denied(Denial::Refused)));
        assert!(!server.is_done() && !client.is_done());
    }
}

/// Somebody on the way may show himself as such a peer.
#[test]
fn an_older_peer_is_not_told_who_we_are() {
    let named = |security| {
        let config = Config { identity: b"customer-17".to_vec(), ..Config::new(SocketType::Dealer) };
        Handshake::with_security(config, security)
    };
    let curve = || Security::CurveClient { keys: keys(CLIENT), server: keys(SERVER).public, seed: seed(0) };
    let plain = || Security::PlainClient { username: b"admin".to_vec(), password: Default::default() };
    for revision in [0, 1, 2] {
        let older = [&[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, revision][..], &[5, 0, 0]].concat();
        for security in [curve(), Security::CurveServer { keys: keys(SERVER), seed: seed(0) }, plain()] {
            let mut ours = named(security);
            let mut said = Vec::new();
            let ended = older.iter().find_map(|octet| ours.handle_input(&[*octet]).err());
            ours.poll_output(&mut said);
            assert!(matches!(ended, Some(WireError::TooOldForMechanism { .. })), "{ended:?}");
            assert_eq!(said[..10], [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F], "not how long the name is either");
            assert!(said.len() <= 11, "nothing but the signature and the version: {}", said.escape_ascii());
        }
    }
}

fn greeting_of(mechanism: &[u8]) -> Vec<u8> {
    let mut octets = greeting(1);
    octets[12..32].fill(0);
    octets[12..12 + mechanism.len()].copy_from_slice(mechanism);
    octets
}

proptest! {
    #[test]
    fn sealed_frames_come_back_at_any_split(
        parts in prop::collection::vec((any::<bool>(), any_body()), 1..6),
        places in any_places(),
    ) {
        let (mut client, mut server) = established(&mut curve_client(SERVER, 0), &mut curve_server(0));
        let (mut frames, mut wire, mut got) = (Vec::new(), Vec::new(), Vec::new());
        for (more, body) in &parts {
            frame::put_frame(&mut frames, *more, body);
        }
        prop_assert_eq!(client.sealer.seal_frames(&frames, &mut wire), None);
        for piece in cut(&wire, &places) {
            server.opener.handle_input(piece, &mut got).expect("sealed for it");
        }
        prop_assert_eq!(&got, &frames);
        let (mut again, mut sealed_len) = (Vec::new(), 0);
        client.sealer.reopen(&wire, |len, header, body| {
            sealed_len += len;
            frame::put_frame(&mut again, header.more, body);
        });
        prop_assert_eq!((again, sealed_len), (frames, wire.len()));
    }

    #[test]
    fn any_octets_end_or_wait(start in 0..4_usize, octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let named = [&b""[..], b"\x05HELLO", b"\x08INITIATE", b"\x05READY"][start];
        let wire = [greeting_of(b"CURVE"), command_frame(&[named, &octets].concat())].concat();
        prop_assert!(curve_server(0).handle_input(&wire).is_err());
        prop_assert!(curve_client(SERVER, 0).handle_input(&wire).is_err());
    }

    #[test]
    fn z85_comes_back(groups in prop::collection::vec(any::<[u8; 4]>(), 0..20)) {
        let octets = groups.concat();
        let text = z85::encode(&octets).expect("whole groups");
        prop_assert_eq!(text.len(), octets.len() / 4 * 5);
        prop_assert_eq!(z85::decode(&text), Ok(octets));
    }

    #[test]
    fn any_text_is_z85_or_not(text in ".{0,40}") {
        if let Ok(octets) = z85::decode(&text) {
            prop_assert_eq!(z85::encode(&octets), Ok(text));
        }
    }
}
