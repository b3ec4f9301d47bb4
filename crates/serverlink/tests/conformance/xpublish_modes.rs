//! What XPUB's and XSUB's options change in who is told what.

use serverlink::{Error, Message, Options, Socket, SocketType::*};

use crate::{
    everywhere,
    raw::{RawPeer, command, frame},
    world::{
        Transport, World, assert_nothing_waits, connect, eventually, peers, recv, recv_text, send,
        subscribers,
    },
};

everywhere! {
    verbose_tells_every_subscription
    verboser_tells_every_cancellation_too
    in_manual_mode_nothing_has_an_effect_by_itself
    a_peer_is_subscribed_by_its_handle
    a_departure_is_told_in_manual_mode
    a_last_value_reaches_the_newcomer_alone
    every_part_may_be_a_subscription
    or_only_the_first
    xsub_tells_every_subscription
    xsub_may_tell_every_cancellation
    manual_calls_need_manual_mode
}

fn xpub(world: &World, change: impl FnOnce(&mut Options)) -> (Socket, String) {
    let publisher = world.socket_with(Xpub, change);
    let endpoint = world.bind(&publisher);
    (publisher, endpoint)
}

fn notice(socket: &Socket) -> Vec<u8> {
    recv(socket).first().to_vec()
}

fn subscribe(subscriber: &Socket, topic: &str) {
    subscriber.subscribe(topic).expect("subscribing");
}

fn verbose_tells_every_subscription(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_verbose = true);
    let (one, other) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    subscribe(&one, "t");
    assert_eq!(notice(&publisher), b"\x01t");
    subscribe(&other, "t");
    assert_eq!(notice(&publisher), b"\x01t");
    subscribe(&other, "t");
    assert_eq!(notice(&publisher), b"\x01t", "the same peer's second, too");
    one.unsubscribe("t").expect("it was subscribed");
    subscribe(&one, "marker");
    assert_eq!(notice(&publisher), b"\x01marker", "of cancellations the last is told");
}

fn verboser_tells_every_cancellation_too(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_verboser = true);
    let (one, other) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    for subscriber in [&one, &other] {
        subscribe(subscriber, "t");
        assert_eq!(notice(&publisher), b"\x01t");
    }
    one.unsubscribe("t").expect("it was subscribed");
    assert_eq!(notice(&publisher), b"\x00t");
    subscribe(&one, "t");
    assert_eq!(notice(&publisher), b"\x01t");
    drop(one);
    assert_eq!(notice(&publisher), b"\x00t", "a departure cancels");
    send(&publisher, ["t"]);
    assert_eq!(recv_text(&other), ["t"]);
}

fn in_manual_mode_nothing_has_an_effect_by_itself(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_manual = true);
    let subscriber = world.connected(Xsub, &endpoint);
    assert_eq!(publisher.last_subscriber().ok(), Some(None));
    assert_eq!(publisher.subscribe_last("A").ok(), Some(false), "nobody was received of");
    subscribe(&subscriber, "A");
    assert_eq!(notice(&publisher), b"\x01A");
    send(&publisher, ["A"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 1);
    assert_eq!(publisher.subscribe_last("B").ok(), Some(true));
    subscribers(&publisher, 1);
    send(&publisher, ["A"]);
    send(&publisher, ["B"]);
    assert_eq!(recv_text(&subscriber), ["B"]);
    subscriber.unsubscribe("A").expect("it was subscribed");
    assert_eq!(notice(&publisher), b"\x00A");
    send(&publisher, ["B", "still"]);
    assert_eq!(recv_text(&subscriber), ["B", "still"]);
    assert_eq!(publisher.unsubscribe_last("B").ok(), Some(true));
    send(&publisher, ["B"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 3);
}

fn a_peer_is_subscribed_by_its_handle(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_manual = true);
    let (one, other) = (world.connected(Xsub, &endpoint), world.connected(Xsub, &endpoint));
    subscribe(&one, "1");
    assert_eq!(notice(&publisher), b"\x011");
    let first = publisher.last_subscriber().expect("manual mode").expect("it is here");
    subscribe(&other, "2");
    assert_eq!(notice(&publisher), b"\x012");
    let second = publisher.last_subscriber().expect("manual mode").expect("it is here");
    assert_ne!(first, second);
    assert_eq!(publisher.psubscribe_peer(first, "a*").ok(), Some(true));
    assert_eq!(publisher.subscribe_peer(second, "b").ok(), Some(true));
    send(&publisher, ["abc"]);
    send(&publisher, ["bcd"]);
    assert_eq!((recv_text(&one), recv_text(&other)), (vec!["abc".to_owned()], vec!["bcd".to_owned()]));
    assert_eq!(publisher.punsubscribe_peer(first, "a*").ok(), Some(true));
    send(&publisher, ["abc"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 1);
    let wrong = publisher.psubscribe_peer(first, "[");
    assert!(matches!(wrong, Err(Error::InvalidPattern { at: 0, .. })), "{wrong:?}");
    drop(one);
    assert_eq!(notice(&publisher), b"\x001");
    assert_eq!(publisher.subscribe_peer(first, "a").ok(), Some(false), "it names nobody any more");
}

fn a_departure_is_told_in_manual_mode(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_manual = true);
    let (one, other) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    for subscriber in [&one, &other] {
        subscribe(subscriber, "t");
        notice(&publisher);
    }
    drop(other);
    assert_eq!(notice(&publisher), b"\x00t", "also what others still want");
    assert_eq!(publisher.last_subscriber().ok(), Some(None), "it is gone");
    one.psubscribe("a*b").expect("a pattern");
    assert_eq!(notice(&publisher), b"\x01a");
}

fn a_last_value_reaches_the_newcomer_alone(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_manual_last_value = true);
    let (old, new) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    for subscriber in [&old, &new] {
        subscribe(subscriber, "price");
        assert_eq!(notice(&publisher), b"\x01price");
        assert_eq!(publisher.subscribe_last("price").ok(), Some(true));
        send(&publisher, ["price", "last"]);
        assert_eq!(recv_text(subscriber), ["price", "last"]);
    }
    send(&publisher, ["price", "next"]);
    for subscriber in [&old, &new] {
        assert_eq!(recv_text(subscriber), ["price", "next"]);
        assert_nothing_waits(subscriber);
    }
}

fn every_part_may_be_a_subscription(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Xsub);
    peers(&subscriber, 1);
    let parts = [&b"user"[..], b"\x01a", b"more", b"\x01b"];
    subscriber.send(Message::from_parts(parts)).expect("sending");
    let mut told = [recv_text(&publisher), recv_text(&publisher), recv_text(&publisher)];
    told.sort();
    assert_eq!(told, [vec!["\x01a".to_owned()], vec!["\x01b".into()], vec!["user".into(), "more".into()]]);
    assert_eq!(subscriber.topics_count().ok(), Some(2));
}

fn or_only_the_first(world: &World) {
    let (publisher, subscriber) =
        world.linked_with(Xpub, Xsub, |options| options.only_first_subscribe = true);
    peers(&subscriber, 1);
    subscriber.send(Message::from_parts([&b"user"[..], b"\x01a"])).expect("sending");
    assert_eq!(recv_text(&publisher), ["user", "\x01a"]);
    subscriber.send(Message::from_parts([&b"\x01b"[..], b"rest"])).expect("sending");
    let mut told = [recv_text(&publisher), recv_text(&publisher)];
    told.sort();
    assert_eq!(told, [["\x01b"], ["rest"]]);
    assert_eq!(publisher.topics_count().ok(), Some(1));
}

fn xsub_tells_every_subscription(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_verboser = true);
    let subscriber = world.connected(Xsub, &endpoint);
    for _ in 0..2 {
        subscriber.send(b"\x01t".as_slice()).expect("sending");
        assert_eq!(notice(&publisher), b"\x01t");
    }
    for _ in 0..2 {
        subscriber.send(b"\x00t".as_slice()).expect("sending");
    }
    // The publisher counts, so it is told to cancel as often.
    assert_eq!((notice(&publisher), notice(&publisher)), (b"\x00t".to_vec(), b"\x00t".to_vec()));
    assert_eq!(publisher.topics_count().ok(), Some(0));
}

fn xsub_may_tell_every_cancellation(world: &World) {
    let (publisher, endpoint) = xpub(world, |options| options.xpub_verboser = true);
    let subscriber = world.socket_with(Xsub, |options| options.xsub_verbose_unsubscribe = true);
    connect(&subscriber, &endpoint);
    for body in [b"\x00t", b"\x01t", b"\x01t", b"\x00t"] {
        subscriber.send(body.as_slice()).expect("sending");
        assert_eq!(notice(&publisher), body);
    }
    assert_eq!(publisher.topics_count().ok(), Some(1), "one is left");
    subscriber.send(b"\x00t".as_slice()).expect("sending");
    assert_eq!(notice(&publisher), b"\x00t");
    assert_eq!(publisher.topics_count().ok(), Some(0));
}

fn manual_calls_need_manual_mode(world: &World) {
    let (publisher, _) = world.bound(Xpub);
    assert!(matches!(publisher.subscribe_last("t"), Err(Error::InvalidOption { option: "xpub_manual", .. })));
    assert!(matches!(world.socket(Pub).last_subscriber(), Err(Error::NotSupported { .. })));
}

/// As ZMTP 3.0 has them, and several in one message as a libzmq XSUB sends them.
#[test]
fn subscriptions_in_the_form_of_messages() {
    let world = World::new(Transport::Tcp);
    let (publisher, endpoint) = world.bound(Xpub);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands_as("XSUB", 0);
    peer.send(&[frame(1, b"\x01a"), frame(1, b"user"), frame(0, b"\x01b")].concat());
    assert_eq!((notice(&publisher), notice(&publisher)), (b"\x01a".to_vec(), b"\x01b".to_vec()));
    assert_eq!(recv_text(&publisher), ["user"]);
    peer.send(&[frame(0, b"\x00a"), command("CANCEL", b"b")].concat());
    assert_eq!((notice(&publisher), notice(&publisher)), (b"\x00a".to_vec(), b"\x00b".to_vec()));
    eventually("none is left", || publisher.topics_count().ok() == Some(0));
}
