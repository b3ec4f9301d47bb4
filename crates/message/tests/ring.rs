//! The ring with one thread for exactness, and with two for order.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread,
};

use proptest::prelude::*;
use serverlink_message::chunk::Slice;
use serverlink_message::ring::{self, Full, Producer, Pushed};
use serverlink_message::{Message, Part};

const NO_LIMIT: usize = usize::MAX;

#[test]
fn values_come_out_in_order_across_blocks() {
    let (mut producer, mut consumer) = ring::channel();
    for round in 0..5 {
        for value in 0..round * 100 {
            assert!(producer.try_push(value, NO_LIMIT).is_ok());
        }
        assert_eq!(producer.backlog(), round * 100);
        for value in 0..round * 100 {
            assert!(!consumer.is_empty());
            assert_eq!(consumer.pop(), Some(value));
        }
        assert!(consumer.is_empty());
        assert_eq!(consumer.pop(), None);
    }
}

#[test]
fn the_limit_is_exact_and_may_change() {
    let (mut producer, mut consumer) = ring::channel();
    assert_eq!(producer.try_push(0, 0), Err(0));
    for value in 0..3 {
        assert_eq!(producer.free_slots(3), 3 - value);
        assert!(producer.try_push(value, 3).is_ok());
    }
    assert_eq!(producer.try_push(3, 3), Err(3));
    assert_eq!(producer.free_slots(2), 0);
    assert!(producer.try_push(3, 4).is_ok());
    assert_eq!(consumer.pop(), Some(0));
    assert_eq!(producer.try_push(4, 3), Err(4));
    assert_eq!(consumer.pop(), Some(1));
    assert!(producer.try_push(4, 3).is_ok());
}

#[test]
fn weight_waits_from_its_push_to_its_release() {
    let (mut producer, mut consumer) = ring::channel();
    assert!(producer.waiting_weight_reaches(0) && !producer.waiting_weight_reaches(1));
    for value in [10, 20, 30] {
        assert!(producer.try_push(value, NO_LIMIT).is_ok());
        producer.add_weight(value);
    }
    assert_eq!(producer.waiting_weight(), 60);
    let first = consumer.pop().expect("three wait");
    assert!(producer.waiting_weight_reaches(60), "popped, and not released yet");
    consumer.release_weight(first);
    assert!(producer.waiting_weight_reaches(50) && !producer.waiting_weight_reaches(51));
}

#[test]
fn values_are_held_only_behind_a_backlog_and_found_all_the_same() {
    let (mut producer, mut consumer) = ring::channel();
    assert_eq!(producer.try_push(0, NO_LIMIT), Ok(Pushed::Published), "nothing waits, so it is announced");
    assert_eq!(producer.try_push(1, NO_LIMIT), Ok(Pushed::Published));
    assert_eq!(producer.try_push(2, NO_LIMIT), Ok(Pushed::Held), "the consumer has something to do");
    for value in 0..3 {
        assert_eq!(consumer.pop(), Some(value));
    }
    assert_eq!(consumer.pop(), None);

    let published = (0..10_000).filter(|_| producer.try_push(9, NO_LIMIT) == Ok(Pushed::Published)).count();
    assert!(published < 10_000 / 64 + 20, "{published} of 10,000 were announced behind a backlog");
    assert_eq!(std::iter::from_fn(|| consumer.pop()).count(), 10_000);
}

#[test]
fn a_consumer_that_always_keeps_up_gets_every_value_published() {
    let (mut producer, mut consumer) = ring::channel();
    for value in 0..1000 {
        assert_eq!(producer.try_push(value, 1), Ok(Pushed::Published));
        assert_eq!(consumer.pop(), Some(value));
    }
}

#[test]
fn each_end_sees_that_the_other_is_gone() {
    let (producer, consumer) = ring::channel::<u8>();
    assert!(!producer.is_consumer_gone() && !consumer.is_producer_gone());
    drop(consumer);
    assert!(producer.is_consumer_gone());
    let (producer, mut consumer) = ring::channel::<u8>();
    drop(producer);
    assert!(consumer.is_producer_gone());
    assert_eq!(consumer.pop(), None);
}

/// Counts how many of its kind are alive.
struct Tracked(Arc<AtomicUsize>);

impl Tracked {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Tracked(Arc::clone(alive))
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn whatever_is_left_is_dropped_once_by_whoever_goes_last() {
    for (pushed, popped) in
        [(0, 0), (1, 0), (1, 1), (63, 10), (64, 64), (65, 64), (128, 64), (300, 0), (300, 200)]
    {
        for consumer_first in [false, true] {
            for pushed_later in [0, 1, 64, 100] {
                let alive = Arc::new(AtomicUsize::new(0));
                let (mut producer, mut consumer) = ring::channel();
                for _ in 0..pushed {
                    assert!(producer.try_push(Tracked::new(&alive), NO_LIMIT).is_ok());
                }
                for _ in 0..popped {
                    assert!(consumer.pop().is_some());
                }
                assert_eq!(alive.load(Ordering::Relaxed), pushed - popped);
                if consumer_first {
                    drop(consumer);
                    assert_eq!(alive.load(Ordering::Relaxed), 0, "a consumer that goes pins nothing");
                    for _ in 0..pushed_later {
                        assert!(producer.try_push(Tracked::new(&alive), NO_LIMIT).is_ok());
                    }
                    assert_eq!(alive.load(Ordering::Relaxed), pushed_later);
                    drop(producer);
                } else {
                    drop(producer);
                    assert_eq!(alive.load(Ordering::Relaxed), pushed - popped);
                    drop(consumer);
                }
                assert_eq!(
                    alive.load(Ordering::Relaxed),
                    0,
                    "{pushed} {popped} {consumer_first} {pushed_later}"
                );
            }
        }
    }
}

#[test]
fn a_value_that_panics_when_dropped_costs_no_other_value() {
    struct Bomb(bool, #[expect(dead_code, reason = "it is there to be dropped")] Tracked);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0, "bomb");
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let (mut producer, mut consumer) = ring::channel();
    for index in 0..200 {
        assert!(producer.try_push(Bomb(index == 100, Tracked::new(&alive)), NO_LIMIT).is_ok());
    }
    assert!(consumer.pop().is_some());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(consumer))).is_err());
    drop(producer);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 128 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_ring_is_a_queue_with_a_limit(
        bursts in prop::collection::vec((0..150_usize, 0..150_usize), 0..12),
        limit in prop_oneof![Just(NO_LIMIT), 0..200_usize],
    ) {
        let (mut producer, mut consumer) = ring::channel();
        let mut model = VecDeque::new();
        let mut next = 0;
        for (pushes, pops) in bursts {
            for _ in 0..pushes {
                let pushed = producer.try_push(next, limit).is_ok();
                prop_assert_eq!(pushed, model.len() < limit);
                if pushed {
                    model.push_back(next);
                }
                next += 1;
            }
            prop_assert_eq!(producer.backlog(), model.len());
            for _ in 0..pops {
                prop_assert_eq!(consumer.is_empty(), model.is_empty());
                prop_assert_eq!(consumer.pop(), model.pop_front());
            }
        }
    }
}

/// Cuts up to `most` short frames off the front.
fn cut(front: &mut Slice, most: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while let [0, len, ..] = **front
        && messages.len() < most
        && front.len() - 2 >= usize::from(len)
    {
        front.advance(2);
        messages.push(Message::from(front.split_to_part(usize::from(len))));
    }
    messages
}

/// Bytes that tell which message and which place they are of.
fn body(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|index| (number * 31 + index) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 128 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Whatever is kept stays as it was, however often the ring's memory is used again.
    #[test]
    fn bytes_and_messages_keep_their_order_and_what_is_kept_its_bytes(
        steps in prop::collection::vec((0..8_u8, 0..=2048_usize, 0..60_usize), 0..120),
    ) {
        let (mut producer, mut consumer) = ring::channel::<Message>();
        let (mut model, mut kept, mut next) = (VecDeque::new(), Vec::<Message>::new(), 0);
        for (step, len, count) in steps {
            for _ in 0..count {
                match step {
                    0 | 1 => {
                        let body = body(next, if step == 0 { len } else { len % 100 });
                        prop_assert!(producer.try_push_bytes(&body, NO_LIMIT).is_ok());
                        model.push_back(Message::from(body));
                    }
                    2 => {
                        let message = Message::from_parts([body(next, len), body(next, len / 3)]);
                        prop_assert!(producer.try_push(message.clone(), NO_LIMIT).is_ok());
                        model.push_back(message);
                    }
                    7 => {
                        let mut front = consumer.lend(if len % 3 == 0 { len } else { NO_LIMIT });
                        let cut = cut(&mut front, consumer.known().min(len % 7));
                        prop_assert_eq!(consumer.take_back(front.len()), cut.len());
                        for message in cut {
                            let expected = model.pop_front();
                            prop_assert_eq!(Some(&message), expected.as_ref());
                            kept.push(message);
                        }
                    }
                    _ => {
                        let mut message = Message::from("as it was");
                        let taken = consumer.pop_into(&mut message);
                        prop_assert_eq!(taken, model.front().map(Message::len_bytes));
                        prop_assert_eq!(&message, &model.pop_front().unwrap_or("as it was".into()));
                        match step {
                            3 | 4 => kept.push(message),
                            _ => drop((!kept.is_empty()).then(|| kept.swap_remove(len % kept.len()))),
                        }
                    }
                }
                next += 1;
            }
            prop_assert_eq!(producer.backlog(), model.len());
        }
        drop(producer);
        let before: Vec<Message> = kept.iter().map(|message| message.iter().map(|part| part.to_vec()).collect()).collect();
        drop(consumer);
        prop_assert_eq!(before, kept);
    }
}

#[test]
fn bytes_are_held_to_the_limit_and_to_a_length() {
    let (mut producer, mut consumer) = ring::channel::<Message>();
    assert_eq!(producer.try_push_bytes(b"", 0), Err(Full));
    assert_eq!(producer.try_push_bytes(b"", 1), Ok(Pushed::Published));
    assert_eq!(producer.try_push_bytes(b"more", 1), Err(Full));
    let mut message = Message::from("before");
    assert_eq!(consumer.pop_into(&mut message), Some(0));
    assert_eq!(message, Message::new());
    let longest = vec![7; Producer::<Message>::LONGEST_BYTES];
    assert!(producer.try_push_bytes(&longest, 1).is_ok());
    assert_eq!(consumer.pop_into(&mut message), Some(longest.len()));
    assert_eq!(message[0], longest);
    let longer = vec![7; longest.len() + 1];
    assert!(catch_unwind(AssertUnwindSafe(|| producer.try_push_bytes(&longer, 1))).is_err());
    assert_eq!(consumer.pop_into(&mut message), None);
    assert_eq!(message[0], longest, "nothing came, and nothing changed");
}

#[test]
fn what_was_lent_waits_until_it_comes_back() {
    let (mut producer, mut consumer) = ring::channel::<Message>();
    assert!(consumer.lend(NO_LIMIT).is_empty() && consumer.known() == 0);
    let long = [7; 300];
    for body in [&b"one"[..], b"two", &long, b"three"] {
        assert!(producer.try_push_bytes(body, NO_LIMIT).is_ok());
    }
    assert!(consumer.pop_into(&mut Message::new()).is_some());
    let mut front = consumer.lend(NO_LIMIT);
    assert_eq!(cut(&mut front, consumer.known()), [Message::from("two")], "what follows has a long header");
    assert_eq!(producer.backlog(), 3);
    assert_eq!(consumer.take_back(front.len()), 1);
    assert_eq!(producer.backlog(), 2);
    let lent = consumer.lend(NO_LIMIT).len();
    assert_eq!(consumer.take_back(lent), 0, "nothing was cut");
    let front = consumer.lend(NO_LIMIT);
    let in_the_middle = catch_unwind(AssertUnwindSafe(|| consumer.take_back(front.len() - 1)));
    assert!(in_the_middle.is_err(), "that is no whole frame");
}

/// What a thread keeps is never written again under its eyes.
#[test]
fn two_threads_pass_bytes_on() {
    let count = if cfg!(miri) { 300 } else { 300_000_usize };
    let (mut producer, mut consumer) = ring::channel::<Message>();
    let pusher = thread::spawn(move || {
        for number in 0..count {
            let body = body(number, number % 200);
            while producer.try_push_bytes(&body, 1000).is_err() {
                thread::yield_now();
            }
        }
    });
    let (mut kept, mut taken) = (VecDeque::new(), VecDeque::new());
    for number in 0..count {
        while taken.is_empty() {
            let mut message = Message::new();
            if consumer.pop_into(&mut message).is_some() {
                taken.push_back(message);
                let mut front = consumer.lend(NO_LIMIT);
                taken.extend(cut(&mut front, consumer.known()));
                consumer.take_back(front.len());
            } else {
                thread::yield_now();
            }
        }
        kept.push_back((number, taken.pop_front().expect("one was taken")));
        if kept.len() > 700 {
            let (number, message) = kept.pop_front().expect("there are many");
            assert_eq!(message[0], body(number, number % 200));
        }
    }
    pusher.join().unwrap();
}

#[test]
fn two_threads_keep_the_order() {
    let count = if cfg!(miri) { 300 } else { 1_000_000_usize };
    for limit in [1, 7, 100, NO_LIMIT] {
        let (mut producer, mut consumer) = ring::channel();
        let pusher = thread::spawn(move || {
            for mut value in (0..count).map(Box::new) {
                while let Err(refused) = producer.try_push(value, limit) {
                    value = refused;
                    thread::yield_now();
                }
            }
        });
        for expected in 0..count {
            let value = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(*value, expected);
        }
        pusher.join().unwrap();
        assert!(consumer.is_producer_gone());
        assert_eq!(consumer.pop(), None);
    }
}

/// The protocol of the module's documentation, with real threads that really sleep.
#[test]
fn a_parked_consumer_is_always_woken() {
    let count = if cfg!(miri) { 50 } else { 200_000_usize };
    let (mut producer, mut consumer) = ring::channel();
    let parked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&parked);
    let popper = thread::spawn(move || {
        let mut expected = 0;
        while expected < count {
            while let Some(value) = consumer.pop() {
                assert_eq!(value, expected);
                expected += 1;
            }
            flag.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            while expected < count && consumer.is_empty() {
                thread::park();
            }
            flag.store(false, Ordering::Relaxed);
        }
    });
    for value in 0..count {
        assert!(producer.try_push(value, NO_LIMIT).is_ok());
        fence(Ordering::SeqCst);
        if parked.load(Ordering::Relaxed) {
            popper.thread().unpark();
        }
    }
    popper.join().unwrap();
}

/// Its owner panics with something that panics in its turn.
struct Bomb;

struct Payload;

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        &[0; 100]
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::panic_any(Payload)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("and once more")
        }
    }
}

#[test]
fn a_value_is_taken_once_whatever_the_one_in_its_place_does() {
    let (mut producer, mut consumer) = ring::channel::<Message>();
    let message = Message::from(Part::from_owner(vec![1; 100]));
    assert!(producer.try_push(message.clone(), NO_LIMIT).is_ok());
    let mut into = Message::from(Part::from_owner(Bomb));
    assert_eq!(consumer.pop_into(&mut into), Some(100));
    assert_eq!((into, consumer.known()), (message, 0));
}

#[test]
fn what_does_not_come_back_in_whole_frames_is_refused_and_nothing_behind_them_is_looked_at() {
    let (mut producer, mut consumer) = ring::channel::<Message>();
    // They fill the first block but for its last octet, which says that another block follows.
    for len in [255; 15].into_iter().chain([174, 4]) {
        assert!(producer.try_push_bytes(&vec![7; len], NO_LIMIT).is_ok());
    }
    (0..13).for_each(|_| assert!(consumer.pop_into(&mut Message::new()).is_some()));
    drop(consumer.lend(usize::MAX));
    assert!(catch_unwind(AssertUnwindSafe(|| consumer.take_back(0))).is_err());
}
