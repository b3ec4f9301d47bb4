//! Dialers: they come through whatever happens to an attempt, a handshake or a listener, and lose nothing that was not with the system.

#[path = "../support/place.rs"]
mod place;
#[path = "../support/raw_link.rs"]
mod raw_link;
#[path = "../support/raw_peer.rs"]
mod raw_peer;

mod attempts;
mod cut_handshakes;
mod names;
mod restarts;
mod storm;

use serverlink::{EventKind, Message, Monitor, Socket};

use place::{in_time, wait_for};

fn send(socket: &Socket, parts: &[&str]) {
    socket.send_deadline(Message::from_parts(parts.iter().copied()), in_time()).expect("room");
}

fn recv(socket: &Socket) -> Vec<String> {
    let message = socket.recv_deadline(in_time()).expect("a message");
    message.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// Why an attempt came to nothing, and that another one follows.
fn failed_attempt(monitor: &Monitor) -> String {
    let reason = wait_for(monitor, "a failed attempt", |event| match event {
        EventKind::HandshakeFailed { reason, .. } => Some(reason),
        _ => None,
    });
    wait_for(monitor, "another attempt", |event| matches!(event, EventKind::Retrying { .. }).then_some(()));
    reason
}
