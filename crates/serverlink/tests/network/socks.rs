//! Through a SOCKS5 proxy, and what becomes of an attempt whose proxy is none, says no, says nothing, or dies.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serverlink::security::{Security, generate_keys};
use serverlink::{
    Cause, ConnectionState, Context, Error, EventKind, Monitor, Options, ReconnectStop, Socket, SocketType,
    SocksFailure, SocksRefusal,
};

use crate::place::{PATIENCE, brisk, eventually, in_time};
use crate::socks_proxy::{Conduct, SocksProxy};
use crate::{exchange, expect_event, recv, send};

/// A PULL, and its port.
fn pull(context: &Context) -> (Socket, u16) {
    let pull = brisk(context, SocketType::Pull, |_| {});
    let port = bind(&pull);
    (pull, port)
}

fn bind(socket: &Socket) -> u16 {
    let endpoint = socket.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

fn push_through(context: &Context, proxy: &str, change: impl FnOnce(&mut Options)) -> Socket {
    brisk(context, SocketType::Push, |options| {
        options.socks_proxy = proxy.to_owned();
        change(options);
    })
}

fn with_name(options: &mut Options) {
    options.socks_username = b"me".to_vec();
    options.socks_password = "swordfish".into();
}

#[test]
fn messages_go_through_a_proxy_of_any_manners() {
    let plain = Conduct::default();
    let wants = Some(("me", "swordfish"));
    for conduct in [
        plain.clone(),
        Conduct { wants, ..plain.clone() },
        Conduct { wants, bytewise: true, replies_name: true, ..plain.clone() },
        Conduct { with_peer: true, ..plain.clone() },
        Conduct { with_peer: true, bytewise: true, wants, ..plain.clone() },
    ] {
        let context = Context::new().expect("a context");
        let (pull, port) = pull(&context);
        let proxy = SocksProxy::start(conduct.clone());
        let push = push_through(&context, &proxy.address(), with_name);
        push.connect(&format!("tcp://peer.invalid:{port}")).expect("connecting");
        for number in 0..100 {
            exchange(&push, &pull, &format!("number {number}, {conduct:?}"));
        }
        let asked = proxy.asked();
        assert_eq!((asked.target, asked.by_name), (format!("peer.invalid:{port}"), true));
        let user = conduct.wants.map(|(name, password)| (name.to_owned(), password.to_owned()));
        assert_eq!(asked.user, user, "nobody is told who was not asked for it");
        let large = vec![b'x'; 3 << 20];
        push.send_deadline(large.clone(), in_time()).expect("room");
        assert_eq!(pull.recv_deadline(in_time()).expect("a message").first(), &large[..]);
    }
}

/// The stream is registered once, asks, shakes hands and carries messages under that one name.
#[test]
fn one_registration_asks_and_carries() {
    let context = Context::new().expect("a context");
    let (pull, port) = pull(&context);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let push = push_through(&context, &silent.local_addr().expect("bound").to_string(), |_| {});
    let monitor = push.monitor();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    push.connect(&endpoint).expect("connecting");
    let (mut client, _) = silent.accept().expect("it comes");
    let mut greeting = [0; 3];
    client.read_exact(&mut greeting).expect("it greets");
    let asking = push.connections().remove(0);
    assert_eq!((asking.state, asking.peer_address), (ConnectionState::Connecting, None));
    assert!(monitor.try_next().is_none(), "nobody was reached yet");

    client.write_all(&[5, 0]).expect("it listens");
    let mut request = [0; 10];
    client.read_exact(&mut request).expect("it asks");
    let peer = TcpStream::connect(("127.0.0.1", port)).expect("the peer listens");
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("it listens");
    let (mut there, mut back) = (client.try_clone().expect("a clone"), peer.try_clone().expect("a clone"));
    thread::spawn(move || std::io::copy(&mut client, &mut back));
    let mut peer = peer;
    thread::spawn(move || std::io::copy(&mut peer, &mut there));
    let connected = expect_event!(&monitor,
        EventKind::Connected { registration, peer_address, .. } => (registration, peer_address));
    let established = expect_event!(&monitor, EventKind::Established { registration, .. } => registration);
    exchange(&push, &pull, "through");
    let open = push.connections().remove(0);
    assert_eq!((open.state, open.registration), (ConnectionState::Open, asking.registration));
    assert_eq!(connected, (asking.registration.expect("it is registered"), None));
    assert_eq!(Some(established), asking.registration);
    assert_eq!((push.stats().peers, open.endpoint.to_string()), (1, endpoint));
}

#[test]
fn addresses_go_as_addresses_and_names_as_names() {
    let context = Context::new().expect("a context");
    let proxy = SocksProxy::start(Conduct { refuses: Some(2), ..Conduct::default() });
    for (host, by_name) in
        [("127.0.0.1", false), ("[::1]", false), ("localhost", true), ("no-such.invalid", true)]
    {
        let push = push_through(&context, &proxy.address(), |_| {});
        push.connect(&format!("tcp://{host}:5555")).expect("connecting");
        let asked = proxy.asked();
        assert_eq!((asked.target, asked.by_name, asked.user), (format!("{host}:5555"), by_name, None));
        push.close(Duration::ZERO);
        // What it still asked before it was closed.
        while proxy.try_asked().is_some() {}
    }
}

/// How an attempt ended.
fn failure(monitor: &Monitor) -> (Cause, String) {
    expect_event!(monitor, EventKind::HandshakeFailed { cause, reason, .. } => (cause, reason))
}

#[test]
fn each_refusal_is_told_and_tried_again() {
    use SocksRefusal::*;
    let context = Context::new().expect("a context");
    for (code, refusal) in (1..).zip([
        General,
        NotAllowed,
        NetworkUnreachable,
        HostUnreachable,
        ConnectionRefused,
        TtlExpired,
        CommandNotSupported,
        AddressTypeNotSupported,
        Unassigned(9),
    ]) {
        let proxy = SocksProxy::start(Conduct { refuses: Some(code), ..Conduct::default() });
        let push = push_through(&context, &proxy.address(), |_| {});
        let monitor = push.monitor();
        push.connect("tcp://db.invalid:5555").expect("connecting");
        let (cause, sentence) = failure(&monitor);
        assert_eq!(cause, Cause::Socks(SocksFailure::Refused(refusal)));
        let begins =
            format!("the SOCKS5 proxy {} did not connect to tcp://db.invalid:5555: ", proxy.address());
        assert!(sentence.starts_with(&begins), "{sentence}");
        assert!(sentence.contains(&format!("(reply {code}")), "{sentence}");
        let again = expect_event!(&monitor, EventKind::Retrying { cause, trouble, .. } => (cause, trouble));
        assert_eq!(again, (cause, sentence));
        proxy.asked();
        proxy.asked();
    }
}

/// A listener that does this to everybody who comes, with what it greets read.
fn bad_proxy(serve: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut greeting = [0; 4];
            if stream.read_exact(&mut greeting).is_ok() {
                serve(&mut stream);
            }
        }
    });
    address
}

#[test]
fn a_proxy_that_breaks_the_rules_is_an_attempt_that_failed() {
    use SocksFailure::*;
    let context = Context::new().expect("a context");
    let cases: [(&'static [u8], SocksFailure); 9] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NotSocks5(b'H')),
        (b"\x04\x00", NotSocks5(4)),
        (b"\x05\xff", NoMethod),
        (b"\x05\x01", UnknownMethod(1)),
        (b"\x05\x02\x01\x01", CredentialsRefused(1)),
        (b"\x05\x00\x05\x00\x00\x07", UnknownAddressType(7)),
        (b"\x05\x00\x06", NotSocks5(6)),
        (b"\x05", Closed),
        (b"\x05\x02\x01\x00\x05\x00\x00\x03\xff", Closed),
    ];
    for (says, expected) in cases {
        let proxy = bad_proxy(move |stream| {
            let _ = stream.write_all(says);
            let _ = stream.shutdown(Shutdown::Write);
            // Until the other side is through: what is unread would be a reset.
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let push = push_through(&context, &proxy, with_name);
        let monitor = push.monitor();
        push.connect("tcp://db.invalid:5555").expect("connecting");
        let (cause, sentence) = failure(&monitor);
        assert_eq!(cause, Cause::Socks(expected), "{sentence}");
        assert!(sentence.contains(&proxy) && !sentence.contains("swordfish"), "{sentence}");
        assert_eq!(failure(&monitor).0, cause, "and the next");
    }
}

#[test]
fn a_wrong_password_is_told() {
    let context = Context::new().expect("a context");
    let proxy = SocksProxy::start(Conduct { wants: Some(("me", "other")), ..Conduct::default() });
    let push = push_through(&context, &proxy.address(), with_name);
    let monitor = push.monitor();
    push.connect("tcp://db.invalid:5555").expect("connecting");
    assert_eq!(failure(&monitor).0, Cause::Socks(SocksFailure::CredentialsRefused(1)));

    let nobody = push_through(&context, &proxy.address(), |_| {});
    let monitor = nobody.monitor();
    nobody.connect("tcp://db.invalid:5555").expect("connecting");
    assert_eq!(failure(&monitor).0, Cause::Socks(SocksFailure::NoMethod));
}

/// Wherever it falls silent: before a word, and in the middle of its yes.
#[test]
fn a_silent_proxy_has_the_time_of_an_attempt() {
    let context = Context::new().expect("a context");
    let words: [&'static [u8]; 4] = [b"", b"\x05\x00", b"\x05\x02\x01", b"\x05\x00\x05\x00\x00\x01\x7f"];
    for says in words {
        let proxy = bad_proxy(move |stream| {
            let _ = stream.write_all(says);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let push = push_through(&context, &proxy, |options| {
            with_name(options);
            options.connect_timeout = Some(Duration::from_millis(50));
        });
        let monitor = push.monitor();
        push.connect("tcp://db.invalid:5555").expect("connecting");
        let (cause, sentence) = failure(&monitor);
        assert_eq!(cause, Cause::ConnectTimeout, "{sentence}");
        assert!(sentence.contains("connect_timeout") && sentence.contains(&proxy), "{sentence}");
        expect_event!(&monitor, EventKind::Retrying { cause: Cause::ConnectTimeout, .. } => ());
        push.close(Duration::ZERO);

        let push = push_through(&context, &proxy, |options| {
            with_name(options);
            options.handshake_timeout = Duration::from_millis(50);
        });
        let monitor = push.monitor();
        push.connect("tcp://db.invalid:5555").expect("connecting");
        assert_eq!(failure(&monitor).0, Cause::HandshakeTimeout);
    }
}

/// The time for reaching a peer is over when it is reached: a handshake has its own.
#[test]
fn a_peer_behind_a_proxy_has_the_time_of_a_handshake() {
    let context = Context::new().expect("a context");
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let proxy = SocksProxy::start(Conduct::default());
    let push = push_through(&context, &proxy.address(), |options| {
        options.connect_timeout = Some(Duration::from_millis(500));
        options.handshake_timeout = Duration::from_millis(600);
    });
    let monitor = push.monitor();
    push.connect(&format!("tcp://{}", silent.local_addr().expect("bound"))).expect("connecting");
    expect_event!(&monitor, EventKind::Connected { .. } => ());
    assert_eq!(failure(&monitor).0, Cause::HandshakeTimeout);
}

#[test]
fn a_proxy_that_is_not_there_yet_is_waited_for() {
    let context = Context::new().expect("a context");
    let (pull, port) = pull(&context);
    let place = crate::place::Place::new(crate::place::Transport::Tcp);
    let endpoint = place.endpoint();
    let address = endpoint.strip_prefix("tcp://").expect("tcp");
    let push = push_through(&context, address, |options| {
        // The peer refuses nobody, and the proxy is not the peer.
        options.reconnect_stop = ReconnectStop { refused: true, ..ReconnectStop::NEVER };
    });
    let monitor = push.monitor();
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connecting");
    let (cause, trouble) =
        expect_event!(&monitor, EventKind::Retrying { cause, trouble, .. } => (cause, trouble));
    assert_eq!(cause, Cause::System(ErrorKind::ConnectionRefused));
    assert!(trouble.contains("SOCKS5 proxy") && trouble.contains(address), "{trouble}");
    let _proxy = SocksProxy::start_on(TcpListener::bind(address).expect("a free port"), Conduct::default());
    exchange(&push, &pull, "there");
}

#[test]
fn a_connection_that_breaks_in_the_proxy_comes_back() {
    let context = Context::new().expect("a context");
    let (pull, port) = pull(&context);
    let proxy = SocksProxy::start(Conduct::default());
    let push = push_through(&context, &proxy.address(), |_| {});
    let monitor = push.monitor();
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connecting");
    for round in 0..5 {
        expect_event!(&monitor, EventKind::Established { .. } => ());
        exchange(&push, &pull, &format!("round {round}"));
        proxy.cut_all();
        expect_event!(&monitor, EventKind::Disconnected { .. } => ());
    }
    exchange(&push, &pull, "still");
}

#[test]
fn nobody_listens_behind_it() {
    let context = Context::new().expect("a context");
    let proxy = SocksProxy::start(Conduct::default());
    let push = push_through(&context, &proxy.address(), |options| {
        options.reconnect_stop = ReconnectStop { refused: true, ..ReconnectStop::NEVER };
    });
    let monitor = push.monitor();
    let place = crate::place::Place::new(crate::place::Transport::Tcp);
    push.connect(&place.endpoint()).expect("connecting");
    let cause = expect_event!(&monitor, EventKind::GaveUp { cause, .. } => cause);
    assert_eq!(cause, Cause::Socks(SocksFailure::Refused(SocksRefusal::ConnectionRefused)));
}

#[test]
fn closing_does_not_wait_for_a_silent_proxy() {
    let context = Context::new().expect("a context");
    let proxy = bad_proxy(|stream| drop(stream.read_to_end(&mut Vec::new())));
    let push = push_through(&context, &proxy, with_name);
    push.connect("tcp://db.invalid:5555").expect("connecting");
    eventually("the proxy is reached", || {
        push.connections().first().is_some_and(|connection| connection.registration.is_some())
    });
    assert_eq!(push.close(PATIENCE).undelivered, 0);

    let push = push_through(&context, &proxy, with_name);
    push.connect("tcp://db.invalid:5555").expect("connecting");
    push.try_send("for nobody").expect("it queues");
    push.disconnect("tcp://db.invalid:5555").expect("it is connected");
    assert_eq!(push.connections(), []);
    drop(push);
    context.terminate(PATIENCE).expect("nothing is left");
}

#[test]
fn its_name_is_resolved_here_and_the_peers_there() {
    let context = Context::builder()
        .resolver(|name| match name {
            "proxy.invalid" => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
            "nowhere.invalid" => Err(ErrorKind::NotFound.into()),
            other => panic!("{other} is for the proxy to resolve"),
        })
        .build()
        .expect("a context");
    let (pull, port) = pull(&context);
    let proxy = SocksProxy::start(Conduct::default());
    let named = proxy.address().replace("127.0.0.1", "proxy.invalid");
    let push = push_through(&context, &named, |_| {});
    push.connect(&format!("tcp://peer.invalid:{port}")).expect("connecting");
    exchange(&push, &pull, "named");

    let lost = push_through(&context, "nowhere.invalid:1080", |_| {});
    let monitor = lost.monitor();
    lost.connect("tcp://peer.invalid:1").expect("connecting");
    let (cause, trouble) =
        expect_event!(&monitor, EventKind::Retrying { cause, trouble, .. } => (cause, trouble));
    assert_eq!(cause, Cause::Unresolved);
    assert!(trouble.contains("SOCKS5 proxy nowhere.invalid:1080"), "{trouble}");
}

#[test]
fn every_kind_of_conversation_goes_through() {
    let context = Context::new().expect("a context");
    let proxy = SocksProxy::start(Conduct { with_peer: true, ..Conduct::default() });
    let (server, client) = (generate_keys().expect("keys"), generate_keys().expect("keys"));
    let public = server.public;
    let rep = brisk(&context, SocketType::Rep, |options| options.security = Security::curve_server(server));
    let port = bind(&rep);
    let req = brisk(&context, SocketType::Req, |options| {
        options.security = Security::curve_client(client, public);
        options.socks_proxy = proxy.address();
    });
    req.connect(&format!("tcp://sealed.invalid:{port}")).expect("connecting");
    for _ in 0..20 {
        send(&req, "question");
        assert_eq!(recv(&rep), "question");
        send(&rep, "answer");
        assert_eq!(recv(&req), "answer");
    }
}

/// Without ZMTP, what is behind the proxy's yes is the application's.
#[test]
fn octets_go_through() {
    let context = Context::new().expect("a context");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let peer = listener.local_addr().expect("bound");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it comes");
        stream.write_all(b"0123456789 and more").expect("it listens");
        let mut said = [0; 5];
        stream.read_exact(&mut said).expect("it says");
        said
    });
    let proxy = SocksProxy::start(Conduct { with_peer: true, ..Conduct::default() });
    let stream = brisk(&context, SocketType::Stream, |options| {
        options.socks_proxy = proxy.address();
        options.stream_notify = false;
    });
    let id = stream.connect_peer(&format!("tcp://{peer}")).expect("connecting");
    let mut octets = Vec::new();
    while octets.len() < b"0123456789 and more".len() {
        octets.extend_from_slice(&stream.recv_deadline(in_time()).expect("octets")[1]);
    }
    assert_eq!(octets, b"0123456789 and more");
    let message = serverlink::Message::from_parts([id, serverlink::Part::from("hello")]);
    stream.send_deadline(message, in_time()).expect("room");
    assert_eq!(&serving.join().expect("it was served"), b"hello");
}

#[test]
fn only_what_is_dialed_over_tcp_goes_there() {
    let context = Context::new().expect("a context");
    // Nobody listens there.
    let pull = brisk(&context, SocketType::Pull, |options| options.socks_proxy = "127.0.0.1:1".to_owned());
    let tcp = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    pull.bind("inproc://here").expect("a free name");
    let push = brisk(&context, SocketType::Push, |_| {});
    push.connect(&tcp).expect("connecting");
    exchange(&push, &pull, "accepted");
    assert!(pull.connections().iter().all(|connection| connection.peer_address.is_some()));
    let push = push_through(&context, "127.0.0.1:1", |_| {});
    push.connect("inproc://here").expect("connecting");
    exchange(&push, &pull, "in the process");
    #[cfg(unix)]
    {
        let ipc = pull.bind("ipc://*").expect("a fresh path").to_string();
        let push = push_through(&context, "127.0.0.1:1", |_| {});
        push.connect(&ipc).expect("connecting");
        exchange(&push, &pull, "over a path");
    }
}

#[test]
fn a_zone_means_nothing_to_a_proxy() {
    let context = Context::new().expect("a context");
    let push = push_through(&context, "127.0.0.1:1080", |_| {});
    let refused = push.connect("tcp://[fe80::1%lo]:5555").expect_err("a zone");
    assert!(
        matches!(refused, Error::InvalidEndpoint { .. }) && refused.to_string().contains("zone"),
        "{refused}"
    );
}

/// Between two attempts another proxy, for what is connected from then on.
#[test]
fn what_is_connected_later_takes_the_proxy_of_then() {
    let context = Context::new().expect("a context");
    let (pull, port) = pull(&context);
    let push = push_through(&context, "127.0.0.1:1", |_| {});
    let proxy = SocksProxy::start(Conduct::default());
    let options = Options { socks_proxy: proxy.address(), ..push.options().clone() };
    push.reconfigure(&options).expect("it may change");
    push.connect(&format!("tcp://127.0.0.1:{port}")).expect("connecting");
    exchange(&push, &pull, "through the new one");
}
