//! PLAIN and CURVE with somebody on the way who changes octets, adds, drops and repeats pieces, or says anything from the start.
//!
//! Whoever changes what an honest peer says gets nothing but an end: the server asks about no other credentials, nobody reads what was not said, and
//! how what is said is cut decides nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_message::SocketType;
use serverlink_zmtp::WireError;
use serverlink_zmtp::frame::{Header, put_frame, put_header};
use serverlink_zmtp::greeting::{Greeting, MechanismName, put_signature};
use serverlink_zmtp::handshake::{Config, Handshake};
use serverlink_zmtp::keys::{KeyPair, SecretKey};
use serverlink_zmtp::mechanism::{Credentials, Denial, Security, Seed};

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    if choice % 2 == 0 {
        anything(choice / 2, rest);
    } else {
        on_the_way(choice / 2, rest);
    }
});

fn keys(number: u8) -> KeyPair {
    KeyPair::new(SecretKey::from_bytes([number; 32]))
}

/// One of the four sides, always the same one for a number.
fn side(choice: u8) -> Handshake {
    let server = keys(1).public;
    let (socket_type, security) = match choice % 4 {
        0 => (SocketType::Rep, Security::PlainServer),
        1 => {
            let (username, password) = (b"admin".to_vec(), b"secret".to_vec().into());
            (SocketType::Req, Security::PlainClient { username, password })
        }
        2 => (SocketType::Rep, Security::CurveServer { keys: keys(1), seed: Seed::new([3; Seed::LEN]) }),
        _ => {
            let seed = Seed::new([4; Seed::LEN]);
            (SocketType::Req, Security::CurveClient { keys: keys(2), server, seed })
        }
    };
    Handshake::with_security(Config { asks: true, ..Config::new(socket_type) }, security)
}

/// A stranger who knows no key, after a greeting that fits.
fn anything(choice: u8, octets: &[u8]) {
    let mechanism = if choice % 4 < 2 { MechanismName::PLAIN } else { MechanismName::CURVE };
    let mut wire = Vec::new();
    put_signature(&mut wire, 0);
    wire.push(3);
    Greeting { minor: 1, mechanism, as_server: false }.put_rest(&mut wire);
    let name = match choice / 4 % 8 {
        1 => &b"\x05HELLO"[..],
        2 => b"\x07WELCOME",
        3 => b"\x08INITIATE",
        4 => b"\x05READY",
        5 => b"\x05ERROR",
        6 => b"\x5eRROR",
        7 => b"\x05HELLO\x01\0",
        _ => b"",
    };
    if !name.is_empty() {
        let body_len = (name.len() + octets.len()) as u64;
        put_header(&mut wire, Header { more: false, command: true, body_len });
        wire.extend_from_slice(name);
    }
    wire.extend_from_slice(octets);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(choice / 32) + 1).collect();
    let at_once = said_to(side(choice), &[&wire]);
    assert!(!at_once.3 || choice % 4 == 1, "only a client of PLAIN takes anybody for its server");
    assert_eq!(at_once, said_to(side(choice), &pieces));
}

type Outcome = (Result<(), WireError>, Vec<u8>, Option<Credentials>, bool);

fn said_to(mut ours: Handshake, pieces: &[&[u8]]) -> Outcome {
    let (mut output, mut asked, mut outcome) = (Vec::new(), None, Ok(()));
    for piece in pieces {
        let mut rest = *piece;
        while outcome.is_ok() && !rest.is_empty() && !ours.is_done() {
            match ours.handle_input(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) => outcome = Err(error),
            }
            if let Some(credentials) = ours.question() {
                assert!(!matches!(credentials, Credentials::Curve { .. }), "a stranger has proven nothing");
                asked = Some(credentials);
                outcome = ours.answer(Err(Denial::Refused));
            }
            ours.poll_output(&mut output);
        }
    }
    (outcome, output, asked, ours.is_done())
}

/// Two honest sides of CURVE. The octets say what is done to each piece that is on its way.
fn on_the_way(kept: u8, script: &[u8]) {
    let (mut client, mut server) = (side(3), side(2));
    let mut script = script.iter().copied();
    let mut earlier = Vec::new();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let (mut client_ok, mut server_ok, mut changed) = (true, true, false);
    for step in 0..8 {
        client.poll_output(&mut to_server);
        server.poll_output(&mut to_client);
        for said in [&mut to_server, &mut to_client] {
            earlier.push(said.clone());
            if step >= kept % 8 {
                changed |= disturb(said, &earlier, &mut script);
            }
        }
        server_ok = server_ok && server.handle_input(&std::mem::take(&mut to_server)).is_ok();
        client_ok = client_ok && client.handle_input(&std::mem::take(&mut to_client)).is_ok();
        if let Some(credentials) = server.question() {
            assert_eq!(credentials, Credentials::Curve { public_key: keys(2).public });
            server_ok = server_ok && server.answer(Ok(())).is_ok();
        }
    }
    assert!(changed || (client.is_done() && server.is_done()));
    server.poll_output(&mut Vec::new());
    let (Some(client), Some(server)) = (client.take_channel(), server.take_channel()) else { return };
    sealed(client.sealer, server.opener, script);
}

/// What comes out is a beginning of what was sealed.
fn sealed(
    mut sealer: serverlink_zmtp::mechanism::curve::Sealer,
    mut opener: serverlink_zmtp::mechanism::curve::Opener,
    mut script: impl Iterator<Item = u8>,
) {
    let (mut frames, mut wire, mut earlier) = (Vec::new(), Vec::new(), Vec::new());
    for len in [0, 5, 300] {
        let mut frame = Vec::new();
        put_frame(&mut frame, len == 5, &vec![len as u8; len]);
        let mut piece = Vec::new();
        sealer.seal_frames(&frame, &mut piece);
        earlier.push(piece.clone());
        disturb(&mut piece, &earlier, &mut script);
        wire.extend_from_slice(&piece);
        frames.push(frame);
    }
    let mut got = Vec::new();
    let _ = opener.handle_input(&wire, &mut got);
    // A frame may be left out by who can cut the connection there: the ones that come are whole and in their order.
    let mut rest = &got[..];
    for frame in &frames {
        rest = rest.strip_prefix(&frame[..]).unwrap_or(rest);
    }
    assert!(rest.is_empty(), "something came that was not said");
}

/// True if it may be another piece now.
fn disturb(said: &mut Vec<u8>, earlier: &[Vec<u8>], script: &mut impl Iterator<Item = u8>) -> bool {
    let Some(what) = script.next() else { return false };
    let place = script.next().map_or(0, usize::from);
    match what % 8 {
        0..=3 => return false,
        4 => match said.len() {
            0 => {}
            len => said[place * 7 % len] ^= 1 << (place % 8),
        },
        5 => said.truncate(place * 2),
        6 => said.extend_from_slice(&earlier[place % earlier.len()]),
        _ => said.insert(place.min(said.len()), what),
    }
    true
}
