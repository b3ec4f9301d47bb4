//! The crate `omq-tokio`, once for each of its three ways of calling.

mod blocking;
mod current_thread;
mod exclusive;

use bytes::Bytes;
use omq_tokio::{Message, Options, SocketType};
use serverlink_bench::{
    Error,
    player::{Counter, Kind, Setup},
};

pub(crate) use blocking::OmqBlocking;
pub(crate) use current_thread::OmqCurrentThread;
pub(crate) use exclusive::OmqExclusive;

fn options(setup: &Setup) -> Options {
    let mut options = Options::default().send_hwm(setup.high_water_mark).recv_hwm(setup.high_water_mark);
    options.xpub_nodrop = setup.no_drop;
    // Connections may all come at once.
    options.max_pending_handshakes = options.max_pending_handshakes.max(setup.connections);
    options
}

/// Short bodies are kept in the message itself, as it prefers.
fn message(body: &[u8]) -> Message {
    Message::from_slice(body)
}

/// The body is the last part; a ROUTER's message has the address before it.
fn count(message: &Message, counter: &mut Counter) {
    let body = message.len().checked_sub(1).and_then(|last| message.part_slice(last));
    counter.message(body.unwrap_or_default());
}

fn topic(topic: &[u8]) -> Bytes {
    Bytes::copy_from_slice(topic)
}

fn socket_type(kind: Kind) -> SocketType {
    match kind {
        Kind::Push => SocketType::Push,
        Kind::Pull => SocketType::Pull,
        Kind::Dealer => SocketType::Dealer,
        Kind::Router => SocketType::Router,
        Kind::Req => SocketType::Req,
        Kind::Rep => SocketType::Rep,
        Kind::Pub => SocketType::Pub,
        Kind::Sub => SocketType::Sub,
    }
}

fn failed(doing: &'static str) -> impl FnOnce(omq_tokio::Error) -> Error {
    move |error| Error::Peer { peer: "omq", doing, why: error.to_string() }
}
