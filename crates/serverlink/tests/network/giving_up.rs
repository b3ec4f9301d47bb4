//! When a dialer tries no more.

use std::time::Duration;

use serverlink::{Context, Error, EventKind, ReconnectStop, Socket, SocketType};

use crate::place::{PATIENCE, Place, Transport, brisk, in_time};
use crate::{exchange, expect_event, send};

const TRANSPORTS: [Transport; 2] = [Transport::Tcp, Transport::Ipc];

fn stopping(context: &Context, stop: ReconnectStop) -> Socket {
    brisk(context, SocketType::Push, |options| options.reconnect_stop = stop)
}

/// What was queued is dropped and counted, the socket is as one without a peer, and connecting again starts anew.
#[test]
fn refused_once_is_enough_if_so_told() {
    for transport in TRANSPORTS {
        let (place, context) = (Place::new(transport), Context::new().expect("a context"));
        let endpoint = place.endpoint();
        let push = stopping(&context, ReconnectStop { refused: true, ..ReconnectStop::NEVER });
        let monitor = push.monitor();
        push.connect(&endpoint).expect("nobody need be there");
        // It may have given up already.
        let queued = push.try_send("for nobody").is_ok();
        let (told, trouble) =
            expect_event!(&monitor, EventKind::GaveUp { endpoint, trouble, .. } => (endpoint, trouble));
        assert_eq!(told.to_string(), endpoint);
        assert!(trouble.starts_with("the system reported"), "{trouble}");
        let refused = push.try_send("nobody").expect_err("there is no peer");
        assert!(matches!(refused.error, Error::WouldBlock), "{}", refused.error);
        assert_eq!(push.stats().dropped_with_peer, u64::from(queued));
        assert_eq!(push.connections(), []);

        let pull = brisk(&context, SocketType::Pull, |_| {});
        pull.bind(&endpoint).expect("a free endpoint");
        push.connect(&endpoint).expect("connecting");
        exchange(&push, &pull, "anew");
        push.disconnect(&endpoint).expect("it is connected");
        assert!(push.disconnect(&endpoint).is_err(), "the dialer that gave up is forgotten");
    }
}

#[test]
fn disconnecting_after_giving_up_is_no_error() {
    let (place, context) = (Place::new(Transport::Tcp), Context::new().expect("a context"));
    let push = stopping(&context, ReconnectStop::ALWAYS);
    let monitor = push.monitor();
    let endpoint = place.endpoint();
    push.connect(&endpoint).expect("nobody need be there");
    expect_event!(&monitor, EventKind::GaveUp { .. } => ());
    push.disconnect(&endpoint).expect("it was connected");
    assert_eq!(push.close(PATIENCE).undelivered, 0);
}

/// Refusals are not what this one gives up for, a lost connection is.
#[test]
fn a_lost_connection_is_the_end_if_so_told() {
    for transport in TRANSPORTS {
        let (place, context) = (Place::new(transport), Context::new().expect("a context"));
        let endpoint = place.endpoint();
        let push = stopping(&context, ReconnectStop { disconnected: true, ..ReconnectStop::NEVER });
        let monitor = push.monitor();
        push.connect(&endpoint).expect("nobody need be there");
        expect_event!(&monitor, EventKind::Retrying { .. } => ());
        let pull = brisk(&context, SocketType::Pull, |_| {});
        pull.bind(&endpoint).expect("a free endpoint");
        exchange(&push, &pull, "here");
        pull.close(Duration::ZERO);
        let trouble = expect_event!(&monitor, EventKind::GaveUp { trouble, .. } => trouble);
        assert!(trouble.contains("closed"), "{trouble}");
    }
}

#[cfg(unix)]
#[test]
fn a_failed_handshake_is_the_end_if_so_told() {
    use crate::raw_link::RawListener;
    for (stop, gives_up) in [
        (ReconnectStop { handshake_failed: true, ..ReconnectStop::NEVER }, true),
        (ReconnectStop { refused: true, disconnected: true, handshake_failed: false }, false),
    ] {
        let (place, context) = (Place::new(Transport::Tcp), Context::new().expect("a context"));
        let endpoint = place.endpoint();
        let listener = RawListener::bind(&endpoint);
        let push = stopping(&context, stop);
        let monitor = push.monitor();
        push.connect(&endpoint).expect("connecting");
        drop(listener.accept());
        let gave_up = expect_event!(&monitor, event @ (EventKind::GaveUp { .. } | EventKind::Retrying { .. }) => {
            matches!(event, EventKind::GaveUp { .. })
        });
        assert_eq!(gave_up, gives_up);
    }
}

/// A relaxed REQ whose peer is given up asks the next one.
#[test]
fn a_request_goes_elsewhere_when_its_dialer_gave_up() {
    let (place, context) = (Place::new(Transport::Tcp), Context::new().expect("a context"));
    let request = brisk(&context, SocketType::Req, |options| {
        options.reconnect_stop = ReconnectStop { refused: true, ..ReconnectStop::NEVER };
        (options.req_relaxed, options.req_correlate) = (true, true);
    });
    let reply = brisk(&context, SocketType::Rep, |_| {});
    let endpoint = reply.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let monitor = request.monitor();
    request.connect(&endpoint).expect("connecting");
    send(&request, "lost");
    reply.recv_deadline(in_time()).expect("a request");
    reply.close(Duration::ZERO);
    expect_event!(&monitor, EventKind::GaveUp { .. } => ());
    let other = brisk(&context, SocketType::Rep, |_| {});
    request
        .connect(&other.bind(&place.endpoint()).expect("a free endpoint").to_string())
        .expect("connecting");
    send(&request, "again");
    assert_eq!(crate::recv(&other), "again");
}
