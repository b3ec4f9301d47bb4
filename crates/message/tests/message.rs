//! A message against the simplest model of it: a deque of byte strings that is never empty.

use std::{collections::VecDeque, sync::Arc};

use proptest::prelude::*;
use serverlink_message::{Message, Part, chunk, front::Front};

#[derive(Clone, Debug)]
enum Step {
    PushFront(Vec<u8>),
    ShareFront(Vec<u8>),
    PushBack(Vec<u8>),
    PopFront,
    SplitFirst,
    Clone,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..80);
    let step = prop_oneof![
        3 => bytes().prop_map(Step::PushFront),
        3 => bytes().prop_map(Step::ShareFront),
        3 => bytes().prop_map(Step::PushBack),
        2 => Just(Step::PopFront),
        2 => Just(Step::SplitFirst),
        1 => Just(Step::Clone),
    ];
    prop::collection::vec(step, 0..if cfg!(miri) { 20 } else { 60 })
}

fn apply(step: Step, message: &mut Message, model: &mut VecDeque<Vec<u8>>) {
    match step {
        Step::PushFront(bytes) => {
            model.push_front(bytes.clone());
            message.push_front(bytes);
        }
        Step::ShareFront(bytes) => {
            let mut front = Front::new(bytes.clone().into());
            front.put_before(message);
            front.put_before(&mut Message::from("another"));
            model.push_front(bytes);
        }
        Step::PushBack(bytes) => {
            model.push_back(bytes.clone());
            message.push_back(bytes);
        }
        Step::PopFront => {
            let expected = if model.len() > 1 { model.pop_front() } else { None };
            assert_eq!(message.pop_front().as_deref(), expected.as_deref());
        }
        Step::SplitFirst => {
            let (first, rest) = std::mem::take(message).split_first();
            assert_eq!(Some(first.as_bytes()), model.pop_front().as_deref());
            if model.is_empty() {
                assert_eq!(rest, None);
                model.push_back(Vec::new());
            }
            *message = rest.unwrap_or_default();
        }
        Step::Clone => *message = message.clone(),
    }
}

fn check(message: &Message, model: &VecDeque<Vec<u8>>) {
    assert_eq!(message.part_count(), model.len());
    assert_eq!(message.iter().len(), model.len());
    assert_eq!(message.is_multipart(), model.len() > 1);
    assert_eq!(message.len_bytes(), model.iter().map(Vec::len).sum());
    assert!(message.iter().eq(model.iter()));
    assert!(message.iter().rev().eq(model.iter().rev()));
    assert!((0..model.len()).all(|index| message[index] == model[index]));
    assert_eq!(message.part(model.len()), None);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 16 } else { 256 }, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_message_is_a_deque_of_parts(steps in steps()) {
        let mut message = Message::new();
        let mut model = VecDeque::from([Vec::new()]);
        for step in steps {
            apply(step, &mut message, &mut model);
            check(&message, &model);
        }
        prop_assert_eq!(&message, &Message::from_parts(model.clone()));
        let mut parts = message.into_parts();
        while let Some(part) = parts.next_back() {
            prop_assert_eq!(part.as_bytes(), &model.pop_back().unwrap()[..]);
            prop_assert_eq!(parts.len(), model.len());
            // The other end in between; what is left in `parts` is dropped with it.
            prop_assert!(parts.next().as_deref() == model.pop_front().as_deref());
        }
        prop_assert!(model.is_empty());
    }
}

#[test]
fn a_message_is_never_without_parts() {
    assert_eq!(Message::new().part_count(), 1);
    assert_eq!(Message::from_parts(Vec::<Part>::new()), Message::from(""));
    assert_eq!(Message::from(Vec::<Part>::new()), Message::new());
    assert_eq!(Message::from("only").pop_front(), None);
    assert_eq!(Message::from("only").split_first(), (Part::from("only"), None));
}

#[test]
fn the_origin_travels_along_but_is_not_compared() {
    let mut message = Message::from_parts(["id", "", "body"]);
    message.set_origin(7);
    assert_eq!(message, Message::from_parts(["id", "", "body"]));
    assert_eq!(message.clone().origin(), 7);
    let (_, rest) = message.split_first();
    assert_eq!(rest.map(|rest| rest.origin()), Some(7));
}

#[test]
fn everything_a_part_is_made_from_makes_a_message() {
    let expected = Message::from_parts(["body"]);
    assert_eq!(Message::from("body"), expected);
    assert_eq!(Message::from(b"body"), expected);
    assert_eq!(Message::from(&b"body"[..]), expected);
    assert_eq!(Message::from(String::from("body")), expected);
    assert_eq!(Message::from(b"body".to_vec()), expected);
    assert_eq!(Message::from(Part::from("body")), expected);
    assert_eq!(["body"].into_iter().collect::<Message>(), expected);
}

#[test]
fn what_stands_in_front_of_many_is_kept_by_the_last() {
    let there: Arc<[u8]> = Arc::from(*b"address");
    let mut front = Front::new(Part::from_owner(Arc::clone(&there)));
    let mut messages: Vec<Message> = (0..200).map(|number: u32| number.to_string().into()).collect();
    messages.iter_mut().for_each(|message| front.put_before(message));
    drop(front.clone());
    drop(front);
    assert!(messages.iter().all(|message| message.part_count() == 2 && message[0] == "address"));
    let last = messages.pop();
    drop(messages);
    assert_eq!(Arc::strong_count(&there), 2);
    assert_eq!(last.clone(), Some(Message::from_parts(["address", "199"])));
    drop(last);
    chunk::settle();
    assert_eq!(Arc::strong_count(&there), 1);
}

#[test]
fn what_stands_in_front_leaves_in_its_turn() {
    let mut front = Front::new(Part::from("a"));
    let mut shared = |body: &str| {
        let mut message = Message::from(body);
        message.set_origin(3);
        front.put_before(&mut message);
        message
    };
    assert_eq!(shared("b").pop_front(), Some(Part::from("a")));
    let (first, rest) = shared("b").split_first();
    assert_eq!((first, rest.as_ref().map(Message::origin)), (Part::from("a"), Some(3)));
    assert_eq!(shared("b").into_parts().rev().collect::<Message>(), Message::from_parts(["b", "a"]));
    assert_eq!(shared("b").len_bytes(), 2);
    let mut longer = shared("c");
    longer.push_front("b");
    assert_eq!(longer, Message::from_parts(["b", "a", "c"]));
    let mut again = longer.clone();
    Front::new(Part::from("0")).put_before(&mut again);
    assert_eq!(again, Message::from_parts(["0", "b", "a", "c"]));
}

#[test]
fn detach_reaches_every_part() {
    let buffer = Part::from(vec![9_u8; 1000]);
    let mut message = Message::from_parts([buffer.slice(..100).unwrap(), buffer.slice(100..200).unwrap()]);
    message.detach();
    let range = buffer.as_bytes().as_ptr_range();
    assert!(message.iter().all(|part| !range.contains(&part.as_ptr())));
    assert_eq!(message, Message::from_parts([[9_u8; 100].as_slice(); 2]));
}

#[test]
#[cfg_attr(miri, ignore = "large on purpose")]
fn taking_a_huge_envelope_apart_is_linear() {
    // With a quadratic queue this would move 48 MB a million times.
    let mut message = Message::from_parts((0..1_000_000_u32).map(|_| Part::new()));
    let mut taken = 1;
    while message.pop_front().is_some() {
        taken += 1;
    }
    assert_eq!(taken, 1_000_000);
}

#[test]
fn debug_shows_the_parts() {
    assert_eq!(format!("{:?}", Message::from_parts(["a", "b"])), r#"Message[Part("a"), Part("b")]"#);
}

#[test]
#[should_panic(expected = "part 2 of a message that has 2")]
fn an_index_past_the_end_panics_with_numbers() {
    let _ = &Message::from_parts(["a", "b"])[2];
}
