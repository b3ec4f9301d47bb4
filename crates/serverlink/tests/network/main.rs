//! What sockets are told about the network: where they listen and come from, whom they let in, how long they try, and on which threads.

#[path = "../support/place.rs"]
mod place;
#[cfg(unix)]
#[path = "../support/raw_link.rs"]
mod raw_link;
#[cfg(unix)]
#[path = "../support/raw_peer.rs"]
mod raw_peer;
#[path = "../support/socks_proxy.rs"]
mod socks_proxy;

mod accepting;
mod addresses;
mod context;
mod giving_up;
mod names;
mod options;
mod socks;

use serverlink::{Monitor, Socket};

use place::{in_time, wait_for};

fn send(socket: &Socket, text: &str) {
    socket.send_deadline(text, in_time()).expect("room");
}

fn recv(socket: &Socket) -> String {
    let message = socket.recv_deadline(in_time()).expect("a message");
    String::from_utf8_lossy(message.first()).into_owned()
}

/// A message gets from one to the other.
fn exchange(push: &Socket, pull: &Socket, text: &str) {
    send(push, text);
    assert_eq!(recv(pull), text);
}

/// Waits for an event that has what is wanted of it.
macro_rules! expect_event {
    ($monitor:expr, $pattern:pat $(if $guard:expr)? => $wanted:expr) => {
        $crate::wait_for($monitor, stringify!($pattern), |event| match event {
            $pattern $(if $guard)? => Some($wanted),
            _ => None,
        })
    };
}
use expect_event;

/// Nothing of this kind was told so far.
#[cfg_attr(
    not(any(target_os = "linux", windows)),
    allow(dead_code, reason = "the tests for it need more of loopback")
)]
fn never_told(monitor: &Monitor, is_it: impl Fn(&serverlink::EventKind) -> bool) {
    while let Some(event) = monitor.try_next() {
        assert!(!is_it(&event.kind), "{event:?}");
    }
}
