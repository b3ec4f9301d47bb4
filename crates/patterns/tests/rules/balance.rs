//! PUSH, DEALER (RFC 28, 30): round robin over who has room. PAIR (RFC 31): one peer at a time.

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{AttachRefusal, Framing, PeerInfo, PipeId, Refusal, Reserve};

use crate::support::{Socket, pipes};

const AS_IS: fn(PipeId) -> Reserve = |pipe| Reserve::One { pipe, framing: Framing::AsIs };

#[test]
fn peers_take_turns() {
    for socket_type in [SocketType::Push, SocketType::Dealer] {
        let [a, b, c] = pipes();
        let mut socket = Socket::new(socket_type);
        socket.attach_all(&[a, b, c]);
        for expected in [a, b, c, a] {
            assert_eq!(socket.reserve(b""), AS_IS(expected));
            socket.commit();
        }
    }
}

#[test]
fn without_a_peer_the_caller_waits() {
    for socket_type in [SocketType::Push, SocketType::Dealer, SocketType::Pair, SocketType::Req] {
        let mut socket = Socket::new(socket_type);
        assert_eq!(socket.reserve(b""), Reserve::WouldBlock, "{socket_type}");
        assert!(!socket.sender.is_ready(&socket.dialogue), "{socket_type}");
    }
}

#[test]
fn a_full_pipe_is_passed_over_until_it_has_room() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Push);
    socket.attach(a);
    socket.attach(b);
    socket.sender.set_writable(a, false);
    for _ in 0..2 {
        assert_eq!(socket.reserve(b""), AS_IS(b));
        socket.commit();
    }
    socket.sender.set_writable(b, false);
    assert_eq!(socket.reserve(b""), Reserve::WouldBlock);
    socket.sender.set_writable(a, true);
    assert_eq!(socket.reserve(b""), AS_IS(a));
}

#[test]
fn what_was_not_written_does_not_use_the_turn() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Dealer);
    socket.attach(a);
    socket.attach(b);
    assert_eq!(socket.reserve(b""), AS_IS(a));
    socket.rollback();
    socket.commit();
    assert_eq!(socket.reserve(b""), AS_IS(a), "a commit without a reservation does nothing");
}

#[test]
fn a_commit_survives_the_loss_of_its_pipe() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Push);
    socket.attach(a);
    socket.attach(b);
    assert_eq!(socket.reserve(b""), AS_IS(a));
    socket.detach(a);
    socket.commit();
    assert_eq!(socket.reserve(b""), AS_IS(b));
}

#[test]
fn a_pair_has_one_peer_and_takes_the_next_when_it_left() {
    let [a, b] = pipes();
    let mut socket = Socket::new(SocketType::Pair);
    socket.attach(a);
    let second = socket.sender.attach(b, &PeerInfo::default());
    assert!(second.reject);
    assert_eq!(second.why, Some(AttachRefusal::PairTaken));
    assert_eq!(socket.reserve(b""), AS_IS(a));
    socket.commit();
    assert!(!socket.sender.attach(a, &PeerInfo::default()).reject, "it is the peer");
    socket.detach(a);
    socket.attach(b);
    assert_eq!(socket.reserve(b""), AS_IS(b));
}

#[test]
fn receivers_cannot_send() {
    for socket_type in [SocketType::Pull, SocketType::Sub] {
        let [a] = pipes();
        let mut socket = Socket::new(socket_type);
        socket.attach(a);
        assert_eq!(socket.reserve(b""), Reserve::Refused(Refusal::NotSendable));
    }
}

#[test]
fn one_who_only_receives_or_is_full_does_not_make_a_socket_ready() {
    let [a] = pipes();
    let mut socket = Socket::new(SocketType::Push);
    socket.attach(a);
    assert!(socket.sender.is_ready(&socket.dialogue));
    socket.sender.set_writable(a, false);
    assert!(!socket.sender.is_ready(&socket.dialogue));
    assert!(!Socket::new(SocketType::Pull).sender.is_ready(&socket.dialogue));
}

#[derive(Debug, Clone)]
enum Op {
    Attach(usize),
    Detach(usize),
    Writable(usize, bool),
    Send { written: bool },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..5usize).prop_map(Op::Attach),
        1 => (0..5usize).prop_map(Op::Detach),
        3 => (0..5usize, any::<bool>()).prop_map(|(pipe, writable)| Op::Writable(pipe, writable)),
        8 => any::<bool>().prop_map(|written| Op::Send { written }),
    ]
}

proptest! {
    /// The model: a set of pipes with room. Whoever is picked is in it, nobody is picked only if it is empty, and
    /// while it does not change nobody is picked again before everyone was.
    #[test]
    fn picks_each_in_turn(ops in prop::collection::vec(op(), 0..120)) {
        let ids = pipes::<5>();
        let mut socket = Socket::new(SocketType::Dealer);
        let mut model = [None; 5];
        let mut picked = Vec::new();
        for op in ops {
            let before = model;
            match op {
                Op::Attach(pipe) => {
                    socket.attach(ids[pipe]);
                    model[pipe] = model[pipe].or(Some(true));
                }
                Op::Detach(pipe) => {
                    socket.detach(ids[pipe]);
                    model[pipe] = None;
                }
                Op::Writable(pipe, writable) => {
                    socket.sender.set_writable(ids[pipe], writable);
                    model[pipe] = model[pipe].map(|_| writable);
                }
                Op::Send { written } => {
                    let sole = socket.sender.sole_target();
                    let ready: Vec<_> = (0..5).filter(|&pipe| model[pipe] == Some(true)).map(|pipe| ids[pipe]).collect();
                    prop_assert_eq!(sole, if ready.len() == 1 { Some(ready[0]) } else { None });
                    match socket.reserve(b"m") {
                        Reserve::One { pipe, framing: Framing::AsIs } => {
                            prop_assert!(ready.contains(&pipe));
                            prop_assert!(!picked.contains(&pipe));
                            if written {
                                socket.commit();
                                picked.push(pipe);
                            } else {
                                socket.rollback();
                                prop_assert_eq!(socket.reserve(b"m"), AS_IS(pipe));
                            }
                        }
                        Reserve::WouldBlock => prop_assert!(ready.is_empty()),
                        other => prop_assert!(false, "{:?}", other),
                    }
                    if picked.len() == ready.len() {
                        picked.clear();
                    }
                }
            }
            if before != model {
                picked.clear();
            }
        }
    }
}
