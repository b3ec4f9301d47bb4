//! Receive memory: who sees which bytes, and when they are freed or used again.

use std::{cell::RefCell, sync::mpsc, thread};

use proptest::prelude::*;
use serverlink_message::{
    Part,
    chunk::{Chunk, Slice, settle},
};

#[test]
fn what_is_committed_is_exactly_what_was_written() {
    let mut chunk = Chunk::with_capacity(10);
    assert_eq!(chunk.spare(), [0; 10], "fresh memory is zeroed");
    chunk.spare()[..4].copy_from_slice(b"abcd");
    let first = chunk.commit(4);
    assert_eq!((chunk.remaining(), chunk.capacity()), (6, 10));
    chunk.spare().copy_from_slice(b"efghij");
    let second = chunk.commit(6);
    assert_eq!((&*first, &*second), (&b"abcd"[..], &b"efghij"[..]));
    assert!(chunk.spare().is_empty());
    drop(chunk);
    assert_eq!(&*second, b"efghij", "slices outlive the chunk");
}

#[test]
fn a_chunk_starts_again_only_when_nobody_reads() {
    let mut chunk = Chunk::with_capacity(8);
    assert!(chunk.try_reset());
    let mut slice = chunk.commit(8);
    let part = Part::from(slice.split_to(3));
    drop(slice);
    assert!(!chunk.try_reset(), "the part is a reader");
    assert_eq!(chunk.remaining(), 0);
    drop(part);
    assert!(chunk.try_reset());
    assert_eq!(chunk.remaining(), 8);
}

#[test]
fn neighbours_join_and_strangers_do_not() {
    let mut chunk = Chunk::with_capacity(16);
    chunk.spare()[..9].copy_from_slice(b"onetwosix");
    let (mut one, two, six) = (chunk.commit(3), chunk.commit(3), chunk.commit(3));
    assert!(!one.try_join(&six), "there is a gap");
    assert!(one.try_join(&two));
    assert!(one.try_join(&six));
    assert_eq!(&*one, b"onetwosix");
    assert!(!one.try_join(&two), "it no longer follows");

    let mut other = Chunk::with_capacity(16);
    assert!(!one.try_join(&other.commit(1)));
    assert!(!Slice::from_static(b"ab").try_join(&Slice::from_static(b"cd")));
}

#[test]
#[should_panic(expected = "more bytes were committed than the chunk had room for")]
fn committing_what_cannot_have_been_written_panics() {
    Chunk::with_capacity(4).commit(5);
}

#[test]
#[should_panic(expected = "5 bytes were asked of a slice of 4")]
fn cutting_past_the_end_panics() {
    Slice::from(b"four".to_vec()).split_to(5);
}

#[test]
fn an_empty_slice_can_be_cut_and_shared() {
    let mut empty = Slice::new();
    assert!(empty.split_to(0).is_empty());
    assert!(Part::from(empty.clone()).is_empty());
    assert!(empty.split_to_part(0).is_inline());
    let mut chunk = Chunk::with_capacity(0);
    assert!(chunk.commit(0).is_empty());
}

/// The reader's thread writes the tail while another one reads, cuts and drops what came before.
#[test]
fn the_tail_is_written_while_the_front_is_read() {
    let rounds = if cfg!(miri) { 4 } else { 2000 };
    let (sender, receiver) = mpsc::sync_channel::<Slice>(2);
    let reader = thread::spawn(move || {
        let mut expected = 0_u8;
        let mut kept = Vec::new();
        for mut slice in receiver {
            while !slice.is_empty() {
                let part = Part::from(slice.split_to(slice.len().min(7)));
                for &byte in &*part {
                    assert_eq!(byte, expected);
                    expected = expected.wrapping_add(1);
                }
                kept.push(part);
            }
            kept.truncate(3);
        }
    });
    let mut chunk = Chunk::with_capacity(64);
    let mut next = 0_u8;
    for round in 0..rounds {
        if chunk.remaining() == 0 && !chunk.try_reset() {
            chunk = Chunk::with_capacity(64);
        }
        let len = chunk.remaining().min(1 + round % 13);
        for byte in &mut chunk.spare()[..len] {
            *byte = next;
            next = next.wrapping_add(1);
        }
        sender.send(chunk.commit(len)).unwrap();
    }
    drop(sender);
    reader.join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 256 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Any way of cutting a buffer gives its bytes in order, and frees it in the end (checked by Miri).
    #[test]
    fn pieces_are_the_bytes_in_order(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec((0..40_usize, 0..4_u8), 0..200),
    ) {
        let mut rest = Slice::from(bytes.clone());
        let mut model = &bytes[..];
        let mut kept = Vec::new();
        for (n, how) in cuts {
            let n = n.min(model.len());
            let (front, back) = model.split_at(n);
            match how {
                0 => rest.advance(n),
                1 => kept.push((rest.split_to_part(n), front)),
                2 => {
                    let mut copy = rest.clone();
                    kept.push((Part::from(copy.split_to(n)), front));
                    rest = copy;
                }
                _ => kept.push((Part::from(rest.split_to(n)), front)),
            }
            model = back;
            prop_assert_eq!(&*rest, model);
        }
        drop(rest);
        for (part, expected) in kept {
            prop_assert_eq!(part.as_bytes(), expected);
        }
    }
}

/// What another thread has dropped of a chunk, and whether that may start again: `before` the thread settles, after it did, and after its end.
fn is_free_after(bytes: usize, pieces: usize) -> [bool; 3] {
    let mut chunk = Chunk::with_capacity(bytes);
    let mut received = chunk.commit(bytes);
    let cut: Vec<Slice> = (0..pieces).map(|_| received.split_to(1)).collect();
    drop(received);
    let ((told, heard), (go, gone)) = (mpsc::channel(), mpsc::channel());
    let other = thread::spawn(move || {
        drop(cut);
        told.send(()).expect("the test");
        gone.recv().expect("the test");
        settle();
        told.send(()).expect("the test");
        gone.recv().expect("the test");
    });
    heard.recv().expect("a thread");
    let before = chunk.try_reset();
    go.send(()).expect("a thread");
    heard.recv().expect("a thread");
    let settled = chunk.try_reset();
    go.send(()).expect("a thread");
    other.join().expect("a thread that ends well");
    [before, settled, chunk.try_reset()]
}

#[test]
fn a_thread_gives_back_what_it_dropped_when_it_settles() {
    assert_eq!(is_free_after(4096, 1), [true; 3], "one piece goes back at once");
    for pieces in [2, 3, 64, 65, 66, 67, 1000] {
        assert_eq!(is_free_after(4096, pieces), [false, true, true], "{pieces} pieces");
    }
    assert_eq!(is_free_after(1024 * 1024, 3), [true; 3], "large memory goes back at once");
}

#[test]
fn a_thread_that_turns_to_other_memory_gives_back_what_it_dropped() {
    let (mut here, mut there) = (Chunk::with_capacity(1024), Chunk::with_capacity(1024));
    let pieces = |chunk: &mut Chunk| {
        let mut received = chunk.commit(10);
        let cut: Vec<Slice> = (0..10).map(|_| received.split_to(1)).collect();
        cut
    };
    let (first, second) = (pieces(&mut here), pieces(&mut there));
    thread::scope(|scope| {
        let ((told, heard), (go, gone)) = (mpsc::channel(), mpsc::channel::<()>());
        let other = scope.spawn(move || {
            drop(first);
            drop(second);
            told.send(()).expect("the test");
            gone.recv().expect("the test");
        });
        heard.recv().expect("a thread");
        assert_eq!((here.try_reset(), there.try_reset()), (true, false));
        go.send(()).expect("a thread");
        other.join().expect("a thread that ends well");
    });
    assert!(there.try_reset());
}

#[test]
fn what_a_thread_drops_with_its_own_memory_is_given_back() {
    thread_local!(static KEPT: RefCell<Vec<Slice>> = const { RefCell::new(Vec::new()) });
    let mut chunk = Chunk::with_capacity(1024);
    let mut received = chunk.commit(100);
    let pieces: Vec<Slice> = (0..100).map(|_| received.split_to(1)).collect();
    drop(received);
    let other = thread::spawn(move || {
        // The sooner it is there, the later it goes: behind the thread's account.
        KEPT.with_borrow_mut(|kept| kept.extend(pieces));
        KEPT.with_borrow_mut(|kept| kept.truncate(50));
    });
    other.join().expect("a thread that ends well");
    assert!(chunk.try_reset());
}
