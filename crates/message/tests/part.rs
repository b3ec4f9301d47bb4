//! A part is its bytes, however they are kept.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use proptest::prelude::*;
use serverlink_message::{
    Part,
    chunk::{Chunk, Slice},
};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..120)
}

/// The same bytes, kept in every way there is.
fn every_kind(bytes: &[u8]) -> Vec<Part> {
    let mut chunk = Chunk::with_capacity(bytes.len() + 2);
    chunk.spare()[1..=bytes.len()].copy_from_slice(bytes);
    let mut received = chunk.commit(bytes.len() + 2);
    received.advance(1);
    let mut again = received.clone();
    let mut kinds = vec![
        Part::copy_from(bytes),
        Part::from(bytes.to_vec()),
        Part::from_owner(bytes.to_vec()),
        Part::from(received.split_to(bytes.len())),
        again.split_to_part(bytes.len()),
    ];
    if !cfg!(miri) {
        // Leaked, which Miri would report.
        kinds.push(Part::from_static(bytes.to_vec().leak()));
    }
    kinds
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_kind_is_its_bytes(a in bytes(), b in bytes()) {
        for (part, other) in every_kind(&a).into_iter().zip(every_kind(&b)) {
            prop_assert_eq!(part.as_bytes(), &a[..]);
            prop_assert_eq!(part.len(), a.len());
            prop_assert_eq!(part.is_empty(), a.is_empty());
            prop_assert_eq!(hash(&part), hash(&a[..]));
            prop_assert_eq!(part.cmp(&other), a.cmp(&b));
            prop_assert_eq!(part == other, a == b);
            prop_assert_eq!(&part.clone(), &part);
            let mut detached = part.clone();
            detached.detach();
            prop_assert_eq!(detached, part);
        }
    }

    #[test]
    fn a_slice_is_the_range_of_the_bytes(bytes in bytes(), from in 0..130_usize, to in 0..130_usize) {
        for part in [Part::copy_from(&bytes), Part::from_owner(bytes.clone())] {
            let expected = bytes.get(from..to);
            let slice = part.slice(from..to);
            prop_assert_eq!(slice.as_ref().map(Part::as_bytes), expected);
            prop_assert!(part.slice(from..).as_deref() == bytes.get(from..));
            prop_assert!(part.slice(..=to).as_deref() == bytes.get(..=to));
            // What was cut outlives what it was cut from.
            drop(part);
            prop_assert_eq!(slice.as_ref().map(Part::as_bytes), expected);
        }
    }
}

#[test]
fn every_small_length_is_copied_whole() {
    let bytes: Vec<u8> = (1..=64).collect();
    for len in 0..=bytes.len() {
        let part = Part::copy_from(&bytes[..len]);
        assert_eq!(part, bytes[..len]);
        assert_eq!(part.is_inline(), len <= Part::INLINE_MAX);
    }
}

#[test]
fn ranges_that_overflow_are_refused() {
    let part = Part::from("0123456789");
    assert!(part.slice(..=usize::MAX).is_none());
    assert!(part.slice((std::ops::Bound::Excluded(usize::MAX), std::ops::Bound::Unbounded)).is_none());
    #[expect(clippy::reversed_empty_ranges, reason = "this is the refusal under test")]
    let reversed = part.slice(5..4);
    assert!(reversed.is_none());
    assert_eq!(part.slice(10..).unwrap(), "");
}

#[test]
fn buffers_are_taken_over_and_shared_without_copies() {
    let text = "x".repeat(1000);
    let address = text.as_ptr();
    let part = Part::from(text);
    assert_eq!(part.as_ptr(), address);
    assert_eq!(part.clone().as_ptr(), address);
    assert_eq!(part.slice(100..900).unwrap().as_ptr(), address.wrapping_add(100));

    static FOREVER: [u8; 100] = [7; 100];
    assert_eq!(Part::from_static(&FOREVER).as_ptr(), FOREVER.as_ptr());
}

#[test]
fn one_part_after_the_other_is_cut_into_the_same_place() {
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let (mut wire, mut part) = (Slice::from(bytes.clone()), Part::from("before"));
    let mut at = 0;
    for n in [0, 46, 47, 64, 100, 3, 200, 0, 99] {
        assert!(part.take_from(&mut wire, 2, n));
        assert_eq!(part, bytes[at + 2..at + 2 + n]);
        at += 2 + n;
    }
    let kept = part.clone();
    assert!(part.take_from(&mut wire, 0, 50));
    assert_eq!(kept, bytes[at - 99..at]);
    assert_eq!(part, bytes[at..at + 50]);
}

#[test]
fn what_another_memory_holds_is_not_cut_over() {
    let gone = Arc::new(AtomicUsize::new(0));
    let mut foreign = Part::from_owner(Counted(vec![1; 100], Arc::clone(&gone)));
    let mut wire = Slice::from_owner(Counted(vec![2; 300], Arc::clone(&gone)));
    assert!(!foreign.take_from(&mut wire, 0, 60));
    assert_eq!((&foreign, wire.len()), (&Part::from(vec![1; 100]), 300));
    drop(foreign);

    let mut part = Part::from_static(b"for ever");
    for _ in 0..5 {
        assert!(part.take_from(&mut wire, 0, 60));
    }
    drop(wire);
    assert_eq!(part, [2; 60]);
    assert_eq!(gone.load(Ordering::Relaxed), 1, "somebody reads it");
    drop(part);
    assert_eq!(gone.load(Ordering::Relaxed), 2, "no share was lost, and none came back twice");
}

#[test]
fn detach_copies_only_what_pins_more_than_itself() {
    let whole = Part::from(vec![1_u8; 1000]);
    let mut same = whole.clone();
    same.detach();
    assert_eq!(same.as_ptr(), whole.as_ptr(), "it pins nothing else");

    let mut piece = whole.slice(..500).unwrap();
    piece.detach();
    assert_ne!(piece.as_ptr(), whole.as_ptr());
    assert_eq!(piece, [1_u8; 500]);
}

/// Counts how often it is dropped.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_owner_is_dropped_once_with_the_last_part() {
    let drops = Arc::new(AtomicUsize::new(0));
    let part = Part::from_owner(Counted(vec![3; 200], Arc::clone(&drops)));
    let pieces: Vec<Part> = (0..100).map(|from| part.slice(from..from + 100).unwrap()).collect();
    drop(part);
    let last = pieces[0].clone();
    std::thread::scope(|scope| {
        for piece in pieces {
            scope.spawn(move || assert_eq!(piece, [3_u8; 100]));
        }
    });
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    drop(last);
    assert_eq!(drops.load(Ordering::Relaxed), 1);
}

#[test]
fn who_drops_alone_drops_as_others_do() {
    let gone = Arc::new(AtomicUsize::new(0));
    let part = Part::from_owner(Counted(vec![1; 100], Arc::clone(&gone)));
    part.clone().drop_alone();
    assert_eq!((gone.load(Ordering::Relaxed), part.len()), (0, 100), "it was not alone");
    part.drop_alone();
    assert_eq!(gone.load(Ordering::Relaxed), 1);
    Part::from("in place").drop_alone();
    Part::from_static(&[7; 100]).drop_alone();
    Part::copy_from(&[7; 100]).drop_alone();
}

#[test]
fn debug_is_short_and_readable() {
    assert_eq!(format!("{:?}", Part::from(b"a\"\n\xff")), r#"Part("a\"\n\xff")"#);
    assert_eq!(
        format!("{:?}", Part::from(vec![b'x'; 70])),
        format!("Part(\"{}\".. 70 bytes)", "x".repeat(64))
    );
}
