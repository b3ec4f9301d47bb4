//! Bugs that are planted, and found: that the oracle is silent elsewhere says something only because of these.

use crate::oracle::Law;
use crate::town::{Planted, Shape, Town};

/// In so many seeds the oracle must have found it.
const SEEDS: u64 = 50;

fn is_found(planted: Planted, shape: Shape, calm: bool, law: Law) {
    let found = (0..SEEDS).find_map(|seed| {
        let verdict = Town::new(seed, shape, calm, Some(planted)).live();
        verdict.err().map(|complaint| (seed, complaint))
    });
    let (seed, complaint) = found.unwrap_or_else(|| panic!("{planted:?} was not found in {SEEDS} seeds"));
    println!("{planted:?} was found with seed {seed}: {complaint}");
    assert_eq!(complaint.law, law, "{complaint}");
}

#[test]
fn planted_duplicate_is_found() {
    is_found(Planted::DuplicateAfterReconnect, Shape::Pipeline, false, Law::Once);
}

#[test]
fn planted_missing_subscription_is_found() {
    is_found(Planted::SubscriptionNotRestored, Shape::Tree, false, Law::Subscriptions);
}

#[test]
fn planted_swap_is_found() {
    is_found(Planted::Swapped, Shape::Pipeline, true, Law::Order);
}

#[test]
fn planted_mark_off_by_one_is_found() {
    is_found(Planted::MarkOffByOne, Shape::Pipeline, true, Law::Marks);
}

#[test]
fn planted_second_telling_is_found() {
    is_found(Planted::EventToldTwice, Shape::Names, false, Law::Events);
}

#[test]
fn planted_leak_is_found() {
    is_found(Planted::LeakedRegistration, Shape::Pair, false, Law::Leftovers);
}

#[test]
fn planted_loss_of_a_tail_is_found() {
    is_found(Planted::LostTail, Shape::Pipeline, true, Law::Loss);
}
