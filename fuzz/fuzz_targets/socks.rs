//! A SOCKS5 proxy that says any octets, in any pieces, with or without a legal start.
//!
//! The first octet chooses the cutting, the legal start, and whether there is a user name. The outcome must not depend on the cutting, and what is
//! wanted is never more than the proxy's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_zmtp::socks::{Credentials, Negotiation, SocksFailure, Target};

const STARTS: [&[u8]; 4] = [b"", b"\x05\x00", b"\x05\x02\x01\x00", b"\x05\x00\x05\x00\x00\x03"];

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let wire = [STARTS[usize::from(choice % 4)], rest].concat();
    let has_name = choice & 4 != 0;
    let at_once = run(has_name, &[&wire]);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(choice / 8).max(1)).collect();
    assert_eq!(at_once, run(has_name, &pieces));
    assert_eq!(at_once, run_as_wanted(has_name, &wire));
    if let (Ok(taken), true) = (&at_once.0, at_once.1) {
        assert!(*taken >= 2 + 7, "a method, and a yes with an address and a port");
    }
});

type Outcome = (Result<usize, SocksFailure>, bool, Vec<u8>);

fn negotiation(has_name: bool) -> Negotiation {
    let credentials = Credentials { username: b"me", password: b"secret" };
    Negotiation::new(Target::Name("db"), 5555, has_name.then_some(credentials)).expect("short enough")
}

fn run(has_name: bool, pieces: &[&[u8]]) -> Outcome {
    let mut negotiation = negotiation(has_name);
    let (mut taken, mut said) = (Ok(0), Vec::new());
    negotiation.poll_output(&mut said);
    for piece in pieces {
        let Ok(so_far) = taken else { break };
        taken = negotiation.handle_input(piece).map(|count| {
            assert!(count == piece.len() || negotiation.is_done());
            so_far + count
        });
        negotiation.poll_output(&mut said);
    }
    (taken, negotiation.is_done(), said)
}

fn run_as_wanted(has_name: bool, wire: &[u8]) -> Outcome {
    let mut negotiation = negotiation(has_name);
    let (mut taken, mut said) = (0, Vec::new());
    negotiation.poll_output(&mut said);
    loop {
        let piece = &wire[taken..][..negotiation.wanted().min(wire.len() - taken)];
        if piece.is_empty() {
            return (Ok(taken), negotiation.is_done(), said);
        }
        match negotiation.handle_input(piece) {
            Ok(count) => assert_eq!(count, piece.len()),
            Err(failure) => return (Err(failure), false, said),
        }
        taken += piece.len();
        negotiation.poll_output(&mut said);
    }
}
