//! One message to many: what they share must not be seen from outside.

use std::cell::Cell;

use serverlink::{Error, PeerStats, Socket, SocketType::*};

use crate::{
    everywhere, over_wires,
    world::{PATIENCE, World, connect, eventually, recv, recv_text, send, subscribers, until_peers_left},
};

everywhere! {
    a_few_who_get_more_have_it_in_order
    who_comes_late_gets_what_is_published_then
    who_leaves_takes_nothing_from_the_others
    large_and_small_keep_their_order
    everybody_is_waited_for_without_drops
    two_topics_with_the_same_subscribers_keep_their_order
}
over_wires! {
    a_pause_leaves_nothing_behind
    what_waits_is_counted_for_each_at_any_time
    who_does_not_read_loses_its_own_messages_alone
    closing_takes_what_was_published_along
}

/// More than it takes until peers that get the same are treated as one.
const A_WHILE: usize = 40;

fn all_subscribed(world: &World, publisher: &Socket, endpoint: &str, count: usize) -> Vec<Socket> {
    let all: Vec<Socket> = (0..count).map(|_| world.connected(Sub, endpoint)).collect();
    all.iter().for_each(|subscriber| subscriber.subscribe("all").expect("subscribing"));
    subscribers(publisher, count);
    all
}

fn publish(publisher: &Socket, topic: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        send(publisher, [&format!("{topic} {number}")]);
    }
}

fn expect(subscriber: &Socket, topic: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert_eq!(recv_text(subscriber), [format!("{topic} {number}")]);
    }
}

fn a_few_who_get_more_have_it_in_order(world: &World) {
    let (publisher, endpoint) = world.bound(Xpub);
    let all = all_subscribed(world, &publisher, &endpoint, 8);
    let few = &all[2..4];
    few.iter().for_each(|subscriber| subscriber.subscribe("few").expect("subscribing"));
    // Both notices of each topic are one; the marker comes behind all of them.
    all[3].subscribe("marker").expect("subscribing");
    while recv(&publisher).first() != b"\x01marker" {}
    eventually("both subscribed", || publisher.topics_count().expect("a publisher") >= 3);
    for round in 0..A_WHILE {
        publish(&publisher, "all", round * 3..round * 3 + 3);
        publish(&publisher, "few", round..round + 1);
    }
    for (place, subscriber) in all.iter().enumerate() {
        for round in 0..A_WHILE {
            expect(subscriber, "all", round * 3..round * 3 + 3);
            if (2..4).contains(&place) {
                expect(subscriber, "few", round..round + 1);
            }
        }
    }
}

fn who_comes_late_gets_what_is_published_then(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let mut all = all_subscribed(world, &publisher, &endpoint, 5);
    publish(&publisher, "all", 0..A_WHILE);
    let late = world.connected(Sub, &endpoint);
    late.subscribe("all").expect("subscribing");
    subscribers(&publisher, 6);
    publish(&publisher, "all", A_WHILE..3 * A_WHILE);
    expect(&late, "all", A_WHILE..3 * A_WHILE);
    all.drain(..).for_each(|subscriber| expect(&subscriber, "all", 0..3 * A_WHILE));
}

fn who_leaves_takes_nothing_from_the_others(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let mut all = all_subscribed(world, &publisher, &endpoint, 6);
    publish(&publisher, "all", 0..A_WHILE);
    drop(all.remove(2));
    publish(&publisher, "all", A_WHILE..2 * A_WHILE);
    until_peers_left(&publisher, 5);
    publish(&publisher, "all", 2 * A_WHILE..3 * A_WHILE);
    all.iter().for_each(|subscriber| expect(subscriber, "all", 0..3 * A_WHILE));
}

fn large_and_small_keep_their_order(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let all = all_subscribed(world, &publisher, &endpoint, 5);
    let large = "x".repeat(20_000);
    for round in 0..6 {
        publish(&publisher, "all", round * 20..round * 20 + 20);
        send(&publisher, ["all", &large, "tail"]);
    }
    for subscriber in &all {
        for round in 0..6 {
            expect(subscriber, "all", round * 20..round * 20 + 20);
            assert_eq!(recv_text(subscriber), ["all", &large, "tail"]);
        }
    }
}

fn everybody_is_waited_for_without_drops(world: &World) {
    let publisher = world.socket_with(Pub, |options| {
        options.xpub_no_drop = true;
        options.send_hwm = 20;
    });
    let endpoint = world.bind(&publisher);
    let all: Vec<Socket> = (0..6)
        .map(|_| {
            let subscriber = world.socket_with(Sub, |options| options.recv_hwm = 20);
            subscriber.subscribe("").expect("subscribing");
            connect(&subscriber, &endpoint);
            subscriber
        })
        .collect();
    subscribers(&publisher, 6);
    // Bodies that no kernel buffer swallows for long.
    let body = |number: usize| format!("{number} {}", "y".repeat(5000));
    let (mut sent, mut received) = (0, [0; 6]);
    while received.iter().any(|&count| count < 2000) {
        while sent < 2000 {
            match publisher.try_send(body(sent)) {
                Ok(()) => sent += 1,
                Err(failed) if matches!(failed.error, Error::WouldBlock) => break,
                Err(failed) => panic!("sending: {}", failed.error),
            }
        }
        for (subscriber, received) in all.iter().zip(&mut received) {
            while *received < sent {
                assert_eq!(recv_text(subscriber), [body(*received)]);
                *received += 1;
            }
        }
    }
    assert_eq!(publisher.stats().dropped_at_high_water_mark, 0);
}

fn two_topics_with_the_same_subscribers_keep_their_order(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let all: Vec<Socket> = (0..5).map(|_| world.connected(Sub, &endpoint)).collect();
    for subscriber in &all {
        subscriber.subscribe("b").expect("subscribing");
        subscriber.subscribe("a").expect("subscribing");
    }
    subscribers(&publisher, 5);
    eventually("both topics of all", || publisher.topics_count().expect("a publisher") == 2);
    // The second subscription of the last subscriber is behind its first.
    let probes = Cell::new(0);
    for subscriber in &all {
        eventually("it is subscribed to both", || {
            probes.set(probes.get() + 1);
            send(&publisher, [&format!("a probe {}", probes.get())]);
            subscriber.try_recv().is_ok()
        });
    }
    for number in 0..A_WHILE {
        publish(&publisher, "a", number..number + 1);
        publish(&publisher, "b", number..number + 1);
    }
    for subscriber in &all {
        let mut next = recv_text(subscriber);
        while next[0].starts_with("a probe") {
            next = recv_text(subscriber);
        }
        assert_eq!(next, ["a 0"]);
        expect(subscriber, "b", 0..1);
        for number in 1..A_WHILE {
            expect(subscriber, "a", number..number + 1);
            expect(subscriber, "b", number..number + 1);
        }
    }
}

/// However the writes of a burst end, its tail is written though nothing is published behind it.
fn a_pause_leaves_nothing_behind(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.send_buffer_bytes = Some(8 * 1024));
    let endpoint = world.bind(&publisher);
    let all = all_subscribed(world, &publisher, &endpoint, 5);
    let body = "w".repeat(1500);
    for round in 0..200 {
        let length = 3 + round * 7 % 90;
        std::thread::scope(|threads| {
            for subscriber in &all {
                threads.spawn(|| {
                    for number in 0..length {
                        let parts = recv_text(subscriber);
                        assert!(parts[0].starts_with(&format!("all {number} ")), "{:.20}", parts[0]);
                    }
                });
            }
            for number in 0..length {
                let body = if number % 3 == 0 { &body } else { "" };
                send(&publisher, [&format!("all {number} {body}")]);
            }
        });
    }
}

fn what_waits_is_counted_for_each_at_any_time(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let all = all_subscribed(world, &publisher, &endpoint, 5);
    for published in 1..=200u64 {
        send(&publisher, ["all of it"]);
        let given = |peer: &PeerStats| peer.sent + peer.send_queue;
        let peers = publisher.peer_stats();
        assert!(peers.iter().all(|peer| given(peer) == published && peer.dropped == 0), "{peers:?}");
    }
    eventually("all is written", || publisher.stats().send_queue == 0);
    let bytes: Vec<u64> = publisher.peer_stats().iter().map(|peer| peer.sent_bytes).collect();
    assert!(bytes.iter().all(|&sent| sent == bytes[0]), "{bytes:?}");
    for subscriber in &all {
        (0..200).for_each(|_| assert_eq!(recv_text(subscriber), ["all of it"]));
    }
}

fn who_does_not_read_loses_its_own_messages_alone(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.send_hwm = 100);
    let endpoint = world.bind(&publisher);
    let all: Vec<Socket> = (0..6)
        .map(|_| {
            let subscriber = world.socket_with(Sub, |options| options.recv_hwm = 100);
            subscriber.subscribe("").expect("subscribing");
            connect(&subscriber, &endpoint);
            subscriber
        })
        .collect();
    subscribers(&publisher, 6);
    let body = "z".repeat(4000);
    let (slow, readers) = all.split_first().expect("there are six");
    let mut published = 0;
    while publisher.stats().dropped_at_high_water_mark < 300 {
        for number in 0..20 {
            send(&publisher, [&format!("{} {body}", published + number)]);
        }
        for reader in readers {
            (0..20).for_each(|number| {
                assert_eq!(recv_text(reader), [format!("{} {body}", published + number)]);
            });
        }
        published += 20;
    }
    let peers = publisher.peer_stats();
    let lost: Vec<&PeerStats> = peers.iter().filter(|peer| peer.dropped > 0).collect();
    assert_eq!(lost.len(), 1, "{peers:?}");
    assert!(lost[0].send_queue <= 100, "{:?}", lost[0]);
    assert_eq!(lost[0].sent + lost[0].send_queue + lost[0].dropped, published);
    // Whatever the system took is whole and in order, with gaps where there was no room.
    let mut last = None;
    for _ in 0..lost[0].sent {
        let text = recv_text(slow).remove(0);
        let (number, rest) = text.split_once(' ').expect("a number and a body");
        let number: u64 = number.parse().expect("a number");
        assert!(last.is_none_or(|last| last < number) && rest == body, "{number} behind {last:?}");
        last = Some(number);
    }
}

fn closing_takes_what_was_published_along(world: &World) {
    let (publisher, endpoint) = world.bound(Pub);
    let all = all_subscribed(world, &publisher, &endpoint, 6);
    publish(&publisher, "all", 0..5 * A_WHILE);
    assert_eq!(publisher.close(PATIENCE).undelivered, 0);
    all.iter().for_each(|subscriber| expect(subscriber, "all", 0..5 * A_WHILE));
}
