//! Whichever way a message takes through the library, nothing of it is in clear on a connection with CURVE. Each case runs twice: without security,
//! where whoever listens on the way has to find what was said, and with it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serverlink::security::{Security, generate_keys};
use serverlink::{Context, Message, Options, Socket, SocketType, SocketType::*};
use serverlink_zmtp::frame::{Parsed, parse_header};

#[path = "support/place.rs"]
mod place;
#[path = "support/tap.rs"]
mod tap;

use place::{PATIENCE, eventually};
use tap::Tap;

/// In everything that is said.
const SECRET: &[u8] = b"for friends only";

const GREETING_BYTES: usize = 64;

/// Two sides with somebody in between.
struct Scene {
    here: Context,
    there: Context,
    server: Security,
    client: Security,
    taps: RefCell<Vec<Tap>>,
}

impl Scene {
    fn new(server: Security, client: Security) -> Scene {
        let context = || Context::new().expect("a context");
        Scene { here: context(), there: context(), server, client, taps: RefCell::default() }
    }

    fn socket(&self, serves: bool, socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
        let (context, security) =
            if serves { (&self.here, &self.server) } else { (&self.there, &self.client) };
        let mut options = Options {
            security: security.clone(),
            send_timeout: Some(PATIENCE),
            recv_timeout: Some(PATIENCE),
            reconnect_interval: Duration::from_millis(1),
            reconnect_interval_max: Duration::ZERO,
            ..Options::default()
        };
        change(&mut options);
        context.socket_with(socket_type, options).expect("a socket")
    }

    /// Connects them by way of a tap, which is not open yet.
    fn aim(&self, bound: &Socket, connected: &Socket) -> usize {
        let tap = Tap::before(&bound.bind("tcp://127.0.0.1:*").expect("a free port").to_string());
        connected.connect(tap.endpoint()).expect("connecting");
        self.taps.borrow_mut().push(tap);
        self.taps.borrow().len() - 1
    }

    fn open(&self, tap: usize) {
        self.taps.borrow_mut()[tap].open();
    }

    fn link(&self, bound: SocketType, connected: SocketType) -> (Socket, Socket) {
        let (bound, connected) = (self.socket(true, bound, |_| {}), self.socket(false, connected, |_| {}));
        self.open(self.aim(&bound, &connected));
        connected.wait_for_peers(1, PATIENCE).expect("a connection");
        (bound, connected)
    }

    fn copies(&self) -> Vec<Vec<u8>> {
        self.taps.borrow().iter().flat_map(Tap::copies).collect()
    }
}

/// Runs a case without security and with it.
fn on_the_wire(case: impl Fn(&Scene)) {
    let clear = Scene::new(Security::none(), Security::none());
    case(&clear);
    assert!(clear.copies().iter().any(|copy| has_secret(copy)), "whoever listens hears what is said");

    let server = generate_keys().expect("randomness");
    let public = server.public;
    let client = Security::curve_client(generate_keys().expect("randomness"), public);
    let sealed = Scene::new(Security::curve_server(server), client);
    case(&sealed);
    let copies = sealed.copies();
    assert!(copies.iter().any(|copy| frames(copy).len() > 2), "something was said");
    for copy in copies {
        assert!(!has_secret(&copy), "something was said in clear");
        assert_every_frame_is_sealed(&copy);
    }
}

fn has_secret(copy: &[u8]) -> bool {
    copy.windows(SECRET.len()).any(|window| window == SECRET)
}

/// The bodies of frames behind the greeting; the last one may be cut.
fn frames(copy: &[u8]) -> Vec<&[u8]> {
    let mut rest = copy.get(GREETING_BYTES..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Ok(Parsed::Complete { header, header_len }) = parse_header(rest) {
        let behind = &rest[header_len..];
        let (body, after) = behind.split_at(behind.len().min(header.body_len as usize));
        frames.push(body);
        rest = after;
    }
    frames
}

fn assert_every_frame_is_sealed(copy: &[u8]) {
    for (index, body) in frames(copy).into_iter().enumerate() {
        let names: &[&[u8]] = match index {
            0 => &[b"\x05HELLO", b"\x07WELCOME"],
            1 => &[b"\x08INITIATE", b"\x05READY"],
            _ => &[b"\x07MESSAGE"],
        };
        let fits = |name: &&[u8]| body.starts_with(name) || name.starts_with(body);
        assert!(names.iter().any(fits), "frame {index} is {:?}", &body[..body.len().min(40)]);
    }
}

fn body(len: usize) -> Vec<u8> {
    SECRET.iter().copied().cycle().take(len.max(SECRET.len())).collect()
}

/// Around all sizes at which something else is done with a body.
const LENGTHS: [usize; 12] = [16, 64, 254, 255, 256, 2048, 8191, 8192, 16_383, 16_384, 300_000, 1_500_000];

fn assert_body(message: &Message, len: usize) {
    assert!(message.first().as_bytes() == body(len), "a body of {len} bytes");
}

#[test]
fn one_by_one() {
    on_the_wire(|scene| {
        let (pull, push) = scene.link(Pull, Push);
        thread::scope(|scope| {
            scope.spawn(|| (0..5000).for_each(|index| push.send(&body(index % 300)[..]).expect("room")));
            (0..5000).for_each(|index| assert_body(&pull.recv().expect("a message"), index % 300));
        });
    });
}

#[test]
fn in_batches() {
    on_the_wire(|scene| {
        let (pull, push) = scene.link(Pull, Push);
        thread::scope(|scope| {
            scope.spawn(|| push.send_batch((0..5000).map(|index| body(index % 300))).expect("room"));
            let mut got = Vec::new();
            while got.len() < 5000 {
                pull.recv_batch(&mut got, 100).expect("messages");
            }
            got.iter().enumerate().for_each(|(index, message)| assert_body(message, index % 300));
        });
    });
}

#[test]
fn batches_of_every_length_and_shape() {
    on_the_wire(|scene| {
        let (pull, push) = scene.link(Pull, Push);
        let of = |len| Message::from_parts([body(16), body(len), Vec::new(), body(len)]);
        thread::scope(|scope| {
            scope.spawn(|| {
                push.send_batch(LENGTHS.iter().flat_map(|&len| [of(len), Message::from(body(len))]))
                    .expect("room");
            });
            for len in LENGTHS {
                assert!(pull.recv().expect("a message") == of(len), "parts of {len} bytes");
                assert_body(&pull.recv().expect("a message"), len);
            }
        });
    });
}

/// From the caller's memory where the system takes them at once, or a part at a time.
#[test]
fn large_ones() {
    on_the_wire(|scene| {
        let (pull, push) = scene.link(Pull, Push);
        thread::scope(|scope| {
            scope.spawn(|| {
                for len in LENGTHS.into_iter().cycle().take(4 * LENGTHS.len()) {
                    push.send(&body(len)[..]).expect("room");
                    push.send(body(len)).expect("room");
                    push.send(&body(16)[..]).expect("room");
                    push.send(Message::from_parts([body(16), body(len)])).expect("room");
                }
            });
            for len in LENGTHS.into_iter().cycle().take(4 * LENGTHS.len()) {
                assert_body(&pull.recv().expect("a message"), len);
                assert_body(&pull.recv().expect("a message"), len);
                assert_body(&pull.recv().expect("a message"), 16);
                assert!(pull.recv().expect("a message")[1].as_bytes() == body(len), "a part of {len} bytes");
            }
        });
        for len in LENGTHS {
            push.try_send(&body(len)[..]).expect("all that came before is through");
            assert_body(&pull.recv().expect("a message"), len);
        }
    });
}

#[test]
fn what_waited_for_a_connection() {
    on_the_wire(|scene| {
        let (pull, push) = (scene.socket(true, Pull, |_| {}), scene.socket(false, Push, |_| {}));
        let tap = scene.aim(&pull, &push);
        LENGTHS.iter().for_each(|&len| push.send(&body(len)[..]).expect("room"));
        push.send_batch((0..300).map(body)).expect("room");
        scene.open(tap);
        LENGTHS.iter().for_each(|&len| assert_body(&pull.recv().expect("a message"), len));
        (0..300).for_each(|len| assert_body(&pull.recv().expect("a message"), len));
    });
}

/// Wherever it is cut, what was not through is sealed for the next connection.
#[test]
fn what_a_break_left_over() {
    on_the_wire(|scene| {
        let (pull, push) = scene.link(Pull, Push);
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for index in 0..40_000 {
                    let len = if index % 100 == 0 { 40_000 } else { index % 300 };
                    push.send(&body(len)[..]).expect("room");
                }
                // One of them may have been on its way when it was cut.
                while !is_done.load(Ordering::Relaxed) {
                    let _ = push.try_send("the last");
                    thread::yield_now();
                }
            });
            let mut since_cut = 0;
            while pull.recv().expect("a message") != Message::from("the last") {
                since_cut += 1;
                if since_cut == 5000 {
                    scene.taps.borrow()[0].cut();
                    since_cut = 0;
                }
            }
            is_done.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn publications_and_subscriptions() {
    on_the_wire(|scene| {
        let publisher = scene.socket(true, Xpub, |options| {
            options.send_hwm = 1_000_000;
            options.welcome_message = body(30);
        });
        let subscribers: Vec<Socket> = (0..4)
            .map(|_| {
                let subscriber = scene.socket(false, Sub, |options| options.recv_hwm = 1_000_000);
                subscriber.subscribe(SECRET).expect("a topic");
                subscriber.psubscribe([SECRET, b"*"].concat()).expect("a pattern");
                scene.open(scene.aim(&publisher, &subscriber));
                assert_body(&subscriber.recv().expect("the welcome"), 30);
                subscriber
            })
            .collect();
        // One without a wire gets the same.
        publisher.bind("inproc://publications").expect("the name is free");
        let beside = scene.here.socket(Sub).expect("a socket");
        beside.subscribe(SECRET).expect("a topic");
        beside.connect("inproc://publications").expect("connecting");
        publisher.wait_for_subscribers(5, PATIENCE).expect("all of them");
        let lengths = || (0..3000).map(|index| if index % 500 == 0 { 30_000 } else { index % 300 });
        thread::scope(|scope| {
            scope.spawn(|| {
                for len in lengths() {
                    publisher.send(&body(len)[..]).expect("it never waits");
                }
                for len in lengths() {
                    publisher.send(Message::from_parts([body(16), body(len)])).expect("it never waits");
                }
                publisher.send_batch(lengths().map(body)).expect("it never waits");
            });
            for subscriber in &subscribers {
                scope.spawn(|| {
                    lengths().for_each(|len| assert_body(&subscriber.recv().expect("a message"), len));
                    for len in lengths() {
                        let message = subscriber.recv().expect("a message");
                        assert!(message[1].as_bytes() == body(len), "a part of {len} bytes");
                    }
                    lengths().for_each(|len| assert_body(&subscriber.recv().expect("a message"), len));
                });
            }
        });
        subscribers.iter().for_each(|subscriber| subscriber.unsubscribe(SECRET).expect("it was subscribed"));
    });
}

#[test]
fn conversations_and_what_peers_tell_of_themselves() {
    on_the_wire(|scene| {
        let (reply, request) = scene.link(Rep, Req);
        for len in LENGTHS.into_iter().cycle().take(100) {
            request.send(&body(len)[..]).expect("room");
            assert_body(&reply.recv().expect("a request"), len);
            reply.send(Message::from_parts([body(len), body(16)])).expect("room");
            assert_body(&request.recv().expect("a reply"), len);
        }
        let router = scene.socket(true, Router, |options| options.hello_message = body(50));
        let dealer = scene.socket(false, Dealer, |options| {
            options.routing_id = SECRET.to_vec();
            options.metadata = vec![("X-Note".to_owned(), SECRET.to_vec())];
        });
        scene.open(scene.aim(&router, &dealer));
        assert_body(&dealer.recv().expect("the hello"), 50);
        dealer.send_batch((0..300).map(body)).expect("room");
        for len in 0..300 {
            let (name, rest) = router.recv().expect("a message").split_first();
            assert_eq!(name.as_bytes(), SECRET);
            assert_body(&rest.expect("a body"), len);
        }
        let answers = (0..300).map(|len| Message::from_parts([SECRET.to_vec(), body(len)]));
        router.send_batch(answers).expect("room");
        (0..300).for_each(|len| assert_body(&dealer.recv().expect("an answer"), len));
    });
}

#[test]
fn services_channels_and_groups() {
    on_the_wire(|scene| {
        let (server, client) = scene.link(Server, Client);
        let (left, right) = scene.link(Channel, Channel);
        let (gather, scatter) = scene.link(Gather, Scatter);
        for (to, from) in [(&server, &client), (&left, &right), (&gather, &scatter)] {
            thread::scope(|scope| {
                scope.spawn(|| {
                    from.send_batch((0..3000).map(|index| body(index % 300))).expect("room");
                    LENGTHS.iter().for_each(|&len| from.send(&body(len)[..]).expect("room"));
                });
                for len in (0..3000).map(|index| index % 300).chain(LENGTHS) {
                    let message = to.recv().expect("a message");
                    let last = message.iter().next_back().expect("a part");
                    assert!(last.as_bytes() == body(len), "a body of {len} bytes");
                }
            });
        }
        let (radio, dish) = scene.link(Radio, Dish);
        let group = std::str::from_utf8(&SECRET[..15]).expect("text");
        dish.join(group).expect("a group");
        radio.wait_for_subscribers(1, PATIENCE).expect("the dish");
        for len in (0..600).chain(LENGTHS) {
            radio.send(Message::from_parts([group.as_bytes(), &body(len)])).expect("it never waits");
        }
        for len in (0..600).chain(LENGTHS) {
            assert!(dish.recv().expect("a message")[1].as_bytes() == body(len), "a body of {len} bytes");
        }
    });
}

#[test]
fn signs_of_life() {
    on_the_wire(|scene| {
        let brisk = |options: &mut Options| options.heartbeat_interval = Duration::from_millis(5);
        let (pull, push) = (scene.socket(true, Pull, brisk), scene.socket(false, Push, brisk));
        scene.open(scene.aim(&pull, &push));
        push.send(SECRET).expect("room");
        assert_body(&pull.recv().expect("a message"), 0);
        eventually("both ask and answer", || {
            let copies = scene.copies();
            copies.len() == 2 && copies.iter().all(|copy| frames(copy).len() > 8)
        });
    });
}
