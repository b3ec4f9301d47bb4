//! STREAM, in both libraries: octets without ZMTP, over tcp.

use std::time::Instant;

use serverlink::SocketType::Stream;

use crate::ends::{End, PATIENCE, Parts};
use crate::ours::Ours;
use crate::theirs::Theirs;

#[test]
fn ours_is_called_by_theirs() {
    let (ours, theirs) = (Ours::open(Stream), Theirs::open(Stream));
    theirs.connect(&ours.bind("tcp://127.0.0.1:*"));
    talk(&ours, &theirs);
}

#[test]
fn ours_calls_theirs() {
    let (ours, theirs) = (Ours::open(Stream), Theirs::open(Stream));
    ours.connect(&theirs.bind("tcp://127.0.0.1:*"));
    talk(&ours, &theirs);
}

fn talk(ours: &dyn End, theirs: &dyn End) {
    let (to_theirs, to_ours) = (told(ours), told(theirs));
    for round in 0..3 {
        let body = format!("octets of round {round}").into_bytes();
        ours.send(&vec![to_theirs.clone(), body.clone()]);
        assert_eq!(octets(theirs, &to_ours, body.len()), body);
        theirs.send(&vec![to_ours.clone(), body.clone()]);
        assert_eq!(octets(ours, &to_theirs, body.len()), body);
    }
    let large = vec![b'l'; 200_000];
    ours.send(&vec![to_theirs.clone(), large.clone()]);
    // What is queued is written before the connection ends.
    ours.send(&vec![to_theirs, Vec::new()]);
    assert_eq!(octets(theirs, &to_ours, large.len()), large);
    assert_eq!(told(theirs), to_ours, "they hear that we hung up");
}

#[test]
fn theirs_hangs_up() {
    let (ours, theirs) = (Ours::open(Stream), Theirs::open(Stream));
    theirs.connect(&ours.bind("tcp://127.0.0.1:*"));
    let (to_theirs, to_ours) = (told(&ours), told(&theirs));
    theirs.send(&vec![to_ours, Vec::new()]);
    // libzmq goes on with it only while its socket is used.
    let deadline = Instant::now() + PATIENCE;
    let heard = loop {
        assert!(Instant::now() < deadline, "we hear nothing of their hanging up");
        theirs.nudge();
        if let Some(heard) = ours.glance() {
            break heard;
        }
    };
    assert_eq!(heard, [to_theirs, Vec::new()], "we hear that they hung up");
}

/// A message without octets, which tells that a connection came or went, and of which.
fn told(end: &dyn End) -> Vec<u8> {
    let mut message: Parts = end.recv();
    assert!(message.len() == 2 && message[1].is_empty(), "{message:?}");
    message.remove(0)
}

fn octets(end: &dyn End, from: &[u8], count: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < count {
        let message = end.recv();
        assert!(
            message.len() == 2 && message[0] == from && !message[1].is_empty(),
            "{} octets came",
            all.len()
        );
        all.extend_from_slice(&message[1]);
    }
    all
}
