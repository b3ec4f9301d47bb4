//! CLIENT, SERVER, PEER, SCATTER, GATHER and CHANNEL: messages of one part (RFC 41, 49, 51 and 52).

use serverlink_message::SocketType::{self, *};
use serverlink_message::front::Front;
use serverlink_patterns::{
    AttachRefusal, DropReason, Framing, Passage, PatternOptions, PeerInfo, PipeId, Refusal, Reserve, Verdict,
};

use crate::support::{Socket, message, parts, pipes};

/// The number under which a peer is known, as a part.
fn attach(socket: &mut Socket, pipe: PipeId) -> Vec<u8> {
    let attached = socket.sender.attach(pipe, &PeerInfo::default());
    socket.receiver.attach(pipe, attached.routing_id.clone());
    attached.routing_id.expect("each gets a number").to_vec()
}

#[test]
fn a_server_sends_to_the_number_and_says_whose_it_is() {
    for kind in [Server, Peer] {
        let [a, b] = pipes();
        let mut socket = Socket::new(kind);
        let (to_a, to_b) = (attach(&mut socket, a), attach(&mut socket, b));
        assert_ne!(to_a, to_b);
        assert_eq!(attach(&mut socket, a), to_a, "it keeps its number");
        for (number, pipe) in [(&to_b, b), (&to_a, a), (&to_a, a)] {
            assert_eq!(socket.reserve(number), Reserve::One { pipe, framing: Framing::SkipFirst });
            socket.commit();
            let mut taken = message(&[b"x"]);
            assert_eq!(socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue), Verdict::Deliver);
            assert_eq!(parts(&taken), [&number[..], b"x"]);
        }
        for nobody in [&b""[..], b"abc", b"abcde", &[0; 4]] {
            assert_eq!(socket.reserve(nobody), Reserve::Refused(Refusal::Unroutable));
        }
        socket.sender.set_writable(a, false);
        assert_eq!(socket.reserve(&to_a), Reserve::WouldBlock, "who is full is waited for");
        assert!(socket.sender.is_ready(&socket.dialogue), "the other has room");
        socket.detach(a);
        assert_eq!(socket.reserve(&to_a), Reserve::Refused(Refusal::Unroutable));
        assert_ne!(attach(&mut socket, a), to_a, "who comes back is another");
        assert_eq!(socket.sender.dropped(), 0);
    }
}

#[test]
fn numbers_go_round_and_leave_out_zero_and_those_in_use() {
    let options = PatternOptions { seed: u64::from(u32::MAX - 1) << 32, ..PatternOptions::default() };
    let [a, b, c, d] = pipes();
    let mut socket = Socket::with(Server, &options);
    let numbers = [a, b, c].map(|pipe| attach(&mut socket, pipe));
    assert_eq!(numbers, [[255, 255, 255, 254], [255; 4], [0, 0, 0, 1]]);
    // Once around: the next ones are taken.
    let mut socket = Socket::with(Server, &PatternOptions::default());
    let first = attach(&mut socket, a);
    assert_eq!(first, [0, 0, 0, 1]);
    assert_eq!(attach(&mut socket, d), [0, 0, 0, 2]);
}

#[test]
fn several_parts_are_dropped() {
    for kind in [Client, Gather, Channel, Server, Peer] {
        let [pipe] = pipes();
        let mut socket = Socket::new(kind);
        socket.attach(pipe);
        let mut taken = message(&[b"two", b"parts"]);
        let verdict = socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue);
        assert_eq!(verdict, Verdict::Discard(DropReason::PartCount), "{kind}");
        assert_eq!(parts(&taken), [&b"two"[..], b"parts"], "it is left as it came");
        let mut taken = message(&[b"one"]);
        assert_eq!(socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue), Verdict::Deliver);
        socket.receiver.set_readable(pipe, true);
        let passage = match socket.receiver.routing_id(pipe) {
            Some(address) => Passage::Behind(Front::new(address.clone())),
            None => Passage::AsItCame,
        };
        assert_eq!(socket.receiver.sole_source(), Some((pipe, passage)), "{kind}: those of one part fit");
    }
}

#[test]
fn those_like_older_types_go_in_turn() {
    for kind in [Client, Scatter] {
        let [a, b] = pipes();
        let mut socket = Socket::new(kind);
        socket.attach_all(&[a, b]);
        for pipe in [a, b, a] {
            assert_eq!(socket.reserve(b"x"), Reserve::One { pipe, framing: Framing::AsIs }, "{kind}");
            socket.commit();
        }
    }
    let [a, b] = pipes();
    let mut socket = Socket::new(Channel);
    socket.attach(a);
    let refused = socket.sender.attach(b, &PeerInfo::default());
    assert_eq!((refused.reject, refused.why), (true, Some(AttachRefusal::PairTaken)));
    assert_eq!(socket.reserve(b"x"), Reserve::One { pipe: a, framing: Framing::AsIs });
}

#[test]
fn one_way_types_have_one_direction() {
    let refused = |kind: SocketType| {
        let mut socket = Socket::new(kind);
        (socket.reserve(b"x"), socket.receiver.check_receive(&socket.dialogue))
    };
    assert_eq!(refused(Gather), (Reserve::Refused(Refusal::NotSendable), Ok(())));
    assert_eq!(refused(Dish), (Reserve::Refused(Refusal::NotSendable), Ok(())));
    assert_eq!(refused(Scatter), (Reserve::WouldBlock, Err(Refusal::NotReceivable)));
    assert_eq!(refused(Radio).1, Err(Refusal::NotReceivable));
}

/// STREAM: a ROUTER that drops nothing.
#[test]
fn a_stream_tells_who_is_not_there_and_waits_for_who_is_full() {
    let [a, b] = pipes();
    let mut socket = Socket::new(Stream);
    let id = attach(&mut socket, a);
    assert_eq!((id.len(), id[0]), (5, 0));
    let named = PeerInfo { connect_routing_id: Some(b"upstream".to_vec()), ..PeerInfo::default() };
    let attached = socket.sender.attach(b, &named);
    assert_eq!(attached.routing_id.expect("a name"), "upstream");
    assert_eq!(socket.reserve(&id), Reserve::One { pipe: a, framing: Framing::SkipFirst });
    socket.commit();
    assert_eq!(socket.reserve(b"nobody"), Reserve::Refused(Refusal::Unroutable));
    socket.sender.set_writable(b, false);
    assert_eq!(socket.reserve(b"upstream"), Reserve::WouldBlock);
    assert_eq!((socket.sender.dropped(), socket.sender.detach(a).notify), (0, None));
}
