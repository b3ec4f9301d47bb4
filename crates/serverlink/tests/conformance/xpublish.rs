//! XPUB and XSUB: RFC 29 with the subscriptions in the application's hands.

use serverlink::{Message, Socket, SocketType::*};

use crate::{
    everywhere,
    world::{World, peers, recv, recv_text, send},
};

everywhere! {
    subscriptions_arrive_as_messages
    only_the_first_and_the_last_are_told
    a_departure_unsubscribes
    xsub_subscribes_by_sending
    messages_travel_upstream
    unknown_unsubscription_changes_nothing
    a_forwarder_between_publisher_and_subscriber
}

fn command(socket: &Socket, body: &[u8]) {
    socket.send(body).expect("an XSUB sends to all its publishers");
}

fn notice(socket: &Socket) -> Vec<u8> {
    recv(socket).first().to_vec()
}

fn subscriptions_arrive_as_messages(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Sub);
    subscriber.subscribe("news").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01news");
    subscriber.subscribe("").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01");
    subscriber.unsubscribe("news").expect("it was subscribed");
    assert_eq!(notice(&publisher), b"\x00news");
}

fn only_the_first_and_the_last_are_told(world: &World) {
    let (publisher, endpoint) = world.bound(Xpub);
    let (one, other) = (world.connected(Sub, &endpoint), world.connected(Sub, &endpoint));
    one.subscribe("shared").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01shared");
    other.subscribe("shared").expect("subscribing");
    other.subscribe("own").expect("subscribing");
    assert_eq!(notice(&publisher), b"\x01own", "the second of the same topic is not told");
    other.unsubscribe("shared").expect("it was subscribed");
    other.unsubscribe("own").expect("it was subscribed");
    assert_eq!(notice(&publisher), b"\x00own", "the topic is still wanted");
    one.unsubscribe("shared").expect("it was subscribed");
    assert_eq!(notice(&publisher), b"\x00shared");
}

fn a_departure_unsubscribes(world: &World) {
    let (publisher, endpoint) = world.bound(Xpub);
    let subscriber = world.connected(Sub, &endpoint);
    for topic in ["one", "two"] {
        subscriber.subscribe(topic).expect("subscribing");
        notice(&publisher);
    }
    drop(subscriber);
    let mut told = [notice(&publisher), notice(&publisher)];
    told.sort();
    assert_eq!(told, [b"\x00one", b"\x00two"]);
}

fn xsub_subscribes_by_sending(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Xsub);
    command(&subscriber, b"\x01topic");
    assert_eq!(notice(&publisher), b"\x01topic");
    send(&publisher, ["other"]);
    send(&publisher, ["topic", "body"]);
    assert_eq!(recv_text(&subscriber), ["topic", "body"]);
    command(&subscriber, b"\x00topic");
    assert_eq!(notice(&publisher), b"\x00topic");
}

fn messages_travel_upstream(world: &World) {
    let (publisher, endpoint) = world.bound(Xpub);
    let subscriber = world.connected(Xsub, &endpoint);
    peers(&publisher, 1);
    send(&subscriber, ["hello", "publisher"]);
    assert_eq!(recv_text(&publisher), ["hello", "publisher"]);
    subscriber.send(Message::new()).expect("an empty message is one too");
    assert_eq!(recv_text(&publisher), [""]);
}

fn unknown_unsubscription_changes_nothing(world: &World) {
    let (publisher, subscriber) = world.linked(Xpub, Xsub);
    command(&subscriber, b"\x00never");
    command(&subscriber, b"\x01marker");
    assert_eq!(notice(&publisher), b"\x01marker");
}

fn a_forwarder_between_publisher_and_subscriber(world: &World) {
    let (publisher, upstream) = world.bound(Pub);
    let back = world.connected(Xsub, &upstream);
    let (front, downstream) = world.bound(Xpub);
    let subscriber = world.connected(Sub, &downstream);
    subscriber.subscribe("weather").expect("subscribing");
    back.send(recv(&front)).expect("forwarding the subscription");
    crate::world::subscribers(&publisher, 1);
    send(&publisher, ["sport"]);
    send(&publisher, ["weather", "rain"]);
    front.send(recv(&back)).expect("forwarding the message");
    assert_eq!(recv_text(&subscriber), ["weather", "rain"]);
}
