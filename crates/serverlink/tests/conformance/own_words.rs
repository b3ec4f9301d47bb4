//! What a socket says and hears of its own accord: hello, disconnect, hiccup.

use std::{net::TcpListener, time::Duration};

use serverlink::{
    Error, Message, Options, Socket,
    SocketType::{self, *},
};

use crate::{
    everywhere, over_wires,
    raw::RawPeer,
    world::{Transport, World, connect, eventually, peers, recv, recv_text, send, text, until_peers_left},
};

fn named(options: &mut Options) {
    options.routing_id = b"d".to_vec();
}

fn greeting(options: &mut Options) {
    options.hello_message = b"hello".to_vec();
}

everywhere! {
    a_hello_comes_first
    both_sides_may_say_hello
    a_disconnect_message_comes_behind_the_last_message
    a_router_that_dials_has_no_disconnect_message
    a_dealer_that_gives_up_a_connection_has_no_hiccup
}

over_wires! {
    a_hello_is_not_counted
}

fn a_hello_comes_first(world: &World) {
    let dealer = world.socket_with(Dealer, |options| {
        named(options);
        greeting(options);
    });
    let endpoint = world.deserted_endpoint();
    dealer.connect(&endpoint).expect("connecting");
    // Queued before anybody is there.
    send(&dealer, ["queued"]);
    let router = world.socket(Router);
    router.bind(&endpoint).expect("binding");
    peers(&router, 1);
    send(&dealer, ["sent"]);
    for expected in ["hello", "queued", "sent"] {
        assert_eq!(recv_text(&router), ["d", expected]);
    }
}

fn both_sides_may_say_hello(world: &World) {
    let (router, dealer) = world.linked_with(Router, Dealer, |options| {
        greeting(options);
        named(options);
    });
    assert_eq!(recv_text(&dealer), ["hello"]);
    assert_eq!(recv_text(&router), ["d", "hello"]);
    send(&router, ["d", "and on"]);
    assert_eq!(recv_text(&dealer), ["and on"]);
}

fn a_hello_is_not_counted(world: &World) {
    let dealer = world.socket_with(Dealer, |options| {
        greeting(options);
        options.send_hwm = 1;
    });
    let endpoint = world.deserted_endpoint();
    dealer.connect(&endpoint).expect("connecting");
    dealer.try_send("one").expect("there is room for one");
    let full = dealer.try_send("two").expect_err("there is no more");
    assert!(matches!(full.error, Error::WouldBlock), "{}", full.error);
    let peer = world.socket(Dealer);
    peer.bind(&endpoint).expect("binding");
    assert_eq!((recv_text(&peer), recv_text(&peer)), (vec!["hello".to_owned()], vec!["one".to_owned()]));
    eventually("the queue is empty", || dealer.stats().send_queue == 0);
    assert_eq!(dealer.stats().sent, 1);
}

fn a_disconnect_message_comes_behind_the_last_message(world: &World) {
    let router = world.socket_with(Router, |options| {
        options.disconnect_message = b"gone".to_vec();
        options.router_notify_disconnect = true;
    });
    let endpoint = world.bind(&router);
    for leaves_something in [true, false, true] {
        let dealer = world.socket_with(Dealer, named);
        connect(&dealer, &endpoint);
        peers(&router, 1);
        if leaves_something {
            send(&dealer, ["first"]);
            send(&dealer, ["last"]);
        }
        drop(dealer);
        until_peers_left(&router, 0);
        if leaves_something {
            assert_eq!(recv_text(&router), ["d", "first"]);
            assert_eq!(recv_text(&router), ["d", "last"]);
        }
        assert_eq!(recv_text(&router), ["d", "gone"]);
        assert_eq!(recv_text(&router), ["d", ""], "the notification is the last of all");
    }
}

fn a_router_that_dials_has_no_disconnect_message(world: &World) {
    let router = world.socket_with(Router, |options| {
        options.disconnect_message = b"gone".to_vec();
        options.router_notify_disconnect = true;
    });
    let dealer = world.socket_with(Dealer, named);
    connect(&router, &world.bind(&dealer));
    peers(&dealer, 1);
    drop(dealer);
    assert_eq!(recv_text(&router), ["d", ""], "as in libzmq, only who came to us is said to be gone");
}

fn a_dealer_that_gives_up_a_connection_has_no_hiccup(world: &World) {
    let dealer = world.socket_with(Dealer, |options| options.hiccup_message = b"hiccup".to_vec());
    let (_first, there) = world.bound(Router);
    connect(&dealer, &there);
    dealer.disconnect(&there).expect("it was connected");
    let other = world.socket(Dealer);
    connect(&dealer, &world.bind(&other));
    send(&other, ["marker"]);
    assert_eq!(recv_text(&dealer), ["marker"]);
}

fn listener_and(kind: SocketType, change: impl FnOnce(&mut Options)) -> (World, TcpListener, Socket) {
    let world = World::new(Transport::Tcp);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let socket = world.socket_with(kind, |options| {
        options.reconnect_interval = Duration::from_millis(5);
        change(options);
    });
    socket.connect(&format!("tcp://{}", listener.local_addr().expect("it is bound"))).expect("connecting");
    (world, listener, socket)
}

/// Once on each connection, whatever became of the one before.
#[test]
fn a_hello_is_said_again_on_each_connection() {
    let (_world, listener, dealer) = listener_and(Dealer, greeting);
    for round in 0..5 {
        send(&dealer, ["queued", &round.to_string()]);
        let mut peer = RawPeer::accept(&listener);
        peer.shake_hands("ROUTER");
        assert_eq!(peer.read_frame(), (0, b"hello".to_vec()));
        assert_eq!(peer.read_frame(), (1, b"queued".to_vec()));
        assert_eq!(peer.read_frame(), (0, round.to_string().into_bytes()));
        drop(peer);
        until_peers_left(&dealer, 0);
    }
}

#[test]
fn a_hiccup_lies_between_the_messages_of_two_connections() {
    let (_world, listener, dealer) =
        listener_and(Dealer, |options| options.hiccup_message = b"hiccup".to_vec());
    for round in ["1", "2", "3"] {
        let mut peer = RawPeer::accept(&listener);
        peer.shake_hands("ROUTER");
        peers(&dealer, 1);
        peer.send(&crate::raw::frame(0, round.as_bytes()));
        // And half a message, of which nothing may come.
        peer.send(&crate::raw::frame(1, b"cut"));
        drop(peer);
        until_peers_left(&dealer, 0);
    }
    // Nobody took anything all the while.
    let mut peer = RawPeer::accept(&listener);
    peer.shake_hands("ROUTER");
    peer.send(&crate::raw::frame(0, b"4"));
    for expected in ["1", "hiccup", "2", "hiccup", "3", "hiccup", "4"] {
        assert_eq!(recv_text(&dealer), [expected]);
    }
}

/// A connection that never got through its handshake was not lost.
#[test]
fn a_handshake_that_fails_is_no_hiccup() {
    let (_world, listener, dealer) =
        listener_and(Dealer, |options| options.hiccup_message = b"hiccup".to_vec());
    for _ in 0..3 {
        drop(RawPeer::accept(&listener));
    }
    let mut peer = RawPeer::accept(&listener);
    peer.shake_hands("ROUTER");
    peer.send(&crate::raw::frame(0, b"first"));
    assert_eq!(recv_text(&dealer), ["first"]);
}

#[test]
fn who_lost_its_name_says_nothing() {
    let world = World::new(Transport::Tcp);
    let router = world.socket_with(Router, |options| {
        options.disconnect_message = b"gone".to_vec();
        options.router_handover = true;
    });
    let endpoint = world.bind(&router);
    let shaken = || {
        let mut peer = RawPeer::connect(&endpoint);
        let properties = [("Socket-Type", &b"DEALER"[..]), ("Identity", b"d")];
        let properties = properties.map(|(name, value)| crate::raw::property(name, value)).concat();
        peer.send(&[crate::raw::greeting(1), crate::raw::command("READY", &properties)].concat());
        peer.read_greeting();
        peer.read_frame();
        peer
    };
    let mut first = shaken();
    first.send(&crate::raw::frame(0, b"from the first"));
    assert_eq!(recv_text(&router), ["d", "from the first"]);
    let mut second = shaken();
    first.assert_closed();
    second.send(&crate::raw::frame(0, b"from the second"));
    assert_eq!(recv_text(&router), ["d", "from the second"]);
    drop(second);
    assert_eq!(recv_text(&router), ["d", "gone"]);
}

#[test]
fn they_belong_to_those_who_have_them_in_libzmq() {
    let world = World::new(Transport::Inproc);
    let message = b"word".to_vec();
    for kind in SocketType::ALL {
        let opens = |options: Options| world.context.socket_with(kind, options).is_ok();
        let hello = Options { hello_message: message.clone(), ..Options::default() };
        let disconnect = Options { disconnect_message: message.clone(), ..Options::default() };
        let hiccup = Options { hiccup_message: message.clone(), ..Options::default() };
        assert_eq!(opens(hello), matches!(kind, Dealer | Router | Client | Server | Peer), "{kind}");
        assert_eq!(opens(disconnect), matches!(kind, Router | Server | Peer), "{kind}");
        assert_eq!(opens(hiccup), matches!(kind, Dealer | Client | Peer), "{kind}");
    }
    let too_long = Options { hiccup_message: vec![0; 20], max_message_bytes: 10, ..Options::default() };
    let refused = world.context.socket_with(Dealer, too_long).map(drop).expect_err("nothing that long fits");
    assert!(refused.to_string().contains("max_message_bytes"), "{refused}");
}

/// An anonymous peer's last word has the name under which its messages came.
#[test]
fn a_nameless_peer_is_gone_under_its_name() {
    let world = World::new(Transport::Tcp);
    let router = world.socket_with(Router, |options| options.disconnect_message = b"gone".to_vec());
    let dealer = world.connected(Dealer, &world.bind(&router));
    send(&dealer, ["here"]);
    let here: Message = recv(&router);
    drop(dealer);
    let gone = recv(&router);
    assert_eq!((here[0].clone(), &text(&gone)[1][..]), (gone[0].clone(), "gone"));
}
