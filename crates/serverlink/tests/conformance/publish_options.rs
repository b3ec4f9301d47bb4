//! A publisher's options that concern what subscribers get and may ask for.

use std::time::{Duration, Instant};

use serverlink::{Error, EventKind, Socket, SocketType::*};

use crate::{
    everywhere, over_transports,
    raw::{RawPeer, command},
    world::{
        PATIENCE, Transport, World, connect, eventually, peers, promptly, recv, recv_text, send, subscribers,
    },
};

everywhere! {
    a_welcome_comes_first
    a_publisher_that_dials_welcomes_too
    without_drops_nothing_is_lost_and_all_get_it_or_nobody
    too_many_topics_end_their_peer_alone
    too_many_bytes_of_topics_end_their_peer
    ten_thousand_subscriptions_of_one_peer
    waiting_for_subscribers_counts_patterns
}

over_transports! {
    a_publisher_without_drops_waits
    a_publisher_without_drops_goes_on_when_the_slow_one_cancels
    a_future_waits_for_room
}

fn subscribe(subscriber: &Socket, topic: &str) {
    subscriber.subscribe(topic).expect("subscribing");
}

fn a_welcome_comes_first(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.welcome_message = b"W: hello".to_vec());
    let endpoint = world.bind(&publisher);
    for _ in 0..2 {
        let subscriber = world.socket(Sub);
        subscribe(&subscriber, "");
        connect(&subscriber, &endpoint);
        eventually("it is subscribed", || {
            publisher.stats().peers > 0 && publisher.topics_count().ok() == Some(1)
        });
        send(&publisher, ["first"]);
        assert_eq!(recv_text(&subscriber), ["W: hello"]);
        assert_eq!(recv_text(&subscriber), ["first"]);
        drop(subscriber);
        crate::world::until_peers_left(&publisher, 0);
    }
}

fn a_publisher_that_dials_welcomes_too(world: &World) {
    let (subscriber, endpoint) = world.bound(Sub);
    subscribe(&subscriber, "W");
    let publisher = world.socket_with(Pub, |options| options.welcome_message = b"W".to_vec());
    connect(&publisher, &endpoint);
    assert_eq!(recv_text(&subscriber), ["W"]);
}

/// A publisher that drops nothing and two subscribers with little room, of which the second reads at once.
fn tight(world: &World) -> (Socket, Socket, Socket) {
    let publisher = world.socket_with(Pub, |options| {
        options.xpub_no_drop = true;
        options.send_hwm = 5;
    });
    let endpoint = world.bind(&publisher);
    let subscriber = || {
        let subscriber = world.socket_with(Sub, |options| options.recv_hwm = 5);
        connect(&subscriber, &endpoint);
        subscribe(&subscriber, "t");
        subscriber
    };
    let (slow, quick) = (subscriber(), subscriber());
    subscribers(&publisher, 2);
    (publisher, slow, quick)
}

static BODY: [u8; 60_000] = [b't'; 60_000];

/// Sends until nobody can take more; gives how many were taken.
fn fill(publisher: &Socket, quick: &Socket) -> usize {
    for sent in 0..100_000 {
        match publisher.try_send(BODY.as_slice()) {
            Ok(()) => assert_eq!(recv(quick).len_bytes(), BODY.len()),
            Err(failed) => {
                assert!(matches!(failed.error, Error::WouldBlock), "{}", failed.error);
                return sent;
            }
        }
    }
    panic!("a publisher without drops must not take everything");
}

fn without_drops_nothing_is_lost_and_all_get_it_or_nobody(world: &World) {
    let (publisher, slow, quick) = tight(world);
    let sent = fill(&publisher, &quick);
    assert!(
        matches!(quick.try_recv(), Err(Error::WouldBlock)),
        "what the slow one has no room for reaches nobody"
    );
    send(&publisher, ["x: nobody asked for this, so nobody is waited for"]);
    for _ in 0..sent {
        assert_eq!(recv(&slow).len_bytes(), BODY.len());
    }
    send(&publisher, ["t again"]);
    for subscriber in [&slow, &quick] {
        assert_eq!(recv_text(subscriber), ["t again"]);
    }
    assert_eq!(publisher.stats().dropped_at_high_water_mark, 0);
}

fn a_publisher_without_drops_waits(world: &World) {
    let (publisher, slow, quick) = tight(world);
    let mut sent = fill(&publisher, &quick);
    // The system may take more for a while.
    let error = loop {
        match publisher.send_deadline(BODY.as_slice(), Instant::now() + crate::world::MOMENT) {
            Ok(()) => assert_eq!(recv(&quick).len_bytes(), BODY.len()),
            Err(failed) => break failed.error,
        }
        sent += 1;
    };
    assert!(matches!(error, Error::TimedOut), "{error}");
    let publisher = promptly("sending when there is room", move || {
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| publisher.send_deadline("t last", Instant::now() + PATIENCE));
            for _ in 0..sent {
                assert_eq!(recv(&slow).len_bytes(), BODY.len());
            }
            assert_eq!(recv_text(&slow), ["t last"]);
            sender.join().expect("no panic").expect("room in time");
        });
        publisher
    });
    assert_eq!(recv_text(&quick), ["t last"]);
    drop(publisher);
}

fn a_publisher_without_drops_goes_on_when_the_slow_one_cancels(world: &World) {
    let (publisher, slow, quick) = tight(world);
    fill(&publisher, &quick);
    let (_publisher, _slow) = promptly("sending when nobody has to be waited for", move || {
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| publisher.send_deadline("t last", Instant::now() + PATIENCE));
            slow.unsubscribe("t").expect("it was subscribed");
            sender.join().expect("no panic").expect("nobody to wait for");
        });
        (publisher, slow)
    });
    assert_eq!(recv_text(&quick), ["t last"]);
}

fn a_future_waits_for_room(world: &World) {
    let (publisher, slow, quick) = tight(world);
    let sent = fill(&publisher, &quick);
    promptly("awaiting room", move || {
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| crate::futures::block_on(publisher.send_async("t last")));
            for _ in 0..sent {
                assert_eq!(recv(&slow).len_bytes(), BODY.len());
            }
            assert_eq!(recv_text(&slow), ["t last"]);
            sender.join().expect("no panic").expect("room in time");
        });
    });
    assert_eq!(recv_text(&quick), ["t last"]);
}

fn too_many_topics_end_their_peer_alone(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.max_subscriptions = 3);
    let endpoint = world.bind(&publisher);
    let events = publisher.monitor();
    let good = world.connected(Sub, &endpoint);
    for topic in ["a", "b", "b", "a"] {
        subscribe(&good, topic);
    }
    good.psubscribe("c*").expect("a pattern");
    eventually("three are taken", || publisher.topics_count().ok() == Some(3));
    let greedy = world.socket_with(Sub, |options| options.reconnect_interval = Duration::from_secs(3600));
    connect(&greedy, &endpoint);
    peers(&publisher, 2);
    for topic in ["a", "b", "c", "d"] {
        subscribe(&greedy, topic);
    }
    crate::world::until_peers_left(&publisher, 1);
    assert!(publisher.stats().refused_subscriptions > 0);
    let reason = crate::monitor::wait_for(&events, |event| match event {
        EventKind::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(reason.contains("more topics"), "{reason}");
    send(&publisher, ["cd"]);
    assert_eq!(recv_text(&good), ["cd"]);
}

fn too_many_bytes_of_topics_end_their_peer(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.max_subscription_bytes = 10);
    let endpoint = world.bind(&publisher);
    let good = world.connected(Sub, &endpoint);
    subscribe(&good, "0123456789");
    subscribers(&publisher, 1);
    let greedy = world.socket_with(Sub, |options| options.reconnect_interval = Duration::from_secs(3600));
    connect(&greedy, &endpoint);
    peers(&publisher, 2);
    subscribe(&greedy, "01234567891");
    crate::world::until_peers_left(&publisher, 1);
    send(&publisher, ["0123456789"]);
    assert_eq!(recv_text(&good), ["0123456789"]);
}

fn ten_thousand_subscriptions_of_one_peer(world: &World) {
    let (publisher, subscriber) = world.linked(Pub, Sub);
    for number in 0..10_000 {
        subscribe(&subscriber, &format!("topic {number:05}."));
    }
    subscriber.psubscribe("pattern ?").expect("a pattern");
    eventually("all are taken", || publisher.topics_count().ok() == Some(10_001));
    for number in [0, 4_711, 9_999] {
        let message = format!("topic {number:05}. news");
        send(&publisher, ["topic 10000."]);
        send(&publisher, [&message]);
        assert_eq!(recv_text(&subscriber), [message]);
    }
    for number in 0..10_000 {
        subscriber.unsubscribe(format!("topic {number:05}.")).expect("it was subscribed");
    }
    eventually("all but the pattern are cancelled", || publisher.topics_count().ok() == Some(1));
    assert_eq!(publisher.stats().refused_subscriptions, 0);
}

fn waiting_for_subscribers_counts_patterns(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let (one, other) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    one.psubscribe("a*").expect("a pattern");
    subscribe(&one, "a");
    subscribers(&publisher, 1);
    let early = publisher.wait_for_subscribers(2, Duration::ZERO);
    assert!(matches!(early, Err(Error::TimedOut)), "one peer counts once: {early:?}");
    other.psubscribe("b*").expect("a pattern");
    subscribers(&publisher, 2);
}

/// Ten thousand and one, by a peer that does not stop.
#[test]
fn the_limit_holds_against_a_peer_by_hand() {
    let world = World::new(Transport::Tcp);
    let publisher = world.socket_with(Xpub, |options| options.max_subscriptions = 10_000);
    let endpoint = world.bind(&publisher);
    let mut peer = RawPeer::connect(&endpoint);
    peer.shake_hands("SUB");
    let all: Vec<u8> =
        (0..10_002).flat_map(|number: u32| command("SUBSCRIBE", &number.to_be_bytes())).collect();
    peer.try_send(&all);
    peer.assert_closed();
    for _ in 0..10_000 {
        assert_eq!(recv(&publisher).first()[0], 1);
    }
    assert!(publisher.stats().refused_subscriptions >= 1);
    assert_eq!(recv(&publisher).first()[0], 0, "then it is gone, and with it what it asked for");
}
