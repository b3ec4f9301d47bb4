//! The typed sockets are the same sockets with only the methods that make sense.

use std::time::{Duration, Instant};

use serverlink::{Context, Error, Message};

use crate::{
    over_transports,
    world::{PATIENCE, World},
};

over_transports! {
    push_and_pull
    publisher_and_subscriber
    xpublisher_and_xsubscriber
    request_and_reply
    dealer_and_router
    pair_and_pair
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

fn push_and_pull(world: &World) {
    let pull = world.context.pull().open().expect("a PULL");
    let endpoint = pull.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let push = world.context.push().send_hwm(10).open().expect("a PUSH");
    assert_eq!(push.options().send_hwm, 10);
    push.connect(&endpoint).expect("connecting");
    push.send("work").expect("sending");
    assert_eq!(pull.recv_deadline(soon()).expect("a message").first(), "work");
    assert_eq!(push.close(Duration::ZERO).undelivered, 0);
}

fn publisher_and_subscriber(world: &World) {
    let publisher = world.context.publisher().open().expect("a PUB");
    let endpoint = publisher.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let subscriber = world.context.subscriber().open().expect("a SUB");
    subscriber.subscribe("news").expect("subscribing");
    subscriber.connect(&endpoint).expect("connecting");
    publisher.wait_for_subscribers(1, PATIENCE).expect("the subscription");
    publisher.send("news of today").expect("publishing");
    assert_eq!(subscriber.recv_deadline(soon()).expect("a message").first(), "news of today");
}

fn xpublisher_and_xsubscriber(world: &World) {
    let publisher = world.context.xpublisher().open().expect("an XPUB");
    let endpoint = publisher.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let subscriber = world.context.xsubscriber().open().expect("an XSUB");
    subscriber.connect(&endpoint).expect("connecting");
    subscriber.wait_for_peers(1, PATIENCE).expect("the publisher");
    subscriber.send(b"\x01topic").expect("subscribing");
    assert_eq!(publisher.recv_deadline(soon()).expect("a notice").first(), b"\x01topic");
    publisher.send("topic").expect("publishing");
    assert_eq!(subscriber.recv_deadline(soon()).expect("a message").first(), "topic");
}

fn request_and_reply(world: &World) {
    let reply = world.context.reply().open().expect("a REP");
    let endpoint = reply.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let request = world.context.request().open().expect("a REQ");
    request.connect(&endpoint).expect("connecting");
    request.send("question").expect("asking");
    assert_eq!(reply.recv_deadline(soon()).expect("a question").first(), "question");
    reply.send("answer").expect("answering");
    assert_eq!(request.recv_deadline(soon()).expect("an answer").first(), "answer");
}

fn dealer_and_router(world: &World) {
    let router = world.context.router().router_mandatory(true).open().expect("a ROUTER");
    let endpoint = router.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let dealer = world.context.dealer().routing_id(b"worker".to_vec()).open().expect("a DEALER");
    dealer.connect(&endpoint).expect("connecting");
    dealer.send(Message::from_parts(["two", "parts"])).expect("sending");
    let (name, message) = router.recv_from_deadline(soon()).expect("a message");
    assert_eq!(name, "worker");
    assert_eq!(message, Message::from_parts(["two", "parts"]));
    router.send_to(&name, Message::from_parts(["back", ""])).expect("replying");
    assert_eq!(dealer.recv_deadline(soon()).expect("a reply"), Message::from_parts(["back", ""]));

    let refused = router.send_to(b"stranger", String::from("precious")).expect_err("unknown");
    assert!(matches!(refused.error, Error::Unroutable { .. }), "{}", refused.error);
    assert_eq!(refused.message, "precious");
}

fn pair_and_pair(world: &World) {
    let one = world.context.pair().open().expect("a PAIR");
    let endpoint = one.bind(&world.fresh_endpoint()).expect("binding").to_string();
    let other = world.context.pair().open().expect("a PAIR");
    other.connect(&endpoint).expect("connecting");
    one.wait_for_peers(1, PATIENCE).expect("the peer");
    one.send("there").expect("sending");
    other.send("back").expect("sending");
    assert_eq!(other.recv_deadline(soon()).expect("a message").first(), "there");
    assert_eq!(one.recv_deadline(soon()).expect("a message").first(), "back");
}

/// What every thread may share, and what no test needs to run to prove.
#[test]
fn sockets_and_contexts_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Context>();
    shared::<serverlink::Socket>();
    shared::<serverlink::Router>();
    shared::<serverlink::Publisher>();
    shared::<Message>();
    shared::<Error>();
}
