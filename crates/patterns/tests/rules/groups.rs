//! RADIO and DISH (RFC 48).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serverlink_message::SocketType::{Dish, Radio};
use serverlink_patterns::{DropReason, PatternOptions, Reserve, Subject, Verdict};

use crate::support::{Socket, message, pipes};

#[test]
fn a_radio_sends_to_who_joined_exactly_this_group() {
    let [a, b] = pipes();
    let mut radio = Socket::new(Radio);
    radio.attach_all(&[a, b]);
    assert_eq!(radio.asks(a, b"ab"), None, "its application hears nothing of it");
    radio.asks(b, b"ab");
    radio.asks(b, b"abc");
    for (group, wanted) in [(&b"ab"[..], 2), (b"abc", 1)] {
        assert_eq!(radio.reserve(group), Reserve::Many);
        assert_eq!(radio.sender.targets().len(), wanted, "{group:?}");
        radio.commit();
    }
    for group in [&b""[..], b"a", b"abcd", b"b"] {
        assert_eq!(radio.reserve(group), Reserve::Nobody(DropReason::NoSubscriber), "{group:?}");
    }
    radio.asks(a, b"");
    assert_eq!(radio.reserve(b""), Reserve::Many, "the empty name is a name");
    radio.commit();
    assert_eq!(radio.reserve(b"x"), Reserve::Nobody(DropReason::NoSubscriber));
    assert_eq!((radio.sender.subscriber_count(), radio.sender.subscription_count()), (2, 3));
}

#[test]
fn who_is_not_asked_gets_every_group() {
    let [a, b] = pipes();
    let mut radio = Socket::new(Radio);
    radio.attach_all(&[a, b]);
    radio.asks(a, b"g");
    radio.sender.send_everything_to(b);
    radio.sender.send_everything_to(b);
    for (group, wanted) in [(&b"g"[..], &[a, b][..]), (b"other", &[b]), (b"", &[b])] {
        assert_eq!(radio.reserve(group), Reserve::Many, "{group:?}");
        assert_eq!(radio.sender.targets(), wanted, "{group:?}");
        radio.commit();
    }
    assert_eq!(radio.sender.subscriber_count(), 1, "it asked for nothing");
    radio.sender.set_writable(b, false);
    assert_eq!(radio.reserve(b"other"), Reserve::Nobody(DropReason::HighWaterMark));
    assert_eq!((radio.sender.dropped(), radio.sender.missed(b)), (1, 1));
    radio.sender.set_writable(b, true);
    radio.detach(b);
    assert_eq!(radio.reserve(b"other"), Reserve::Nobody(DropReason::NoSubscriber));
}

#[test]
fn who_is_full_misses_it_or_is_waited_for() {
    let [a] = pipes();
    for waits in [false, true] {
        let options = PatternOptions { xpub_no_drop: waits, ..PatternOptions::default() };
        let mut radio = Socket::with(Radio, &options);
        radio.attach(a);
        radio.asks(a, b"g");
        radio.sender.set_writable(a, false);
        let expected = if waits { Reserve::WouldBlock } else { Reserve::Nobody(DropReason::HighWaterMark) };
        assert_eq!(radio.reserve(b"g"), expected);
    }
}

#[test]
fn a_dish_takes_a_group_it_joined_and_one_body() {
    let [a] = pipes();
    let mut dish = Socket::new(Dish);
    dish.attach(a);
    assert!(dish.receiver.join(b"g") && !dish.receiver.join(b"g"));
    assert!(dish.receiver.join(b"") && !dish.receiver.leave(b"other"));
    let mut verdict = |parts: &[&[u8]]| dish.receiver.handle(a, &mut message(parts), &mut dish.dialogue);
    assert_eq!(verdict(&[b"g", b"body"]), Verdict::Deliver);
    assert_eq!(verdict(&[b"", b"body"]), Verdict::Deliver);
    assert_eq!(verdict(&[b"ga", b"body"]), Verdict::Discard(DropReason::NotSubscribed));
    for wrong in [&[&b"g"[..]][..], &[b"g", b"two", b"bodies"]] {
        assert_eq!(verdict(wrong), Verdict::Discard(DropReason::PartCount));
    }
    assert!(dish.receiver.leave(b"g") && !dish.receiver.leave(b"g"));
    assert_eq!(dish.receiver.plain_subscriptions().collect::<Vec<_>>(), [b""]);
    assert_eq!(dish.receiver.subscription_count(), 1);
}

#[test]
fn other_types_have_no_groups() {
    let mut sub = Socket::new(serverlink_message::SocketType::Sub);
    assert!(!sub.receiver.join(b"g") && !sub.receiver.leave(b"g"));
    assert_eq!(sub.receiver.subscriptions().count(), 0);
    let mut dish = Socket::new(Dish);
    let _ = dish.receiver.subscribe(Subject::Topic(b"g")).expect("it means nothing");
    assert_eq!(dish.receiver.subscriptions().count(), 0);
}

proptest! {
    /// Whatever is joined and left by whom, a message goes to those who have joined more often than left.
    #[test]
    fn a_radio_follows_the_model(
        acts in prop::collection::vec((0..3usize, prop::sample::select(vec!["", "a", "ab", "b"]), 0..3u8), 1..60),
    ) {
        let members = pipes::<3>();
        let mut radio = Socket::new(Radio);
        radio.attach_all(&members);
        let mut joined: BTreeMap<(usize, &str), u32> = BTreeMap::new();
        for (who, group, act) in acts {
            let times = joined.entry((who, group)).or_default();
            match act {
                0 => {
                    radio.asks(members[who], group.as_bytes());
                    *times += 1;
                }
                1 => {
                    radio.cancels(members[who], group.as_bytes());
                    *times = times.saturating_sub(1);
                }
                _ => {
                    let wanted: BTreeSet<_> =
                        (0..3).filter(|who| joined.get(&(*who, group)).is_some_and(|times| *times > 0)).map(|who| members[who]).collect();
                    let reserved = radio.reserve(group.as_bytes());
                    let targets: BTreeSet<_> = radio.sender.targets().iter().copied().collect();
                    prop_assert_eq!(&targets, &wanted);
                    prop_assert_eq!(reserved == Reserve::Many, !wanted.is_empty());
                    radio.commit();
                }
            }
        }
    }
}
