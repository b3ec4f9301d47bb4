//! RADIO, DISH and DGRAM over udp. Everything stays on the loopback interface, which loses nothing of so little.

use std::net::{SocketAddr, UdpSocket};

use serverlink::security::Security;
use serverlink::{
    Endpoint, Error, EventKind, Linger, Message, Options, Port, Socket, SocketType, SocketType::*,
};

use crate::world::{
    PATIENCE, Transport, World, assert_nothing_waits, eventually, peers, recv, recv_text, send, subscribers,
};

fn world() -> World {
    World::new(Transport::Tcp)
}

/// Bound to a port of the system's choice; `udp://address:port` to connect to.
fn bound(socket: &Socket) -> (String, SocketAddr) {
    let endpoint = socket.bind("udp://127.0.0.1:*").expect("a free port");
    let Endpoint::Udp { port: Port::Number(port), .. } = endpoint else {
        panic!("{endpoint} is where it is bound")
    };
    (endpoint.to_string(), ([127, 0, 0, 1], port).into())
}

fn dish(world: &World, groups: &[&str]) -> (Socket, String, SocketAddr) {
    let dish = world.socket(Dish);
    groups.iter().for_each(|group| assert!(dish.join(group).expect("a group")));
    let (endpoint, address) = bound(&dish);
    (dish, endpoint, address)
}

fn radio(world: &World, endpoint: &str) -> Socket {
    let radio = world.socket(Radio);
    radio.connect(endpoint).expect("connecting");
    radio
}

/// A program that knows nothing of groups.
fn stranger() -> UdpSocket {
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    stranger.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stranger
}

#[test]
fn a_dish_takes_what_it_joined() {
    let world = world();
    let (dish, endpoint, _) = dish(&world, &["news", ""]);
    let radio = radio(&world, &endpoint);
    // At once: nobody has to answer first.
    for (group, body) in [("weather", "rain"), ("news", "first"), ("", "without a name"), ("news", "")] {
        send(&radio, [group, body]);
    }
    assert_eq!(recv_text(&dish), ["news", "first"]);
    assert_eq!(recv_text(&dish), ["", "without a name"]);
    assert_eq!(recv_text(&dish), ["news", ""]);
    assert_eq!(dish.stats().discarded, 1, "the weather");
    assert!(dish.leave("news").expect("a group"));
    assert!(dish.join("weather").expect("a group"));
    send(&radio, ["news", "left"]);
    send(&radio, ["weather", "sun"]);
    assert_eq!(recv_text(&dish), ["weather", "sun"]);
    assert_eq!((radio.stats().sent, radio.stats().dropped_without_receiver), (6, 0));
}

#[test]
fn a_datagram_is_the_length_of_the_group_the_group_and_the_body() {
    let world = world();
    let stranger = stranger();
    let radio = radio(&world, &format!("udp://{}", stranger.local_addr().expect("it is bound")));
    let mut buffer = vec![0; 70_000];
    let mut expect = |octets: &[u8]| {
        let (count, _) = stranger.recv_from(&mut buffer).expect("a datagram");
        assert_eq!(&buffer[..count], octets);
    };
    send(&radio, ["tv", "ball"]);
    expect(b"\x02tvball");
    send(&radio, ["", ""]);
    expect(b"\0");
    let longest = [&b"\x02tv"[..], &vec![7; 65_507 - 3]].concat();
    radio.send(Message::from_parts([&b"tv"[..], &longest[3..]])).expect("as long as it may be");
    expect(&longest);
}

#[test]
fn many_in_a_row_come_in_order() {
    let world = world();
    let (dish, endpoint, _) = dish(&world, &["g"]);
    let radio = radio(&world, &endpoint);
    for round in 0..20 {
        for number in 0..100 {
            send(&radio, ["g", &format!("{round}.{number}")]);
        }
        for number in 0..100 {
            assert_eq!(recv_text(&dish), ["g", &format!("{round}.{number}")]);
        }
    }
    assert_eq!(radio.stats().dropped_at_high_water_mark, 0);
}

#[test]
fn a_group_of_multicast_reaches_every_dish() {
    let world = world();
    let dishes = [world.socket(Dish), world.socket(Dish)];
    dishes.iter().for_each(|dish| assert!(dish.join("g").expect("a group")));
    let endpoint = dishes[0].bind("udp://127.0.0.1;239.255.83.76:*").expect("a group to join").to_string();
    assert_eq!(dishes[1].bind(&endpoint).expect("a group that others joined").to_string(), endpoint);
    let radio = world.socket_with(Radio, |options| options.udp.multicast_hops = 0);
    radio.connect(&endpoint).expect("connecting");
    send(&radio, ["g", "to all"]);
    peers(&radio, 1);
    eventually("it is out", || radio.stats().send_queue == 0);
    if radio.stats().dropped_without_receiver > 0 {
        // A machine whose loopback interface knows no groups.
        return;
    }
    for dish in &dishes {
        assert_eq!(recv_text(dish), ["g", "to all"]);
    }
}

#[test]
fn what_is_no_datagram_of_a_radio_is_dropped_and_counted() {
    let world = world();
    let (dish, _, address) = dish(&world, &["g"]);
    let stranger = stranger();
    for octets in [&b""[..], b"\x01", b"\xffg", b"\x02g", b"\x01xnot joined", &[0xff; 60_000]] {
        stranger.send_to(octets, address).expect("loopback");
    }
    stranger.send_to(b"\x01ggood", address).expect("loopback");
    assert_eq!(recv_text(&dish), ["g", "good"]);
    assert_nothing_waits(&dish);
    assert_eq!(dish.stats().discarded, 6);
}

#[test]
fn a_message_longer_than_the_limit_is_dropped_and_counted() {
    let world = world();
    let dish = world.socket_with(Dish, |options| options.max_message_bytes = 100);
    assert!(dish.join("g").expect("a group"));
    let radio = radio(&world, &bound(&dish).0);
    send(&radio, ["g", &"x".repeat(100)]);
    send(&radio, ["g", &"x".repeat(99)]);
    assert_eq!(recv_text(&dish)[1].len(), 99);
    assert_eq!(dish.stats().discarded, 1);
}

#[test]
fn what_finds_the_mark_reached_is_dropped_and_counted() {
    let world = world();
    let dish = world.socket_with(Dish, |options| options.recv_hwm = 10);
    assert!(dish.join("g").expect("a group"));
    let radio = radio(&world, &bound(&dish).0);
    for number in 0..50 {
        send(&radio, ["g", &number.to_string()]);
    }
    eventually("all came", || {
        let stats = dish.stats();
        (stats.receive_queue, stats.dropped_at_high_water_mark) == (10, 40)
    });
    for number in 0..10 {
        assert_eq!(recv_text(&dish), ["g", &number.to_string()]);
    }
    send(&radio, ["g", "after them"]);
    assert_eq!(recv_text(&dish), ["g", "after them"]);
    assert_eq!(dish.stats().receive_queue_bytes, 0);
}

#[test]
fn what_does_not_fit_is_refused_and_comes_back() {
    let world = world();
    let (dish, endpoint, _) = dish(&world, &["g"]);
    let radio = radio(&world, &endpoint);
    let too_long = Message::from_parts([&b"g"[..], &vec![0; 65_506]]);
    let refused = radio.send(too_long.clone()).expect_err("it fits into no datagram");
    assert!(matches!(refused.error, Error::TooLarge { size: 65_508, limit: 65_507 }), "{}", refused.error);
    assert_eq!(refused.message, too_long);
    let group = "x".repeat(256);
    let refused = radio.send(Message::from_parts([group.as_str(), "body"])).expect_err("no such group");
    assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{}", refused.error);
    send(&radio, ["g", "still here"]);
    assert_eq!(recv_text(&dish), ["g", "still here"]);
    // Without udp a RADIO has no such limit.
    world.socket(Radio).send(too_long).expect("nobody is there");
}

#[test]
fn a_radio_has_both_kinds_of_dishes() {
    let world = world();
    let (far, endpoint, _) = dish(&world, &["g"]);
    let radio = world.socket(Radio);
    let near = world.connected(Dish, &world.bind(&radio));
    assert!(near.join("g").expect("a group"));
    subscribers(&radio, 1);
    radio.connect(&endpoint).expect("connecting");
    send(&radio, ["g", "for both"]);
    send(&radio, ["other", "for nobody"]);
    send(&radio, ["g", "for both again"]);
    for dish in [&near, &far] {
        assert_eq!(recv_text(dish), ["g", "for both"]);
        assert_eq!(recv_text(dish), ["g", "for both again"]);
    }
    assert_eq!((near.stats().discarded, far.stats().discarded), (0, 1));
    radio.disconnect(&endpoint).expect("it was connected");
    send(&radio, ["g", "for the near one"]);
    assert_eq!(recv_text(&near), ["g", "for the near one"]);
    assert_nothing_waits(&far);
}

#[test]
fn a_closed_radio_has_sent_everything() {
    let world = world();
    let (dish, endpoint, _) = dish(&world, &["g"]);
    let radio = world.socket_with(Radio, |options| options.linger = Linger::Forever);
    // A name: the messages wait until it is resolved.
    radio.connect(&endpoint.replace("127.0.0.1", "localhost")).expect("connecting");
    for number in 0..10 {
        send(&radio, ["g", &number.to_string()]);
    }
    let report = radio.close(PATIENCE);
    assert_eq!(report.undelivered, 0);
    for number in 0..10 {
        assert_eq!(recv_text(&dish), ["g", &number.to_string()]);
    }
}

#[test]
fn nobody_there_is_no_error() {
    let world = world();
    let address = stranger().local_addr().expect("it is bound");
    let radio = radio(&world, &format!("udp://{address}"));
    for _ in 0..3 {
        send(&radio, ["g", "lost"]);
    }
    let dish = world.socket(Dish);
    assert!(dish.join("g").expect("a group"));
    eventually("they are out", || radio.stats().send_queue == 0);
    dish.bind(&format!("udp://{address}")).expect("the stranger is gone");
    send(&radio, ["g", "heard"]);
    assert_eq!(recv_text(&dish), ["g", "heard"]);
}

/// A poll of another thread keeps the port there until the system has called it off.
fn frees_ports_later() -> bool {
    cfg!(windows) && std::env::var_os("SERVERLINK_DRIVER").is_some_and(|driver| driver == "polling")
}

#[test]
fn an_address_is_taken_until_it_is_unbound() {
    let world = world();
    let (dish, endpoint, address) = dish(&world, &["g"]);
    let monitor = dish.monitor();
    let other = world.socket(Dish);
    let taken = other.bind(&endpoint).expect_err("it is taken");
    assert!(matches!(taken, Error::AddressInUse { .. }), "{taken}");
    stranger().send_to(b"\x01gunread", address).expect("loopback");
    eventually("it is here", || dish.stats().receive_queue == 1);
    dish.unbind(&endpoint).expect("it was bound");
    if !frees_ports_later() {
        other.bind(&endpoint).expect("it is free");
    }
    assert!(matches!(dish.unbind(&endpoint), Err(Error::NoSuchEndpoint { .. })));
    assert_eq!(recv_text(&dish), ["g", "unread"], "what came is kept");
    let closed = |kind: &EventKind| matches!(kind, EventKind::ListenerClosed { .. });
    eventually("its end is told", || monitor.try_next().is_some_and(|event| closed(&event.kind)));
    dish.close(PATIENCE);
    drop(other);
    eventually("nothing is left", || world.context.report().registrations() == 0);
}

#[test]
fn who_has_nothing_to_do_with_datagrams_is_refused() {
    let world = world();
    let refused = |outcome: Result<(), Error>| match outcome {
        Err(Error::WrongTransport { .. }) => {}
        other => panic!("{other:?}"),
    };
    for kind in SocketType::ALL {
        let socket = world.socket(kind);
        if !matches!(kind, Dish | Dgram) {
            refused(socket.bind("udp://127.0.0.1:*").map(drop));
        }
        if kind != Radio {
            refused(socket.connect("udp://127.0.0.1:5555"));
        }
    }
    let dgram = world.socket(Dgram);
    for endpoint in ["tcp://127.0.0.1:*", "inproc://x", "ipc://*"] {
        refused(dgram.bind(endpoint).map(drop));
    }
    refused(dgram.connect("tcp://127.0.0.1:5555"));
    for endpoint in ["udp://*:5555", "udp://127.0.0.1:*", "udp://lo;127.0.0.1:5"] {
        assert!(matches!(world.socket(Radio).connect(endpoint), Err(Error::InvalidEndpoint { .. })));
    }
}

#[test]
fn who_wants_to_be_protected_gets_no_datagrams() {
    let world = world();
    let secure = |options: &mut Options| options.security = Security::plain_server();
    for kind in [Radio, Dish] {
        let socket = world.socket_with(kind, secure);
        let outcome = match kind {
            Radio => socket.connect("udp://127.0.0.1:5555"),
            _ => socket.bind("udp://127.0.0.1:*").map(drop),
        };
        assert!(matches!(outcome, Err(Error::WrongTransport { .. })), "{kind}: {outcome:?}");
    }
    let mut options = Options::default();
    secure(&mut options);
    assert!(matches!(world.context.socket_with(Dgram, options), Err(Error::InvalidOption { .. })));
}

// ---- DGRAM

/// Before a datagram is lost to it.
#[cfg(target_os = "linux")]
#[test]
fn a_device_that_is_not_there_is_told_at_once() {
    let world = world();
    let without =
        |kind| world.socket_with(kind, |options| options.tcp.device = Some("no-such-device".into()));
    let refused = without(Radio).connect("udp://127.0.0.1:5555").expect_err("there is no such device");
    assert!(matches!(refused, Error::Io { doing: "connecting", .. }), "{refused}");
    for kind in [Dish, Dgram] {
        let refused = without(kind).bind("udp://127.0.0.1:*").expect_err("there is no such device");
        assert!(matches!(refused, Error::Io { doing: "binding", .. }), "{refused}");
    }
}

#[test]
fn a_dgram_hears_who_sent_and_answers() {
    let world = world();
    let dgram = world.socket(Dgram);
    let (_, here) = bound(&dgram);
    let stranger = stranger();
    let there = stranger.local_addr().expect("it is bound").to_string();
    for body in ["ping", ""] {
        stranger.send_to(body.as_bytes(), here).expect("loopback");
        assert_eq!(recv_text(&dgram), [there.as_str(), body]);
        send(&dgram, [there.as_str(), body]);
        let mut buffer = [0; 100];
        let (count, from) = stranger.recv_from(&mut buffer).expect("an answer");
        assert_eq!((&buffer[..count], from), (body.as_bytes(), here));
    }
    // As a program of libzmq's gives an address back.
    send(&dgram, [format!("{there}\0").as_str(), "as a string of C"]);
    assert_eq!(stranger.recv(&mut [0; 100]).expect("an answer"), "as a string of C".len());
}

#[test]
fn a_dgram_waits_for_its_message_and_for_being_bound() {
    let world = world();
    let (one, other) = (world.socket(Dgram), world.socket(Dgram));
    let refused = one.try_send(Message::from_parts(["127.0.0.1:5555", "x"])).expect_err("it is not bound");
    assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
    let (there, here) = (bound(&other).1, bound(&one).1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| recv(&other));
        send(&one, [there.to_string().as_str(), "hello"]);
        let message = waiting.join().expect("no panic");
        assert_eq!(message.first(), here.to_string().as_str());
    });
}

#[test]
fn a_dgram_refuses_what_is_no_address_and_a_body() {
    let world = world();
    let dgram = world.socket(Dgram);
    let (_, here) = bound(&dgram);
    let here = here.to_string();
    let unsuitable: [&[&str]; 5] =
        [&[&here], &[&here, "two", "bodies"], &["localhost:1", "x"], &["127.0.0.1:0", "x"], &["", "x"]];
    for parts in unsuitable {
        let message = Message::from_parts(parts.iter().copied());
        let refused = dgram.send(message.clone()).expect_err("it cannot be sent");
        assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{parts:?}: {}", refused.error);
        assert_eq!(refused.message, message);
    }
    let too_long = vec![0; 65_508];
    let refused = dgram.send(Message::from_parts([here.as_bytes(), &too_long[..]])).expect_err("too long");
    assert!(matches!(refused.error, Error::TooLarge { limit: 65_507, .. }), "{}", refused.error);
    dgram.send(Message::from_parts([here.as_bytes(), &too_long[1..]])).expect("it fits");
    assert_eq!(recv(&dgram).split_first().1.expect("a body").len_bytes(), 65_507);
}

#[test]
fn a_dgram_has_one_address_at_a_time() {
    let world = world();
    let dgram = world.socket(Dgram);
    let (endpoint, _) = bound(&dgram);
    peers(&dgram, 1);
    assert!(matches!(dgram.bind("udp://127.0.0.1:*"), Err(Error::WrongTransport { .. })));
    dgram.unbind(&endpoint).expect("it was bound");
    let (_, here) = bound(&dgram);
    send(&dgram, [here.to_string().as_str(), "to itself"]);
    assert_eq!(recv_text(&dgram)[1], "to itself");
}
