//! REQ (RFC 28): one request, then its reply.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{DropReason, Framing, PatternOptions, PipeId, Refusal, Reserve, Verdict};

use crate::support::{Given, Socket, message, parts, pipes};

fn send(socket: &mut Socket) -> PipeId {
    let Reserve::One { pipe, framing: Framing::Prefix } = socket.reserve(b"question") else {
        panic!("the request goes to one peer");
    };
    socket.commit();
    pipe
}

fn receive(socket: &mut Socket, pipe: PipeId, given: &[&[u8]]) -> Result<Vec<Vec<u8>>, DropReason> {
    let mut taken = message(given);
    match socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue) {
        Verdict::Deliver => Ok(parts(&taken)),
        Verdict::Discard(reason) => {
            assert_eq!(taken, message(given), "a discarded message is left as it came");
            Err(reason)
        }
    }
}

fn correlated() -> PatternOptions {
    PatternOptions { req_correlate: true, ..PatternOptions::default() }
}

#[test]
fn asks_and_hears_in_turn() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Req);
    socket.attach(a);
    socket.attach(b);
    for expected in [a, b, a] {
        assert!(matches!(socket.receiver.check_receive(&socket.dialogue), Err(Refusal::WrongState(_))));
        assert!(socket.sender.is_ready(&socket.dialogue));
        assert_eq!(socket.reserve(b"q"), Reserve::One { pipe: expected, framing: Framing::Prefix });
        assert_eq!(socket.prefix(), [b""]);
        socket.commit();
        assert!(matches!(socket.reserve(b"q"), Reserve::Refused(Refusal::WrongState(_))));
        assert!(!socket.sender.is_ready(&socket.dialogue));
        assert_eq!(socket.receiver.check_receive(&socket.dialogue), Ok(()));
        assert_eq!(
            receive(&mut socket, expected, &[b"", b"answer", b""]),
            Ok(vec![b"answer".to_vec(), Vec::new()])
        );
    }
}

#[test]
fn hears_only_whom_it_asked() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Req);
    socket.attach(a);
    socket.attach(b);
    assert_eq!(receive(&mut socket, a, &[b"", b"early"]), Err(DropReason::OutOfTurn));
    assert_eq!(send(&mut socket), a);
    assert_eq!(receive(&mut socket, b, &[b"", b"forged"]), Err(DropReason::UnexpectedReply));
    assert_eq!(receive(&mut socket, a, &[b"", b"answer"]), Ok(vec![b"answer".to_vec()]));
    assert_eq!(receive(&mut socket, a, &[b"", b"again"]), Err(DropReason::OutOfTurn));
}

#[test]
fn envelopes_must_be_right() {
    const NUMBER: &[u8] = &42u32.to_be_bytes();
    const OTHER: &[u8] = &41u32.to_be_bytes();
    type Heard = Result<&'static [u8], DropReason>;
    let cases: [(bool, Given, Heard); 9] = [
        (false, &[b"", b"x"], Ok(b"x")),
        (false, &[b"x"], Err(DropReason::MalformedEnvelope)),
        (false, &[b"x", b"y"], Err(DropReason::MalformedEnvelope)),
        (false, &[b""], Err(DropReason::MalformedEnvelope)),
        (true, &[NUMBER, b"", b"x"], Ok(b"x")),
        (true, &[OTHER, b"", b"x"], Err(DropReason::UnexpectedReply)),
        (true, &[b"", b"x"], Err(DropReason::UnexpectedReply)),
        (true, &[NUMBER, b""], Err(DropReason::MalformedEnvelope)),
        (true, &[NUMBER, b"x", b"y"], Err(DropReason::MalformedEnvelope)),
    ];
    for (req_correlate, given, expected) in cases {
        let [a] = pipes();
        let mut socket =
            Socket::with(SocketType::Req, &PatternOptions { req_correlate, ..PatternOptions::default() });
        socket.attach(a);
        send(&mut socket);
        assert_eq!(receive(&mut socket, a, given), expected.map(|body| vec![body.to_vec()]), "{given:?}");
    }
}

#[test]
fn numbers_count_requests_that_were_sent() {
    let [a] = pipes();
    let mut socket = Socket::with(SocketType::Req, &correlated());
    socket.attach(a);
    let _ = socket.reserve(b"q");
    socket.rollback();
    let _ = socket.reserve(b"q");
    assert_eq!(socket.prefix(), [&42u32.to_be_bytes()[..], b""]);
}

#[test]
fn a_relaxed_one_may_ask_again_and_forgets_the_first() {
    let [a, b] = pipes();
    let mut socket = Socket::with(SocketType::Req, &PatternOptions { req_relaxed: true, ..correlated() });
    socket.attach(a);
    socket.attach(b);
    assert_eq!(send(&mut socket), a);
    assert_eq!(send(&mut socket), b);
    assert_eq!(
        receive(&mut socket, a, &[&42u32.to_be_bytes(), b"", b"old"]),
        Err(DropReason::UnexpectedReply)
    );
    assert_eq!(
        receive(&mut socket, b, &[&42u32.to_be_bytes(), b"", b"old"]),
        Err(DropReason::UnexpectedReply)
    );
    assert_eq!(receive(&mut socket, b, &[&43u32.to_be_bytes(), b"", b"new"]), Ok(vec![b"new".to_vec()]));
}

#[test]
fn a_relaxed_request_that_was_not_written_leaves_the_first_alive() {
    let [a, b] = pipes();
    let mut socket =
        Socket::with(SocketType::Req, &PatternOptions { req_relaxed: true, ..PatternOptions::default() });
    socket.attach(a);
    socket.attach(b);
    assert_eq!(send(&mut socket), a);
    let _ = socket.reserve(b"q");
    socket.rollback();
    assert_eq!(receive(&mut socket, a, &[b"", b"answer"]), Ok(vec![b"answer".to_vec()]));
}

#[test]
fn a_lost_peer_answers_only_with_the_number() {
    for req_correlate in [false, true] {
        let [a, b] = pipes();
        let mut socket =
            Socket::with(SocketType::Req, &PatternOptions { req_correlate, ..PatternOptions::default() });
        socket.attach(a);
        send(&mut socket);
        assert!(!socket.dialogue.is_reply_lost());
        socket.detach(a);
        assert!(socket.dialogue.is_reply_lost());
        socket.attach(b);
        assert!(
            matches!(socket.reserve(b"q"), Reserve::Refused(Refusal::WrongState(_))),
            "strict stays strict"
        );
        let plain = receive(&mut socket, b, &[b"", b"x"]);
        assert_eq!(plain, Err(DropReason::UnexpectedReply));
        let numbered = receive(&mut socket, b, &[&42u32.to_be_bytes(), b"", b"x"]);
        assert_eq!(numbered.is_ok(), req_correlate);
    }
}

#[derive(Debug, Clone)]
enum Op {
    Send { written: bool },
    Lose(usize),
    Reply { pipe: usize, number_back: u32, delimiter: bool },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<bool>().prop_map(|written| Op::Send { written }),
        1 => (0..3usize).prop_map(Op::Lose),
        6 => (0..3usize, 0..2u32, prop::bool::weighted(0.8))
            .prop_map(|(pipe, number_back, delimiter)| Op::Reply { pipe, number_back, delimiter }),
    ]
}

proptest! {
    /// The model: whom we asked last, if a reply is owed, and whether that one is still there.
    #[test]
    fn follows_the_model(req_correlate: bool, req_relaxed: bool, ops in prop::collection::vec(op(), 0..100)) {
        let ids = pipes::<3>();
        let mut socket =
            Socket::with(SocketType::Req, &PatternOptions { req_correlate, req_relaxed, ..PatternOptions::default() });
        socket.attach_all(&ids);
        let mut asked: Option<(PipeId, bool)> = None;
        let mut number = 41u32;
        for op in ops {
            match op {
                Op::Send { written } => {
                    let reserve = socket.reserve(b"q");
                    if asked.is_some() && !req_relaxed {
                        prop_assert!(matches!(reserve, Reserve::Refused(_)));
                        continue;
                    }
                    let Reserve::One { pipe, .. } = reserve else { panic!("{reserve:?}") };
                    if written {
                        socket.commit();
                        number += 1;
                        asked = Some((pipe, true));
                    } else {
                        socket.rollback();
                    }
                }
                Op::Lose(pipe) => {
                    socket.detach(ids[pipe]);
                    socket.attach(ids[pipe]);
                    if let Some((peer, is_there)) = &mut asked {
                        *is_there &= *peer != ids[pipe];
                    }
                }
                Op::Reply { pipe, number_back, delimiter } => {
                    let id = (number - number_back).to_be_bytes();
                    let mut given: Vec<&[u8]> = if req_correlate { vec![&id] } else { Vec::new() };
                    given.extend(delimiter.then_some(&b""[..]));
                    given.push(b"body");
                    let from_asked = asked.is_some_and(|(peer, is_there)| {
                        if is_there { peer == ids[pipe] } else { req_correlate }
                    });
                    let is_right = from_asked && delimiter && (number_back == 0 || !req_correlate);
                    prop_assert_eq!(receive(&mut socket, ids[pipe], &given).is_ok(), is_right);
                    if is_right {
                        asked = None;
                    }
                }
            }
            prop_assert_eq!(socket.receiver.check_receive(&socket.dialogue).is_ok(), asked.is_some());
        }
    }
}
