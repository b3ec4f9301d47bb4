//! A handshake with a peer that sends any octets, in any pieces, with or without a legal start.
//!
//! The first octet chooses the cutting and our socket type, the second what is put before the rest. The outcome must not
//! depend on the cutting, and a peer that was accepted must be one that we accept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_message::SocketType;
use serverlink_zmtp::WireError;
use serverlink_zmtp::frame::{Header, put_header};
use serverlink_zmtp::greeting::{Greeting, MechanismName, put_signature};
use serverlink_zmtp::handshake::{Config, Handshake, MAX_IDENTITY_LEN, Peer};

fuzz_target!(|data: &[u8]| {
    let [choice, start, rest @ ..] = data else { return };
    let ours = SocketType::ALL[usize::from(*choice) % SocketType::ALL.len()];
    let wire = with_legal_start(*start, rest);
    let at_once = run(ours, &[&wire]);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(*choice / 8).max(1)).collect();
    assert_eq!(at_once, run(ours, &pieces));
    if let Some(peer) = at_once.peer {
        assert!(peer.socket_type.is_none_or(|theirs| ours.accepts(theirs)));
        assert!(peer.identity.len() <= MAX_IDENTITY_LEN && peer.identity.first() != Some(&0));
        assert!(peer.version.has_commands() || peer.properties.is_empty());
    }
});

/// Random octets hardly ever find the signature, so most runs begin with a greeting, of 2.0 or 3.x, some with a READY around the
/// rest, and some of those with a right Socket-Type in it. Without a signature it is a peer of 1.0.
fn with_legal_start(choice: u8, rest: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    if choice % 4 != 0 {
        put_signature(&mut wire, 0);
    }
    if choice % 4 != 0 && choice >= 0x80 {
        wire.extend_from_slice(&[choice >> 2 & 1, choice >> 3 & 15]);
        return [&wire, rest].concat();
    }
    if choice % 4 != 0 {
        wire.push(3);
        let greeting = Greeting { minor: choice >> 2 & 1, mechanism: MechanismName::NULL, as_server: false };
        greeting.put_rest(&mut wire);
    }
    let mut body = Vec::new();
    if choice % 4 >= 2 {
        body.extend_from_slice(b"\x05READY");
    }
    if choice % 4 == 3 {
        let socket_type = SocketType::ALL[usize::from(choice / 4) % SocketType::ALL.len()].as_str();
        body.extend_from_slice(b"\x0bSocket-Type\0\0\0");
        body.push(socket_type.len() as u8);
        body.extend_from_slice(socket_type.as_bytes());
    }
    if !body.is_empty() {
        let body_len = (body.len() + rest.len()) as u64;
        put_header(&mut wire, Header { more: false, command: true, body_len });
    }
    [&wire, &body, rest].concat()
}

#[derive(Debug, PartialEq)]
struct Outcome {
    consumed: Result<usize, WireError>,
    output: Vec<u8>,
    peer: Option<Peer>,
}

fn run(ours: SocketType, pieces: &[&[u8]]) -> Outcome {
    let mut handshake = Handshake::new(Config::new(ours));
    let mut output = Vec::new();
    handshake.poll_output(&mut output);
    assert_eq!(output.len(), 10, "the signature, before anything is known");
    let mut consumed = Ok(0);
    for piece in pieces {
        let Ok(so_far) = consumed else { break };
        consumed = handshake.handle_input(piece).map(|taken| {
            assert!(taken == piece.len() || handshake.is_done());
            so_far + taken
        });
        handshake.poll_output(&mut output);
    }
    let peer = handshake.poll_peer();
    assert_eq!(handshake.is_done(), peer.is_some());
    assert_eq!(handshake.poll_peer(), None);
    Outcome { consumed, output, peer }
}
