//! Every interleaving of short histories, with blocks of two slots and batches of two.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p serverlink-message --test loom`
#![cfg(loom)]

use loom::{
    model::Builder,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread,
};
use serverlink_message::{Message, Part, chunk::Chunk, ring};

const NO_LIMIT: usize = usize::MAX;

/// Three forced switches find nearly everything and keep each test in seconds.
fn check(test: impl Fn() + Sync + Send + 'static) {
    check_switching(3, test);
}

fn check_switching(forced_switches: usize, test: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(forced_switches);
    builder.check(test);
}

/// Loom tracks every box, so a value that is dropped twice or never fails the model.
fn value(number: usize) -> loom::alloc::Track<usize> {
    loom::alloc::Track::new(number)
}

#[test]
fn values_arrive_in_order_across_blocks_and_none_is_lost() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        let pusher = thread::spawn(move || {
            for number in 0..4 {
                assert!(producer.try_push(value(number), NO_LIMIT).is_ok());
            }
        });
        let mut expected = 0;
        for _ in 0..3 {
            if let Some(number) = consumer.pop() {
                assert_eq!(*number.get_ref(), expected);
                expected += 1;
            }
        }
        pusher.join().unwrap();
        while let Some(number) = consumer.pop() {
            assert_eq!(*number.get_ref(), expected);
            expected += 1;
        }
        assert_eq!(expected, 4);
    });
}

/// A block that was emptied is filled again while the consumer may still look at its neighbour.
#[test]
fn blocks_are_used_again_only_when_the_consumer_left_them() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        for number in 0..3 {
            assert!(producer.try_push(value(number), NO_LIMIT).is_ok());
        }
        let pusher = thread::spawn(move || {
            for number in 3..6 {
                assert!(producer.try_push(value(number), NO_LIMIT).is_ok());
            }
            producer
        });
        let mut expected = 0;
        for _ in 0..4 {
            if let Some(number) = consumer.pop() {
                assert_eq!(*number.get_ref(), expected);
                expected += 1;
            }
        }
        drop(pusher.join().unwrap());
        while let Some(number) = consumer.pop() {
            assert_eq!(*number.get_ref(), expected);
            expected += 1;
        }
        assert_eq!(expected, 6);
    });
}

/// A block is filled again only when nobody reads what was taken from it. (Loom sees who is at which record; that a message is read is what its
/// count says.)
#[test]
fn bytes_stay_as_they_are_while_somebody_reads_them() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel::<Message>();
        let body = |number: u8| [number; 60];
        for number in 0..3 {
            assert!(producer.try_push_bytes(&body(number), NO_LIMIT).is_ok());
        }
        let pusher = thread::spawn(move || {
            for number in 3..6 {
                assert!(producer.try_push_bytes(&body(number), NO_LIMIT).is_ok());
            }
        });
        let mut kept = Vec::new();
        for number in 0..3 {
            let mut message = Message::new();
            assert_eq!(consumer.pop_into(&mut message), Some(60));
            assert_eq!(message[0], body(number));
            kept.push(message);
        }
        drop(kept.remove(0));
        pusher.join().unwrap();
        assert!(kept.iter().zip(1..).all(|(message, number)| message[0] == body(number)));
        for number in 3..6 {
            let mut message = Message::new();
            assert_eq!(consumer.pop_into(&mut message), Some(60));
            assert_eq!(message[0], body(number));
        }
    });
}

/// What is lent was written before, whether it was published or found while it was held, and the producer goes on behind it.
#[test]
fn what_is_lent_is_there() {
    check_switching(2, || {
        let (mut producer, mut consumer) = ring::channel::<Message>();
        assert!(producer.try_push_bytes(&[0; 50], NO_LIMIT).is_ok());
        let pusher = thread::spawn(move || {
            for number in 1..3 {
                assert!(producer.try_push_bytes(&[number; 50], NO_LIMIT).is_ok());
            }
        });
        let mut expected = 0;
        for _ in 0..2 {
            let mut message = Message::new();
            if consumer.pop_into(&mut message).is_some() {
                assert_eq!(message[0], [expected; 50]);
                expected += 1;
            }
            let mut front = consumer.lend(NO_LIMIT);
            if consumer.known() > 0 && front.len() >= 52 && front[..2] == [0, 50] {
                front.advance(2);
                assert_eq!(*front.split_to(50), [expected; 50]);
                expected += 1;
            }
            consumer.take_back(front.len());
        }
        pusher.join().unwrap();
        let mut message = Message::new();
        while consumer.pop_into(&mut message).is_some() {
            assert_eq!(message[0], [expected; 50]);
            expected += 1;
        }
        assert_eq!(expected, 3);
    });
}

#[test]
fn the_limit_holds_and_room_comes_back() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let pusher = thread::spawn(move || {
            for number in 0..3 {
                if producer.try_push(number, 1).is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            producer
        });
        let mut popped = usize::from(consumer.pop().is_some());
        popped += usize::from(consumer.pop().is_some());
        let mut producer = pusher.join().unwrap();
        let waiting = producer.backlog();
        assert!(waiting <= 1);
        assert_eq!(accepted.load(Ordering::Relaxed), popped + waiting);
        assert!(popped == 0 || accepted.load(Ordering::Relaxed) >= popped);
    });
}

/// The protocol of the ring's documentation: after both are done, a sleeping consumer was woken for every value,
/// held ones too.
#[test]
fn no_wake_is_lost() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        let parked = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(AtomicBool::new(false));
        let (flag, bell) = (Arc::clone(&parked), Arc::clone(&woken));
        let pusher = thread::spawn(move || {
            for number in 0..3 {
                assert!(producer.try_push(number, NO_LIMIT).is_ok());
                fence(Ordering::SeqCst);
                if flag.load(Ordering::Relaxed) {
                    bell.store(true, Ordering::Relaxed);
                }
            }
        });
        // Up to the values that are held, which only the check after the fence can find.
        while consumer.pop().is_some() {}
        parked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let sleeps = consumer.is_empty();
        pusher.join().unwrap();
        if sleeps && !consumer.is_empty() {
            assert!(woken.load(Ordering::Relaxed), "values wait and the consumer sleeps");
        }
    });
}

/// The same, for a producer that makes up for all its checks with one after the last push, as the documentation allows.
#[test]
fn one_fence_after_a_run_is_enough() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        let parked = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(AtomicBool::new(false));
        let (flag, bell) = (Arc::clone(&parked), Arc::clone(&woken));
        let pusher = thread::spawn(move || {
            let pushed = [0, 1, 2].map(|number| producer.try_push(number, NO_LIMIT));
            assert!(pushed.iter().all(Result::is_ok));
            fence(Ordering::SeqCst);
            if flag.load(Ordering::Relaxed) {
                bell.store(true, Ordering::Relaxed);
            }
        });
        while consumer.pop().is_some() {}
        parked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let sleeps = consumer.is_empty();
        pusher.join().unwrap();
        if sleeps && !consumer.is_empty() {
            assert!(woken.load(Ordering::Relaxed), "values wait and the consumer sleeps");
        }
    });
}

/// And the other way round: a producer that waits for room is woken by a pop.
#[test]
fn no_credit_is_lost() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        assert!(producer.try_push(0, 1).is_ok());
        let blocked = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(AtomicBool::new(false));
        let (flag, bell) = (Arc::clone(&blocked), Arc::clone(&woken));
        let popper = thread::spawn(move || {
            assert_eq!(consumer.pop(), Some(0));
            fence(Ordering::SeqCst);
            if flag.load(Ordering::Relaxed) {
                bell.store(true, Ordering::Relaxed);
            }
            consumer
        });
        blocked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let sleeps = producer.backlog() >= 1;
        drop(popper.join().unwrap());
        assert!(!sleeps || woken.load(Ordering::Relaxed), "there is room and the producer sleeps");
    });
}

#[test]
fn an_end_that_goes_leaves_nothing_undropped() {
    check(|| {
        let (mut producer, consumer) = ring::channel();
        assert!(producer.try_push(value(0), NO_LIMIT).is_ok());
        let pusher = thread::spawn(move || {
            for number in 1..4 {
                assert!(producer.try_push(value(number), NO_LIMIT).is_ok());
            }
        });
        let mut consumer = consumer;
        assert_eq!(consumer.pop().map(loom::alloc::Track::into_inner), Some(0));
        drop(consumer);
        pusher.join().unwrap();
    });
}

#[test]
fn nothing_pushed_is_missed_once_the_producer_is_gone() {
    check(|| {
        let (mut producer, mut consumer) = ring::channel();
        let pusher = thread::spawn(move || {
            for number in 0..3 {
                assert!(producer.try_push(value(number), NO_LIMIT).is_ok());
            }
        });
        if consumer.is_producer_gone() {
            for number in 0..3 {
                assert_eq!(consumer.pop().map(loom::alloc::Track::into_inner), Some(number));
            }
        }
        pusher.join().unwrap();
    });
}

/// Counts its drops in the model. The cell stands for the bytes: readers read it, freeing writes it, and loom fails the test
/// if the two can race.
struct Owned {
    drops: Arc<AtomicUsize>,
    cell: Arc<loom::cell::UnsafeCell<u8>>,
    bytes: [u8; 64],
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: loom checks that nobody else is in the cell.
        self.cell.with_mut(|byte| unsafe { *byte = 1 });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: loom checks each access to the cell.
unsafe impl Send for Owned {}
// SAFETY: as above.
unsafe impl Sync for Owned {}

#[test]
fn the_last_slice_frees_whoever_drops_it() {
    check(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let cell = Arc::new(loom::cell::UnsafeCell::new(0_u8));
        let owned = Owned { drops: Arc::clone(&drops), cell: Arc::clone(&cell), bytes: [5; 64] };
        let part = Part::from_owner(owned);
        let other = part.clone();
        let reader = thread::spawn(move || {
            let piece = other.slice(..50).unwrap();
            drop(other);
            assert_eq!(piece, [5_u8; 50]);
            // SAFETY: loom checks that nobody writes meanwhile.
            assert_eq!(cell.with(|byte| unsafe { *byte }), 0);
        });
        drop(part);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

/// Prepaid references: cutting on one thread, dropping on another, in every order.
#[test]
fn a_chunk_is_used_again_only_after_its_last_reader() {
    check(|| {
        let mut chunk = Chunk::with_capacity(128);
        let mut slice = chunk.commit(128);
        let cell = Arc::new(loom::cell::UnsafeCell::new(0_u8));
        let read = Arc::clone(&cell);
        let front = slice.split_to(64);
        let reader = thread::spawn(move || {
            // SAFETY: stands for reading the slice's bytes; loom fails the test if the write below can race with it.
            read.with(|byte| unsafe { *byte });
            drop(front);
        });
        drop(slice);
        if chunk.try_reset() {
            // SAFETY: stands for writing the chunk's bytes again.
            cell.with_mut(|byte| unsafe { *byte = 1 });
        }
        reader.join().unwrap();
        assert!(chunk.try_reset());
    });
}
