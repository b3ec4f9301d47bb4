//! One line of text after the other, from a PUSH.

use serverlink::{Context, Options, Socket, SocketType};

use crate::place::{PATIENCE, brisk, in_time};

/// A PUSH that has found its peer.
pub(crate) fn connected(context: &Context, endpoint: &str, change: impl FnOnce(&mut Options)) -> Socket {
    let push = brisk(context, SocketType::Push, change);
    push.connect(endpoint).expect("connecting");
    push.wait_for_peers(1, PATIENCE).expect("a connection");
    push
}

pub(crate) fn send(socket: &Socket, text: &str) {
    socket.send_deadline(text, in_time()).expect("room");
}

pub(crate) fn recv(socket: &Socket) -> String {
    let message = socket.recv_deadline(in_time()).expect("a message");
    String::from_utf8_lossy(message.first()).into_owned()
}
