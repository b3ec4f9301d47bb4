//! What a monitor tells about the life of connections.

use std::time::{Duration, Instant};

use serverlink::{EventKind, Monitor, SocketType::*};

use crate::{
    over_wires,
    world::{PATIENCE, World, connect, peers},
};

over_wires! {
    the_listening_side_sees_a_peer_come_and_go
    the_connecting_side_sees_it_too
    retries_are_told_with_their_delay
}

/// Takes events until one is wanted.
pub(crate) fn wait_for<T>(monitor: &Monitor, mut wanted: impl FnMut(EventKind) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let event = monitor.next_deadline(deadline).expect("the event in time");
        if let Some(found) = wanted(event) {
            return found;
        }
    }
}

fn the_listening_side_sees_a_peer_come_and_go(world: &World) {
    let router = world.socket(Router);
    let monitor = router.monitor();
    let bound = world.bind(&router);
    let listening = wait_for(&monitor, |event| match event {
        EventKind::Listening { endpoint } => Some(endpoint.to_string()),
        _ => None,
    });
    assert_eq!(listening, bound);
    let dealer = world.socket_with(Dealer, |options| options.routing_id = b"guest".to_vec());
    connect(&dealer, &bound);
    wait_for(&monitor, |event| matches!(event, EventKind::Accepted { .. }).then_some(()));
    let (kind, name) = wait_for(&monitor, |event| match event {
        EventKind::Established { socket_type, routing_id, .. } => Some((socket_type, routing_id)),
        _ => None,
    });
    assert_eq!((kind, name.as_slice()), (Dealer, &b"guest"[..]));
    dealer.close(Duration::ZERO);
    let reason = wait_for(&monitor, |event| match event {
        EventKind::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(!reason.is_empty());
    router.unbind(&bound).expect("it is bound");
    wait_for(&monitor, |event| matches!(event, EventKind::ListenerClosed { .. }).then_some(()));
    assert_eq!(monitor.dropped(), 0);
}

fn the_connecting_side_sees_it_too(world: &World) {
    let (pull, bound) = world.bound(Pull);
    let push = world.socket(Push);
    let monitor = push.monitor();
    connect(&push, &bound);
    peers(&pull, 1);
    wait_for(&monitor, |event| matches!(event, EventKind::Connected { .. }).then_some(()));
    wait_for(&monitor, |event| matches!(event, EventKind::Established { .. }).then_some(()));
    pull.close(Duration::ZERO);
    wait_for(&monitor, |event| matches!(event, EventKind::Disconnected { .. }).then_some(()));
}

fn retries_are_told_with_their_delay(world: &World) {
    let push = world.socket_with(Push, |options| {
        options.reconnect_interval = Duration::from_millis(10);
        options.reconnect_interval_max = Duration::from_millis(40);
    });
    let monitor = push.monitor();
    push.connect(&world.deserted_endpoint()).expect("nobody need be there");
    let mut last = 0;
    while last < 4 {
        let mut why = String::new();
        let (attempt, delay, trouble) = wait_for(&monitor, |event| match event {
            EventKind::Retrying { attempt, delay, trouble, .. } => Some((attempt, delay, trouble)),
            EventKind::HandshakeFailed { reason, .. } => {
                why = reason;
                None
            }
            _ => None,
        });
        assert!(attempt > last, "attempt {attempt} after {last}");
        // Drawn from a tenth of the interval up to as much as the attempt allows.
        let longest = Duration::from_millis(10 << (attempt - 1).min(2));
        assert!(delay >= Duration::from_millis(1) && delay <= longest, "attempt {attempt}: {delay:?}");
        assert!(!why.is_empty() || !trouble.is_empty(), "why it failed is told");
        last = attempt;
    }
}
