//! Names that stand for several addresses.

use std::net::{SocketAddr, ToSocketAddrs};

use serverlink::{Context, EventKind, SocketType};

use crate::place::{Place, Transport, brisk, wait_for};
use crate::{recv, send};

/// Only the last address of the name answers. Which names have several depends on the machine.
#[test]
fn every_address_of_a_name_is_tried_down_to_the_last() {
    let place = Place::new(Transport::Tcp);
    let port: u16 = place.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let Some((name, addresses)) = name_with_several_addresses(port) else {
        return eprintln!("skipped: no name of this machine has several addresses, one of them IPv6");
    };
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |options| options.ipv6 = true);
    let last = addresses.last().expect("several");
    pull.bind(&format!("tcp://{last}")).expect("a free port of this machine");
    let push = brisk(&context, SocketType::Push, |options| options.ipv6 = true);
    let monitor = push.monitor();
    push.connect(&format!("tcp://{name}:{port}")).expect("connecting");
    send(&push, &["found"]);
    assert_eq!(recv(&pull), ["found"]);
    let mut refused = 0;
    wait_for(&monitor, "the connection", |event| match event {
        EventKind::HandshakeFailed { .. } => {
            refused += 1;
            None
        }
        EventKind::Retrying { trouble, .. } => panic!("a pause before every address was tried: {trouble}"),
        EventKind::Established { .. } => Some(()),
        _ => None,
    });
    assert_eq!(refused, addresses.len() - 1, "{addresses:?}");
}

fn name_with_several_addresses(port: u16) -> Option<(&'static str, Vec<SocketAddr>)> {
    ["localhost", "ip6-localhost", "localhost.localdomain"].into_iter().find_map(|name| {
        let mut addresses: Vec<SocketAddr> = (name, port).to_socket_addrs().ok()?.collect();
        addresses.dedup();
        (addresses.len() > 1).then_some((name, addresses))
    })
}

/// One address, through the resolver: refused until somebody listens, and never given up.
#[test]
fn a_name_is_resolved_again_for_every_round() {
    let place = Place::new(Transport::Tcp);
    let port: u16 = place.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let context = Context::new().expect("a context");
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect(&format!("tcp://localhost:{port}")).expect("connecting");
    send(&push, &["found"]);
    for _ in 0..3 {
        crate::failed_attempt(&monitor);
    }
    let pull = brisk(&context, SocketType::Pull, |_| {});
    pull.bind(&format!("tcp://127.0.0.1:{port}")).expect("a free port");
    assert_eq!(recv(&pull), ["found"]);
}

/// A name that nobody knows is a reason to try again, told as one.
#[test]
fn an_unknown_name_is_told_and_tried_again() {
    let context = Context::new().expect("a context");
    let push = brisk(&context, SocketType::Push, |_| {});
    let monitor = push.monitor();
    push.connect("tcp://nobody.invalid:9").expect("the name is well-formed");
    for attempt in 1..4 {
        let (told, trouble) = wait_for(&monitor, "another attempt", |event| match event {
            EventKind::Retrying { attempt, trouble, .. } => Some((attempt, trouble)),
            _ => None,
        });
        assert_eq!(told, attempt);
        assert!(trouble.contains("nobody.invalid"), "{trouble}");
    }
}
