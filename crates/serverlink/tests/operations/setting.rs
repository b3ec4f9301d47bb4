//! Socket types and options, drawn.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serverlink::{AcceptFilter, Linger, Options, ReconnectStop, SocketType};

use crate::choices::Choices;

/// Routing ids; sockets that share one get into each other's way.
pub(crate) const NAMES: [&str; 3] = ["anna", "ben", "carla"];

/// Everybody on the simulated machine over tcp, nobody over tcp, and two that look at ipc alone.
const FILTERS: [AcceptFilter; 4] = [
    AcceptFilter::Network { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), prefix: 8 },
    AcceptFilter::Network { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), prefix: 16 },
    AcceptFilter::User(1000),
    AcceptFilter::Process(77),
];

/// Options that this type of socket may have.
pub(crate) fn options(choices: &mut Choices<'_>, kind: SocketType) -> Options {
    let mut options = Options { linger: Linger::For(Duration::from_millis(500)), ..Options::default() };
    for _ in 0..choices.index(6) {
        let before = options.clone();
        change_one(&mut options, choices);
        if options.validate_for(kind).is_err() {
            options = before;
        }
    }
    options
}

fn change_one(options: &mut Options, choices: &mut Choices<'_>) {
    let milliseconds = |choices: &mut Choices<'_>| Duration::from_millis(choices.of(&[1, 20, 300, 5000]));
    match choices.index(51) {
        0 => options.send_hwm = choices.of(&[0, 1, 2, 7]),
        1 => options.recv_hwm = choices.of(&[0, 1, 2, 7]),
        2 => options.send_hwm_bytes = choices.of(&[0, 1, 500, 100_000]),
        3 => options.recv_hwm_bytes = choices.of(&[0, 1, 500, 100_000]),
        4 => options.linger = Linger::For(Duration::ZERO),
        5 => options.reconnect_interval = milliseconds(choices),
        6 => options.reconnect_interval_max = choices.of(&[Duration::ZERO, Duration::from_millis(50)]),
        7 => options.reconnect_stop = reconnect_stop(choices),
        8 => options.connect_timeout = Some(milliseconds(choices)),
        9..12 => options.routing_id = choices.of(&NAMES).into(),
        12 => options.backlog = choices.of(&[1, 2]),
        13 => options.max_connections = choices.of(&[0, 1, 2]),
        14 => options.accept_filters = vec![choices.of(&FILTERS)],
        15 => options.immediate = true,
        16 => options.conflate = true,
        17 => options.max_message_bytes = choices.of(&[1, 100, 10_000]),
        18 => options.handshake_timeout = milliseconds(choices),
        19 => options.heartbeat_interval = milliseconds(choices),
        20 => options.heartbeat_timeout = milliseconds(choices),
        21 => options.heartbeat_ttl = milliseconds(choices),
        22 => options.metadata = vec![("X-Zone".into(), b"here".to_vec())],
        23 => options.hello_message = b"hello".to_vec(),
        24 => options.disconnect_message = b"gone".to_vec(),
        25 => options.hiccup_message = b"again".to_vec(),
        26 => options.router_mandatory = true,
        27 => options.router_handover = true,
        28 => options.router_notify_connect = true,
        29 => options.router_notify_disconnect = true,
        30 => options.probe_router = true,
        31 => options.req_correlate = true,
        32 => options.req_relaxed = true,
        33 => options.xpub_verbose = true,
        34 => options.xpub_verboser = true,
        35 => options.xpub_no_drop = true,
        36 => options.welcome_message = b"news".to_vec(),
        37 => options.max_subscriptions = choices.of(&[1, 2]),
        38 => options.heartbeat_interval = Duration::ZERO,
        39 => options.max_subscription_bytes = choices.of(&[1, 3, 20]),
        40 => options.invert_matching = true,
        41 => options.only_first_subscribe = true,
        42..44 => options.glob_messages = true,
        44 => options.xsub_verbose_unsubscribe = true,
        45..47 => options.xpub_manual = true,
        47 => options.xpub_manual_last_value = true,
        48 => options.send_buffer_bytes = Some(choices.of(&[100, 3000])),
        49 => options.receive_buffer_bytes = Some(choices.of(&[100, 3000])),
        _ => options.affinity = choices.of(&[1, 2]),
    }
}

fn reconnect_stop(choices: &mut Choices<'_>) -> ReconnectStop {
    let ends = choices.byte();
    ReconnectStop { refused: ends & 1 != 0, handshake_failed: ends & 2 != 0, disconnected: ends & 4 != 0 }
}
