//! Handshakes that end at every byte, from either side.

use std::io::Read;

use serverlink::{Context, EventKind, SocketType};

use crate::place::{Place, brisk, over_raw_wires, wait_for};
use crate::raw_link::{RawLink, RawListener, ready};
use crate::raw_peer::{frame, greeting};
use crate::{recv, send};

over_raw_wires! {
    a_dialer_survives_handshakes_cut_at_every_byte
    a_listener_survives_handshakes_cut_at_every_byte
    a_connection_cut_right_after_its_handshake_is_made_again
}

fn handshake(kind: &str) -> Vec<u8> {
    [greeting(1), ready(kind, b"cut")].concat()
}

/// What was queued before any of it waits for the handshake that is completed, whole and in order.
fn a_dialer_survives_handshakes_cut_at_every_byte(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    let listener = RawListener::bind(&endpoint);
    let dealer = brisk(&context, SocketType::Dealer, |options| {
        options.reconnect_interval_max = std::time::Duration::ZERO;
    });
    dealer.connect(&endpoint).expect("connecting");
    for number in 0..5 {
        send(&dealer, &["queued", &number.to_string()]);
    }
    let whole = handshake("ROUTER");
    for cut in 0..whole.len() {
        let mut peer = listener.accept();
        // With unread input the end is a reset, and without it is a plain one.
        if cut % 2 == 0 {
            peer.read_exact(&mut [0; 10]).expect("the signature, which comes without being asked for");
        }
        peer.send(&whole[..cut]);
    }
    let mut peer = listener.accept();
    peer.shake("ROUTER", b"");
    for number in 0..5 {
        assert_eq!(
            (peer.read_frame(), peer.read_frame()),
            ((1, b"queued".to_vec()), (0, number.to_string().into()))
        );
    }
}

fn a_listener_survives_handshakes_cut_at_every_byte(place: &Place) {
    let context = Context::new().expect("a context");
    let router = brisk(&context, SocketType::Router, |_| {});
    let monitor = router.monitor();
    let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let whole = handshake("DEALER");
    for cut in 0..whole.len() {
        let mut peer = RawLink::connect(&endpoint);
        peer.send(&whole[..cut]);
        drop(peer);
        wait_for(&monitor, "the failed handshake", |event| match event {
            EventKind::HandshakeFailed { reason, .. } => Some(reason),
            EventKind::Established { .. } => panic!("{cut} bytes are not a handshake"),
            _ => None,
        });
    }
    assert_eq!(router.stats().peers, 0);
    let mut peer = RawLink::shaken(&endpoint, "DEALER", b"whole");
    peer.send(&frame(0, b"hello"));
    assert_eq!(recv(&router), ["whole", "hello"]);
}

fn a_connection_cut_right_after_its_handshake_is_made_again(place: &Place) {
    let context = Context::new().expect("a context");
    let endpoint = place.endpoint();
    let listener = RawListener::bind(&endpoint);
    let dealer = brisk(&context, SocketType::Dealer, |_| {});
    let monitor = dealer.monitor();
    dealer.connect(&endpoint).expect("connecting");
    for _ in 0..20 {
        listener.accept().shake("ROUTER", b"");
        wait_for(&monitor, "the end", |event| matches!(event, EventKind::Disconnected { .. }).then_some(()));
        wait_for(&monitor, "a pause", |event| matches!(event, EventKind::Retrying { .. }).then_some(()));
    }
    let mut peer = listener.accept();
    peer.shake("ROUTER", b"");
    dealer.wait_for_peers(1, crate::place::PATIENCE).expect("a connection");
    send(&dealer, &["at last"]);
    assert_eq!(peer.read_frame().1, b"at last");
}
