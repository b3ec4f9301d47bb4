//! PLAIN, CURVE and whoever judges peers: who gets in, what they see of each other, and what becomes of the rest.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serverlink::{
    Cause, Error, EventKind, Linger, Message, Monitor, Options, Socket, SocketType,
    SocketType::*,
    security::{
        Answer, AuthRequest, Authenticator, Credentials, Denial, KeyPair, PublicKey, SecretKey, Security,
        SharedAuthenticator, User, generate_keys,
    },
};

use crate::{
    monitor::wait_for,
    over_streams, over_wires,
    world::{
        World, assert_nothing_waits, connect, eventually, peers, recv, recv_text, send, subscribers,
        until_peers_left,
    },
};

over_streams! {
    curve_carries_messages_of_every_kind
    curve_carries_requests_and_subscriptions
    curve_carries_the_newer_types
    a_stream_is_not_protected_and_says_so
    a_curve_server_may_be_the_one_that_connects
    a_curve_router_turns_a_taken_name_away
    what_waits_is_sealed_anew_for_each_connection
    plain_lets_in_whom_the_judge_lets_in
    keys_may_come_when_a_socket_is_open
    another_servers_key_is_refused
    keys_that_nobody_filled_are_refused
    a_denied_key_is_refused_and_told
    sides_that_want_different_security_do_not_meet
    without_a_judge_plain_lets_nobody_in
    a_socket_without_security_asks_its_authenticator
    a_handler_of_zap_judges
    a_handler_that_says_nonsense_lets_nobody_in
    a_handler_of_a_wrong_type_lets_nobody_in
    what_only_a_judge_says_cannot_be_claimed
    an_enforced_domain_needs_somebody_who_judges
    a_peer_that_leaves_while_it_is_judged_is_noticed_at_once
}

over_wires! {
    an_authenticator_may_answer_later_from_anywhere
    an_authenticator_that_panics_lets_nobody_in
    a_stream_of_sealed_messages_arrives_in_order
}

fn keys() -> KeyPair {
    generate_keys().expect("randomness")
}

/// A server and a client that know each other's keys.
fn curve() -> (Security, Security) {
    let server = keys();
    let public = server.public;
    (Security::curve_server(server), Security::curve_client(keys(), public))
}

fn socket(world: &World, socket_type: SocketType, security: &Security) -> Socket {
    world.socket_with(socket_type, |options| options.security = security.clone())
}

fn linked(world: &World, bound: SocketType, connected: SocketType) -> (Socket, Socket) {
    let (server, client) = curve();
    let bound = socket(world, bound, &server);
    let connected = socket(world, connected, &client);
    connect(&connected, &world.bind(&bound));
    peers(&bound, 1);
    (bound, connected)
}

fn body(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 251) as u8).collect()
}

fn curve_carries_messages_of_every_kind(world: &World) {
    let (pull, push) = linked(world, Pull, Push);
    for len in [0, 1, 31, 32, 33, 221, 222, 223, 255, 256, 8191, 8192, 70_000, 300_000, 1_200_000] {
        push.try_send(&body(len)[..]).expect("room below the mark");
        assert!(recv(&pull).first().as_bytes() == body(len), "a body of {len} bytes");
    }
    let parts: Vec<Vec<u8>> = [3, 0, 9000, 255, 100_000, 1].map(body).to_vec();
    push.try_send(Message::from_parts(parts.clone())).expect("room below the mark");
    let got: Vec<Vec<u8>> = recv(&pull).iter().map(|part| part.to_vec()).collect();
    assert!(got == parts, "a message of several parts");
}

fn curve_carries_requests_and_subscriptions(world: &World) {
    let (reply, request) = linked(world, Rep, Req);
    for round in 0..20 {
        send(&request, ["question", &round.to_string()]);
        assert_eq!(recv_text(&reply), ["question", &round.to_string()]);
        send(&reply, ["answer"]);
        assert_eq!(recv_text(&request), ["answer"]);
    }
    let (publisher, subscriber) = linked(world, Pub, Sub);
    subscriber.subscribe("a").expect("a topic");
    subscribers(&publisher, 1);
    send(&publisher, ["b", "not wanted"]);
    send(&publisher, ["a", "wanted"]);
    assert_eq!(recv_text(&subscriber), ["a", "wanted"]);
}

fn curve_carries_the_newer_types(world: &World) {
    for (bound, connected) in [(Gather, Scatter), (Channel, Channel), (Server, Client)] {
        let (bound, connected) = linked(world, bound, connected);
        for len in [0, 30, 300, 70_000] {
            connected.try_send(&body(len)[..]).expect("room below the mark");
            let got = recv(&bound);
            let last = got.iter().next_back().expect("a part");
            assert!(last.as_bytes() == body(len), "a body of {len} bytes");
        }
    }
    let (server, client) = curve();
    let (here, there) = (socket(world, Peer, &server), socket(world, Peer, &client));
    let number = there.connect_peer(&world.bind(&here)).expect("connecting");
    there.try_send(Message::from_parts([&number[..], b"question"])).expect("room below the mark");
    let question = recv(&here);
    assert_eq!(question[1], "question");
    here.try_send(Message::from_parts([&question[0][..], b"answer"])).expect("room below the mark");
    assert_eq!(recv(&there)[1], "answer");
    let (radio, dish) = linked(world, Radio, Dish);
    dish.join("news").expect("a group");
    subscribers(&radio, 1);
    send(&radio, ["weather", "not wanted"]);
    send(&radio, ["news", "wanted"]);
    assert_eq!(recv_text(&dish), ["news", "wanted"]);
}

fn a_stream_is_not_protected_and_says_so(world: &World) {
    let asked = Arc::default();
    let all: [fn(&mut Options); 4] = [
        |options| options.security = Security::plain_server(),
        |options| options.authenticator = judge(&Arc::default(), |_| Ok(User::default())),
        |options| options.zap_domain = "house".to_owned(),
        |options| options.zap_enforce_domain = true,
    ];
    for (change, name) in
        all.into_iter().zip(["security", "authenticator", "zap_domain", "zap_enforce_domain"])
    {
        let mut options = Options::default();
        change(&mut options);
        match world.context.socket_with(Stream, options) {
            Err(Error::InvalidOption { option, why, .. }) => {
                assert_eq!(option, name);
                assert!(why.contains("no handshake"), "{why}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    // Nor can a mechanism be gone around by who speaks none.
    let pull = world.socket_with(Pull, |options| {
        options.security = Security::curve_server(keys());
        options.authenticator = judge(&asked, |_| Ok(User::default()));
    });
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let stranger = world.socket(Stream);
    stranger.connect(&endpoint).expect("connecting");
    let name = recv(&stranger)[0].clone();
    stranger.try_send(Message::from_parts([&name[..], b"GET / HTTP/1.0\r\n\r\n"])).expect("room");
    assert_eq!(failure(&monitor), Cause::Mechanism);
    assert!(asked.lock().expect("no panic").is_empty());
    assert_nothing_waits(&pull);
}

fn a_curve_server_may_be_the_one_that_connects(world: &World) {
    let (server, client) = curve();
    let pull = socket(world, Pull, &client);
    let push = socket(world, Push, &server);
    connect(&push, &world.bind(&pull));
    send(&push, ["from the server"]);
    assert_eq!(recv_text(&pull), ["from the server"]);
}

fn a_curve_router_turns_a_taken_name_away(world: &World) {
    let (server, client) = curve();
    let router = socket(world, Router, &server);
    let endpoint = world.bind(&router);
    let dealer = || {
        world.socket_with(Dealer, |options| {
            options.security = client.clone();
            options.routing_id = b"same".to_vec();
        })
    };
    let (first, second) = (dealer(), dealer());
    connect(&first, &endpoint);
    let monitor = second.monitor();
    second.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::RefusedByPeer);
    send(&first, ["still here"]);
    assert_eq!(recv_text(&router), ["same", "still here"]);
}

/// Keys belong to a connection: what its break leaves behind is sealed with those of the next.
fn what_waits_is_sealed_anew_for_each_connection(world: &World) {
    let (server, client) = curve();
    let endpoint = world.deserted_endpoint();
    let push = socket(world, Push, &client);
    push.connect(&endpoint).expect("connecting");
    for round in 0..5 {
        send(&push, ["round", &round.to_string()]);
        let pull = socket(world, Pull, &server);
        pull.bind(&endpoint).expect("binding");
        assert_eq!(recv_text(&pull), ["round", &round.to_string()]);
        pull.unbind(&endpoint).expect("it is bound there");
        drop(pull);
        until_peers_left(&push, 0);
    }
}

/// Lets in whom it is told to, and keeps what it was asked.
fn judge(
    asked: &Arc<Mutex<Vec<AuthRequest>>>,
    verdict: impl Fn(&AuthRequest) -> Result<User, Denial> + Send + Sync + 'static,
) -> Option<SharedAuthenticator> {
    let asked = Arc::clone(asked);
    Some(SharedAuthenticator::new(move |request: &AuthRequest| {
        asked.lock().expect("no panic").push(request.clone());
        verdict(request)
    }))
}

fn password_is_right(request: &AuthRequest) -> Result<User, Denial> {
    match (request.username(), request.password()) {
        (Some(b"admin"), Some(b"right")) => Ok(User::named("the admin").with("X-Floor", "3")),
        _ => Err(Denial::Refused),
    }
}

fn plain_lets_in_whom_the_judge_lets_in(world: &World) {
    let asked = Arc::default();
    let pull = world.socket_with(Pull, |options| {
        options.security = Security::plain_server();
        options.authenticator = judge(&asked, password_is_right);
        options.zap_domain = "house".to_owned();
    });
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let wrong = socket(world, Push, &Security::plain_client("admin", "wrong"));
    let (at_wrong, right) = (wrong.monitor(), socket(world, Push, &Security::plain_client("admin", "right")));
    wrong.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::Denied(400));
    assert_eq!(failure(&at_wrong), Cause::DeniedByPeer(400));
    drop(wrong);
    connect(&right, &endpoint);
    send(&right, ["hello"]);
    assert_eq!(recv_text(&pull), ["hello"]);
    let peer = pull.peers().pop().expect("it is connected");
    assert_eq!(peer.user_id.as_deref(), Some(&b"the admin"[..]));
    assert_eq!(peer.property("user-id"), Some(&b"the admin"[..]));
    assert_eq!(peer.property("x-floor"), Some(&b"3"[..]));
    let asked = asked.lock().expect("no panic");
    let first = asked.first().expect("it was asked");
    assert_eq!((first.domain.as_str(), first.mechanism(), first.socket), ("house", "PLAIN", pull.id()));
}

fn keys_may_come_when_a_socket_is_open(world: &World) {
    let (server, client) = curve();
    let (pull, push) = (socket(world, Pull, &Security::none()), socket(world, Push, &Security::none()));
    for (socket, security) in [(&pull, server), (&push, client)] {
        socket.reconfigure(&Options { security, ..socket.options().clone() }).expect("it may change");
    }
    let endpoint = world.bind(&pull);
    connect(&push, &endpoint);
    peers(&pull, 1);
    send(&push, ["sealed"]);
    assert_eq!(recv_text(&pull), ["sealed"]);
    let stranger = socket(world, Push, &Security::none());
    let monitors = [pull.monitor(), stranger.monitor()];
    stranger.connect(&endpoint).expect("connecting");
    assert!(monitors.iter().map(failure).any(|cause| cause == Cause::Mechanism));
}

fn keys_that_nobody_filled_are_refused(world: &World) {
    let zeros = || KeyPair::new(SecretKey::from_bytes([0; 32]));
    let of_server = Security::curve_client(keys(), PublicKey::from_bytes([0; 32]));
    let own = Security::curve_client(zeros(), keys().public);
    for security in [Security::curve_server(zeros()), own, of_server] {
        let options = Options { security, ..Options::default() };
        let refused = world.context.socket_with(Pull, options).expect_err("it cannot be safe");
        assert!(matches!(refused, Error::InvalidOption { option: "security", .. }), "{refused}");
    }
}

fn another_servers_key_is_refused(world: &World) {
    let (server, _) = curve();
    let pull = socket(world, Pull, &server);
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = socket(world, Push, &Security::curve_client(keys(), keys().public));
    let at_push = push.monitor();
    push.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::Cryptography);
    assert_eq!(failure(&at_push), Cause::PeerClosed);
    assert_eq!((pull.stats().peers, push.stats().peers), (0, 0));
}

fn a_denied_key_is_refused_and_told(world: &World) {
    let (server, wanted) = (keys(), keys());
    let (public, wanted_public) = (server.public, wanted.public);
    let asked = Arc::default();
    for (denial, told) in [
        (Denial::Refused, Cause::DeniedByPeer(400)),
        (Denial::Failed, Cause::DeniedByPeer(500)),
        (Denial::Temporary, Cause::PeerClosed),
    ] {
        let pull = world.socket_with(Pull, |options| {
            options.security = Security::curve_server(server.clone());
            options.authenticator = judge(&asked, move |request| match request.public_key() {
                Some(key) if *key == wanted_public => Ok(User::default()),
                _ => Err(denial),
            });
        });
        let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
        let stranger = socket(world, Push, &Security::curve_client(keys(), public));
        let at_stranger = stranger.monitor();
        stranger.connect(&endpoint).expect("connecting");
        assert_eq!(failure(&monitor), Cause::Denied(denial.status()));
        assert_eq!(failure(&at_stranger), told);
        drop(stranger);
        let push = socket(world, Push, &Security::curve_client(wanted.clone(), public));
        connect(&push, &endpoint);
        peers(&pull, 1);
        assert_eq!(pull.peers().pop().expect("it is connected").public_key, Some(wanted_public));
        assert_eq!(push.peers().pop().expect("it is connected").public_key, Some(public));
    }
}

fn failure(monitor: &Monitor) -> Cause {
    wait_for(monitor, |event| match event {
        EventKind::HandshakeFailed { cause, .. } => Some(cause),
        EventKind::Established { .. } => panic!("it was let in"),
        _ => None,
    })
}

fn sides_that_want_different_security_do_not_meet(world: &World) {
    let (server, client) = curve();
    let plain = Security::plain_client("admin", "secret");
    for (bound, connected) in [
        (&server, &Security::none()),
        (&server, &plain),
        (&Security::none(), &client),
        (&Security::none(), &plain),
        (&Security::plain_server(), &client),
        (&Security::plain_server(), &Security::none()),
    ] {
        let pull = socket(world, Pull, bound);
        let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
        let push = socket(world, Push, connected);
        let at_push = push.monitor();
        push.connect(&endpoint).expect("connecting");
        send(&push, ["for friends only"]);
        // Whoever looks first says nothing more, and the other may only see it leave.
        let causes = [failure(&monitor), failure(&at_push)];
        assert!(causes.contains(&Cause::Mechanism), "{bound:?} and {connected:?}: {causes:?}");
        assert!(
            causes.iter().all(|cause| matches!(cause, Cause::Mechanism | Cause::PeerClosed)),
            "{causes:?}"
        );
        assert_nothing_waits(&pull);
    }
}

fn without_a_judge_plain_lets_nobody_in(world: &World) {
    let pull = socket(world, Pull, &Security::plain_server());
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = socket(world, Push, &Security::plain_client("admin", "secret"));
    push.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::NobodyJudges);
}

fn a_socket_without_security_asks_its_authenticator(world: &World) {
    let asked = Arc::default();
    let pull = world.socket_with(Pull, |options| {
        options.authenticator = judge(&asked, |request| match &request.credentials {
            Credentials::Null => Ok(User::named("anybody")),
            _ => Err(Denial::Refused),
        });
    });
    let endpoint = world.bind(&pull);
    let push = world.socket(Push);
    push.connect(&endpoint).expect("connecting");
    send(&push, ["hello"]);
    assert_eq!(recv_text(&pull), ["hello"]);
    assert_eq!(asked.lock().expect("no panic").len(), 1);
    assert_eq!(pull.peers().pop().expect("it is connected").user_id.as_deref(), Some(&b"anybody"[..]));
}

/// A REP as a program for libzmq has it; it answers whenever it is asked to look.
struct Handler(Socket);

impl Handler {
    fn new(world: &World) -> Handler {
        let reply = world.socket(Rep);
        reply.bind("inproc://zeromq.zap.01").expect("nobody else handles");
        Handler(reply)
    }

    fn answer(&self, change: impl FnOnce(&mut [Vec<u8>; 6])) -> Vec<Vec<u8>> {
        let request: Vec<Vec<u8>> = recv(&self.0).iter().map(|part| part.to_vec()).collect();
        let mut reply = [
            b"1.0".to_vec(),
            request[1].clone(),
            b"200".to_vec(),
            b"OK".to_vec(),
            b"somebody".to_vec(),
            b"\x05Floor\0\0\0\x013".to_vec(),
        ];
        change(&mut reply);
        self.0.try_send(Message::from_parts(reply)).expect("room for a reply");
        request
    }
}

fn a_handler_of_zap_judges(world: &World) {
    let handler = Handler::new(world);
    let (server, client) = (keys(), keys());
    let (public, client_key) = (server.public, client.public);
    let pull = world.socket_with(Pull, |options| {
        options.security = Security::curve_server(server.clone());
        options.zap_domain = "global".to_owned();
        options.routing_id = b"me".to_vec();
    });
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = socket(world, Push, &Security::curve_client(client, public));
    let at_push = push.monitor();
    push.connect(&endpoint).expect("connecting");
    let request = handler.answer(|reply| reply[2] = b"400".to_vec());
    assert_eq!(failure(&monitor), Cause::Denied(400));
    assert_eq!(failure(&at_push), Cause::DeniedByPeer(400));
    assert_eq!(request[..3], [b"1.0".to_vec(), b"1".to_vec(), b"global".to_vec()]);
    assert_eq!(request[4..6], [b"me".to_vec(), b"CURVE".to_vec()]);
    assert_eq!(request[6..], [client_key.as_bytes().to_vec()]);
    // It comes back, and is let in.
    handler.answer(|_| {});
    peers(&pull, 1);
    let peer = pull.peers().pop().expect("it is connected");
    assert_eq!(peer.user_id.as_deref(), Some(&b"somebody"[..]));
    assert_eq!(peer.granted_property("floor"), Some(&b"3"[..]));
    assert_eq!(peer.property("Floor"), Some(&b"3"[..]));
    send(&push, ["hello"]);
    assert_eq!(recv_text(&pull), ["hello"]);
}

fn a_handler_that_says_nonsense_lets_nobody_in(world: &World) {
    let handler = Handler::new(world);
    let pull = world.socket_with(Pull, |options| options.zap_domain = "global".to_owned());
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = world.socket_with(Push, |options| {
        options.reconnect_interval = std::time::Duration::from_millis(1);
        options.reconnect_interval_max = std::time::Duration::ZERO;
    });
    push.connect(&endpoint).expect("connecting");
    for (index, nonsense) in
        [(0, &b"2.0"[..]), (1, b"another"), (2, b"700"), (2, b"2000"), (2, b""), (5, b"\x05Floor\0\0\0\x033")]
    {
        handler.answer(|reply| reply[index] = nonsense.to_vec());
        assert_eq!(failure(&monitor), Cause::Denied(500), "{index}: {nonsense:?}");
    }
    handler.answer(|_| {});
    peers(&pull, 1);
}

/// Whoever put it there wanted peers to be judged.
fn a_handler_of_a_wrong_type_lets_nobody_in(world: &World) {
    let wrong = world.socket(Pull);
    wrong.bind("inproc://zeromq.zap.01").expect("nobody else handles");
    let (server, client) = curve();
    let pull = socket(world, Pull, &server);
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = socket(world, Push, &client);
    push.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::Denied(500));
    wrong.unbind("inproc://zeromq.zap.01").expect("it is bound");
    let handler = Handler::new(world);
    handler.answer(|_| {});
    peers(&pull, 1);
}

fn what_only_a_judge_says_cannot_be_claimed(world: &World) {
    let claiming = |security: &Security| {
        world.socket_with(Push, |options| {
            options.security = security.clone();
            let claims = [("X-Role", "admin"), ("X-Zone", "north"), ("X-Floor", "1")];
            options.metadata = claims.map(|(name, value)| (name.to_owned(), value.into())).to_vec();
        })
    };
    let (server, client) = curve();
    let unjudged = socket(world, Pull, &server);
    let push = claiming(&client);
    connect(&push, &world.bind(&unjudged));
    peers(&unjudged, 1);
    let peer = unjudged.peers().pop().expect("it is connected");
    assert_eq!((peer.user_id.as_deref(), peer.property("User-Id")), (None, None));
    assert_eq!(peer.granted_property("X-Role"), None);
    assert_eq!(peer.property("X-Role"), Some(&b"admin"[..]), "its own claim is there, as one");

    let judged = world.socket_with(Pull, |options| {
        options.security = server.clone();
        options.authenticator =
            judge(&Arc::default(), |_| Ok(User::named("guest").with("X-Role", "none").with("X-Floor", "3")));
    });
    let push = claiming(&client);
    connect(&push, &world.bind(&judged));
    peers(&judged, 1);
    let peer = judged.peers().pop().expect("it is connected");
    assert_eq!(peer.property("user-id"), Some(&b"guest"[..]));
    assert_eq!(peer.property("X-Role"), Some(&b"none"[..]), "what was granted hides what was claimed");
    assert_eq!(peer.granted_property("x-floor"), Some(&b"3"[..]));
    assert_eq!(peer.granted_property("X-Zone"), None);
    assert_eq!(peer.property("X-Zone"), Some(&b"north"[..]));
}

fn an_enforced_domain_needs_somebody_who_judges(world: &World) {
    let (server, client) = curve();
    let with_domain = |options: &mut Options| {
        options.security = server.clone();
        options.zap_domain = "global".to_owned();
    };
    let lax = world.socket_with(Pull, with_domain);
    connect(&socket(world, Push, &client), &world.bind(&lax));
    let strict = world.socket_with(Pull, |options| {
        with_domain(options);
        options.zap_enforce_domain = true;
    });
    let (endpoint, monitor) = (world.bind(&strict), strict.monitor());
    let push = socket(world, Push, &client);
    push.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::NobodyJudges);
}

/// Keeps its answers until somebody gives them.
#[derive(Default)]
struct Later(Mutex<Vec<Answer>>);

impl Authenticator for &'static Later {
    fn judge(&self, _: AuthRequest, answer: Answer) {
        self.0.lock().expect("no panic").push(answer);
    }
}

fn judged_later(world: &World) -> (&'static Later, Socket) {
    let later: &'static Later = Box::leak(Box::default());
    let pull = world.socket_with(Pull, |options| {
        options.security = Security::plain_server();
        options.authenticator = Some(SharedAuthenticator::new(later));
    });
    (later, pull)
}

fn an_authenticator_may_answer_later_from_anywhere(world: &World) {
    let (later, pull) = judged_later(world);
    let endpoint = world.bind(&pull);
    let pushes = [0, 1].map(|_| socket(world, Push, &Security::plain_client("", "")));
    for push in &pushes {
        push.connect(&endpoint).expect("connecting");
        send(push, ["waits"]);
    }
    eventually("both are asked about", || later.0.lock().expect("no panic").len() == 2);
    assert_eq!(pull.stats().peers, 0);
    let monitor = pull.monitor();
    let answers = std::mem::take(&mut *later.0.lock().expect("no panic"));
    let [first, second] = <[Answer; 2]>::try_from(answers).expect("two");
    std::thread::spawn(move || first.give(Ok(User::named("first"))));
    assert_eq!(recv_text(&pull), ["waits"]);
    drop(second);
    let cause = wait_for(&monitor, |event| match event {
        EventKind::HandshakeFailed { cause, .. } => Some(cause),
        _ => None,
    });
    assert_eq!(cause, Cause::Denied(500));
}

fn a_peer_that_leaves_while_it_is_judged_is_noticed_at_once(world: &World) {
    let (later, pull) = judged_later(world);
    let endpoint = world.bind(&pull);
    let monitor = pull.monitor();
    let push = world.socket_with(Push, |options| {
        options.security = Security::plain_client("", "");
        options.linger = Linger::For(Duration::ZERO);
    });
    push.connect(&endpoint).expect("connecting");
    eventually("it is asked about", || later.0.lock().expect("no panic").len() == 1);
    drop(push);
    assert_eq!(failure(&monitor), Cause::PeerClosed);
    eventually("nothing is left of it", || pull.connections().is_empty());
    // An answer that comes too late changes nothing.
    for answer in std::mem::take(&mut *later.0.lock().expect("no panic")) {
        answer.give(Ok(User::named("gone")));
    }
    assert_eq!(pull.stats().connections, 0);
}

fn an_authenticator_that_panics_lets_nobody_in(world: &World) {
    let pull = world.socket_with(Pull, |options| {
        options.security = Security::plain_server();
        let panics = |_: &AuthRequest| -> Result<User, Denial> { panic!("on purpose") };
        options.authenticator = Some(SharedAuthenticator::new(panics));
    });
    let (endpoint, monitor) = (world.bind(&pull), pull.monitor());
    let push = socket(world, Push, &Security::plain_client("", ""));
    push.connect(&endpoint).expect("connecting");
    assert_eq!(failure(&monitor), Cause::Denied(500));
}

fn a_stream_of_sealed_messages_arrives_in_order(world: &World) {
    const COUNT: usize = 20_000;
    let (pull, push) = linked(world, Pull, Push);
    let sender = std::thread::spawn(move || {
        for index in 0..COUNT {
            push.send(&body(index % 700)[..]).expect("it is taken");
        }
        push
    });
    for index in 0..COUNT {
        assert!(recv(&pull).first().as_bytes() == body(index % 700), "message {index}");
    }
    drop(sender.join());
}
