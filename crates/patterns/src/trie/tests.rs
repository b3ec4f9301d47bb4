use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Model = BTreeMap<(Vec<u8>, u8), u32>;

fn matched(trie: &Trie<u8>, message: &[u8]) -> Vec<u8> {
    let mut keys = Vec::new();
    trie.for_each_match(message, |key| keys.push(key));
    keys.sort_unstable();
    keys
}

#[test]
fn matches_prefixes_only() {
    let mut trie = Trie::new();
    for (key, topic) in ["", "a", "abc", "abd", "b"].iter().enumerate() {
        assert!(trie.add(topic.as_bytes(), key as u8));
    }
    let cases: [(&str, &[u8]); 7] = [
        ("", &[0]),
        ("a", &[0, 1]),
        ("ab", &[0, 1]),
        ("abc", &[0, 1, 2]),
        ("abdx", &[0, 1, 3]),
        ("b", &[0, 4]),
        ("c", &[0]),
    ];
    for (message, keys) in cases {
        assert_eq!(matched(&trie, message.as_bytes()), keys, "{message:?}");
    }
}

#[test]
fn counts_for_each_holder() {
    let mut trie = Trie::new();
    assert!(trie.add(b"t", 1));
    assert!(!trie.add(b"t", 1));
    assert!(!trie.add(b"t", 2));
    assert_eq!(trie.remove(b"t", 1), Removed::Repeated);
    assert_eq!(trie.remove(b"t", 1), Removed::Shared);
    assert_eq!(trie.remove(b"t", 1), Removed::NotHeld);
    assert_eq!(trie.remove(b"t", 2), Removed::Last);
    assert_eq!(trie.remove(b"t", 2), Removed::NotHeld);
}

#[test]
fn a_fork_is_not_a_topic() {
    let mut trie = Trie::new();
    trie.add(b"abc", 1);
    trie.add(b"abd", 1);
    assert_eq!(trie.remove(b"ab", 1), Removed::NotHeld);
    assert!(!trie.matches(b"abx"));
    assert_eq!(trie.topics().collect::<Vec<_>>(), [b"abc", b"abd"]);
}

#[test]
fn a_departure_names_what_nobody_holds_any_more() {
    let mut trie = Trie::new();
    for topic in [&b"only"[..], b"one", b"both"] {
        trie.add(topic, 1);
    }
    trie.add(b"both", 2);
    let mut last = trie.remove_all(1, Told::Last);
    last.sort();
    assert_eq!(last, [&b"one"[..], b"only"]);
    assert_eq!(trie.topic_count(), 1);
    assert!(trie.remove_all(1, Told::Last).is_empty());
}

#[test]
fn depth_costs_no_stack() {
    let long = vec![b'x'; 10_000];
    let mut trie = Trie::new();
    (1..=long.len()).for_each(|len| {
        trie.add(&long[..len], ());
    });
    assert!(trie.matches(&long));
    assert_eq!(trie.remove(&long, ()), Removed::Last);
    assert_eq!(trie.load(()).0, long.len() - 1);
    drop(trie);
}

#[test]
fn cancelled_topics_give_their_memory_back() {
    let mut trie = Trie::new();
    let topic = |number: u32| number.to_be_bytes().repeat(3);
    (0..10_000).for_each(|number| {
        trie.add(&topic(number), 1);
    });
    for kept in [&b"kept"[..], b"key", b"kept longer"] {
        trie.add(kept, 2);
    }
    (0..10_000).for_each(|number| assert_eq!(trie.remove(&topic(number), 1), Removed::Last));
    let (nodes, capacity) = trie.arena.slots();
    assert_eq!(nodes, 5, "the root, a fork and what is kept");
    assert!(capacity < 300, "{capacity} slots for {nodes} nodes");
    assert_eq!(matched(&trie, b"kept longer"), [2, 2], "the nodes moved and still hang together");
    assert_eq!(trie.remove_all(2, Told::Last).len(), 3);
    assert_eq!(trie.arena.slots().0, 1);
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), Just(0u8)], 0..6)
}

#[derive(Debug, Clone)]
enum Op {
    Add(Vec<u8>, u8),
    Remove(Vec<u8>, u8),
    RemoveAll(u8),
    Match(Vec<u8>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (topic(), 0..4u8).prop_map(|(topic, key)| Op::Add(topic, key)),
        6 => (topic(), 0..4u8).prop_map(|(topic, key)| Op::Remove(topic, key)),
        1 => (0..4u8).prop_map(Op::RemoveAll),
        4 => topic().prop_map(Op::Match),
    ]
}

fn holders(model: &Model, topic: &[u8]) -> usize {
    model.keys().filter(|(held, _)| held == topic).count()
}

fn topics(model: &Model) -> Vec<Vec<u8>> {
    let mut topics: Vec<_> = model.keys().map(|(topic, _)| topic.clone()).collect();
    topics.dedup();
    topics
}

fn remove_from(model: &mut Model, topic: Vec<u8>, key: u8) -> Removed {
    let entry = (topic, key);
    match model.get_mut(&entry) {
        None => return Removed::NotHeld,
        Some(count) if *count > 1 => {
            *count -= 1;
            return Removed::Repeated;
        }
        Some(_) => model.remove(&entry),
    };
    if holders(model, &entry.0) == 0 { Removed::Last } else { Removed::Shared }
}

proptest! {
    #[test]
    fn is_a_map_that_matches_prefixes(ops in prop::collection::vec(op(), 0..150)) {
        let mut trie = Trie::new();
        let mut model = Model::new();
        for op in ops {
            match op {
                Op::Add(topic, key) => {
                    prop_assert_eq!(trie.add(&topic, key), holders(&model, &topic) == 0);
                    *model.entry((topic, key)).or_default() += 1;
                }
                Op::Remove(topic, key) => {
                    prop_assert_eq!(trie.remove(&topic, key), remove_from(&mut model, topic, key));
                }
                Op::RemoveAll(key) => {
                    let before = topics(&model);
                    model.retain(|(_, holder), _| *holder != key);
                    let after = topics(&model);
                    let gone: Vec<_> = before.into_iter().filter(|topic| !after.contains(topic)).collect();
                    let mut named = trie.remove_all(key, Told::Last);
                    named.sort();
                    prop_assert_eq!(named, gone);
                }
                Op::Match(message) => {
                    let mut expected: Vec<u8> =
                        model.keys().filter(|(topic, _)| message.starts_with(topic)).map(|(_, key)| *key).collect();
                    expected.sort_unstable();
                    prop_assert_eq!(trie.matches(&message), !expected.is_empty());
                    prop_assert_eq!(matched(&trie, &message), expected);
                }
            }
            check(&trie, &model)?;
        }
    }
}

fn check(trie: &Trie<u8>, model: &Model) -> Result<(), TestCaseError> {
    let mut found: Vec<_> = trie.topics().collect();
    found.sort();
    let expected = topics(model);
    prop_assert_eq!(trie.topic_count(), expected.len());
    prop_assert_eq!(found, expected);
    for key in 0..4 {
        let held: Vec<_> =
            model.keys().filter(|(_, holder)| *holder == key).map(|(topic, _)| topic.len()).collect();
        prop_assert_eq!(trie.load(key), (held.len(), held.iter().sum::<usize>() as u64));
    }
    let (nodes, _) = trie.arena.slots();
    prop_assert!(nodes <= 1 + 2 * trie.topic_count(), "{} nodes for {} topics", nodes, trie.topic_count());
    Ok(())
}
