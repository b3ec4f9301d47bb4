//! Without handover: a name that is taken stays with its owner, and the second peer with it must not talk into a void.

use serverlink::{Context, EventKind, Socket, SocketType};

use crate::place::{Place, brisk, eventually, over_wires, wait_for};
use crate::{recv, router, send};

over_wires! {
    the_router_is_told_who_was_refused
    the_owner_is_not_disturbed

    the_refused_dialer_is_told_why_and_backs_off

    the_refused_dialer_gets_in_when_the_owner_leaves

    what_the_refused_dialer_sent_meanwhile_arrives
}

/// Comes back soon, and again and again.
fn persistent_twin(context: &Context) -> Socket {
    brisk(context, SocketType::Dealer, |options| options.routing_id = b"twin".to_vec())
}

/// A ROUTER without handover, the owner of the name, and a second who wants it.
struct Scene {
    _context: Context,
    router: Socket,
    owner: Socket,
    second: Socket,
    endpoint: String,
}

impl Scene {
    fn new(place: &Place) -> Scene {
        let context = Context::new().expect("a context");
        let (router, endpoint) = router(&context, place, |options| options.router_handover = false);
        let owner = persistent_twin(&context);
        owner.connect(&endpoint).expect("connecting");
        send(&owner, &["mine"]);
        assert_eq!(recv(&router), ["twin", "mine"]);
        let second = persistent_twin(&context);
        Scene { _context: context, router, owner, second, endpoint }
    }

    fn connect_the_second(&self) {
        let monitor = self.router.monitor();
        self.second.connect(&self.endpoint).expect("connecting is not refused");
        wait_for(&monitor, "the refusal", |event| is_refusal(&event).then_some(()));
    }
}

fn is_refusal(event: &EventKind) -> bool {
    matches!(event, EventKind::RoutingIdRefused { routing_id, why, .. } if routing_id == b"twin" && !why.is_empty())
}

fn the_router_is_told_who_was_refused(place: &Place) {
    Scene::new(place).connect_the_second();
}

fn the_owner_is_not_disturbed(place: &Place) {
    let scene = Scene::new(place);
    scene.connect_the_second();
    for round in 0..50 {
        let text = round.to_string();
        send(&scene.owner, &["asks", &text]);
        assert_eq!(recv(&scene.router), ["twin", "asks", text.as_str()]);
        send(&scene.router, &["twin", &text]);
        assert_eq!(recv(&scene.owner), [text.as_str()]);
    }
    assert!(scene.second.try_recv().is_err(), "the second gets nothing that was for the owner");
}

fn the_refused_dialer_is_told_why_and_backs_off(place: &Place) {
    let scene = Scene::new(place);
    let monitor = scene.second.monitor();
    scene.connect_the_second();
    let reason = wait_for(&monitor, "the reason", |event| match event {
        EventKind::HandshakeFailed { reason, .. } | EventKind::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(
        reason.to_lowercase().contains("routing"),
        "it does not say that its routing id is taken: {reason}"
    );
    let next = |last: u32| {
        wait_for(&monitor, "another attempt", |event| match event {
            EventKind::Retrying { attempt, .. } if attempt > last => Some(attempt),
            _ => None,
        })
    };
    // One attempt after the other, with growing pauses: a peer that is refused is no better than one that is away.
    let mut last = 0;
    while last < 4 {
        last = next(last);
    }
}

fn the_refused_dialer_gets_in_when_the_owner_leaves(place: &Place) {
    let scene = Scene::new(place);
    scene.connect_the_second();
    scene.owner.disconnect(&scene.endpoint).expect("it was connected");
    eventually("the second has the name", || {
        send(&scene.router, &["twin", "who has the name?"]);
        scene.second.try_recv().is_ok()
    });
    send(&scene.second, &["mine now"]);
    assert_eq!(recv(&scene.router), ["twin", "mine now"]);
}

/// A dialer's messages wait for the peer that takes them, like those for a peer that is away.
fn what_the_refused_dialer_sent_meanwhile_arrives(place: &Place) {
    let scene = Scene::new(place);
    let monitor = scene.router.monitor();
    scene.second.connect(&scene.endpoint).expect("connecting is not refused");
    for number in 0..10 {
        send(&scene.second, &["while it connected", &number.to_string()]);
    }
    wait_for(&monitor, "the refusal", |event| is_refusal(&event).then_some(()));
    for number in 10..20 {
        send(&scene.second, &["when it was refused", &number.to_string()]);
    }
    scene.owner.disconnect(&scene.endpoint).expect("it was connected");
    for number in 0..20 {
        let message = recv(&scene.router);
        assert_eq!(message[2], number.to_string(), "every message, once and in order: {message:?}");
    }
}

/// Over inproc nobody dials again: the refused peer waits for the name, and has it when it is free.
#[test]
fn a_refused_inproc_peer_gets_in_when_the_owner_leaves() {
    let context = Context::new().expect("a context");
    let router = brisk(&context, SocketType::Router, |_| {});
    let monitor = router.monitor();
    router.bind("inproc://names").expect("a free name");
    let owner = persistent_twin(&context);
    owner.connect("inproc://names").expect("connecting");
    send(&owner, &["mine"]);
    assert_eq!(recv(&router), ["twin", "mine"]);
    let second = persistent_twin(&context);
    second.connect("inproc://names").expect("connecting");
    wait_for(&monitor, "the refusal", |event| is_refusal(&event).then_some(()));
    send(&second, &["while it was refused"]);
    drop(owner);
    assert_eq!(recv(&router), ["twin", "while it was refused"]);
    send(&router, &["twin", "yours now"]);
    assert_eq!(recv(&second), ["yours now"]);
}
