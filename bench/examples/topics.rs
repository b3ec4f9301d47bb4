//! What subscriptions cost a publisher: one PUB, one SUB over tcp, messages of 64 bytes.
//!
//! `topics [LITERALS [GLOBS [MESSAGES]]]`: the subscriber asks for so many topics and patterns that fit nothing, and for one topic that
//! fits every message. Run it under `perf stat` or `valgrind --tool=callgrind` with two counts of messages to have instructions.

use std::time::{Duration, Instant};

use serverlink::{Context, Error};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let mut next = |default: u64| arguments.next().unwrap_or(default);
    let (literals, globs, messages) = (next(0), next(0), next(1_000_000));

    let context = Context::new()?;
    let publisher = context.publisher().send_hwm(0).open()?;
    let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    let subscriber = context.subscriber().recv_hwm(0).open()?;
    for number in 0..literals {
        subscriber.subscribe(format!("prices.{number:06}.usd"))?;
    }
    for number in 0..globs {
        subscriber.psubscribe(format!("prices.*.{number}?d"))?;
    }
    subscriber.subscribe("prices.1")?;
    subscriber.connect(&endpoint.to_string())?;
    let all = (literals + globs + 1) as usize;
    let deadline = Instant::now() + PATIENCE;
    while publisher.topics_count() < all {
        assert!(Instant::now() < deadline, "the subscriptions do not arrive");
        std::thread::yield_now();
    }

    let bodies: Vec<Vec<u8>> = (0..1000).map(|number| padded(format!("prices.1{number:05}.eur "))).collect();
    let receiver = std::thread::spawn(move || -> Result<(), Error> {
        for _ in 0..messages {
            subscriber.recv()?;
        }
        Ok(())
    });
    let began = Instant::now();
    for body in bodies.iter().cycle().take(messages as usize) {
        publisher.send(body.as_slice())?;
    }
    let sent = began.elapsed();
    receiver.join().expect("the receiver does not panic")?;
    let received = began.elapsed();
    let nanoseconds = |time: Duration| time.as_nanos() as f64 / messages as f64;
    println!(
        "{literals} topics, {globs} patterns: {:.0} ns for each send, {:.0} ns until received",
        nanoseconds(sent),
        nanoseconds(received)
    );
    Ok(())
}

fn padded(text: String) -> Vec<u8> {
    let mut body = text.into_bytes();
    body.resize(64, b'.');
    body
}
