//! PULL, DEALER, PAIR, ROUTER and all who receive: each readable pipe in turn.

use std::collections::VecDeque;

use proptest::prelude::*;
use serverlink_message::SocketType;
use serverlink_patterns::{DropReason, Refusal, Verdict};

use crate::support::{Socket, message, parts, pipes};

#[test]
fn readable_pipes_take_turns() {
    let [a, b, c] = pipes();
    let mut socket = Socket::new(SocketType::Pull);
    socket.attach_all(&[a, b, c]);
    assert_eq!(socket.receiver.next(), None, "nobody sent anything yet");
    for pipe in [a, c] {
        socket.receiver.set_readable(pipe, true);
    }
    for expected in [a, c, a] {
        assert_eq!(socket.receiver.next(), Some(expected));
        socket.receiver.took(expected);
    }
    socket.receiver.set_readable(c, false);
    assert_eq!(socket.receiver.next(), Some(a));
    socket.detach(a);
    assert_eq!(socket.receiver.next(), None);
}

#[test]
fn messages_pass_unchanged() {
    for socket_type in [SocketType::Pull, SocketType::Dealer, SocketType::Pair, SocketType::Xpub] {
        let [a] = pipes();
        let mut socket = Socket::new(socket_type);
        socket.attach(a);
        let mut taken = message(&[b"", b"x"]);
        assert_eq!(socket.receiver.handle(a, &mut taken, &mut socket.dialogue), Verdict::Deliver);
        assert_eq!(parts(&taken), [&b""[..], b"x"]);
        assert_eq!(socket.receiver.check_receive(&socket.dialogue), Ok(()));
    }
}

#[test]
fn senders_cannot_receive() {
    for socket_type in [SocketType::Push, SocketType::Pub] {
        let [a] = pipes();
        let mut socket = Socket::new(socket_type);
        socket.attach(a);
        assert_eq!(socket.receiver.check_receive(&socket.dialogue), Err(Refusal::NotReceivable));
        let verdict = socket.receiver.handle(a, &mut message(&[b"x"]), &mut socket.dialogue);
        assert_eq!(verdict, Verdict::Discard(DropReason::NotReceivable));
    }
}

#[derive(Debug, Clone)]
enum Op {
    Arrive(usize),
    Take,
    Leave(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..4usize).prop_map(Op::Arrive),
        5 => Just(Op::Take),
        1 => (0..4usize).prop_map(Op::Leave),
    ]
}

proptest! {
    /// The model: a queue for each pipe. What is taken comes from one that is not empty, in order within each, and
    /// nobody is passed over by another pipe twice.
    #[test]
    fn takes_everything_in_order_and_starves_nobody(ops in prop::collection::vec(op(), 0..200)) {
        let ids = pipes::<4>();
        let mut socket = Socket::new(SocketType::Pull);
        socket.attach_all(&ids);
        let mut queues = [const { VecDeque::new() }; 4];
        let mut waited = [0; 4];
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Arrive(pipe) => {
                    queues[pipe].push_back(number);
                    socket.receiver.set_readable(ids[pipe], true);
                }
                Op::Take => {
                    let Some(pipe) = socket.receiver.next() else {
                        prop_assert!(queues.iter().all(VecDeque::is_empty));
                        continue;
                    };
                    let place = ids.iter().position(|&id| id == pipe).expect("ours");
                    prop_assert!(queues[place].pop_front().is_some());
                    socket.receiver.took(pipe);
                    socket.receiver.set_readable(pipe, !queues[place].is_empty());
                    waited.iter_mut().for_each(|turns| *turns += 1);
                    waited[place] = 0;
                }
                Op::Leave(pipe) => {
                    socket.detach(ids[pipe]);
                    queues[pipe].clear();
                    socket.attach(ids[pipe]);
                }
            }
            let readable: Vec<_> = (0..4).filter(|&pipe| !queues[pipe].is_empty()).map(|pipe| ids[pipe]).collect();
            let sole = socket.receiver.sole_source().map(|(pipe, _)| pipe);
            prop_assert_eq!(sole, if readable.len() == 1 { Some(readable[0]) } else { None });
            for pipe in 0..4 {
                if queues[pipe].is_empty() {
                    waited[pipe] = 0;
                }
                prop_assert!(waited[pipe] <= 3, "pipe {} starves", pipe);
            }
        }
    }
}
