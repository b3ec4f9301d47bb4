//! Options are checked when a socket is opened, and the error tells what is allowed.

use std::time::Duration;

use serverlink::{Context, Error, Options, SocketType, SocketType::*};

fn refused(socket_type: SocketType, option: &str, change: impl FnOnce(&mut Options)) {
    let mut options = Options::default();
    change(&mut options);
    let context = Context::new().expect("a context");
    match context.socket_with(socket_type, options).map(drop) {
        Err(Error::InvalidOption { option: named, why, .. }) => {
            assert_eq!(named, option);
            assert!(why.len() > 5, "{option}: {why:?} helps nobody");
        }
        other => panic!("{option} of {socket_type}: {other:?}"),
    }
}

#[test]
fn out_of_range() {
    const TOO_LONG: Duration = Duration::from_secs(100_000);
    refused(Push, "reconnect_interval", |options| options.reconnect_interval = Duration::ZERO);
    refused(Push, "reconnect_interval_max", |options| options.reconnect_interval_max = TOO_LONG);
    refused(Push, "handshake_timeout", |options| options.handshake_timeout = Duration::ZERO);
    refused(Push, "heartbeat_interval", |options| options.heartbeat_interval = TOO_LONG);
    refused(Push, "heartbeat_timeout", |options| options.heartbeat_timeout = Duration::ZERO);
    refused(Push, "heartbeat_ttl", |options| options.heartbeat_ttl = TOO_LONG);
    refused(Push, "backlog", |options| options.backlog = 0);
    refused(Push, "max_message_bytes", |options| options.max_message_bytes = 0);
    refused(Push, "send_buffer_bytes", |options| options.send_buffer_bytes = Some(0));
    refused(Push, "receive_buffer_bytes", |options| options.receive_buffer_bytes = Some(usize::MAX));
}

#[test]
fn routing_ids() {
    refused(Dealer, "routing_id", |options| options.routing_id = vec![b'x'; 256]);
    refused(Dealer, "routing_id", |options| options.routing_id = vec![0, 1, 2, 3, 4]);
}

#[test]
fn of_another_type() {
    refused(Router, "conflate", |options| options.conflate = true);
    refused(Dealer, "router_mandatory", |options| options.router_mandatory = true);
    refused(Rep, "req_relaxed", |options| options.req_relaxed = true);
    refused(Push, "invert_matching", |options| options.invert_matching = true);
}

#[test]
fn the_extremes_are_allowed() {
    let context = Context::new().expect("a context");
    let options = Options {
        send_hwm: 0,
        recv_hwm: 0,
        backlog: 65_535,
        max_message_bytes: i64::MAX as u64,
        routing_id: vec![b'x'; 255],
        reconnect_interval: Duration::from_millis(1),
        reconnect_interval_max: Duration::ZERO,
        heartbeat_interval: Duration::ZERO,
        ..Options::default()
    };
    for socket_type in SocketType::ALL {
        let socket = context.socket_with(socket_type, options.clone()).expect("valid for every type");
        assert_eq!((socket.socket_type(), socket.options()), (socket_type, &options));
    }
}
