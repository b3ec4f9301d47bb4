//! Subscriptions to patterns: filtered where the message is sent, or where it arrives if the publisher knows no patterns.

use serverlink::{Error, Message, Socket, SocketType::*};

use crate::{
    everywhere, over_wires,
    raw::{COMMAND, RawPeer, command, frame, greeting, property},
    world::{
        Transport, World, assert_nothing_waits, peers, recv, recv_text, send, subscribers, until_peers_left,
    },
};

everywhere! {
    a_pattern_fits_the_whole_first_part
    a_pattern_and_a_topic_deliver_once
    patterns_are_counted
    patterns_made_before_connecting
    a_bound_subscriber_tells_its_patterns
    nothing_else_is_sent
    inverted_it_is_the_rest_of_the_union
    a_wrong_pattern_is_told_with_its_place
    an_ordinary_proxy_passes_on_what_covers_a_pattern
    a_proxy_that_knows_patterns_passes_them_on
    without_the_option_2_and_3_mean_nothing
    topics_and_patterns_are_counted_together
}

over_wires! {
    patterns_come_back_after_a_restart
}

fn psubscribe(subscriber: &Socket, pattern: &str) {
    subscriber.psubscribe(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
}

fn publish(publisher: &Socket, messages: &[&str]) {
    messages.iter().for_each(|message| send(publisher, [message]));
}

fn notice(socket: &Socket) -> Vec<u8> {
    recv(socket).first().to_vec()
}

fn a_pattern_fits_the_whole_first_part(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    psubscribe(&subscriber, "prices.[a-c]*.e?r");
    subscribers(&publisher, 1);
    publish(&publisher, &["prices.apple.eur.old", "prices.zinc.eur", "prices.apple.eur", "prices.c.e-r"]);
    send(&publisher, ["x", "prices.apple.eur"]);
    send(&publisher, ["prices.b.eur", "body"]);
    assert_eq!(recv_text(&subscriber), ["prices.apple.eur"]);
    assert_eq!(recv_text(&subscriber), ["prices.c.e-r"]);
    assert_eq!(recv_text(&subscriber), ["prices.b.eur", "body"]);
    assert_nothing_waits(&subscriber);
}

fn a_pattern_and_a_topic_deliver_once(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    subscriber.subscribe("ab").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01ab");
    psubscribe(&subscriber, "a*");
    psubscribe(&subscriber, "*c");
    assert_eq!((notice(&publisher), notice(&publisher)), (b"\x01a".to_vec(), b"\x01".to_vec()));
    publish(&publisher, &["abc", "b", "c", "end of a", "ax"]);
    for expected in ["abc", "c", "ax"] {
        assert_eq!(recv_text(&subscriber), [expected]);
    }
    assert_nothing_waits(&subscriber);
}

fn patterns_are_counted(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    for _ in 0..2 {
        psubscribe(&subscriber, "t*x");
    }
    assert_eq!(notice(&publisher), b"\x01t");
    subscriber.punsubscribe("t*x").expect("it was subscribed");
    subscriber.punsubscribe("t*y").expect("one that was never made is ignored");
    subscriber.subscribe("marker").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01marker");
    publish(&publisher, &["tx"]);
    assert_eq!(recv_text(&subscriber), ["tx"]);
    subscriber.punsubscribe("t*x").expect("it was subscribed twice");
    assert_eq!(notice(&publisher), b"\x00t");
    publish(&publisher, &["tx", "marker"]);
    assert_eq!(recv_text(&subscriber), ["marker"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 1, "the publisher knew");
}

fn patterns_made_before_connecting(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let subscriber = world.socket(Sub);
    psubscribe(&subscriber, "e*");
    subscriber.connect(&endpoint).expect("connecting");
    subscribers(&publisher, 1);
    publish(&publisher, &["late", "early"]);
    assert_eq!(recv_text(&subscriber), ["early"]);
}

fn a_bound_subscriber_tells_its_patterns(world: &World) {
    let (subscriber, endpoint) = world.bound(Sub);
    psubscribe(&subscriber, "t?pic");
    let publisher = world.socket(Pub);
    publisher.connect(&endpoint).expect("connecting");
    subscribers(&publisher, 1);
    publish(&publisher, &["other", "topic"]);
    assert_eq!(recv_text(&subscriber), ["topic"]);
}

fn nothing_else_is_sent(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Xsub);
    psubscribe(&subscriber, "*.x");
    subscribers(&publisher, 1);
    publish(&publisher, &["a.y", "b.y"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 2);
    publish(&publisher, &["a.x"]);
    // An XSUB filters nothing itself.
    assert_eq!(recv_text(&subscriber), ["a.x"]);
}

fn inverted_it_is_the_rest_of_the_union(world: &World) {
    let (publisher, subscriber) = world.linked_with(Pub, Sub, |options| options.invert_matching = true);
    subscriber.subscribe("not this").expect("subscribing");
    psubscribe(&subscriber, "n*r that");
    crate::world::eventually("both are told", || publisher.topics_count().expect("a publisher counts") == 2);
    publish(&publisher, &["not this one", "nor that", "nor that one"]);
    assert_eq!(recv_text(&subscriber), ["nor that one"]);
}

fn a_wrong_pattern_is_told_with_its_place(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    for (pattern, at) in [("a[", 1), ("[]", 0), ("ab[z-a]", 3), ("abc\\", 3)] {
        match subscriber.psubscribe(pattern) {
            Err(Error::InvalidPattern { at: found, .. }) => assert_eq!(found, at, "{pattern}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
    let long = subscriber.psubscribe(vec![b'*'; 65_537]);
    assert!(matches!(long, Err(Error::TooLarge { limit: 65_536, .. })), "{long:?}");
    let elsewhere = publisher.psubscribe("a");
    assert!(matches!(elsewhere, Err(Error::NotSupported { .. })), "{elsewhere:?}");
    subscriber.subscribe("marker").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01marker", "none of them went out");
}

/// Passes a subscription up and a message down.
fn an_ordinary_proxy_passes_on_what_covers_a_pattern(world: &World) {
    let (publisher, upstream) = world.bound(Xpub);
    let back = world.connected(Xsub, &upstream);
    let (front, downstream) = world.bound(Xpub);
    let subscriber = world.connected(Sub, &downstream);
    psubscribe(&subscriber, "w*r");
    back.send(recv(&front)).expect("forwarding the subscription");
    assert_eq!(notice(&publisher), b"\x01w");
    publish(&publisher, &["wind", "weather"]);
    for _ in 0..2 {
        front.send(recv(&back)).expect("forwarding a message");
    }
    assert_eq!(recv_text(&subscriber), ["weather"]);
    subscriber.punsubscribe("w*r").expect("it was subscribed");
    back.send(recv(&front)).expect("forwarding the cancellation");
    assert_eq!(notice(&publisher), b"\x00w");
}

fn a_proxy_that_knows_patterns_passes_them_on(world: &World) {
    let knowing = |socket_type| world.socket_with(socket_type, |options| options.glob_messages = true);
    let (publisher, front, back) = (knowing(Xpub), knowing(Xpub), knowing(Xsub));
    back.connect(&world.bind(&publisher)).expect("connecting");
    let subscriber = world.connected(Sub, &world.bind(&front));
    psubscribe(&subscriber, "w*r");
    back.send(recv(&front)).expect("forwarding the subscription");
    assert_eq!(notice(&publisher), b"\x02w*r");
    publish(&publisher, &["wind", "weather"]);
    front.send(recv(&back)).expect("forwarding a message");
    assert_eq!(recv_text(&subscriber), ["weather"]);
    drop(subscriber);
    back.send(recv(&front)).expect("forwarding the cancellation");
    assert_eq!(notice(&publisher), b"\x03w*r");
    let wrong = back.send(b"\x02[".as_slice()).expect_err("no pattern");
    assert!(matches!(wrong.error, Error::InvalidPattern { at: 0, .. }), "{}", wrong.error);
}

fn without_the_option_2_and_3_mean_nothing(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Xsub);
    peers(&subscriber, 1);
    for body in [&b"\x02a*"[..], b"\x03a*"] {
        subscriber.send(body).expect("an ordinary message");
        assert_eq!(notice(&publisher), body);
    }
    assert_eq!(publisher.topics_count().expect("a publisher counts"), 0);
}

fn topics_and_patterns_are_counted_together(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    for topic in ["a", "b"] {
        subscriber.subscribe(topic).expect("subscribing");
        notice(&publisher);
    }
    psubscribe(&subscriber, "c*d");
    notice(&publisher);
    subscriber.subscribe("a").expect("subscribing again");
    assert_eq!((publisher.topics_count().ok(), subscriber.topics_count().ok()), (Some(3), Some(3)));
    assert!(matches!(world.socket(Push).topics_count(), Err(Error::NotSupported { .. })));
}

fn patterns_come_back_after_a_restart(world: &World) {
    let endpoint = world.deserted_endpoint();
    let subscriber = world.socket_with(Sub, |options| {
        options.reconnect_interval = std::time::Duration::from_millis(1);
        options.reconnect_interval_max = std::time::Duration::ZERO;
    });
    psubscribe(&subscriber, "n*s");
    subscriber.subscribe("own").expect("subscribing");
    subscriber.connect(&endpoint).expect("connecting");
    for round in ["one", "two", "three"] {
        let publisher = world.socket(Pub);
        publisher.bind(&endpoint).expect("the one before is closed");
        crate::world::eventually("both are told", || publisher.topics_count().expect("it counts") == 2);
        send(&publisher, ["new", round]);
        send(&publisher, ["news", round]);
        assert_eq!(recv_text(&subscriber), ["news", round]);
        assert_eq!(publisher.stats().dropped_without_receiver, 1);
        publisher.close(std::time::Duration::from_secs(10));
        until_peers_left(&subscriber, 0);
    }
}

// ---- by hand

fn world() -> World {
    World::new(Transport::Tcp)
}

fn knowing(socket_type: &str) -> Vec<u8> {
    let properties =
        [property("Socket-Type", socket_type.as_bytes()), property("X-ServerLink-Globs", b"1")].concat();
    [greeting(1), command("READY", &properties)].concat()
}

#[test]
fn a_publisher_that_knows_no_patterns_is_told_what_covers_them() {
    let world = world();
    let (subscriber, endpoint) = world.bound(Sub);
    psubscribe(&subscriber, "ab*c");
    psubscribe(&subscriber, "ab?");
    let mut publisher = RawPeer::connect(&endpoint);
    publisher.shake_hands("PUB");
    assert_eq!(publisher.read_frame(), (COMMAND, b"\x09SUBSCRIBEab".to_vec()));
    publisher.send(&[frame(0, b"abxx"), frame(0, b"abxc")].concat());
    assert_eq!(recv_text(&subscriber), ["abxc"]);
    subscriber.punsubscribe("ab*c").expect("it was subscribed");
    psubscribe(&subscriber, "*");
    subscriber.punsubscribe("ab?").expect("it was subscribed");
    subscriber.punsubscribe("*").expect("it was subscribed");
    for expected in [&b"\x09SUBSCRIBE"[..], b"\x06CANCELab", b"\x06CANCEL"] {
        assert_eq!(publisher.read_frame(), (COMMAND, expected.to_vec()));
    }
}

#[test]
fn a_publisher_that_knows_patterns_is_told_them() {
    let world = world();
    let (subscriber, endpoint) = world.bound(Sub);
    psubscribe(&subscriber, "ab*c");
    let mut publisher = RawPeer::connect(&endpoint);
    publisher.send(&knowing("PUB"));
    publisher.read_greeting();
    let (_, ready) = publisher.read_frame();
    let announced = property("X-ServerLink-Globs", b"1");
    assert!(ready.windows(announced.len()).any(|window| window == announced));
    assert_eq!(publisher.read_frame(), (COMMAND, b"\x0aPSUBSCRIBEab*c".to_vec()));
    subscriber.punsubscribe("ab*c").expect("it was subscribed");
    assert_eq!(publisher.read_frame(), (COMMAND, b"\x07PCANCELab*c".to_vec()));
}

#[test]
fn an_xsub_takes_out_what_was_not_asked_for() {
    let world = world();
    let (subscriber, endpoint) = world.bound(Xsub);
    psubscribe(&subscriber, "ab*c");
    let mut publisher = RawPeer::connect(&endpoint);
    publisher.shake_hands("PUB");
    publisher.send(&[frame(0, b"abxx"), frame(0, b"other"), frame(0, b"abxc")].concat());
    assert_eq!(recv_text(&subscriber), ["other"], "it did not come for the pattern");
    assert_eq!(recv_text(&subscriber), ["abxc"]);
}

#[test]
fn a_peer_that_sends_what_is_no_pattern_loses_its_connection() {
    let world = world();
    let (publisher, endpoint) = world.bound(Pub);
    let mut bad = RawPeer::connect(&endpoint);
    bad.send(&[knowing("SUB"), command("PSUBSCRIBE", b"a["), command("PSUBSCRIBE", b"b*")].concat());
    bad.assert_closed();
    let good = world.connected(Sub, &endpoint);
    psubscribe(&good, "a[b]");
    subscribers(&publisher, 1);
    publisher.send(Message::from("ab")).expect("sending");
    assert_eq!(recv_text(&good), ["ab"]);
}
