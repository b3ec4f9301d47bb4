//! Everything at full rate for a while, over connections that end and begin again: nothing is lost where the pattern promises it, and the process
//! does not grow. A second by default; `SERVERLINK_SOAK_SECONDS=1800 cargo test --release -p serverlink --test soak` for half an hour.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serverlink::{Context, Message, Options, Socket, SocketType};

#[path = "support/memory.rs"]
mod memory;
#[path = "support/place.rs"]
mod place;
#[path = "support/registrations.rs"]
mod registrations;

use memory::resident_bytes;
use place::{PATIENCE, Place, Transport, in_time};

/// What caches of any kind may grow by after the first half.
const SLACK_BYTES: usize = 16 << 20;
/// Connections that are just ending or beginning.
const SLACK_DESCRIPTORS: usize = 12;

/// What one PUSH sends in its life.
const MESSAGES_PER_LIFE: u64 = 20_000;
/// Questions between two connections of the same DEALER.
const QUESTIONS_PER_CONNECTION: u64 = 500;

#[test]
fn a_while_at_full_rate() {
    let seconds = match std::env::var("SERVERLINK_SOAK_SECONDS") {
        Ok(seconds) => seconds.parse().expect("SERVERLINK_SOAK_SECONDS is a number of seconds"),
        Err(_) => 1,
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let transports: &[Transport] = match cfg!(any(target_os = "linux", windows)) {
        true => &[Transport::Tcp, Transport::Ipc],
        false => &[Transport::Tcp],
    };
    let descriptors = registrations::open_descriptors();
    let context = Context::builder().io_threads(2).build().expect("a context");
    let (tell, told) = channel();
    let watch = thread::spawn(move || watch_belongings(&told));
    thread::scope(|threads| {
        for &transport in transports {
            for work in [streams, conversations, publications] {
                let context = &context;
                threads.spawn(move || work(context, &Place::new(transport), until));
            }
        }
    });
    drop(tell);
    watch.join().expect("nothing grew");
    context.terminate(PATIENCE).expect("every socket was closed");
    drop(context);
    assert_eq!(registrations::open_descriptors(), descriptors, "of all these sockets nothing is left");
}

fn open(context: &Context, kind: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    // Where one end fails, the other must not wait for it for ever.
    let patience = Some(PATIENCE);
    let mut options = Options { send_timeout: patience, recv_timeout: patience, ..Options::default() };
    change(&mut options);
    context.socket_with(kind, options).expect("valid options")
}

// ---- PUSH to PULL: one sender after the other, each of which waits for the system to have its last message

fn streams(context: &Context, place: &Place, until: Instant) {
    let pull = open(context, SocketType::Pull, |_| {});
    let endpoint = pull.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let sent = AtomicU64::new(0);
    let sender = || {
        loop {
            let life = sent.load(Relaxed);
            let push = open(context, SocketType::Push, |_| {});
            push.connect(&endpoint).expect("connecting");
            for number in 0..MESSAGES_PER_LIFE {
                push.send(numbered(life, number)).expect("sending");
            }
            assert_eq!(push.close(PATIENCE).undelivered, 0, "life {life}");
            sent.store(life + 1, Relaxed);
            if Instant::now() >= until {
                break;
            }
        }
    };
    thread::scope(|threads| {
        let lives = threads.spawn(sender);
        let mut next: BTreeMap<u64, u64> = BTreeMap::new();
        let mut ended = 0;
        loop {
            // Asked before: who had ended by then had sent everything.
            let has_ended = lives.is_finished();
            if has_ended && ended == sent.load(Relaxed) {
                break;
            }
            let patience = if has_ended { PATIENCE } else { Duration::from_millis(100) };
            let Ok(message) = pull.recv_deadline(Instant::now() + patience) else {
                assert!(!has_ended, "{ended} came to their end, and these did not: {next:?}");
                continue;
            };
            let (life, number) = number_of(&message);
            let expected = next.entry(life).or_default();
            assert_eq!(number, *expected, "life {life}");
            *expected += 1;
            if *expected == MESSAGES_PER_LIFE {
                next.remove(&life);
                ended += 1;
            }
        }
        let more = pull.try_recv().map(|message| number_of(&message));
        assert!(more.is_err(), "more than was sent: {more:?}");
    });
}

/// 16 to some 900 octets.
fn numbered(life: u64, number: u64) -> Vec<u8> {
    let mut body = [life.to_le_bytes(), number.to_le_bytes()].concat();
    body.resize(16 + (number * 37 % 900) as usize, b'.');
    body
}

fn number_of(message: &Message) -> (u64, u64) {
    let word = |at: usize| u64::from_le_bytes(message.first()[at..at + 8].try_into().expect("eight octets"));
    let (life, number) = (word(0), word(8));
    assert_eq!(message.first().len(), 16 + (number * 37 % 900) as usize, "it is whole");
    (life, number)
}

// ---- DEALER to ROUTER: every question is answered before its connection is given up

fn conversations(context: &Context, place: &Place, until: Instant) {
    let router = open(context, SocketType::Router, |_| {});
    let endpoint = router.bind(&place.endpoint()).expect("a free endpoint").to_string();
    thread::scope(|threads| {
        threads.spawn(|| {
            loop {
                let message = router.recv().expect("a question or the end");
                if message[1] == "end" {
                    break;
                }
                router.send(message).expect("answering");
            }
        });
        let dealer = open(context, SocketType::Dealer, |_| {});
        while Instant::now() < until {
            dealer.connect(&endpoint).expect("connecting");
            for number in 0..QUESTIONS_PER_CONNECTION {
                dealer.send(number.to_string()).expect("asking");
            }
            for number in 0..QUESTIONS_PER_CONNECTION {
                let answer = dealer.recv_deadline(in_time()).expect("an answer in time");
                assert_eq!(answer.first(), number.to_string().as_str());
            }
            dealer.disconnect(&endpoint).expect("it was connected");
        }
        dealer.connect(&endpoint).expect("connecting");
        dealer.send("end").expect("it is told");
        assert_eq!(dealer.close(PATIENCE).undelivered, 0);
    });
}

// ---- PUB to SUB without drops: those who stay get all of it, whoever comes and goes

const STAY: usize = 3;

fn publications(context: &Context, place: &Place, until: Instant) {
    let publisher = open(context, SocketType::Pub, |options| options.xpub_no_drop = true);
    let endpoint = publisher.bind(&place.endpoint()).expect("a free endpoint").to_string();
    let subscriber = || {
        let subscriber = open(context, SocketType::Sub, |_| {});
        subscriber.subscribe("").expect("subscribing");
        subscriber.connect(&endpoint).expect("connecting");
        subscriber
    };
    let stay: Vec<Socket> = (0..STAY).map(|_| subscriber()).collect();
    publisher.wait_for_subscribers(STAY, PATIENCE).expect("they come");
    thread::scope(|threads| {
        for subscriber in &stay {
            threads.spawn(move || {
                let mut next = 0;
                loop {
                    let message = subscriber.recv_deadline(in_time()).expect("a message in time");
                    match number_of(&message) {
                        (0, number) => assert_eq!(number, next),
                        (_, number) => break assert_eq!(number, next, "the end"),
                    }
                    next += 1;
                }
            });
        }
        threads.spawn(|| {
            while Instant::now() < until {
                let visitor = subscriber();
                for _ in 0..10 {
                    // The publisher may have come to its end.
                    let _ = visitor.recv_deadline(Instant::now() + Duration::from_millis(100));
                }
            }
        });
        let mut number = 0;
        while Instant::now() < until {
            for _ in 0..1000 {
                publisher.send(numbered(0, number)).expect("publishing");
                number += 1;
            }
        }
        publisher.send(numbered(1, number)).expect("publishing the end");
    });
}

// ---- what the process has

/// Looks again and again until nobody holds the other end.
fn watch_belongings(until: &Receiver<()>) {
    let mut seen = Vec::new();
    while until.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
        seen.push((resident_bytes(), registrations::open_descriptors()));
    }
    let (first, second) = seen.split_at(seen.len() / 2);
    let ((bytes_before, before), (bytes_after, after)) = (usual(first), usual(second));
    println!(
        "usually {} KiB and {before} descriptors, then {} KiB and {after}",
        bytes_before / 1024,
        bytes_after / 1024
    );
    assert!(bytes_after <= bytes_before + SLACK_BYTES, "it grew");
    assert!(after <= before + SLACK_DESCRIPTORS, "descriptors were left open");
}

/// The medians: how many connections end and begin at one moment depends on what else the machine does, what is never given back does not.
fn usual(seen: &[(usize, usize)]) -> (usize, usize) {
    let median = |what: fn(&(usize, usize)) -> usize| {
        let mut all: Vec<usize> = seen.iter().map(what).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    (median(|seen| seen.0), median(|seen| seen.1))
}
