//! Bytes that were lent: they come back once, when they are written, received, or dropped, and not before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serverlink::security::{Security, generate_keys};
use serverlink::{Message, Options, Part, Socket, SocketType::*};

use crate::{
    everywhere, over_streams,
    world::{World, connect, eventually, peers, recv, subscribers},
};

everywhere! {
    what_waits_for_a_peer_stays_lent
    what_was_received_has_come_back
    what_was_published_has_come_back
    what_nobody_takes_comes_back_with_its_socket
    what_conflation_replaces_comes_back
}

over_streams! {
    what_was_sealed_has_come_back
}

const LENGTHS: [usize; 8] = [0, 9, 47, 48, 255, 300, 8191, 20_000];

/// Lends, and counts what came back.
#[derive(Clone, Default)]
struct Lender(Arc<AtomicUsize>);

struct Lent {
    bytes: Vec<u8>,
    lender: Lender,
}

impl Lender {
    fn lend(&self, len: usize) -> Part {
        Part::lent(Lent { bytes: vec![len as u8; len], lender: self.clone() })
    }

    /// Alone, behind, before and between bytes of the library's own.
    fn messages(&self) -> Vec<Message> {
        let mut messages: Vec<Message> = LENGTHS.iter().map(|&len| self.lend(len).into()).collect();
        for &len in &LENGTHS {
            messages.push(Message::from_parts([Part::from("first"), self.lend(len)]));
            messages.push(Message::from_parts([self.lend(len), Part::from("last")]));
            messages.push("between".into());
        }
        messages
    }

    fn assert_all_lent(&self) {
        assert_eq!(self.0.load(Ordering::SeqCst), 0, "given back too early");
    }

    fn until_all_came_back(&self, count: usize) {
        eventually("all come back", || self.0.load(Ordering::SeqCst) >= count);
        assert_eq!(self.0.load(Ordering::SeqCst), count, "given back twice");
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.lender.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn send_all(socket: &Socket, lender: &Lender) -> usize {
    for message in lender.messages() {
        socket.try_send(message).expect("room below the mark");
    }
    3 * LENGTHS.len()
}

fn receive_all(socket: &Socket) {
    for expected in Lender::default().messages() {
        assert_eq!(recv(socket), expected);
    }
}

fn what_waits_for_a_peer_stays_lent(world: &World) {
    let (lender, push) = (Lender::default(), world.socket(Push));
    let endpoint = world.deserted_endpoint();
    push.connect(&endpoint).expect("connecting");
    let count = send_all(&push, &lender);
    lender.assert_all_lent();
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding");
    receive_all(&pull);
    lender.until_all_came_back(count);
}

fn what_was_received_has_come_back(world: &World) {
    for (bound, connected) in [(Pull, Push), (Pair, Pair), (Dealer, Dealer)] {
        let (lender, (bound, connected)) = (Lender::default(), world.linked(bound, connected));
        let count = send_all(&connected, &lender);
        receive_all(&bound);
        lender.until_all_came_back(count);
    }
}

fn what_was_published_has_come_back(world: &World) {
    let (lender, (publisher, endpoint)) = (Lender::default(), world.bound(Pub));
    let all: Vec<Socket> = (0..3).map(|_| world.connected(Sub, &endpoint)).collect();
    all.iter().for_each(|subscriber| subscriber.subscribe("").expect("a topic"));
    subscribers(&publisher, 3);
    let count = send_all(&publisher, &lender);
    all.iter().for_each(receive_all);
    lender.until_all_came_back(count);
}

fn what_nobody_takes_comes_back_with_its_socket(world: &World) {
    let lender = Lender::default();
    let push = world.socket_with(Push, without_linger);
    push.connect(&world.deserted_endpoint()).expect("connecting");
    let count = send_all(&push, &lender);
    lender.assert_all_lent();
    drop(push);
    lender.until_all_came_back(count);
}

fn without_linger(options: &mut Options) {
    options.linger = serverlink::Linger::For(std::time::Duration::ZERO);
}

fn what_conflation_replaces_comes_back(world: &World) {
    let lender = Lender::default();
    let push = world.socket_with(Push, |options| {
        options.conflate = true;
        without_linger(options);
    });
    push.connect(&world.deserted_endpoint()).expect("connecting");
    for _ in 0..5 {
        push.try_send(lender.lend(100)).expect("room for the newest");
    }
    lender.until_all_came_back(4);
    drop(push);
    lender.until_all_came_back(5);
}

fn what_was_sealed_has_come_back(world: &World) {
    let (lender, keys) = (Lender::default(), generate_keys().expect("random bytes"));
    let public = keys.public;
    let pull = world.socket_with(Pull, |options| options.security = Security::curve_server(keys));
    let client = Security::curve_client(generate_keys().expect("random bytes"), public);
    let push = world.socket_with(Push, |options| options.security = client);
    connect(&push, &world.bind(&pull));
    peers(&pull, 1);
    let count = send_all(&push, &lender);
    receive_all(&pull);
    lender.until_all_came_back(count);
}
