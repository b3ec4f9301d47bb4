//! PUB and SUB: RFC 29.

use serverlink::{Error, Socket, SocketType::*};

use crate::{
    everywhere, over_transports,
    world::{
        World, assert_nothing_waits, connect, peers, promptly, recv, recv_text, send,
        send_once_there_is_room, subscribers,
    },
};

everywhere! {
    a_topic_is_a_prefix
    the_empty_topic_is_everything
    without_subscription_nothing_comes
    subscriptions_are_counted
    overlapping_topics_deliver_once
    everybody_gets_a_copy
    subscriptions_made_before_connecting
    a_bound_subscriber_subscribes_by_itself
    one_subscriber_of_two_publishers
    multipart_is_matched_by_its_first_part
    a_slow_subscriber_does_not_hold_up_others
    inverted_matching
    directions_are_one_way
}

over_transports! {
    the_publisher_never_blocks
}

fn subscribe(publisher: &Socket, subscriber: &Socket, topic: &str) {
    subscriber.subscribe(topic.as_bytes()).expect("subscribing");
    subscribers(publisher, 1);
}

fn publish(publisher: &Socket, messages: &[&str]) {
    for message in messages {
        send(publisher, [message]);
    }
}

fn a_topic_is_a_prefix(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    subscribe(&publisher, &subscriber, "ab");
    publish(&publisher, &["a", "ab", "b", "", "abc", "AB", "xab", "ab end"]);
    for expected in ["ab", "abc", "ab end"] {
        assert_eq!(recv_text(&subscriber), [expected]);
    }
    assert_nothing_waits(&subscriber);
}

fn the_empty_topic_is_everything(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    subscribe(&publisher, &subscriber, "");
    for message in ["", "a", "anything"] {
        send(&publisher, [message]);
        assert_eq!(recv_text(&subscriber), [message]);
    }
}

fn without_subscription_nothing_comes(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    publish(&publisher, &["lost", "lost"]);
    assert_eq!(publisher.stats().dropped_without_receiver, 2);
    subscribe(&publisher, &subscriber, "");
    publish(&publisher, &["kept"]);
    assert_eq!(recv_text(&subscriber), ["kept"]);
}

fn subscriptions_are_counted(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    for _ in 0..2 {
        subscriber.subscribe("twice").expect("subscribing");
    }
    assert_eq!(recv(&publisher).first(), b"\x01twice");
    subscriber.unsubscribe("twice").expect("it was subscribed");
    // The second topic's notice shows that the first unsubscription changed nothing.
    subscriber.subscribe("marker").expect("subscribing");
    assert_eq!(recv(&publisher).first(), b"\x01marker");
    send(&publisher, ["twice"]);
    assert_eq!(recv_text(&subscriber), ["twice"]);
    subscriber.unsubscribe("twice").expect("it was subscribed twice");
    assert_eq!(recv(&publisher).first(), b"\x00twice");
    publish(&publisher, &["twice", "marker"]);
    assert_eq!(recv_text(&subscriber), ["marker"]);
}

fn overlapping_topics_deliver_once(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    for topic in ["", "a", "ab"] {
        subscriber.subscribe(topic).expect("subscribing");
        recv(&publisher);
    }
    publish(&publisher, &["abc", "abc end"]);
    assert_eq!(recv_text(&subscriber), ["abc"]);
    assert_eq!(recv_text(&subscriber), ["abc end"]);
}

fn everybody_gets_a_copy(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let all: Vec<_> = (0..4).map(|_| world.connected(Sub, &endpoint)).collect();
    for subscriber in &all {
        subscriber.subscribe("").expect("subscribing");
    }
    subscribers(&publisher, 4);
    let large = "x".repeat(100_000);
    for message in ["small", &large] {
        send(&publisher, [message, "tail"]);
        for subscriber in &all {
            assert_eq!(recv_text(subscriber), [message, "tail"]);
        }
    }
}

fn subscriptions_made_before_connecting(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let subscriber = world.socket(Sub);
    subscriber.subscribe("early").expect("subscribing");
    subscriber.connect(&endpoint).expect("connecting");
    subscribers(&publisher, 1);
    publish(&publisher, &["late", "early bird"]);
    assert_eq!(recv_text(&subscriber), ["early bird"]);
}

fn a_bound_subscriber_subscribes_by_itself(world: &World) {
    let (subscriber, endpoint) = world.bound(Sub);
    subscriber.subscribe("topic").expect("subscribing");
    let publisher = world.socket(Pub);
    publisher.connect(&endpoint).expect("connecting");
    // The subscriber's application does nothing from here to the message.
    subscribers(&publisher, 1);
    publish(&publisher, &["other", "topic"]);
    assert_eq!(recv_text(&subscriber), ["topic"]);
}

fn one_subscriber_of_two_publishers(world: &World) {
    let publishers = [world.bound(Pub), world.bound(Pub)];
    let subscriber = world.socket(Sub);
    subscriber.subscribe("").expect("subscribing");
    for (publisher, endpoint) in &publishers {
        connect(&subscriber, endpoint);
        subscribers(publisher, 1);
    }
    for (publisher, endpoint) in &publishers {
        send(publisher, [endpoint]);
        assert_eq!(recv_text(&subscriber), [endpoint.as_str()]);
    }
}

fn multipart_is_matched_by_its_first_part(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    subscribe(&publisher, &subscriber, "topic");
    send(&publisher, ["other", "topic"]);
    send(&publisher, ["topic", "", "body"]);
    assert_eq!(recv_text(&subscriber), ["topic", "", "body"]);
}

fn the_publisher_never_blocks(world: &World) {
    let (publisher, subscriber) = world.linked_with(Pub, Sub, |options| {
        options.send_hwm = 10;
        options.recv_hwm = 10;
    });
    subscribe(&publisher, &subscriber, "");
    let (publisher, sent) = promptly("publishing to a subscriber that does not read", move || {
        let body = [0; 10_000];
        let mut sent = 0_u64;
        while publisher.stats().dropped_at_high_water_mark < 100 {
            publisher.try_send(body.as_slice()).expect("a publisher drops and does not block");
            sent += 1;
        }
        (publisher, sent)
    });
    let dropped = publisher.stats().dropped_at_high_water_mark;
    for _ in 0..sent - dropped {
        assert_eq!(recv(&subscriber).len_bytes(), 10_000);
    }
    send_once_there_is_room(&publisher, ["room again"]);
    assert_eq!(recv_text(&subscriber), ["room again"]);
}

fn a_slow_subscriber_does_not_hold_up_others(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.send_hwm = 5);
    let endpoint = world.bind(&publisher);
    let slow = world.socket_with(Sub, |options| options.recv_hwm = 5);
    connect(&slow, &endpoint);
    slow.subscribe("").expect("subscribing");
    let quick = world.connected(Sub, &endpoint);
    quick.subscribe("").expect("subscribing");
    subscribers(&publisher, 2);
    let body = "x".repeat(60_000);
    for round in 0..200 {
        send(&publisher, [&round.to_string(), &body]);
        assert_eq!(recv_text(&quick)[0], round.to_string());
    }
    assert_eq!(recv_text(&slow)[0], "0");
}

fn inverted_matching(world: &World) {
    let (publisher, subscriber) = world.linked_with(Pub, Sub, |options| options.invert_matching = true);
    subscribe(&publisher, &subscriber, "not this");
    publish(&publisher, &["not this one", "but this"]);
    assert_eq!(recv_text(&subscriber), ["but this"]);
}

fn directions_are_one_way(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    let received = publisher.try_recv();
    assert!(matches!(received, Err(Error::NotSupported { .. })), "{received:?}");
    let sent = subscriber.try_send("wrong way").expect_err("a SUB does not send");
    assert!(matches!(sent.error, Error::NotSupported { .. }), "{}", sent.error);
    let subscribed = publisher.subscribe("topic");
    assert!(matches!(subscribed, Err(Error::NotSupported { .. })), "{subscribed:?}");
    peers(&publisher, 1);
}
