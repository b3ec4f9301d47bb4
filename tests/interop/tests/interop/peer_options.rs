//! Options that the other end can see, on either side: names, requests, sizes, and what comes first and last.

use serverlink::EventKind;
use serverlink::SocketType::{Dealer, Pull, Push, Rep, Req, Router};

use crate::{
    ends::{End, PATIENCE, Parts, parts},
    links::Wire,
    ours::{Ours, wait_for},
    over_wires,
    theirs::Theirs,
};

over_wires! {
    our_probe_tells_our_name => our_probe_tells_our_name;
    their_probe_tells_their_name => their_probe_tells_their_name;
    names_of_every_length_and_kind => names_of_every_length_and_kind;
    /// libzmq makes a name of five bytes for a peer without one, the first of them 0, and so do we.
    peers_without_a_name => peers_without_a_name;
    our_router_tells_who_comes_and_goes => our_router_tells_who_comes_and_goes;
    our_router_hands_a_name_over => our_router_hands_a_name_over;
    our_router_keeps_a_name => our_router_keeps_a_name;
    their_router_hands_a_name_over => their_router_hands_a_name_over;
    our_router_knows_who_is_gone => our_router_knows_who_is_gone;
    our_numbered_requests => our_numbered_requests;
    our_request_in_place_of_another => our_request_in_place_of_another;
    their_request_in_place_of_another => their_request_in_place_of_another;
    our_limit_of_size => our_limit_of_size;
    their_limit_of_size => their_limit_of_size;
    our_immediate_sender => our_immediate_sender;
    their_immediate_sender => their_immediate_sender;
    our_newest_message_alone => our_newest_message_alone;
    their_newest_message_alone => their_newest_message_alone;
    what_we_sent_outlives_our_socket => what_we_sent_outlives_our_socket;
    what_they_sent_outlives_their_socket => what_they_sent_outlives_their_socket;
}

const STREAM_MESSAGES: u32 = 500;

fn our_probe_tells_our_name(wire: Wire) {
    let (router, endpoint, _directory) = bound(Theirs::open(Router), wire);
    let dealer = Ours::open_with(Dealer, |options| {
        options.routing_id = b"prober".to_vec();
        options.probe_router = true;
    });
    dealer.connect(&endpoint);
    assert_eq!(router.recv(), parts(["prober", ""]));
    router.send(&parts(["prober", "welcome"]));
    assert_eq!(dealer.recv(), parts(["welcome"]));
}

fn their_probe_tells_their_name(wire: Wire) {
    let (router, endpoint, _directory) = bound(Ours::open(Router), wire);
    let dealer = named(b"prober");
    dealer.socket().set_probe_router(true).expect("a valid option");
    dealer.connect(&endpoint);
    assert_eq!(router.recv(), parts(["prober", ""]));
    router.send(&parts(["prober", "welcome"]));
    assert_eq!(dealer.recv(), parts(["welcome"]));
}

fn names_of_every_length_and_kind(wire: Wire) {
    for name in [b"x".to_vec(), vec![0xff; 255], vec![1, 0, 0, 0, 0], b"\r\n\t \"".to_vec()] {
        let (router, endpoint, _directory) = bound(Ours::open(Router), wire);
        let dealer = named(&name);
        dealer.connect(&endpoint);
        talk(&dealer, &router, &name);

        let (router, endpoint, _directory) = bound(Theirs::open(Router), wire);
        let dealer = Ours::open_with(Dealer, |options| options.routing_id = name.clone());
        dealer.connect(&endpoint);
        talk(&dealer, &router, &name);
    }
}

fn talk(dealer: &dyn End, router: &dyn End, name: &[u8]) {
    dealer.send(&parts(["hello"]));
    assert_eq!(router.recv(), parts([name, b"hello"]));
    router.send(&parts([name, b"welcome"]));
    assert_eq!(dealer.recv(), parts(["welcome"]));
}

fn peers_without_a_name(wire: Wire) {
    for ours_routes in [true, false] {
        let (router, dealer): (Box<dyn End>, Box<dyn End>) = match ours_routes {
            true => (Box::new(Ours::open(Router)), Box::new(Theirs::open(Dealer))),
            false => (Box::new(Theirs::open(Router)), Box::new(Ours::open(Dealer))),
        };
        let (fresh, _directory) = wire.fresh_endpoint();
        dealer.connect(&router.bind(&fresh));
        dealer.send(&parts(["hello"]));
        let name = router.recv().remove(0);
        assert_eq!((name.len(), name[0]), (5, 0), "{name:?}");
        router.send(&vec![name, b"welcome".to_vec()]);
        assert_eq!(dealer.recv(), parts(["welcome"]));
    }
}

fn our_router_tells_who_comes_and_goes(wire: Wire) {
    let router = Ours::open_with(Router, |options| {
        options.router_notify_connect = true;
        options.router_notify_disconnect = true;
    });
    let (router, endpoint, _directory) = bound(router, wire);
    let dealer = named(b"guest");
    dealer.connect(&endpoint);
    assert_eq!(router.recv(), parts(["guest", ""]));
    dealer.send(&parts(["hello"]));
    assert_eq!(router.recv(), parts(["guest", "hello"]));
    drop(dealer);
    assert_eq!(router.recv(), parts(["guest", ""]));
}

fn our_router_hands_a_name_over(wire: Wire) {
    let (router, endpoint, _directory) =
        bound(Ours::open_with(Router, |options| options.router_handover = true), wire);
    let old = named(b"worker");
    old.connect(&endpoint);
    old.send(&parts(["the old one"]));
    assert_eq!(router.recv(), parts(["worker", "the old one"]));
    let new = named(b"worker");
    new.connect(&endpoint);
    new.send(&parts(["the new one"]));
    assert_eq!(router.recv(), parts(["worker", "the new one"]));
    router.send(&parts(["worker", "to the new one"]));
    assert_eq!(new.recv(), parts(["to the new one"]));
}

/// The second is turned away for as long as the first is there.
fn our_router_keeps_a_name(wire: Wire) {
    let (router, endpoint, _directory) = bound(Ours::open(Router), wire);
    let events = router.socket().monitor();
    let first = named(b"worker");
    first.connect(&endpoint);
    talk(&first, &router, b"worker");
    let second = named(b"worker");
    second.connect(&endpoint);
    wait_for(&events, |event| matches!(event, EventKind::RoutingIdRefused { .. }));
    talk(&first, &router, b"worker");
    drop(first);
    talk(&second, &router, b"worker");
}

fn their_router_hands_a_name_over(wire: Wire) {
    let router = Theirs::open(Router);
    router.socket().set_router_handover(true).expect("a valid option");
    let (router, endpoint, _directory) = bound(router, wire);
    let open = || Ours::open_with(Dealer, |options| options.routing_id = b"worker".to_vec());
    let old = open();
    old.connect(&endpoint);
    talk(&old, &router, b"worker");
    let new = open();
    new.connect(&endpoint);
    talk(&new, &router, b"worker");
}

fn our_router_knows_who_is_gone(wire: Wire) {
    let (router, endpoint, _directory) = bound(Ours::open(Router), wire);
    let dealer = named(b"guest");
    dealer.connect(&endpoint);
    talk(&dealer, &router, b"guest");
    drop(dealer);
    router.wait_until_alone();
    let message = serverlink::Message::from_parts(["guest", "are you there?"].map(serverlink::Part::from));
    let failed = router.socket().try_send(message).expect_err("nobody of that name is there");
    assert_eq!(failed.message.iter().count(), 2, "it comes back whole");
}

/// A number of four bytes, an empty part, the question: an answer without the number is none.
fn our_numbered_requests(wire: Wire) {
    let (router, endpoint, _directory) = bound(Theirs::open(Router), wire);
    let req = Ours::open_with(Req, |options| options.req_correlate = true);
    req.connect(&endpoint);
    for question in ["one", "two"] {
        req.send(&parts([question]));
        let asked = router.recv();
        assert_eq!((asked[1].len(), &asked[2..]), (4, &parts(["", question])[..]));
        router.send(&vec![asked[0].clone(), b"0000".to_vec(), Vec::new(), b"of another question".to_vec()]);
        router.send(&asked);
        assert_eq!(req.recv(), parts([question]));
    }
}

fn our_request_in_place_of_another(wire: Wire) {
    let (rep, endpoint, _directory) = bound(Theirs::open(Rep), wire);
    let req = Ours::open_with(Req, |options| {
        options.req_correlate = true;
        options.req_relaxed = true;
    });
    req.connect(&endpoint);
    ask_twice(&req, &rep);
}

fn their_request_in_place_of_another(wire: Wire) {
    let (rep, endpoint, _directory) = bound(Ours::open(Rep), wire);
    let req = Theirs::open(Req);
    req.socket().set_req_correlate(true).expect("a valid option");
    req.socket().set_req_relaxed(true).expect("a valid option");
    req.connect(&endpoint);
    ask_twice(&req, &rep);
}

/// Gives a question up for another while it is answered.
fn ask_twice(req: &dyn End, rep: &dyn End) {
    for _ in 0..5 {
        req.send(&parts(["given up"]));
        assert_eq!(rep.recv(), parts(["given up"]));
        req.send(&parts(["question"]));
        rep.send(&parts(["nobody waits for it"]));
        assert_eq!(rep.recv(), parts(["question"]));
        rep.send(&parts(["answer"]));
        assert_eq!(req.recv(), parts(["answer"]));
    }
}

/// The connection ends, the peer comes back, and what fits arrives.
fn our_limit_of_size(wire: Wire) {
    let pull = Ours::open_with(Pull, |options| options.max_message_bytes = 1000);
    let (pull, endpoint, _directory) = bound(pull, wire);
    let events = pull.socket().monitor();
    let push = Theirs::open(Push);
    push.connect(&endpoint);
    push.send(&vec![vec![b'x'; 1000]]);
    assert_eq!(pull.recv(), vec![vec![b'x'; 1000]]);
    push.send(&vec![vec![b'x'; 1001]]);
    wait_for(&events, |event| matches!(event, EventKind::Disconnected { .. }));
    push.wait_until_alone();
    push.send(&parts(["fits"]));
    assert_eq!(pull.recv(), parts(["fits"]));
}

fn their_limit_of_size(wire: Wire) {
    let pull = Theirs::open(Pull);
    pull.socket().set_maxmsgsize(1000).expect("a valid option");
    let (pull, endpoint, _directory) = bound(pull, wire);
    let push = Ours::open(Push);
    let events = push.socket().monitor();
    push.connect(&endpoint);
    push.send(&vec![vec![b'x'; 1000]]);
    assert_eq!(pull.recv(), vec![vec![b'x'; 1000]]);
    push.send(&vec![vec![b'x'; 1001]]);
    wait_for(&events, |event| matches!(event, EventKind::Disconnected { .. }));
    push.send(&parts(["fits"]));
    assert_eq!(pull.recv(), parts(["fits"]));
}

fn our_immediate_sender(wire: Wire) {
    let (endpoint, _directory) = endpoint_of_nobody(wire);
    let push = Ours::open_with(Push, |options| options.immediate = true);
    push.connect(&endpoint);
    assert!(push.socket().try_send("too early").is_err(), "nobody is there to take it");
    let pull = Theirs::open(Pull);
    pull.bind(&endpoint);
    push.send(&parts(["now"]));
    assert_eq!(pull.recv(), parts(["now"]));
}

fn their_immediate_sender(wire: Wire) {
    let (endpoint, _directory) = endpoint_of_nobody(wire);
    let push = Theirs::open(Push);
    push.socket().set_immediate(true).expect("a valid option");
    push.connect(&endpoint);
    assert_eq!(push.socket().send("too early", zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    let pull = Ours::open(Pull);
    pull.bind(&endpoint);
    push.send(&parts(["now"]));
    assert_eq!(pull.recv(), parts(["now"]));
}

fn our_newest_message_alone(wire: Wire) {
    let (pull, endpoint, _directory) = bound(Ours::open_with(Pull, |options| options.conflate = true), wire);
    let push = Theirs::open(Push);
    push.connect(&endpoint);
    only_newer_ones_come(&push, &pull);
}

fn their_newest_message_alone(wire: Wire) {
    let pull = Theirs::open(Pull);
    pull.socket().set_conflate(true).expect("a valid option");
    let (pull, endpoint, _directory) = bound(pull, wire);
    let push = Ours::open(Push);
    push.connect(&endpoint);
    only_newer_ones_come(&push, &pull);
}

fn only_newer_ones_come(push: &dyn End, pull: &dyn End) {
    (1..=STREAM_MESSAGES).for_each(|number| push.send(&numbered(number)));
    let mut before = 0;
    while before < STREAM_MESSAGES {
        let received = pull.recv();
        let number = u32::from_be_bytes(received[0][..].try_into().expect("a number"));
        assert!(number > before, "{number} came after {before}");
        before = number;
    }
}

fn what_we_sent_outlives_our_socket(wire: Wire) {
    let (pull, endpoint, _directory) = bound(Theirs::open(Pull), wire);
    let push = Ours::open(Push);
    push.connect(&endpoint);
    (1..=STREAM_MESSAGES).for_each(|number| push.send(&numbered(number)));
    drop(push);
    (1..=STREAM_MESSAGES).for_each(|number| assert_eq!(pull.recv(), numbered(number)));
}

fn what_they_sent_outlives_their_socket(wire: Wire) {
    let (pull, endpoint, _directory) = bound(Ours::open(Pull), wire);
    let push = Theirs::open(Push);
    push.socket().set_linger(PATIENCE.as_millis() as i32).expect("a valid option");
    push.connect(&endpoint);
    (1..=STREAM_MESSAGES).for_each(|number| push.send(&numbered(number)));
    // Dropping waits for the messages, which wait for us.
    let closing = std::thread::spawn(move || drop(push));
    (1..=STREAM_MESSAGES).for_each(|number| assert_eq!(pull.recv(), numbered(number)));
    closing.join().expect("closing does not panic");
}

fn numbered(number: u32) -> Parts {
    vec![number.to_be_bytes().to_vec()]
}

fn named(name: &[u8]) -> Theirs {
    let dealer = Theirs::open(Dealer);
    dealer.socket().set_identity(name).expect("a valid option");
    dealer
}

fn bound<E: End>(end: E, wire: Wire) -> (E, String, Option<tempfile::TempDir>) {
    let (fresh, directory) = wire.fresh_endpoint();
    let endpoint = end.bind(&fresh);
    (end, endpoint, directory)
}

/// An endpoint that is free, with its port: one of ours, which is gone when closing returns.
fn endpoint_of_nobody(wire: Wire) -> (String, Option<tempfile::TempDir>) {
    let (reserved, endpoint, directory) = bound(Ours::open(Pull), wire);
    Box::new(reserved).close();
    (endpoint, directory)
}
