//! ROUTER (RFC 28): the first part says who gets the rest.

use proptest::prelude::*;
use serverlink_message::{Message, SocketType};
use serverlink_patterns::{
    AttachRefusal, Attached, DropReason, Framing, PatternOptions, PeerInfo, PipeId, Refusal, Reserve, Sender,
    Verdict,
};

use crate::support::{Socket, message, parts, pipes};

const TO: fn(PipeId) -> Reserve = |pipe| Reserve::One { pipe, framing: Framing::SkipFirst };

fn named(id: &[u8]) -> PeerInfo {
    PeerInfo { routing_id: id.to_vec(), connect_routing_id: None, socket_type: Some(SocketType::Dealer) }
}

fn named_by_us(id: &[u8], announced: &[u8]) -> PeerInfo {
    PeerInfo { connect_routing_id: Some(id.to_vec()), ..named(announced) }
}

fn router(options: PatternOptions) -> Socket {
    Socket::with(SocketType::Router, &options)
}

fn attach(socket: &mut Socket, pipe: PipeId, peer: &PeerInfo) -> Attached {
    let attached = socket.sender.attach(pipe, peer);
    socket.receiver.attach(pipe, attached.routing_id.clone());
    attached
}

fn handover() -> PatternOptions {
    PatternOptions { router_handover: true, ..PatternOptions::default() }
}

fn notifying() -> PatternOptions {
    PatternOptions {
        router_notify_connect: true,
        router_notify_disconnect: true,
        ..PatternOptions::default()
    }
}

fn notification(id: &[u8]) -> Option<Message> {
    Some(message(&[id, b""]))
}

#[test]
fn addresses_by_the_first_part_and_says_who_sent() {
    let [a, b] = pipes();
    let mut socket = router(PatternOptions::default());
    let _ = attach(&mut socket, a, &named(b"alice"));
    let _ = attach(&mut socket, b, &named(b"bob"));
    for (id, pipe) in [(&b"bob"[..], b), (b"alice", a), (b"alice", a), (b"bob", b)] {
        assert_eq!(socket.reserve(id), TO(pipe));
        socket.commit();
        let mut taken = message(&[b"", b"x"]);
        assert_eq!(socket.receiver.handle(pipe, &mut taken, &mut socket.dialogue), Verdict::Deliver);
        assert_eq!(parts(&taken), [id, b"", b"x"]);
    }
    assert_eq!(socket.sender.pipe_of(b"bob"), Some(b));
    assert_eq!(socket.sender.routing_id(a).map(|id| id.as_bytes()), Some(&b"alice"[..]));
}

#[test]
fn what_cannot_be_routed() {
    let full: fn(&mut Socket, PipeId) = |socket, pipe| socket.sender.set_writable(pipe, false);
    let gone: fn(&mut Socket, PipeId) = |socket, pipe| socket.detach(pipe);
    let cases = [
        (false, gone, Reserve::Nobody(DropReason::Unroutable), 1),
        (false, full, Reserve::Nobody(DropReason::HighWaterMark), 1),
        (true, gone, Reserve::Refused(Refusal::Unroutable), 0),
        (true, full, Reserve::WouldBlock, 0),
    ];
    for (router_mandatory, obstacle, expected, dropped) in cases {
        let [a] = pipes();
        let mut socket = router(PatternOptions { router_mandatory, ..PatternOptions::default() });
        let _ = attach(&mut socket, a, &named(b"a"));
        assert_eq!(socket.reserve(b"a"), TO(a));
        obstacle(&mut socket, a);
        assert_eq!(socket.reserve(b"a"), expected);
        assert_eq!(socket.sender.dropped(), dropped);
        assert_eq!(socket.sender.is_ready(&socket.dialogue), !router_mandatory);
    }
}

#[test]
fn anonymous_peers_get_five_octets() {
    let [a, b] = pipes();
    let mut socket = router(PatternOptions { seed: u64::MAX, ..PatternOptions::default() });
    let ids = [a, b].map(|pipe| attach(&mut socket, pipe, &named(b"")).routing_id.expect("a name"));
    assert_eq!(ids, [[0, 255, 255, 255, 255], [0, 0, 0, 0, 0]]);
    assert_eq!(socket.reserve(&ids[1]), TO(b));
}

#[test]
fn a_number_in_use_is_passed_over() {
    let [a, b] = pipes();
    let mut socket = router(PatternOptions::default());
    let _ = attach(&mut socket, a, &named_by_us(&[0, 0, 0, 0, 0], b""));
    assert_eq!(attach(&mut socket, b, &named(b"")).routing_id.expect("a name"), [0, 0, 0, 0, 1]);
}

#[test]
fn peers_may_not_take_the_ids_that_are_ours_to_give() {
    let [a] = pipes();
    let mut socket = router(handover());
    let attached = attach(&mut socket, a, &named(&[0, 1, 2, 3, 4]));
    assert!(attached.refused && attached.reject);
    assert_eq!(attached.why, Some(AttachRefusal::ReservedRoutingId));
    assert_eq!(attached.routing_id, None);
    assert_eq!(socket.sender.pipe_of(&[0, 1, 2, 3, 4]), None);
}

#[test]
fn without_handover_the_second_stays_nameless() {
    let [a, b] = pipes();
    let mut socket = router(notifying());
    let _ = attach(&mut socket, a, &named(b"x"));
    let second = attach(&mut socket, b, &named(b"x"));
    let why = Some(AttachRefusal::DuplicateRoutingId);
    assert_eq!(second, Attached { refused: true, why, ..Attached::default() });
    assert_eq!(socket.reserve(b"x"), TO(a));
    socket.receiver.set_readable(b, true);
    assert_eq!(socket.receiver.next(), None, "nothing is read from it");
    assert_eq!(socket.sender.detach(b).notify, None, "nobody heard of it");
    assert_eq!(socket.sender.detach(a).notify, notification(b"x"));
    assert!(!attach(&mut socket, b, &named(b"x")).refused, "the name is free now");
    assert_eq!(socket.reserve(b"x"), TO(b));
}

#[test]
fn with_handover_the_second_takes_the_name() {
    let [a, b] = pipes();
    let mut socket = router(PatternOptions { router_handover: true, ..notifying() });
    let _ = attach(&mut socket, a, &named(b"x"));
    let second = attach(&mut socket, b, &named(b"x"));
    assert_eq!(second.displaced, Some(a));
    assert_eq!(second.notify, notification(b"x"));
    assert_eq!(socket.reserve(b"x"), TO(b));
    socket.sender.set_writable(a, false);
    assert_eq!(socket.sender.detach(a).notify, None, "the name lives on");
    assert_eq!(socket.reserve(b"x"), TO(b));
}

#[test]
fn the_name_that_we_give_wins() {
    let [a, b, c] = pipes();
    let mut socket = router(handover());
    let attached = attach(&mut socket, a, &named_by_us(b"ours", b"theirs"));
    assert_eq!(attached.routing_id.expect("a name"), b"ours");
    assert_eq!(socket.reserve(b"theirs"), Reserve::Nobody(DropReason::Unroutable));
    assert!(attach(&mut socket, b, &named(b"ours")).refused, "a peer cannot take over what we named");
    assert!(attach(&mut socket, c, &named_by_us(b"ours", b"")).refused, "nor can we twice");
    assert_eq!(socket.reserve(b"ours"), TO(a));
    assert!(!attach(&mut socket, b, &named_by_us(b"", b"b")).refused, "an empty name is none");
    assert_eq!(socket.reserve(b"b"), TO(b));
}

#[test]
fn attaching_again_keeps_the_name() {
    let [a] = pipes();
    let mut socket = router(notifying());
    let _ = attach(&mut socket, a, &named(b"first"));
    let again = attach(&mut socket, a, &named(b"second"));
    assert_eq!(again.routing_id.expect("a name"), b"first");
    assert_eq!(again.notify, None);
    assert_eq!(socket.reserve(b"second"), Reserve::Nobody(DropReason::Unroutable));
}

#[test]
fn notifications_follow_the_connections_of_a_pipe() {
    let [a] = pipes();
    let mut sender = Sender::new(SocketType::Router, &notifying());
    let early = sender.attach(a, &PeerInfo { socket_type: None, ..named_by_us(b"x", b"") });
    assert_eq!(early.notify, None, "nobody is there yet");
    for _ in 0..2 {
        assert_eq!(sender.on_connected(a), notification(b"x"));
        assert_eq!(sender.on_connected(a), None);
        assert_eq!(sender.on_disconnected(a), notification(b"x"));
        assert_eq!(sender.on_disconnected(a), None);
    }
    assert_eq!(sender.detach(a).notify, None);
    let mut silent = Sender::new(SocketType::Router, &PatternOptions::default());
    assert_eq!(silent.attach(a, &named(b"x")).notify, None);
    assert_eq!(silent.detach(a).notify, None);
}

#[derive(Debug, Clone)]
enum Op {
    Attach { pipe: usize, id: u8, by_us: bool },
    Detach(usize),
    Writable(usize, bool),
    Send(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..5usize, 0..4u8, prop::bool::weighted(0.2)).prop_map(|(pipe, id, by_us)| Op::Attach { pipe, id, by_us }),
        2 => (0..5usize).prop_map(Op::Detach),
        2 => (0..5usize, any::<bool>()).prop_map(|(pipe, writable)| Op::Writable(pipe, writable)),
        6 => (0..4u8).prop_map(Op::Send),
    ]
}

/// The model: what each pipe is called, without an index.
#[derive(Default)]
struct Model([Option<Known>; 5]);

#[derive(Clone, Copy)]
struct Known {
    id: u8,
    by_us: bool,
    writable: bool,
}

impl Model {
    fn holder(&self, id: u8) -> Option<usize> {
        self.0.iter().position(|known| known.is_some_and(|known| known.id == id))
    }

    /// Whether the pipe gets the name, and who loses it.
    fn attach(&mut self, pipe: usize, id: u8, by_us: bool, handover: bool) -> (bool, Option<usize>) {
        if self.0[pipe].is_some() {
            return (true, None);
        }
        let holder = self.holder(id);
        if let Some(holder) = holder {
            let held_by_us = self.0[holder].is_some_and(|known| known.by_us);
            if by_us || held_by_us || !handover {
                return (false, None);
            }
            self.0[holder] = None;
        }
        self.0[pipe] = Some(Known { id, by_us, writable: true });
        (true, holder)
    }
}

proptest! {
    #[test]
    fn follows_the_model(
        router_handover: bool,
        router_mandatory: bool,
        seed: u64,
        ops in prop::collection::vec(op(), 0..120),
    ) {
        let ids = pipes::<5>();
        let names = [&b"a"[..], b"ab", b"b", b"a longer name than the others have, so that it is not inline"];
        let mut socket =
            router(PatternOptions { router_handover, router_mandatory, seed, ..PatternOptions::default() });
        let mut model = Model::default();
        for op in ops {
            match op {
                Op::Attach { pipe, id, by_us } => {
                    let name = names[usize::from(id)];
                    let peer = if by_us { named_by_us(name, b"ignored") } else { named(name) };
                    let attached = attach(&mut socket, ids[pipe], &peer);
                    let (is_named, displaced) = model.attach(pipe, id, by_us, router_handover);
                    prop_assert_eq!(attached.refused, !is_named);
                    prop_assert_eq!(attached.routing_id.is_some(), is_named);
                    prop_assert_eq!(attached.displaced, displaced.map(|pipe| ids[pipe]));
                }
                Op::Detach(pipe) => {
                    socket.detach(ids[pipe]);
                    model.0[pipe] = None;
                }
                Op::Writable(pipe, writable) => {
                    socket.sender.set_writable(ids[pipe], writable);
                    model.0[pipe] = model.0[pipe].map(|known| Known { writable, ..known });
                }
                Op::Send(id) => {
                    let expected = match model.holder(id) {
                        Some(pipe) if model.0[pipe].is_some_and(|known| known.writable) => TO(ids[pipe]),
                        Some(_) if router_mandatory => Reserve::WouldBlock,
                        Some(_) => Reserve::Nobody(DropReason::HighWaterMark),
                        None if router_mandatory => Reserve::Refused(Refusal::Unroutable),
                        None => Reserve::Nobody(DropReason::Unroutable),
                    };
                    prop_assert_eq!(socket.reserve(names[usize::from(id)]), expected);
                }
            }
            for (place, known) in model.0.iter().enumerate() {
                let name = known.map(|known| names[usize::from(known.id)]);
                prop_assert_eq!(socket.sender.routing_id(ids[place]).map(|id| id.as_bytes()), name);
            }
        }
    }
}
