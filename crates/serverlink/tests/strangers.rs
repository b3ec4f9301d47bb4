//! What strangers get from sockets with security: an end, for the reason that it is, and nobody else's time or memory. A binary of its own: its
//! allocator counts, and its tests run one at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use serverlink::security::{
    Answer, AuthRequest, Authenticator, Denial, KeyPair, PublicKey, Security, SharedAuthenticator, User,
    generate_keys,
};
use serverlink::{Cause, Context, EventKind, Message, Monitor, Options, Socket, SocketType};
use serverlink_zmtp::handshake::{Config, Handshake};
use serverlink_zmtp::mechanism::{Security as Mechanism, Seed};

#[path = "support/counting.rs"]
mod counting;
#[path = "support/place.rs"]
mod place;

use counting::{KIB, alone, growth, live};
use place::{PATIENCE, brisk, eventually, in_time};

/// A PULL with the server's part of a mechanism, and a good peer.
struct Scene {
    context: Context,
    pull: Socket,
    push: Socket,
    endpoint: String,
    server: PublicKey,
}

fn keys() -> KeyPair {
    generate_keys().expect("randomness")
}

impl Scene {
    /// `judge` knows the good peer's key.
    fn new(
        judge: impl FnOnce(PublicKey) -> Option<SharedAuthenticator>,
        change: impl FnOnce(&mut Options),
    ) -> Scene {
        let (server, good) = (keys(), keys());
        let (server_key, good_key) = (server.public, good.public);
        let context = Context::new().expect("a context");
        let pull = brisk(&context, SocketType::Pull, |options| {
            options.security = Security::curve_server(server);
            options.authenticator = judge(good_key);
            change(options);
        });
        let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
        let push = brisk(&context, SocketType::Push, |options| {
            options.security = Security::curve_client(good, server_key);
        });
        push.connect(&endpoint).expect("connecting");
        Scene { context, pull, push, endpoint, server: server_key }
    }

    /// The good peer is unharmed, and what it says comes.
    fn exchange(&self, text: &str) {
        self.push.send_deadline(text, in_time()).expect("room");
        while self.pull.recv_deadline(in_time()).expect("the good peer's message").first() != text {}
    }
}

fn only(wanted: PublicKey) -> Option<SharedAuthenticator> {
    Some(SharedAuthenticator::new(move |request: &AuthRequest| match request.public_key() {
        Some(key) if *key == wanted => Ok(User::default()),
        _ => Err(Denial::Refused),
    }))
}

// ---- handshakes that stop

/// Octets of a client's greeting and HELLO.
const BEFORE_INITIATE: usize = 64 + 2 + 200;

/// Says what a client of CURVE says up to its INITIATE, but no more than so many octets. Tells how many there were.
fn say(stream: &mut TcpStream, client: &KeyPair, server: PublicKey, at_most: usize) -> usize {
    let seed = Seed::new(std::array::from_fn(|index| index as u8));
    let security = Mechanism::CurveClient { keys: client.clone(), server, seed };
    let mut ours = Handshake::with_security(Config::new(SocketType::Push), security);
    let (mut said, mut heard) = (0, [0; 512]);
    loop {
        let mut output = Vec::new();
        ours.poll_output(&mut output);
        output.truncate(at_most - said);
        stream.write_all(&output).expect("it is not given up yet");
        said += output.len();
        if said == at_most || said > BEFORE_INITIATE {
            return said;
        }
        let count = stream.read(&mut heard).expect("it goes on");
        assert_ne!(count, 0, "it ended behind {said} octets");
        ours.handle_input(&heard[..count]).expect("an honest server");
    }
}

fn dial(endpoint: &str) -> TcpStream {
    let stream = TcpStream::connect(endpoint.strip_prefix("tcp://").expect("tcp")).expect("it accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
    stream
}

/// Leads a client's handshake to its end.
fn shake_hands(stream: &mut TcpStream, config: Config, server: PublicKey) {
    let seed = Seed::new(std::array::from_fn(|index| index as u8));
    let mut ours = Handshake::with_security(config, Mechanism::CurveClient { keys: keys(), server, seed });
    let mut heard = [0; 512];
    while !ours.is_done() {
        let mut output = Vec::new();
        ours.poll_output(&mut output);
        stream.write_all(&output).expect("it goes on");
        let count = stream.read(&mut heard).expect("it goes on");
        assert_ne!(count, 0, "it ended");
        ours.handle_input(&heard[..count]).expect("an honest server");
    }
}

fn assert_ends(stream: &mut TcpStream) {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}

/// Says yes to one key at once, and to others never.
struct Undecided {
    good: PublicKey,
    kept: &'static Mutex<Vec<Answer>>,
}

impl Authenticator for Undecided {
    fn judge(&self, request: AuthRequest, answer: Answer) {
        match request.public_key() {
            Some(key) if *key == self.good => answer.give(Ok(User::default())),
            _ => self.kept.lock().expect("no panic").push(answer),
        }
    }
}

#[test]
fn whoever_stops_at_any_step_is_given_up_at_the_deadline() {
    let _alone = alone();
    let kept: &'static Mutex<Vec<Answer>> = Box::leak(Box::default());
    let undecided = |good| Some(SharedAuthenticator::new(Undecided { good, kept }));
    let scene = Scene::new(undecided, |options| options.handshake_timeout = Duration::from_secs(1));
    scene.exchange("before");
    let (monitor, stranger) = (scene.pull.monitor(), keys());
    let mut waiting = dial(&scene.endpoint);
    let total = say(&mut waiting, &stranger, scene.server, usize::MAX);
    eventually("it is asked about", || kept.lock().expect("no panic").len() == 1);
    // Each command's ends, and what lies in between.
    let steps = [0, 1, 9, 10, 11, 12, 63, 64, 65, 66, BEFORE_INITIATE - 1, BEFORE_INITIATE].into_iter();
    let mut stopped: Vec<TcpStream> = steps
        .chain((100..total - 1).step_by(13))
        .chain([total - 1])
        .map(|octets| {
            let mut stream = dial(&scene.endpoint);
            assert_eq!(say(&mut stream, &stranger, scene.server, octets), octets);
            stream
        })
        .collect();
    scene.exchange("meanwhile");
    stopped.push(waiting);
    stopped.iter_mut().for_each(assert_ends);
    for number in 0..stopped.len() {
        assert_eq!(failure(&monitor), Cause::HandshakeTimeout, "number {number}");
    }
    // Who makes up his mind now is too late, and does no harm.
    for answer in kept.lock().expect("no panic").drain(..) {
        answer.give(Ok(User::named("somebody")));
    }
    scene.exchange("after");
    assert_eq!(scene.pull.stats().peers, 1);
}

/// An octet now and then does not make it last longer.
#[test]
fn whoever_dawdles_is_given_up_at_the_deadline() {
    let _alone = alone();
    let scene = Scene::new(only, |options| options.handshake_timeout = Duration::from_millis(200));
    let monitor = scene.pull.monitor();
    let mut stream = dial(&scene.endpoint);
    stream.set_read_timeout(Some(Duration::from_millis(5))).expect("a valid option");
    let mut greeting = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 1];
    greeting.extend_from_slice(b"CURVE");
    greeting.resize(64, 0);
    // And then a HELLO of its greatest length.
    greeting.extend_from_slice(&[4, 200]);
    greeting.extend_from_slice(b"\x05HELLO\x01\0");
    let mut octets = greeting.into_iter().chain(std::iter::repeat_n(0, 190));
    loop {
        match stream.read(&mut [0; 512]) {
            Ok(0) => break,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Ok(_) => {}
            Err(_) => {
                let octet = octets.next().expect("the deadline comes before the last octet");
                if stream.write_all(&[octet]).is_err() {
                    break;
                }
            }
        }
    }
    assert_eq!(failure(&monitor), Cause::HandshakeTimeout);
    scene.exchange("after");
}

fn failure(monitor: &Monitor) -> Cause {
    loop {
        match monitor.next_deadline(in_time()).expect("an event").kind {
            EventKind::HandshakeFailed { cause, .. } => return cause,
            EventKind::Disconnected { reason, .. } => panic!("the good peer has left: {reason}"),
            _ => {}
        }
    }
}

/// What lies behind a HELLO stays with the system until somebody has made up his mind.
#[test]
fn whoever_talks_on_while_he_is_judged_is_not_listened_to() {
    const STRANGERS: usize = 50;
    let _alone = alone();
    let kept: &'static Mutex<Vec<Answer>> = Box::leak(Box::default());
    let context = Context::new().expect("a context");
    let pull = brisk(&context, SocketType::Pull, |options| {
        options.security = Security::plain_server();
        let good = keys().public;
        options.authenticator = Some(SharedAuthenticator::new(Undecided { good, kept }));
    });
    let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let mut said = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1];
    said.extend_from_slice(b"PLAIN");
    said.resize(64, 0);
    said.extend_from_slice(b"\x04\x08\x05HELLO\0\0");
    // Then frames that mean nothing, as many as the system takes.
    said.resize(300 * KIB, 0);
    let mut streams = Vec::new();
    let grown = growth(|| {
        for number in 1..=STRANGERS {
            let mut stream = dial(&endpoint);
            stream.set_nonblocking(true).expect("a valid option");
            assert!(stream.write(&said).expect("room") > 16 * KIB);
            streams.push(stream);
            eventually("it is asked about", || kept.lock().expect("no panic").len() == number);
        }
    });
    // A first reading takes a chunk.
    assert!(grown < STRANGERS * 16 * KIB + 512 * KIB, "{} KiB for {STRANGERS} strangers", grown / KIB);
    // It was not lost either: the next command is none.
    let monitor = pull.monitor();
    for answer in kept.lock().expect("no panic").drain(..) {
        answer.give(Ok(User::named("somebody")));
    }
    (0..STRANGERS).for_each(|number| assert_eq!(failure(&monitor), Cause::Protocol, "number {number}"));
}

// ---- those who come again and again

/// Dialers that are refused and dial again at once, of every kind; each is told for what it is, and nothing is kept of any.
#[test]
fn a_storm_of_strangers_leaves_nothing_behind() {
    const OF_EACH: usize = 4;
    const ROUNDS: usize = 300;
    let _alone = alone();
    let scene = Scene::new(only, |_| {});
    scene.exchange("before");
    let storm = || {
        let strangers: Vec<Socket> = (0..OF_EACH)
            .flat_map(|_| {
                [
                    Security::curve_client(keys(), keys().public),
                    Security::curve_client(keys(), scene.server),
                    Security::plain_client("admin", "guess"),
                    Security::none(),
                ]
            })
            .map(|security| {
                let stranger = brisk(&scene.context, SocketType::Push, |options| {
                    options.security = security;
                    options.reconnect_interval = Duration::from_millis(1);
                    options.reconnect_interval_max = Duration::ZERO;
                });
                stranger.connect(&scene.endpoint).expect("connecting");
                stranger
            })
            .collect();
        let monitor = scene.pull.monitor();
        let (mut wrong_key, mut denied, mut mechanism) = (0, 0, 0);
        while wrong_key.min(denied).min(mechanism) < ROUNDS {
            match failure(&monitor) {
                Cause::Cryptography => wrong_key += 1,
                Cause::Denied(400) => denied += 1,
                // Whoever looks first leaves.
                Cause::Mechanism | Cause::PeerClosed => mechanism += 1,
                cause => panic!("{cause}"),
            }
            if (wrong_key + denied) % 50 == 0 {
                scene.exchange("meanwhile");
            }
        }
        drop(strangers);
        eventually("they have left", || scene.pull.stats().peers == 1);
    };
    // What is kept for the next is kept once.
    storm();
    let before = live();
    let grown = growth(storm);
    assert!(grown < 2048 * KIB, "{} KiB for {} strangers", grown / KIB, 4 * OF_EACH);
    eventually("the memory is back", || live() < before + 64 * KIB);
    scene.exchange("after");
}

/// A handler of ZAP that never looks costs strangers their attempt. What they asked waits until it looks again, and at some time nothing more is asked.
#[test]
fn a_handler_that_is_stuck_lets_nobody_in() {
    const STRANGERS: usize = 100;
    const MOST_QUESTIONS: u32 = 130;
    let _alone = alone();
    let (server, context) = (keys(), Context::new().expect("a context"));
    let public = server.public;
    let handler = brisk(&context, SocketType::Router, |options| options.recv_hwm = MOST_QUESTIONS);
    handler.bind("inproc://zeromq.zap.01").expect("nobody else handles");
    let pull = brisk(&context, SocketType::Pull, |options| {
        options.security = Security::curve_server(server);
        options.handshake_timeout = Duration::from_secs(2);
    });
    let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
    let monitor = pull.monitor();
    let storm = || {
        let mut strangers: Vec<TcpStream> = (0..STRANGERS).map(|_| dial(&endpoint)).collect();
        for stream in &mut strangers {
            say(stream, &keys(), public, usize::MAX);
        }
        strangers.iter_mut().for_each(assert_ends);
        let causes: Vec<Cause> = (0..STRANGERS).map(|_| failure(&monitor)).collect();
        causes.iter().filter(|&&cause| cause == Cause::HandshakeTimeout).count()
    };
    let before = live();
    assert_eq!(storm(), STRANGERS);
    assert_eq!(storm(), MOST_QUESTIONS as usize - STRANGERS, "asked as long as there is room");
    assert_eq!(storm(), 0, "not asked any more, and not kept for longer than that takes");
    let kept = live().saturating_sub(before);
    assert!(kept < MOST_QUESTIONS as usize * 16 * KIB + 256 * KIB, "{} KiB", kept / KIB);
    // It comes to itself: questions nobody waits for any more are answered too, and the next is let in.
    let push = brisk(&context, SocketType::Push, |options| {
        options.security = Security::curve_client(keys(), public);
    });
    push.connect(&endpoint).expect("connecting");
    let mut answered = 0;
    eventually("it is let in", || {
        while let Ok(question) = handler.try_recv() {
            let asker = question[0].clone();
            let reply: [&[u8]; 7] = [b"", b"1.0", &question[3], b"200", b"OK", b"", b""];
            let mut whole = Message::from(asker);
            reply.iter().for_each(|part| whole.push_back(*part));
            let _ = handler.try_send(whole);
            answered += 1;
        }
        pull.stats().peers == 1
    });
    assert!(answered >= 1);
    push.send_deadline("hello", in_time()).expect("room");
    assert_eq!(pull.recv_deadline(in_time()).expect("its message").first(), "hello");
}

// ---- what strangers say of themselves

/// The name that our own side gives is nothing that a peer can say, under whatever case of letters.
#[test]
fn nobody_names_himself() {
    let _alone = alone();
    for (judge, name) in [(None, None), (Some("guest"), Some(&b"guest"[..]))] {
        let (server, context) = (keys(), Context::new().expect("a context"));
        let public = server.public;
        let pull = brisk(&context, SocketType::Pull, |options| {
            options.security = Security::curve_server(server);
            options.authenticator =
                judge.map(|name| SharedAuthenticator::new(move |_: &AuthRequest| Ok(User::named(name))));
        });
        let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
        let claims = ["User-Id", "USER-ID"].map(|name| (name.to_owned(), b"root".to_vec()));
        let config = Config { properties: claims.to_vec(), ..Config::new(SocketType::Push) };
        let mut stream = dial(&endpoint);
        shake_hands(&mut stream, config, public);
        eventually("it is let in", || pull.stats().peers == 1);
        let peer = pull.peers().pop().expect("it is connected");
        assert_eq!((peer.property("User-Id"), peer.user_id.as_deref()), (name, name));
        assert_eq!(peer.granted_property("user-id"), None);
    }
}

// ---- settings that look stricter than they are

/// Whoever enforces domains and forgot to name one has not lost those who judge.
#[test]
fn enforcing_domains_switches_no_authenticator_off() {
    let _alone = alone();
    for of_context in [true, false] {
        let nobody = |_: &AuthRequest| -> Result<User, Denial> { Err(Denial::Refused) };
        let builder = Context::builder();
        let builder = if of_context { builder.authenticator(nobody) } else { builder };
        let (server, context) = (keys(), builder.build().expect("a context"));
        let public = server.public;
        let pull = brisk(&context, SocketType::Pull, |options| {
            options.security = Security::curve_server(server);
            options.zap_enforce_domain = true;
            options.authenticator = (!of_context).then(|| SharedAuthenticator::new(nobody));
        });
        let endpoint = pull.bind("tcp://127.0.0.1:*").expect("a free port").to_string();
        let monitor = pull.monitor();
        let push = brisk(&context, SocketType::Push, |options| {
            options.security = Security::curve_client(keys(), public);
        });
        push.connect(&endpoint).expect("connecting");
        assert_eq!(failure(&monitor), Cause::Denied(400));
    }
}

// ---- what strangers are told

/// Whoever takes a server's place and shows himself as a peer of ZMTP 2.0 does not hear who wanted to talk to it.
#[test]
fn nobody_hears_who_comes() {
    let _alone = alone();
    let context = Context::new().expect("a context");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let dealer = brisk(&context, SocketType::Dealer, |options| {
        options.routing_id = b"customer-17".to_vec();
        options.security = Security::curve_client(keys(), keys().public);
    });
    let address = listener.local_addr().expect("it listens");
    dealer.connect(&format!("tcp://{address}")).expect("connecting");
    let (mut stream, _) = listener.accept().expect("it comes");
    stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
    stream.write_all(&[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1]).expect("it listens");
    let mut heard = Vec::new();
    if let Err(error) = stream.read_to_end(&mut heard) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
    }
    assert!(heard.len() <= 11, "no more than the signature and the version: {}", heard.escape_ascii());
}
