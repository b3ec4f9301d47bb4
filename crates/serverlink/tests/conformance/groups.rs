//! RADIO and DISH: RFC 48.

use serverlink::{Error, Message, Part, Socket, SocketType::*};

use crate::{
    everywhere, over_streams,
    raw::{RawPeer, command, frame, greeting, property, ready},
    world::{
        Transport, World, assert_nothing_waits, connect, eventually, peers, recv, recv_text, send,
        send_once_there_is_room, subscribers, until_peers_left,
    },
};

everywhere! {
    who_joined_gets_the_group
    all_of_a_name_counts
    joining_is_idempotent
    a_group_is_left
    whoever_joins_later_gets_what_comes_later
    names_that_cannot_be_groups_are_refused
    groups_and_topics_are_not_the_same
    who_has_no_room_misses_it
    a_dish_that_takes_nothing_holds_up_nobody
    without_drops_it_is_waited_for
    a_lot_of_dishes
    directions_are_one_way
}

over_streams! {
    groups_are_joined_again_after_a_loss
}

/// A RADIO bound, and a DISH of these groups that it knows of.
fn tuned<const N: usize>(world: &World, groups: [&str; N]) -> (Socket, Socket) {
    let (radio, endpoint) = world.bound(Radio);
    let dish = world.socket(Dish);
    for group in groups {
        assert!(dish.join(group).expect("a group"));
    }
    dish.connect(&endpoint).expect("connecting");
    subscribers(&radio, usize::from(N > 0));
    peers(&radio, 1);
    (radio, dish)
}

fn who_joined_gets_the_group(world: &World) {
    let (radio, dish) = tuned(world, ["news", ""]);
    for (group, body) in [("weather", "rain"), ("news", "first"), ("", "to all without a name"), ("news", "")]
    {
        send(&radio, [group, body]);
    }
    assert_eq!(recv_text(&dish), ["news", "first"]);
    assert_eq!(recv_text(&dish), ["", "to all without a name"]);
    assert_eq!(recv_text(&dish), ["news", ""]);
    assert_eq!(radio.topics_count().expect("groups"), 2);
    assert_eq!(dish.topics_count().expect("groups"), 2);
}

fn all_of_a_name_counts(world: &World) {
    let (radio, dish) = tuned(world, ["abc"]);
    for group in ["a", "ab", "abcd", "ABC", "b", "", "abc"] {
        send(&radio, [group, "body"]);
    }
    assert_eq!(recv_text(&dish), ["abc", "body"]);
    assert_nothing_waits(&dish);
}

fn joining_is_idempotent(world: &World) {
    let (radio, dish) = tuned(world, ["g"]);
    assert!(!dish.join("g").expect("a group"), "it is joined already");
    assert!(!dish.leave("other").expect("a group"), "it was not joined");
    send(&radio, ["g", "once"]);
    assert_eq!(recv_text(&dish), ["g", "once"]);
    assert!(dish.leave("g").expect("a group"));
    eventually("the RADIO knows", || radio.topics_count().expect("groups") == 0);
}

fn a_group_is_left(world: &World) {
    let (radio, dish) = tuned(world, ["kept", "left"]);
    send(&radio, ["left", "one"]);
    assert_eq!(recv_text(&dish), ["left", "one"]);
    assert!(dish.leave("left").expect("a group"));
    // Wherever this one is when the group is left: it is not received any more.
    send(&radio, ["left", "two"]);
    send(&radio, ["kept", "three"]);
    assert_eq!(recv_text(&dish), ["kept", "three"]);
}

fn whoever_joins_later_gets_what_comes_later(world: &World) {
    let (radio, dish) = tuned(world, []);
    send(&radio, ["g", "unheard"]);
    dish.join("g").expect("a group");
    subscribers(&radio, 1);
    send(&radio, ["g", "heard"]);
    assert_eq!(recv_text(&dish), ["g", "heard"]);
}

fn names_that_cannot_be_groups_are_refused(world: &World) {
    let (radio, dish) = tuned(world, ["x"]);
    let long = "x".repeat(256);
    for name in ["with\0zero", "\0", &long] {
        let refused = dish.join(name).expect_err("no group");
        assert!(matches!(refused, Error::InvalidGroup { .. }), "{refused}");
        let message = Message::from_parts([name, "body"]);
        let refused = radio.try_send(message.clone()).expect_err("no group");
        assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{}", refused.error);
        assert_eq!(refused.message, message);
    }
    let longest = "x".repeat(255);
    dish.join(&longest).expect("it is not too long");
    eventually("the RADIO knows", || radio.topics_count().expect("groups") == 2);
    send(&radio, [&longest, "body"]);
    assert_eq!(recv_text(&dish), [&longest[..], "body"]);
}

fn groups_and_topics_are_not_the_same(world: &World) {
    let (radio, dish) = (world.socket(Radio), world.socket(Dish));
    assert!(matches!(dish.subscribe("g"), Err(Error::NotSupported { .. })));
    assert!(matches!(dish.psubscribe("g*"), Err(Error::NotSupported { .. })));
    assert!(matches!(radio.join("g"), Err(Error::NotSupported { .. })));
    assert!(matches!(world.socket(Sub).join("g"), Err(Error::NotSupported { .. })));
    assert!(matches!(world.socket(Sub).leave("g"), Err(Error::NotSupported { .. })));
}

fn who_has_no_room_misses_it(world: &World) {
    let radio = world.socket_with(Radio, |options| options.send_hwm = 3);
    let dish = world.socket_with(Dish, |options| options.recv_hwm = 3);
    dish.join("g").expect("a group");
    dish.connect(&world.bind(&radio)).expect("connecting");
    subscribers(&radio, 1);
    let body = "f".repeat(60_000);
    let mut sent = 0;
    while radio.stats().dropped_at_high_water_mark == 0 {
        send(&radio, ["g", &body]);
        sent += 1;
    }
    for _ in 1..sent {
        assert_eq!(recv_text(&dish)[1].len(), 60_000);
    }
    send_once_there_is_room(&radio, ["g", "room again"]);
    assert_eq!(recv_text(&dish), ["g", "room again"]);
}

/// What it does not miss comes in its order, once it goes on.
fn a_dish_that_takes_nothing_holds_up_nobody(world: &World) {
    const OCTETS: usize = 60_000;
    let radio = world.socket_with(Radio, |options| options.send_hwm = 20);
    let endpoint = world.bind(&radio);
    let [slow, quick] = [(); 2].map(|()| {
        let dish = world.socket_with(Dish, |options| options.recv_hwm = 20);
        dish.join("g").expect("a group");
        connect(&dish, &endpoint);
        dish
    });
    subscribers(&radio, 2);
    let number_in = |dish| recv_text(dish)[1].parse::<usize>().expect("digits");
    let mut sent = 0;
    while radio.stats().dropped_at_high_water_mark < 50 {
        send(&radio, ["g", &format!("{sent:0OCTETS$}")]);
        assert_eq!(number_in(&quick), sent, "the quick one misses nothing");
        sent += 1;
    }
    let missed: Vec<u64> = radio.peer_stats().iter().map(|peer| peer.dropped).collect();
    assert_eq!((missed.len(), missed.iter().sum::<u64>(), missed.contains(&50)), (2, 50, true));
    let heard: Vec<usize> = (0..sent - 50).map(|_| number_in(&slow)).collect();
    assert!(heard.is_sorted_by(|earlier, later| earlier < later), "{heard:?}");
    send_once_there_is_room(&radio, ["g", "room again"]);
    assert_eq!(recv_text(&slow)[1], "room again");
}

fn without_drops_it_is_waited_for(world: &World) {
    let radio = world.socket_with(Radio, |options| (options.send_hwm, options.xpub_no_drop) = (3, true));
    let dish = world.socket_with(Dish, |options| options.recv_hwm = 3);
    dish.join("g").expect("a group");
    dish.connect(&world.bind(&radio)).expect("connecting");
    subscribers(&radio, 1);
    let message = || Message::from_parts([Part::from("g"), Part::copy_from(&vec![b'f'; 60_000])]);
    let mut sent = 0;
    while radio.try_send(message()).is_ok() {
        sent += 1;
    }
    radio.try_send(Message::from_parts(["nobody's", "body"])).expect("it waits for nobody");
    for _ in 0..sent {
        recv(&dish);
    }
    send(&radio, ["g", "room again"]);
    assert_eq!(recv_text(&dish), ["g", "room again"]);
    assert_eq!(radio.stats().dropped_at_high_water_mark, 0);
}

/// So many that they are sent to as one.
fn a_lot_of_dishes(world: &World) {
    let (radio, endpoint) = world.bound(Radio);
    let dishes: Vec<_> = (0..12)
        .map(|number| {
            let dish = world.socket(Dish);
            dish.join("all").expect("a group");
            dish.join(if number % 2 == 0 { "even" } else { "odd" }).expect("a group");
            dish.connect(&endpoint).expect("connecting");
            dish
        })
        .collect();
    subscribers(&radio, 12);
    eventually("all have joined", || radio.topics_count().expect("groups") == 3);
    // Who joined the first of its groups has not joined the second yet.
    for round in 0..40 {
        send(&radio, ["all", &round.to_string()]);
    }
    send(&radio, ["all", "end"]);
    for dish in &dishes {
        let texts: Vec<_> = (0..41).map(|_| recv_text(dish).remove(1)).collect();
        assert_eq!(texts[..3], ["0", "1", "2"]);
        assert_eq!(texts[40], "end");
        assert_nothing_waits(dish);
    }
}

fn directions_are_one_way(world: &World) {
    let (radio, dish) = tuned(world, []);
    assert!(matches!(radio.try_recv(), Err(Error::NotSupported { .. })));
    let refused = dish.try_send("up").expect_err("a DISH does not send");
    assert!(matches!(refused.error, Error::NotSupported { .. }), "{}", refused.error);
}

fn groups_are_joined_again_after_a_loss(world: &World) {
    let (first, endpoint) = world.bound(Radio);
    let dish = world.socket_with(Dish, |options| {
        options.reconnect_interval = std::time::Duration::from_millis(5);
    });
    dish.join("kept").expect("a group");
    dish.join("left").expect("a group");
    dish.connect(&endpoint).expect("connecting");
    subscribers(&first, 1);
    dish.leave("left").expect("a group");
    drop(first);
    until_peers_left(&dish, 0);
    dish.join("new").expect("a group");
    let second = world.socket(Radio);
    eventually("the endpoint is free", || second.bind(&endpoint).is_ok());
    eventually("the groups are told", || second.topics_count().expect("groups") == 2);
    for group in ["left", "kept", "new"] {
        send(&second, [group, "again"]);
    }
    assert_eq!(recv_text(&dish), ["kept", "again"]);
    assert_eq!(recv_text(&dish), ["new", "again"]);
}

// ---- octet by octet, as libzmq with drafts speaks

#[test]
fn a_dish_joins_by_commands_and_takes_a_group_and_a_body() {
    let world = World::new(Transport::Tcp);
    let (dish, endpoint) = world.bound(Dish);
    dish.join("before").expect("a group");
    let mut radio = RawPeer::connect(&endpoint);
    radio.send(&greeting(1));
    radio.send(&ready("RADIO"));
    radio.read_greeting();
    assert_eq!(
        radio.read_frame().1,
        b"\x05READY\x0bSocket-Type\0\0\0\x04DISH\x17X-ServerLink-Heartbeats\0\0\0\x011"
    );
    assert_eq!(radio.read_frame(), (4, b"\x04JOINbefore".to_vec()));
    peers(&dish, 1);
    dish.join("behind").expect("a group");
    assert_eq!(radio.read_frame(), (4, b"\x04JOINbehind".to_vec()));
    dish.leave("before").expect("a group");
    assert_eq!(radio.read_frame(), (4, b"\x05LEAVEbefore".to_vec()));
    for parts in [&["before", "left"][..], &["behind"], &["behind", "two", "bodies"], &["behind", "body"]] {
        for (index, part) in parts.iter().enumerate() {
            radio.send(&frame(u8::from(index + 1 < parts.len()), part.as_bytes()));
        }
    }
    assert_eq!(recv_text(&dish), ["behind", "body"]);
    assert_eq!(dish.stats().discarded, 3);
}

#[test]
fn a_radio_hears_joins_and_nothing_else() {
    let world = World::new(Transport::Tcp);
    let (radio, endpoint) = world.bound(Radio);
    let mut dish = RawPeer::connect(&endpoint);
    dish.send(&greeting(1));
    dish.send(&ready("DISH"));
    dish.read_greeting();
    assert_eq!(dish.read_frame().1, b"\x05READY\x0bSocket-Type\0\0\0\x05RADIO");
    for (name, group) in [("SUBSCRIBE", "s"), ("JOIN", "g"), ("JOIN", ""), ("LEAVE", ""), ("LEAVE", "never")]
    {
        dish.send(&command(name, group.as_bytes()));
    }
    dish.send(&frame(0, b"\x01message-form"));
    for group in ["last", "but one"] {
        dish.send(&command("JOIN", group.as_bytes()));
    }
    // There were two for a moment before, too.
    eventually("all is heard", || radio.topics_count().expect("groups") == 3);
    for group in ["s", "message-form", "", "g"] {
        send(&radio, [group, "body"]);
    }
    assert_eq!(dish.read_frame(), (1, b"g".to_vec()));
    assert_eq!(dish.read_frame(), (0, b"body".to_vec()));
    dish.send(&command("JOIN", &[b'x'; 256]));
    dish.assert_closed();
}

/// A DISH of libzmq takes a PING for a message, and goes. One that says that it knows better gets them.
#[test]
fn only_a_dish_that_says_so_gets_pings() {
    let world = World::new(Transport::Tcp);
    let radio = world.socket_with(Radio, |options| {
        options.heartbeat_interval = std::time::Duration::from_millis(5);
    });
    let endpoint = world.bind(&radio);
    let tune_in = |properties: &[u8]| {
        let mut dish = RawPeer::connect(&endpoint);
        dish.send(&greeting(1));
        dish.send(&command("READY", properties));
        dish.read_greeting();
        dish.read_frame();
        dish.send(&command("JOIN", b"g"));
        dish
    };
    let plain = property("Socket-Type", b"DISH");
    let mut silent = tune_in(&plain);
    let mut pinged = tune_in(&[plain, property("X-ServerLink-Heartbeats", b"1")].concat());
    for _ in 0..3 {
        assert!(pinged.read_frame().1.starts_with(b"\x04PING"));
    }
    subscribers(&radio, 2);
    send(&radio, ["g", "first of all"]);
    assert_eq!(silent.read_frame(), (1, b"g".to_vec()));
}
