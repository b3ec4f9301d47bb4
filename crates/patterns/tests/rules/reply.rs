//! REP (RFC 28): one request, then the reply to whoever asked.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{DropReason, Framing, PipeId, Refusal, Reserve, Verdict};

use crate::support::{Given, Socket, message, parts, pipes};

fn receive(socket: &mut Socket, pipe: PipeId, given: &[&[u8]]) -> Result<Vec<Vec<u8>>, DropReason> {
    let mut taken = message(given);
    taken.set_origin(7);
    match socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue) {
        Verdict::Deliver => {
            assert_eq!(taken.origin(), 7);
            Ok(parts(&taken))
        }
        Verdict::Discard(reason) => Err(reason),
    }
}

#[test]
fn answers_whoever_asked_behind_the_same_envelope() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Rep);
    socket.attach(a);
    socket.attach(b);
    assert!(matches!(socket.reserve(b"r"), Reserve::Refused(Refusal::WrongState(_))));
    let cases: [(PipeId, Given, Given); 3] = [
        (a, &[b""], &[b"question"]),
        (b, &[b"hop", b"client", b""], &[b"question", b"", b"more"]),
        (a, &[b""], &[b""]),
    ];
    for (pipe, envelope, body) in cases {
        assert_eq!(socket.receiver.check_receive(&socket.dialogue), Ok(()));
        assert_eq!(
            receive(&mut socket, pipe, &[envelope, body].concat()),
            Ok(body.iter().map(|p| p.to_vec()).collect())
        );
        assert!(matches!(socket.receiver.check_receive(&socket.dialogue), Err(Refusal::WrongState(_))));
        assert!(socket.sender.is_ready(&socket.dialogue));
        assert_eq!(socket.reserve(b"r"), Reserve::One { pipe, framing: Framing::Prefix });
        assert_eq!(socket.prefix(), envelope);
        socket.rollback();
        assert_eq!(
            socket.reserve(b"r"),
            Reserve::One { pipe, framing: Framing::Prefix },
            "the reply is still owed"
        );
        assert_eq!(socket.prefix(), envelope);
        socket.commit();
        assert!(!socket.sender.is_ready(&socket.dialogue));
    }
}

#[test]
fn malformed_requests_are_discarded() {
    let [a] = pipes();
    let mut socket = Socket::new(SocketType::Rep);
    socket.attach(a);
    let cases: [Given; 4] = [&[b"x"], &[b"x", b"y"], &[b""], &[b"x", b""]];
    for given in cases {
        assert_eq!(receive(&mut socket, a, given), Err(DropReason::MalformedEnvelope), "{given:?}");
        assert_eq!(socket.receiver.check_receive(&socket.dialogue), Ok(()));
    }
    assert_eq!(receive(&mut socket, a, &[b"", b"x"]), Ok(vec![b"x".to_vec()]));
    let _ = socket.reserve(b"r");
    assert_eq!(socket.prefix(), [b""], "nothing is left of the malformed ones");
}

#[test]
fn a_reply_that_cannot_be_delivered_is_dropped_and_the_dialogue_goes_on() {
    let gone: fn(&mut Socket, PipeId) = |socket, pipe| socket.detach(pipe);
    let full: fn(&mut Socket, PipeId) = |socket, pipe| socket.sender.set_writable(pipe, false);
    let cases = [(gone, DropReason::PeerGone), (full, DropReason::HighWaterMark)];
    for (obstacle, reason) in cases {
        let [a, b] = pipes();
        let mut socket = Socket::new(SocketType::Rep);
        socket.attach(a);
        socket.attach(b);
        assert!(receive(&mut socket, a, &[b"", b"x"]).is_ok());
        obstacle(&mut socket, a);
        assert!(
            socket.receiver.check_receive(&socket.dialogue).is_err(),
            "the application still has to answer"
        );
        assert_eq!(socket.reserve(b"r"), Reserve::Nobody(reason));
        assert_eq!(socket.sender.dropped(), 1);
        assert!(receive(&mut socket, b, &[b"", b"y"]).is_ok());
        socket.commit();
        assert!(
            matches!(socket.reserve(b"r"), Reserve::One { pipe, .. } if pipe == b),
            "a late commit ends nothing"
        );
    }
}

#[test]
fn out_of_turn_nothing_is_taken() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Rep);
    socket.attach(a);
    socket.attach(b);
    assert!(receive(&mut socket, a, &[b"", b"x"]).is_ok());
    assert_eq!(receive(&mut socket, b, &[b"", b"y"]), Err(DropReason::OutOfTurn));
    assert!(matches!(socket.reserve(b"r"), Reserve::One { pipe, .. } if pipe == a));
}

#[derive(Debug, Clone)]
enum Op {
    Request { pipe: usize, hops: Vec<Vec<u8>>, delimiter: bool },
    Reply { written: bool },
    Lose(usize),
    Writable(usize, bool),
}

fn op() -> impl Strategy<Value = Op> {
    let hops = prop::collection::vec(prop::collection::vec(1..3u8, 1..3), 0..3);
    prop_oneof![
        5 => (0..3usize, hops, prop::bool::weighted(0.8))
            .prop_map(|(pipe, hops, delimiter)| Op::Request { pipe, hops, delimiter }),
        6 => prop::bool::weighted(0.7).prop_map(|written| Op::Reply { written }),
        1 => (0..3usize).prop_map(Op::Lose),
        2 => (0..3usize, any::<bool>()).prop_map(|(pipe, writable)| Op::Writable(pipe, writable)),
    ]
}

proptest! {
    /// The model: who waits for a reply behind which envelope, and who has room.
    #[test]
    fn follows_the_model(ops in prop::collection::vec(op(), 0..100)) {
        let ids = pipes::<3>();
        let mut socket = Socket::new(SocketType::Rep);
        socket.attach_all(&ids);
        let mut writable = [true; 3];
        let mut owed: Option<(Option<usize>, Vec<Vec<u8>>)> = None;
        let mut dropped = 0;
        for op in ops {
            match op {
                Op::Request { pipe, hops, delimiter } => {
                    let mut envelope = hops;
                    envelope.extend(delimiter.then(Vec::new));
                    let given: Vec<&[u8]> = envelope.iter().map(Vec::as_slice).chain([&b"body"[..]]).collect();
                    let result = receive(&mut socket, ids[pipe], &given);
                    prop_assert_eq!(result.is_ok(), owed.is_none() && delimiter);
                    if result.is_ok() {
                        owed = Some((Some(pipe), envelope));
                    }
                }
                Op::Reply { written } => match (socket.reserve(b"r"), owed.clone()) {
                    (Reserve::One { pipe, framing: Framing::Prefix }, Some((Some(asker), envelope))) => {
                        prop_assert!(writable[asker]);
                        prop_assert_eq!(pipe, ids[asker]);
                        prop_assert_eq!(socket.prefix(), envelope);
                        if written {
                            socket.commit();
                            owed = None;
                        } else {
                            socket.rollback();
                        }
                    }
                    (Reserve::Nobody(_), Some((asker, _))) => {
                        prop_assert!(asker.is_none_or(|asker| !writable[asker]));
                        dropped += 1;
                        owed = None;
                    }
                    (Reserve::Refused(_), None) => {}
                    other => prop_assert!(false, "{:?}", other),
                },
                Op::Lose(pipe) => {
                    socket.detach(ids[pipe]);
                    socket.attach(ids[pipe]);
                    writable[pipe] = true;
                    if let Some((asker, _)) = &mut owed
                        && *asker == Some(pipe)
                    {
                        *asker = None;
                    }
                }
                Op::Writable(pipe, now) => {
                    socket.sender.set_writable(ids[pipe], now);
                    writable[pipe] = now;
                }
            }
            prop_assert_eq!(socket.sender.dropped(), dropped);
            prop_assert_eq!(socket.receiver.check_receive(&socket.dialogue).is_ok(), owed.is_none());
        }
    }
}
