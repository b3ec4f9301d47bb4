//! PLAIN, CURVE and ZAP against the system's libzmq, in every role. Where it is not there, or was built without CURVE, each case says so and
//! passes.

mod system;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use serverlink::security::{AuthRequest, Denial, KeyPair, Security, User, generate_keys};
use serverlink::{Cause, Context, Event, EventKind, Message, Monitor, Options, Socket, SocketType};
use system::{PATIENCE, System};

fn theirs() -> Option<Arc<System>> {
    let system = System::open();
    if system.is_none() {
        eprintln!("skipped: there is no libzmq with CURVE (apt-get install libzmq5)");
    }
    system
}

fn ours(socket_type: SocketType, security: Security) -> Socket {
    ours_with(socket_type, |options| options.security = security)
}

fn ours_with(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options =
        Options { recv_timeout: Some(PATIENCE), send_timeout: Some(PATIENCE), ..Options::default() };
    change(&mut options);
    Context::new().expect("a context").socket_with(socket_type, options).expect("a socket")
}

fn keys() -> KeyPair {
    generate_keys().expect("randomness")
}

fn as_curve_server(socket: &system::Socket, keys: &KeyPair) {
    socket.set_flag(system::CURVE_SERVER);
    socket.set(system::CURVE_SECRETKEY, keys.secret.as_bytes());
}

fn as_curve_client(socket: &system::Socket, keys: &KeyPair, server: &KeyPair) {
    socket.set(system::CURVE_SERVERKEY, server.public.as_bytes());
    socket.set(system::CURVE_PUBLICKEY, keys.public.as_bytes());
    socket.set(system::CURVE_SECRETKEY, keys.secret.as_bytes());
}

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 251) as u8).collect()
}

const LENGTHS: [usize; 10] = [0, 1, 32, 222, 223, 256, 8192, 70_000, 300_000, 2_000_000];

fn parts_of(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|part| part.to_vec()).collect()
}

/// Both ways between a DEALER of each, in messages of any length and shape.
fn talk(ours: &Socket, theirs: &system::Socket) {
    for len in LENGTHS {
        ours.send(&body(len)[..]).expect("sent");
        assert!(theirs.recv() == [body(len)], "{len} bytes from us");
        theirs.send(&[&body(len)]);
        assert!(parts_of(&ours.recv().expect("received")) == [body(len)], "{len} bytes from libzmq");
    }
    let parts = [3, 0, 9000, 255, 100_000].map(body);
    ours.send(Message::from_parts(parts.clone())).expect("sent");
    assert!(theirs.recv() == parts);
    theirs.send(&parts.each_ref().map(|part| &part[..]));
    assert!(parts_of(&ours.recv().expect("received")) == parts);
    for index in 0..2000_u32 {
        ours.send(&index.to_be_bytes()[..]).expect("sent");
        theirs.send(&[&index.to_be_bytes()]);
    }
    for index in 0..2000_u32 {
        assert_eq!(theirs.recv(), [index.to_be_bytes()]);
        assert_eq!(parts_of(&ours.recv().expect("received")), [index.to_be_bytes()]);
    }
}

/// The four ways in which two sides can have roles and link up.
fn in_every_role(mut run: impl FnMut(bool, &dyn Fn(&Socket, &system::Socket))) {
    for we_are_server in [true, false] {
        run(we_are_server, &|ours, theirs| {
            let bound = ours.bind("tcp://127.0.0.1:*").expect("bound");
            theirs.connect(&bound.to_string());
        });
        run(we_are_server, &|ours, theirs| {
            let bound = theirs.bind("tcp://127.0.0.1:*");
            ours.connect(&bound).expect("connecting");
        });
    }
}

#[test]
fn curve_in_every_role() {
    let Some(system) = theirs() else { return };
    in_every_role(|we_are_server, link| {
        let (server, client) = (keys(), keys());
        let their_end = system.socket(system::DEALER);
        let our_end = match we_are_server {
            true => {
                as_curve_client(&their_end, &client, &server);
                ours(SocketType::Dealer, Security::curve_server(server))
            }
            false => {
                as_curve_server(&their_end, &server);
                ours(SocketType::Dealer, Security::curve_client(client, server.public))
            }
        };
        link(&our_end, &their_end);
        talk(&our_end, &their_end);
    });
}

#[test]
fn curve_carries_subscriptions_both_ways() {
    let Some(system) = theirs() else { return };
    let (server, client) = (keys(), keys());
    let publisher = ours(SocketType::Pub, Security::curve_server(server.clone()));
    let bound = publisher.bind("tcp://127.0.0.1:*").expect("bound").to_string();
    let subscriber = system.socket(system::SUB);
    as_curve_client(&subscriber, &client, &server);
    subscriber.set(system::SUBSCRIBE, b"a");
    subscriber.connect(&bound);
    publisher.wait_for_subscribers(1, PATIENCE).expect("it subscribes");
    publisher.send(Message::from_parts(["b", "no"])).expect("sent");
    publisher.send(Message::from_parts(["a", "yes"])).expect("sent");
    assert_eq!(subscriber.recv(), [b"a".to_vec(), b"yes".to_vec()]);

    let publisher = system.socket(system::PUB);
    as_curve_server(&publisher, &server);
    let bound = publisher.bind("tcp://127.0.0.1:*");
    let subscriber = ours(SocketType::Sub, Security::curve_client(client, server.public));
    subscriber.subscribe("a").expect("a topic");
    subscriber.connect(&bound).expect("connecting");
    // A publisher of libzmq does not tell when it has heard.
    let until = Instant::now() + PATIENCE;
    let got = loop {
        publisher.send(&[b"b"]);
        publisher.send(&[b"a"]);
        match subscriber.try_recv() {
            Ok(message) => break message,
            Err(_) => assert!(Instant::now() < until, "nothing comes"),
        }
        thread::yield_now();
    };
    assert_eq!(parts_of(&got), [b"a"]);
}

fn cause(monitor: &Monitor) -> Cause {
    let until = Instant::now() + PATIENCE;
    loop {
        let Event { kind, .. } = monitor.next_deadline(until).expect("the event in time");
        match kind {
            EventKind::HandshakeFailed { cause, .. } => return cause,
            EventKind::Established { .. } => panic!("it was let in"),
            _ => {}
        }
    }
}

#[test]
fn a_wrong_server_key_is_refused_by_both() {
    let Some(system) = theirs() else { return };
    let their_end = system.socket(system::PUSH);
    as_curve_client(&their_end, &keys(), &keys());
    let our_end = ours(SocketType::Pull, Security::curve_server(keys()));
    let (bound, monitor) = (our_end.bind("tcp://127.0.0.1:*").expect("bound"), our_end.monitor());
    their_end.connect(&bound.to_string());
    assert_eq!(cause(&monitor), Cause::Cryptography);

    let their_end = system.socket(system::PULL);
    as_curve_server(&their_end, &keys());
    let events = their_end.monitor(HANDSHAKE, "wrong-key");
    let bound = their_end.bind("tcp://127.0.0.1:*");
    let our_end = ours(SocketType::Push, Security::curve_client(keys(), keys().public));
    let monitor = our_end.monitor();
    our_end.connect(&bound).expect("connecting");
    assert_eq!(cause(&monitor), Cause::PeerClosed);
    assert_eq!(events.event().0, system::HANDSHAKE_FAILED_PROTOCOL);
}

const HANDSHAKE: u16 =
    system::HANDSHAKE_SUCCEEDED | system::HANDSHAKE_FAILED_PROTOCOL | system::HANDSHAKE_FAILED_AUTH;

#[test]
fn different_mechanisms_do_not_meet() {
    let Some(system) = theirs() else { return };
    let server = keys();
    for we_have_security in [true, false] {
        let their_end = system.socket(system::PULL);
        let security = match we_have_security {
            true => Security::curve_client(keys(), server.public),
            false => {
                as_curve_server(&their_end, &server);
                Security::none()
            }
        };
        let events = their_end.monitor(HANDSHAKE, &format!("different-{we_have_security}"));
        let bound = their_end.bind("tcp://127.0.0.1:*");
        let our_end = ours(SocketType::Push, security);
        let monitor = our_end.monitor();
        our_end.connect(&bound).expect("connecting");
        assert!(matches!(cause(&monitor), Cause::Mechanism | Cause::PeerClosed));
        assert_eq!(events.event().0, system::HANDSHAKE_FAILED_PROTOCOL);
    }
}

/// As a handler for libzmq is written: over a REP of their own context.
fn their_handler(
    system: &Arc<System>,
    questions: usize,
    allow: impl Fn(&[Vec<u8>]) -> &'static [u8] + Send + 'static,
) {
    let handler = system.socket(system::REP);
    handler.bind("inproc://zeromq.zap.01");
    thread::spawn(move || {
        for _ in 0..questions {
            let request = handler.recv();
            let status = allow(&request);
            handler.send(&[b"1.0", &request[1], status, b"text", b"user", b""]);
        }
    });
}

#[test]
fn their_handler_of_zap_judges_us() {
    let Some(system) = theirs() else { return };
    let (server, wanted) = (keys(), keys());
    let wanted_key = wanted.public.as_bytes().to_vec();
    their_handler(
        &system,
        2,
        move |request| if request.last() == Some(&wanted_key) { b"200" } else { b"400" },
    );
    let their_end = system.socket(system::PULL);
    as_curve_server(&their_end, &server);
    let bound = their_end.bind("tcp://127.0.0.1:*");
    let stranger = ours(SocketType::Push, Security::curve_client(keys(), server.public));
    let monitor = stranger.monitor();
    stranger.connect(&bound).expect("connecting");
    assert_eq!(cause(&monitor), Cause::DeniedByPeer(400));
    stranger.disconnect(&bound).expect("it is connected there");
    let push = ours(SocketType::Push, Security::curve_client(wanted, server.public));
    push.connect(&bound).expect("connecting");
    push.send("hello").expect("sent");
    assert_eq!(their_end.recv(), [b"hello"]);
}

#[test]
fn our_judge_lets_their_password_in_or_not() {
    let Some(system) = theirs() else { return };
    let judge = |request: &AuthRequest| match (request.username(), request.password()) {
        (Some(b"admin"), Some(b"right")) => Ok(User::named("admin")),
        _ => Err(Denial::Refused),
    };
    let pull = Context::new()
        .and_then(|context| {
            context
                .pull()
                .security(Security::plain_server())
                .authenticator(judge)
                .recv_timeout(PATIENCE)
                .open()
        })
        .expect("a socket");
    let bound = pull.bind("tcp://127.0.0.1:*").expect("bound").to_string();
    for (password, event) in
        [(&b"wrong"[..], system::HANDSHAKE_FAILED_AUTH), (b"right", system::HANDSHAKE_SUCCEEDED)]
    {
        let push = system.socket(system::PUSH);
        push.set(system::PLAIN_USERNAME, b"admin");
        push.set(system::PLAIN_PASSWORD, password);
        let events = push.monitor(HANDSHAKE, &format!("plain-{event}"));
        push.connect(&bound);
        let (told, value) = events.event();
        assert_eq!(told, event);
        if event == system::HANDSHAKE_FAILED_AUTH {
            assert_eq!(value, 400, "the number of ZAP reaches the client");
        } else {
            push.send(&[b"hello"]);
            assert_eq!(parts_of(&pull.recv().expect("received")), [b"hello"]);
        }
    }
}

#[test]
fn our_password_is_judged_by_their_handler() {
    let Some(system) = theirs() else { return };
    their_handler(
        &system,
        2,
        |request| if request[6] == b"admin" && request[7] == b"right" { b"200" } else { b"400" },
    );
    let pull = system.socket(system::PULL);
    pull.set_flag(system::PLAIN_SERVER);
    pull.set(system::ZAP_DOMAIN, b"global");
    let bound = pull.bind("tcp://127.0.0.1:*");
    let wrong = ours(SocketType::Push, Security::plain_client("admin", "wrong"));
    let monitor = wrong.monitor();
    wrong.connect(&bound).expect("connecting");
    assert_eq!(cause(&monitor), Cause::DeniedByPeer(400));
    wrong.disconnect(&bound).expect("it is connected there");
    let right = ours(SocketType::Push, Security::plain_client("admin", "right"));
    right.connect(&bound).expect("connecting");
    right.send("hello").expect("sent");
    assert_eq!(pull.recv(), [b"hello"]);
}

/// What a denied dialer of libzmq is told decides whether it ever comes back, so it must be told what libzmq's own servers tell.
#[test]
fn our_numbers_reach_their_monitor() {
    let Some(system) = theirs() else { return };
    for (denial, number) in [(Denial::Refused, 400), (Denial::Failed, 500)] {
        let server = keys();
        let pull = ours_with(SocketType::Pull, |options| {
            options.security = Security::curve_server(server.clone());
            let judge = move |_: &AuthRequest| -> Result<User, Denial> { Err(denial) };
            options.authenticator = Some(serverlink::security::SharedAuthenticator::new(judge));
        });
        let bound = pull.bind("tcp://127.0.0.1:*").expect("bound").to_string();
        let push = system.socket(system::PUSH);
        as_curve_client(&push, &keys(), &server);
        let events = push.monitor(HANDSHAKE, &format!("number-{number}"));
        push.connect(&bound);
        assert_eq!(events.event(), (system::HANDSHAKE_FAILED_AUTH, number));
    }
}

/// Sealed with the keys of a connection that broke, it would be lost.
#[test]
fn what_waits_for_libzmq_is_sealed_anew() {
    let Some(system) = theirs() else { return };
    let (server, client) = (keys(), keys());
    let router = || {
        let router = system.socket(system::ROUTER);
        as_curve_server(&router, &server);
        router
    };
    let first = router();
    let bound = first.bind("tcp://127.0.0.1:*");
    let dealer = ours(SocketType::Dealer, Security::curve_client(client, server.public));
    dealer.connect(&bound).expect("connecting");
    dealer.send("before").expect("sent");
    assert_eq!(first.recv()[1], b"before");
    let monitor = dealer.monitor();
    drop(first);
    let until = Instant::now() + PATIENCE;
    loop {
        let event = monitor.next_deadline(until).expect("the event in time");
        if matches!(event.kind, EventKind::Disconnected { .. }) {
            break;
        }
    }
    dealer.send("waits").expect("it is queued");
    // libzmq closes in the background, and the address is free only then.
    let second = router();
    while !second.try_bind(&bound) {
        assert!(Instant::now() < until, "{bound} stays in use");
        thread::yield_now();
    }
    assert_eq!(second.recv()[1], b"waits");
}
