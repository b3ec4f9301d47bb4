//! How fast a ring carries messages from one thread to another, and what one message costs on one thread.
//!
//! `cargo run --release -p serverlink-message --example ring_throughput [millions] [limit]`

use std::{
    env, hint, thread,
    time::{Duration, Instant},
};

use serverlink_message::{
    Message, Part,
    chunk::{Chunk, Slice},
    ring,
};

fn main() {
    let mut arguments = env::args().skip(1);
    let millions: usize =
        arguments.next().map_or(10, |word| word.parse().expect("millions of messages, a number"));
    let limit: usize =
        arguments.next().map_or(2000, |word| word.parse().expect("the queue's limit, a number"));
    let count = millions * 1_000_000;

    report("ring, u64, two threads", count, two_threads(count, limit, |number| number as u64));
    report(
        "ring, 32-byte message, two threads",
        count,
        two_threads(count, limit, |_| Message::from(&[1_u8; 32])),
    );
    report("ring, 32-byte message, one thread", count, one_thread(count));
    report("cut 32-byte frames, copied", count, cut(count, 32, Slice::split_to_part));
    report("cut 64-byte frames, shared", count, cut(count, 64, Slice::split_to_part));
    report("cut 64-byte frames, shared by clone", count, cut(count, 64, clone_to_part));
}

fn report(what: &str, count: usize, took: Duration) {
    let nanoseconds = took.as_secs_f64() * 1e9 / count as f64;
    println!("{what:<40} {nanoseconds:>7.2} ns  {:>7.1} M/s", 1e3 / nanoseconds);
}

fn two_threads<T: Send + 'static>(
    count: usize,
    limit: usize,
    make: impl Fn(usize) -> T + Send + 'static,
) -> Duration {
    let (mut producer, mut consumer) = ring::channel();
    let start = Instant::now();
    let pusher = thread::spawn(move || {
        for number in 0..count {
            let mut value = make(number);
            while let Err(refused) = producer.try_push(value, limit) {
                value = refused;
                hint::spin_loop();
            }
        }
    });
    let mut popped = 0;
    while popped < count {
        match consumer.pop() {
            Some(value) => {
                hint::black_box(&value);
                popped += 1;
            }
            None => hint::spin_loop(),
        }
    }
    pusher.join().expect("the pusher does not panic");
    start.elapsed()
}

fn one_thread(count: usize) -> Duration {
    let (mut producer, mut consumer) = ring::channel();
    let start = Instant::now();
    for _ in 0..count / 100 {
        for _ in 0..100 {
            let pushed = producer.try_push(Message::from(&[1_u8; 32]), usize::MAX);
            assert!(pushed.is_ok(), "there is no limit");
        }
        while let Some(message) = consumer.pop() {
            hint::black_box(&message);
        }
    }
    start.elapsed()
}

/// Frames of a two-octet header and a body, as a receiving socket takes them out of one read after the other.
fn cut(count: usize, body: usize, take: impl Fn(&mut Slice, usize) -> Part) -> Duration {
    let mut chunk = Chunk::with_capacity(64 * 1024);
    let start = Instant::now();
    let mut taken = 0;
    while taken < count {
        assert!(chunk.try_reset(), "every part was dropped");
        let mut inbox = chunk.commit(64 * 1024);
        while inbox.len() >= 2 + body && taken < count {
            inbox.advance(2);
            let message = Message::from(take(&mut inbox, body));
            hint::black_box(&message);
            taken += 1;
        }
    }
    start.elapsed()
}

/// What a slice would cost without prepaid references.
fn clone_to_part(slice: &mut Slice, n: usize) -> Part {
    let mut part = slice.clone();
    part.truncate(n);
    slice.advance(n);
    Part::from(part)
}
