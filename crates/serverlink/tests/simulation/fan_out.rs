//! One publisher and many subscribers that come, go, dawdle and want different things: what they share must not be seen.

use std::time::Duration;

use serverlink::sim::{Faults, Simulation};
use serverlink::{Context, Error, Publisher, Subscriber};

use crate::seeds::for_a_share_of_seeds;

const PATIENCE: Duration = Duration::from_secs(120);
const ENDPOINT: &str = "tcp://10.0.0.1:5555";
/// Each seed moves thousands of messages.
const SHARE: u64 = 5;
const TOPICS: [&str; 4] = ["all", "half", "few", "none"];

/// Small enough to repeat a failure, large enough to go both ways.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// One subscriber, and how far it is in what was published.
struct Reader {
    subscriber: Subscriber,
    topics: Vec<&'static str>,
    /// The place behind the last message that it got.
    next: usize,
    got: u64,
    lazy: bool,
}

impl Reader {
    fn new(context: &Context, topics: Vec<&'static str>, recv_hwm: u32, lazy: bool) -> Reader {
        let subscriber = context.subscriber().recv_hwm(recv_hwm).open().unwrap();
        topics.iter().for_each(|topic| subscriber.subscribe(topic).unwrap());
        subscriber.connect(ENDPOINT).unwrap();
        Reader { subscriber, topics, next: 0, got: 0, lazy }
    }

    /// Takes at most so many. Every one is whole, was asked for, and comes in its order; without drops none is missing.
    fn read(&mut self, most: u64, published: &[String], gapless: bool) -> bool {
        for _ in 0..most {
            let Ok(message) = self.subscriber.try_recv() else { return false };
            let text = std::str::from_utf8(message.first()).expect("text was sent");
            let wanted = |message: &&String| self.topics.iter().any(|topic| message.starts_with(topic));
            let rest = &published[self.next..];
            let skipped =
                rest.iter().position(|other| other == text).expect("it comes after what came before");
            let missing = rest[..skipped].iter().filter(wanted).count();
            assert!(!gapless || missing == 0, "{missing} are missing before {:.20}", text);
            assert!(wanted(&&text.to_owned()), "{:.20} was not asked for", text);
            self.next += skipped + 1;
            self.got += 1;
        }
        true
    }
}

fn body(number: usize, chance: &mut Chance) -> String {
    let topic = TOPICS[[0, 0, 0, 0, 0, 0, 1, 1, 2, 3][chance.below(10) as usize]];
    let padding = match chance.below(60) {
        0 => 9000,
        1..10 => chance.below(900),
        _ => 40,
    };
    format!("{topic} {number} {}", "x".repeat(padding as usize))
}

fn readers(machine: &mut Simulation, count: u64, recv_hwm: u32, chance: &mut Chance) -> Vec<Reader> {
    let there = machine.context();
    let reader = |place: u64| {
        let mut topics = vec!["all"];
        if place.is_multiple_of(2) {
            topics.push("half");
        }
        if place < 2 {
            topics.push("few");
        }
        Reader::new(&there, topics, recv_hwm, chance.below(4) == 0)
    };
    (0..count).map(reader).collect()
}

fn subscribed(machine: &mut Simulation, publisher: &Publisher, readers: &[Reader]) {
    let all: usize = readers.len();
    let deadline = machine.world().now() + PATIENCE;
    let is_complete = |publisher: &Publisher| {
        let stats = publisher.stats();
        stats.peers as usize == all
            && matches!(publisher.wait_for_subscribers(all, Duration::ZERO), Ok(count) if count >= all)
    };
    while !is_complete(publisher) {
        assert!(machine.world().now() < deadline, "they do not come");
        machine.run_for(Duration::from_millis(5));
    }
    // What follows the first subscription of a connection is on its way with it.
    machine.run_for(Duration::from_secs(2));
}

#[test]
fn everybody_gets_all_of_it_in_order_without_drops() {
    for_a_share_of_seeds(SHARE, "everybody_gets_all_of_it_in_order_without_drops", |seed| {
        let mut chance = Chance(seed);
        let faults = Faults { refuse: 0.2, reset: 0.0, ..Faults::HARSH.under_laws_of(seed) };
        let mut machine = Simulation::new(seed, faults);
        let here = machine.context();
        let hwm = [3, 30, 1000][chance.below(3) as usize];
        let publisher = here.publisher().xpub_no_drop(true).send_hwm(hwm).open().unwrap();
        publisher.bind(ENDPOINT).unwrap();
        let count = 3 + chance.below(6);
        let mut readers = readers(&mut machine, count, hwm, &mut chance);
        subscribed(&mut machine, &publisher, &readers);
        let mut published: Vec<String> = Vec::new();
        let deadline = machine.world().now() + PATIENCE;
        while published.len() < 120 {
            assert!(machine.world().now() < deadline, "it stands still after {}", published.len());
            for _ in 0..1 + chance.below(40) {
                let message = body(published.len(), &mut chance);
                match publisher.try_send(&message) {
                    Ok(()) => published.push(message),
                    Err(failed) => {
                        assert!(matches!(failed.error, Error::WouldBlock), "{}", failed.error);
                        break;
                    }
                }
            }
            for reader in &mut readers {
                if !reader.lazy || chance.below(8) == 0 {
                    reader.read(chance.below(60), &published, true);
                }
            }
            machine.run_for(Duration::from_micros(chance.below(3000)));
        }
        // Nobody does anything for the publisher any more: the tail comes by itself.
        let deadline = machine.world().now() + PATIENCE;
        for reader in &mut readers {
            let wanted = |message: &&String| reader.topics.iter().any(|topic| message.starts_with(topic));
            let all = published.iter().filter(wanted).count() as u64;
            while reader.got < all {
                assert!(machine.world().now() < deadline, "{} of {all} came", reader.got);
                reader.read(u64::MAX, &published, true);
                machine.run_for(Duration::from_millis(1));
            }
        }
        assert_eq!(publisher.stats().dropped_at_high_water_mark, 0);
        assert_eq!(publisher.stats().send_queue, 0);
    });
}

#[test]
fn what_one_has_no_room_for_is_counted_and_nobody_elses() {
    for_a_share_of_seeds(SHARE, "what_one_has_no_room_for_is_counted_and_nobody_elses", |seed| {
        let mut chance = Chance(seed);
        let faults = Faults { refuse: 0.0, reset: 0.0, ..Faults::HARSH.under_laws_of(seed) };
        let mut machine = Simulation::new(seed, faults);
        let here = machine.context();
        let hwm = 5 + chance.below(40) as u32;
        let publisher = here.publisher().send_hwm(hwm).open().unwrap();
        publisher.bind(ENDPOINT).unwrap();
        let count = 3 + chance.below(6);
        let mut readers = readers(&mut machine, count, hwm, &mut chance);
        subscribed(&mut machine, &publisher, &readers);
        let mut published: Vec<String> = Vec::new();
        for round in 0..30 {
            for _ in 0..chance.below(20) {
                let message = body(published.len(), &mut chance);
                publisher.try_send(&message).unwrap();
                published.push(message);
                let over = |peer: &serverlink::PeerStats| peer.send_queue > u64::from(hwm);
                assert!(!publisher.peer_stats().iter().any(over), "more waits than the mark allows");
            }
            for reader in &mut readers {
                if !reader.lazy || round % 16 == 15 {
                    reader.read(chance.below(60), &published, false);
                }
            }
            machine.run_for(Duration::from_micros(chance.below(3000)));
        }
        let deadline = machine.world().now() + PATIENCE;
        while publisher.stats().send_queue > 0 {
            assert!(machine.world().now() < deadline, "it does not come to an end");
            machine.run_for(Duration::from_millis(5));
            readers.iter_mut().for_each(|reader| while reader.read(1, &published, false) {});
        }
        // Delayed by the network, and nowhere else.
        machine.run_for(Duration::from_secs(5));
        readers.iter_mut().for_each(|reader| while reader.read(1, &published, false) {});
        let peers = publisher.peer_stats();
        assert_eq!(
            peers.iter().map(|peer| peer.sent).sum::<u64>(),
            readers.iter().map(|r| r.got).sum::<u64>()
        );
        let wanted = |reader: &Reader| {
            let is_wanted = |message: &&String| reader.topics.iter().any(|topic| message.starts_with(topic));
            published.iter().filter(is_wanted).count() as u64
        };
        let dropped: u64 = peers.iter().map(|peer| peer.dropped).sum();
        assert_eq!(dropped, publisher.stats().dropped_at_high_water_mark);
        let due: u64 = readers.iter().map(wanted).sum();
        assert_eq!(peers.iter().map(|peer| peer.sent + peer.dropped).sum::<u64>(), due);
    });
}

#[test]
fn connections_that_break_take_nothing_from_the_others() {
    for_a_share_of_seeds(SHARE, "connections_that_break_take_nothing_from_the_others", |seed| {
        let mut chance = Chance(seed);
        let mut machine = Simulation::new(seed, Faults::HARSH.under_laws_of(seed));
        let here = machine.context();
        let publisher = here.publisher().open().unwrap();
        publisher.bind(ENDPOINT).unwrap();
        let count = 4 + chance.below(5);
        let mut readers = readers(&mut machine, count, 1000, &mut chance);
        let mut published: Vec<String> = Vec::new();
        for _ in 0..30 {
            for _ in 0..chance.below(30) {
                let message = body(published.len(), &mut chance);
                publisher.try_send(&message).unwrap();
                published.push(message);
            }
            readers.iter_mut().for_each(|reader| {
                reader.read(u64::MAX, &published, false);
            });
            machine.run_for(Duration::from_millis(chance.below(100)));
        }
        machine.world().set_faults(Faults::NONE);
        // The paths heal, and then everybody gets the same end.
        let deadline = machine.world().now() + PATIENCE;
        while readers
            .iter()
            .any(|reader| reader.next < published.len() || !published[reader.next - 1].starts_with("all end"))
        {
            assert!(machine.world().now() < deadline, "somebody does not hear of the end");
            let message = format!("all end {}", published.len());
            publisher.try_send(&message).unwrap();
            published.push(message);
            for _ in 0..20 {
                machine.run_for(Duration::from_millis(5));
                readers.iter_mut().for_each(|reader| {
                    reader.read(u64::MAX, &published, false);
                });
            }
        }
    });
}
