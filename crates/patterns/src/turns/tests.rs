use proptest::prelude::*;
use slotmap::SlotMap;

use super::*;

fn pipes(count: usize) -> Vec<PipeId> {
    let mut keys: SlotMap<PipeId, ()> = SlotMap::with_key();
    (0..count).map(|_| keys.insert(())).collect()
}

fn round(turns: &mut Turns, count: usize) -> Vec<PipeId> {
    (0..count)
        .map(|_| {
            let pipe = turns.current().expect("ready");
            turns.advance(pipe);
            pipe
        })
        .collect()
}

#[test]
fn goes_round_in_the_order_of_arrival() {
    let ids = pipes(3);
    let mut turns = Turns::default();
    ids.iter().for_each(|&id| turns.insert(id, true));
    assert_eq!(round(&mut turns, 6), [&ids[..], &ids[..]].concat());
}

#[test]
fn whose_turn_it_was_not_does_not_pass_it_on() {
    let ids = pipes(3);
    let mut turns = Turns::default();
    ids.iter().for_each(|&id| turns.insert(id, true));
    turns.advance(ids[1]);
    assert_eq!(turns.current(), Some(ids[0]));
}

#[test]
fn who_comes_back_waits_behind_all_others() {
    let ids = pipes(3);
    let mut turns = Turns::default();
    ids.iter().for_each(|&id| turns.insert(id, true));
    // The first two have one message at a time and are ready again at once; the third always has more.
    for expected in [ids[0], ids[1], ids[2], ids[0], ids[1], ids[2]] {
        assert_eq!(turns.current(), Some(expected));
        turns.advance(expected);
        turns.set_ready(expected, false);
        turns.set_ready(expected, true);
    }
}

#[test]
fn who_is_not_ready_any_more_loses_the_turn_to_the_next() {
    let ids = pipes(3);
    let mut turns = Turns::default();
    ids.iter().for_each(|&id| turns.insert(id, true));
    turns.advance(ids[0]);
    turns.set_ready(ids[1], false);
    assert_eq!(turns.current(), Some(ids[2]));
    turns.remove(ids[2]);
    assert_eq!(turns.current(), Some(ids[0]));
    turns.remove(ids[0]);
    assert_eq!(turns.current(), None);
}

#[derive(Debug, Clone)]
enum Op {
    Insert(usize, bool),
    Remove(usize),
    Ready(usize, bool),
    Advance,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let pipe = 0..6usize;
    let op = prop_oneof![
        1 => (pipe.clone(), any::<bool>()).prop_map(|(pipe, ready)| Op::Insert(pipe, ready)),
        1 => pipe.clone().prop_map(Op::Remove),
        3 => (pipe, any::<bool>()).prop_map(|(pipe, ready)| Op::Ready(pipe, ready)),
        5 => Just(Op::Advance),
    ];
    prop::collection::vec(op, 0..200)
}

proptest! {
    #[test]
    fn keeps_its_promises(ops in ops()) {
        let ids = pipes(6);
        let mut turns = Turns::default();
        // Per pipe: None if absent, else whether it is ready. And how many turns it has waited while ready.
        let mut model = [None; 6];
        let mut waited = [0; 6];
        for op in ops {
            let before = turns.current();
            match op {
                Op::Insert(pipe, ready) => {
                    turns.insert(ids[pipe], ready);
                    model[pipe] = Some(ready);
                }
                Op::Remove(pipe) => {
                    turns.remove(ids[pipe]);
                    model[pipe] = None;
                }
                Op::Ready(pipe, ready) => {
                    turns.set_ready(ids[pipe], ready);
                    model[pipe] = model[pipe].map(|_| ready);
                }
                Op::Advance => {
                    if let Some(pipe) = before {
                        turns.advance(pipe);
                        waited.iter_mut().for_each(|turns| *turns += 1);
                        waited[ids.iter().position(|&id| id == pipe).expect("ours")] = 0;
                    }
                }
            }
            let ready: Vec<PipeId> = (0..6).filter(|&pipe| model[pipe] == Some(true)).map(|pipe| ids[pipe]).collect();
            let mut found: Vec<PipeId> = turns.ready().collect();
            found.sort();
            prop_assert_eq!(&found, &ready);
            prop_assert_eq!(turns.len(), model.iter().flatten().count());
            prop_assert_eq!(turns.current().is_some(), !ready.is_empty());
            if !matches!(op, Op::Advance) && before.is_some_and(|pipe| ready.contains(&pipe)) {
                prop_assert_eq!(turns.current(), before, "the turn was taken from a pipe that did not use it");
            }
            for pipe in 0..6 {
                if model[pipe] != Some(true) {
                    waited[pipe] = 0;
                }
                prop_assert!(waited[pipe] <= 5, "pipe {} starves", pipe);
            }
        }
        let count = turns.ready().count();
        let mut visited = round(&mut turns, count);
        visited.sort();
        visited.dedup();
        prop_assert_eq!(visited.len(), count, "one round serves each once");
    }
}
