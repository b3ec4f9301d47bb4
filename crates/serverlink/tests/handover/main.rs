//! A ROUTER's routing id goes from an older connection to a newer one, in whatever state the older one is.
//!
//! Nothing of the old owner may come after the new owner's first message; what is dropped for that is counted and told.

#[path = "../support/place.rs"]
mod place;
#[path = "../support/raw_link.rs"]
mod raw_link;
#[path = "../support/raw_peer.rs"]
mod raw_peer;

mod in_a_row;
mod notifications;
mod old_owner;
mod refused;
mod returns;
mod transports;

use std::time::Duration;

use serverlink::{Context, Message, Options, Socket, SocketType};

use place::{Place, brisk, in_time};

/// A displaced dialer that came back would take the name back.
const NEVER: Duration = Duration::from_secs(3600);

/// A ROUTER that hands names over, and where it listens.
fn router(context: &Context, place: &Place, change: impl FnOnce(&mut Options)) -> (Socket, String) {
    let router = brisk(context, SocketType::Router, |options| {
        options.router_handover = true;
        change(options);
    });
    let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
    (router, endpoint)
}

/// A DEALER called "twin" that stays away once it lost its connection.
fn twin(context: &Context) -> Socket {
    brisk(context, SocketType::Dealer, |options| {
        options.routing_id = b"twin".to_vec();
        (options.reconnect_interval, options.reconnect_interval_max) = (NEVER, NEVER);
    })
}

fn connected_twin(context: &Context, endpoint: &str) -> Socket {
    let twin = twin(context);
    twin.connect(endpoint).expect("connecting");
    twin.wait_for_peers(1, place::PATIENCE).expect("a connection");
    twin
}

fn send(socket: &Socket, parts: &[&str]) {
    socket.send_deadline(Message::from_parts(parts.iter().copied()), in_time()).expect("room");
}

fn recv(socket: &Socket) -> Vec<String> {
    let message = socket.recv_deadline(in_time()).expect("a message");
    message.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}
