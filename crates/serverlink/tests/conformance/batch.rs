//! Several messages in one call are the same as one after the other.

use std::{sync::Arc, thread, time::Duration};

use serverlink::{Error, Message, Part, Socket, SocketType::*};

use crate::{
    everywhere, over_transports,
    world::{World, assert_nothing_waits, connect, fill, peers, recv, subscribers},
};

everywhere! {
    batches_keep_order_and_shape
    a_batch_stops_at_the_mark_and_gives_the_rest_back
    no_more_is_received_than_was_asked_for
    a_batch_goes_to_the_peers_in_turn
    each_subscriber_gets_the_whole_batch
    addresses_come_with_each_message
    who_takes_turns_has_no_batches
    a_message_that_the_type_does_not_have_stops_its_batch
    a_batch_for_named_peers_stops_at_one_who_is_not_there
    groups_come_in_batches
}

over_transports! {
    a_batch_that_waits_goes_on
    a_batch_that_waits_too_long_gives_the_rest_back
    a_batch_waits_for_its_first_message_only
}

/// More than are taken from an iterator, or received, at a time.
const MANY: usize = 700;

/// Short and long ones, each different, some of several parts.
fn messages(count: usize) -> Vec<Message> {
    let one = |number: usize| {
        let body = format!("{number}/{}", "x".repeat(number * 37 % 300));
        if number % 50 == 49 { Message::from_parts([body.as_str(), "more"]) } else { Message::from(body) }
    };
    (0..count).map(one).collect()
}

/// So many messages in batches.
fn receive(socket: &Socket, count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < count {
        // Waits where the machine is simulated, too.
        messages.push(recv(socket));
        match socket.try_recv_batch(&mut messages, count) {
            Ok(received) => assert!(received > 0),
            Err(Error::WouldBlock) => {}
            Err(error) => panic!("receiving a batch: {error}"),
        }
    }
    messages
}

fn batches_keep_order_and_shape(world: &World) {
    let (pull, push) = world.linked_with(Pull, Push, |options| options.send_hwm = 0);
    let sent = messages(MANY);
    assert_eq!(push.send_batch(sent.clone()).expect("room for all"), MANY);
    push.send("behind").expect("room");
    let mut received = receive(&pull, MANY + 1);
    assert_eq!(received.pop(), Some("behind".into()));
    assert_eq!(received, sent);
    let all = MANY as u64 + 1;
    assert_eq!((push.stats().sent, pull.stats().received), (all, all));
}

fn a_batch_stops_at_the_mark_and_gives_the_rest_back(world: &World) {
    let push = world.socket_with(Push, |options| options.send_hwm = 40);
    let endpoint = world.deserted_endpoint();
    push.connect(&endpoint).expect("nobody need be there");
    let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let refused = push.try_send_batch(numbers.clone()).expect_err("there is no room for all");
    assert!(matches!(refused.error, Error::WouldBlock), "{refused:?}");
    assert_eq!(refused.unsent, numbers[refused.sent..], "all that was not sent comes back, in its order");
    // Over inproc a peer that is still to come has no mark yet.
    let queued = fill(&push, 1);
    assert_eq!((refused.sent, queued), (40, 0));
    assert_eq!(push.stats().sent, 40);
    let pull = world.socket(Pull);
    pull.bind(&endpoint).expect("binding");
    let expected: Vec<Message> = numbers[..40].iter().map(|number| number.as_str().into()).collect();
    assert_eq!(receive(&pull, 40), expected);
}

fn no_more_is_received_than_was_asked_for(world: &World) {
    let (pull, push) = world.linked_with(Pull, Push, |options| options.send_hwm = 0);
    push.send_batch(messages(MANY)).expect("room for all");
    let first = recv(&pull);
    let mut batch = vec![first];
    assert_eq!(pull.try_recv_batch(&mut batch, 0).expect("nothing to do"), 0);
    while batch.len() < MANY {
        let wanted = 7.min(MANY - batch.len());
        let before = batch.len();
        match pull.try_recv_batch(&mut batch, wanted) {
            Ok(count) => assert!(count <= wanted && batch.len() == before + count, "{count} of {wanted}"),
            Err(Error::WouldBlock) => batch.push(recv(&pull)),
            Err(error) => panic!("receiving a batch: {error}"),
        }
    }
    assert_eq!(batch, messages(MANY));
    assert!(matches!(pull.try_recv_batch(&mut batch, 7), Err(Error::WouldBlock)));
    assert_eq!(batch.len(), MANY, "nothing was added");
}

fn a_batch_goes_to_the_peers_in_turn(world: &World) {
    let (push, endpoint) = world.bound(Push);
    let pulls = [world.connected(Pull, &endpoint), world.connected(Pull, &endpoint)];
    peers(&push, 2);
    let sent = messages(100);
    assert_eq!(push.try_send_batch(sent.clone()).expect("room for all"), 100);
    let [mut one, mut other] = [&pulls[0], &pulls[1]].map(|pull| receive(pull, 50).into_iter());
    let (even, odd): (Vec<_>, Vec<_>) = sent.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).unzip();
    let mut halves = [one.by_ref().collect::<Vec<_>>(), other.by_ref().collect()];
    if halves[0] != even {
        halves.swap(0, 1);
    }
    assert_eq!(halves, [even, odd]);
}

fn each_subscriber_gets_the_whole_batch(world: &World) {
    let publisher = world.socket_with(Pub, |options| options.send_hwm = 0);
    let endpoint = world.bind(&publisher);
    let subs = [(); 2].map(|()| {
        let sub = world.socket(Sub);
        sub.subscribe("").expect("subscribing");
        connect(&sub, &endpoint);
        sub
    });
    subscribers(&publisher, 2);
    assert_eq!(publisher.send_batch(messages(MANY)).expect("no PUB waits"), MANY);
    for sub in &subs {
        assert_eq!(receive(sub, MANY), messages(MANY));
    }
}

fn addresses_come_with_each_message(world: &World) {
    let router = world.socket_with(Router, |options| options.send_hwm = 0);
    let endpoint = world.bind(&router);
    let dealer = world.socket_with(Dealer, |options| {
        options.routing_id = b"named".to_vec();
        options.send_hwm = 0;
    });
    connect(&dealer, &endpoint);
    dealer.send_batch(["a", "b", "c"]).expect("room for all");
    let received = receive(&router, 3);
    assert_eq!(received, ["a", "b", "c"].map(|body| Message::from_parts(["named", body])));
    assert_eq!(router.send_batch(received).expect("room for all"), 3);
    assert_eq!(receive(&dealer, 3), ["a", "b", "c"].map(Message::from));
}

fn who_takes_turns_has_no_batches(world: &World) {
    for socket_type in [Req, Rep] {
        let socket = world.socket(socket_type);
        let refused = socket.send_batch(["a", "b"]).expect_err("one request at a time");
        assert!(matches!(refused.error, Error::NotSupported { .. }), "{refused:?}");
        assert_eq!((refused.sent, refused.unsent), (0, vec!["a", "b"]));
        let refused = socket.recv_batch(&mut Vec::new(), 2);
        assert!(matches!(refused, Err(Error::NotSupported { .. })), "{refused:?}");
    }
}

/// What a lane takes, and what it leaves to the long way, is the same.
fn a_message_that_the_type_does_not_have_stops_its_batch(world: &World) {
    for (sends, receives) in [(Scatter, Gather), (Channel, Channel), (Client, Server)] {
        let (receiver, sender) = world.linked(receives, sends);
        let singles = |from: usize| (from..from + 40).map(|number| Message::from(number.to_string()));
        let unsuitable = || Message::from_parts(["two", "parts"]);
        let batch: Vec<_> = singles(0).chain([unsuitable()]).chain(singles(40)).collect();
        for (attempt, sent) in [(batch.clone(), 40), (batch[40..].to_vec(), 0)] {
            let refused = sender.send_batch(attempt).expect_err("it has no such messages");
            assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{refused:?}");
            assert_eq!((refused.sent, &refused.unsent[..]), (sent, &batch[40..]), "{sends}");
        }
        assert_eq!(sender.try_send_batch(batch[41..].to_vec()).expect("room for all"), 40);
        for (number, message) in receive(&receiver, 80).iter().enumerate() {
            let body = message.iter().next_back().expect("a part");
            assert_eq!(body.as_bytes(), number.to_string().as_bytes(), "{sends}");
        }
        assert_nothing_waits(&receiver);
    }
}

fn a_batch_for_named_peers_stops_at_one_who_is_not_there(world: &World) {
    let (server, client) = world.linked(Server, Client);
    client.send_batch(["a", "b", "c"]).expect("room for all");
    let questions = receive(&server, 3);
    let number = questions[0][0].clone();
    let to = |number: &Part, body: &str| Message::from_parts([number.clone(), body.into()]);
    assert_eq!(questions, ["a", "b", "c"].map(|body| to(&number, body)));
    let nobody = Part::from(&[0; 4][..]);
    let batch = vec![to(&number, "d"), to(&nobody, "lost?"), to(&number, "e")];
    let refused = server.send_batch(batch.clone()).expect_err("nobody has that number");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{refused:?}");
    assert_eq!((refused.sent, &refused.unsent[..]), (1, &batch[1..]));
    server.send_batch(batch[2..].to_vec()).expect("room");
    assert_eq!(receive(&client, 2), ["d", "e"].map(Message::from));
}

fn groups_come_in_batches(world: &World) {
    let radio = world.socket_with(Radio, |options| options.send_hwm = 0);
    let endpoint = world.bind(&radio);
    let dishes = [(); 2].map(|()| {
        let dish = world.socket_with(Dish, |options| options.recv_hwm = 0);
        dish.join("g").expect("a group");
        connect(&dish, &endpoint);
        dish
    });
    subscribers(&radio, 2);
    let message = |number: usize| {
        Message::from_parts([if number % 3 == 2 { "other" } else { "g" }, &number.to_string()])
    };
    let sent: Vec<Message> = (0..MANY).map(message).collect();
    assert_eq!(radio.send_batch(sent.clone()).expect("no RADIO waits"), MANY);
    let refused = radio.send_batch(["no group"]).expect_err("a group and a body");
    assert!(matches!(refused.error, Error::UnsuitableMessage { .. }), "{refused:?}");
    assert_eq!((refused.sent, refused.unsent), (0, vec!["no group"]));
    let expected: Vec<Message> = sent.into_iter().filter(|message| message[0] == "g").collect();
    for dish in &dishes {
        assert_eq!(receive(dish, expected.len()), expected);
    }
}

fn a_batch_that_waits_goes_on(world: &World) {
    let (push, pull) = world.linked_with(Push, Pull, |options| {
        options.send_hwm = 3;
        options.recv_hwm = 3;
    });
    let taken = fill(&push, 60_000);
    let sender = thread::spawn(move || push.send_batch(messages(MANY)).map(|sent| (sent, push)));
    for _ in 0..taken {
        assert_eq!(recv(&pull).len_bytes(), 60_000);
    }
    assert_eq!(receive(&pull, MANY), messages(MANY));
    let (sent, _push) = sender.join().expect("no panic").expect("there was room in the end");
    assert_eq!(sent, MANY);
}

fn a_batch_that_waits_too_long_gives_the_rest_back(world: &World) {
    let push = world.socket_with(Push, |options| {
        options.send_hwm = 5;
        options.send_timeout = Some(Duration::from_millis(20));
    });
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    let refused = push.send_batch(messages(90)).expect_err("nobody takes them");
    assert!(matches!(refused.error, Error::TimedOut), "{refused:?}");
    assert_eq!((refused.sent, refused.unsent), (5, messages(90)[5..].to_vec()));
}

fn a_batch_waits_for_its_first_message_only(world: &World) {
    let (pull, push) = world.linked(Pull, Push);
    let pull = Arc::new(pull);
    let receiver = {
        let pull = Arc::clone(&pull);
        thread::spawn(move || {
            let mut batch = Vec::new();
            pull.recv_batch(&mut batch, 10).map(|count| (count, batch))
        })
    };
    push.send("alone").expect("room");
    let (count, batch) = receiver.join().expect("no panic").expect("a message");
    assert_eq!((count, batch), (1, vec!["alone".into()]));
    let patient = world.socket_with(Pull, |options| options.recv_timeout = Some(Duration::from_millis(20)));
    assert!(matches!(patient.recv_batch(&mut Vec::new(), 10), Err(Error::TimedOut)));
}
