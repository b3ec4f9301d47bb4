use proptest::prelude::*;

use super::*;
use crate::trie::{Removed, Told};

/// The rules of a pattern word for word, with all the back-tracking that they ask for.
fn fits_naively(pattern: &[u8], topic: &[u8]) -> bool {
    let Some((&first, rest)) = pattern.split_first() else { return topic.is_empty() };
    if first == b'*' {
        return (0..=topic.len()).any(|skipped| fits_naively(rest, &topic[skipped..]));
    }
    let Some((&octet, others)) = topic.split_first() else { return false };
    match first {
        b'?' => fits_naively(rest, others),
        b'\\' => rest[0] == octet && fits_naively(&rest[1..], others),
        b'[' => {
            let (is_listed, behind) = listed(rest, octet);
            is_listed && fits_naively(behind, others)
        }
        literal => literal == octet && fits_naively(rest, others),
    }
}

/// Whether a class lists the octet, and the pattern behind it.
fn listed(class: &[u8], octet: u8) -> (bool, &[u8]) {
    let inverted = matches!(class[0], b'^' | b'!');
    let mut rest = &class[usize::from(inverted)..];
    let mut found = false;
    while rest[0] != b']' {
        let first = take(&mut rest);
        let mut last = first;
        if rest[0] == b'-' && rest[1] != b']' {
            rest = &rest[1..];
            last = take(&mut rest);
        }
        found |= (first..=last).contains(&octet);
    }
    (found != inverted, &rest[1..])
}

fn take(rest: &mut &[u8]) -> u8 {
    let escaped = usize::from(rest[0] == b'\\');
    let octet = rest[escaped];
    *rest = &rest[escaped + 1..];
    octet
}

fn glob(pattern: &str) -> Glob {
    Glob::parse(pattern.as_bytes()).unwrap_or_else(|bad| panic!("{pattern}: {bad}"))
}

#[test]
fn fits_all_of_a_topic() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("", &[""], &["a"]),
        ("*", &["", "a", "a.b/c"], &[]),
        ("a*", &["a", "ab"], &["", "ba"]),
        ("*a", &["a", "ba", "aa"], &["", "ab"]),
        ("a**b", &["ab", "axb", "abb"], &["a", "abc"]),
        ("a?c", &["abc", "a?c"], &["ac", "abbc"]),
        ("[abc]", &["a", "b", "c"], &["", "d", "ab", "[abc]"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "-x"]),
        ("[^a]", &["b", "^"], &["a", ""]),
        ("[!a-y]", &["z", "!"], &["a", "m"]),
        ("[a^]", &["a", "^"], &["b"]),
        ("[-a]", &["-", "a"], &["b"]),
        ("[a-]", &["-", "a"], &["b"]),
        ("[\\]\\\\]", &["]", "\\"], &["[", "a"]),
        ("[[]", &["["], &["]"]),
        ("]", &["]"], &["["]),
        ("\\*\\?\\[", &["*?["], &["abc"]),
        ("\\a", &["a"], &["\\a"]),
        ("*.eur.*", &["x.eur.y", ".eur."], &["x.eur", "eur"]),
        ("a*b*c", &["abc", "aXbYc", "abbcc"], &["acb", "ab"]),
    ];
    for (pattern, fitting, others) in table {
        for topic in *fitting {
            assert!(glob(pattern).matches(topic.as_bytes()), "{pattern} should fit {topic:?}");
        }
        for topic in *others {
            assert!(!glob(pattern).matches(topic.as_bytes()), "{pattern} should not fit {topic:?}");
        }
    }
}

#[test]
fn octets_count_and_not_characters() {
    assert!(glob("??").matches("ä".as_bytes()));
    assert!(!glob("?").matches("ä".as_bytes()));
    assert!(Glob::parse(b"[\x80-\xff]*").expect("any octets do").matches(b"\xff\0"));
}

#[test]
fn a_wrong_pattern_is_told_with_its_place() {
    use GlobFault::{DanglingBackslash, EmptyClass, OpenBracket, ReversedRange};
    let table = [
        ("ab[", 2, OpenBracket),
        ("[^", 0, OpenBracket),
        ("[a-", 0, OpenBracket),
        ("x[]", 1, EmptyClass),
        ("[^]", 0, EmptyClass),
        ("[]a]", 0, EmptyClass),
        ("[az-b]", 2, ReversedRange),
        ("ab\\", 2, DanglingBackslash),
        ("[a\\", 2, DanglingBackslash),
        ("[a-\\", 3, DanglingBackslash),
    ];
    for (pattern, at, fault) in table {
        assert_eq!(Glob::parse(pattern.as_bytes()), Err(BadGlob { at, fault }), "{pattern}");
    }
    let long = vec![b'x'; Glob::MAX_LEN + 1];
    assert!(Glob::parse(&long[1..]).is_ok());
    assert_eq!(Glob::parse(&long), Err(BadGlob { at: Glob::MAX_LEN, fault: GlobFault::TooLong }));
    let sentence = Glob::parse(b"ab[").unwrap_err().to_string();
    assert_eq!(
        sentence,
        "octet 2 of the pattern: this bracket is not closed; add ], or write \\[ for the octet itself"
    );
}

#[test]
fn what_a_plain_subscription_has_to_cover() {
    for (pattern, prefix) in
        [("ab*", "ab"), ("*x", ""), ("a\\*b?", "a*b"), ("abc", "abc"), ("a[b]", "a"), ("", "")]
    {
        assert_eq!(glob(pattern).literal_prefix(), prefix.as_bytes(), "{pattern}");
    }
}

#[test]
fn holders_are_counted() {
    let mut set = GlobSet::new();
    assert_eq!(set.add(b"a*", 1), Ok(true));
    assert_eq!(set.add(b"a*", 1), Ok(false));
    assert_eq!(set.add(b"a*", 2), Ok(false));
    assert_eq!(set.add(b"?", 2), Ok(true));
    assert!(set.add(b"[", 2).is_err());
    assert_eq!((set.len(), set.load(1), set.load(2)), (2, (1, 2), (2, 3)));
    assert_eq!(set.remove(b"a*", 1), Removed::Repeated);
    assert_eq!(set.remove(b"a*", 1), Removed::Shared);
    assert_eq!(set.remove(b"a*", 1), Removed::NotHeld);
    assert!(set.matches(b"ab"));
    let mut left = set.remove_all(2, Told::Last);
    left.sort();
    assert_eq!(left, [b"?".to_vec(), b"a*".to_vec()]);
    assert!(set.is_empty() && !set.matches(b"ab"));
}

/// Patterns for which back-tracking takes for ever, and which fill any table of states.
#[test]
fn hard_patterns_end() {
    let mut set = GlobSet::new();
    for number in 0..64 {
        let stars: String = (0..40).map(|star| format!("*{}", (star * 7 + number) % 10)).collect();
        set.add(format!("{stars}x").as_bytes(), number).expect("a pattern");
    }
    let mut digits = 1_u64;
    let topic: Vec<u8> = (0..20_000)
        .map(|_| {
            digits = digits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b'0' + (digits >> 60) as u8 % 10
        })
        .collect();
    assert!(!set.matches(&topic));
    assert!(set.matches(&[&*topic, b"x"].concat()));
}

fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "\\a", "\\*", "\\\\", "]", "-"]),
        3 => prop::sample::select(vec!["*", "?", "**"]),
        2 => prop::sample::select(vec!["[ab]", "[a-c]", "[^a]", "[!b-c]", "[\\]a]", "[-b]", "[b-]", "[*]"]),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat().into_bytes())
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"aabbcc*-]\\".to_vec()), 0..8)
}

proptest! {
    #[test]
    fn fits_as_the_rules_say(pattern in pattern(), topics in prop::collection::vec(topic(), 1..20)) {
        let glob = Glob::parse(&pattern).expect("made of whole pieces");
        for topic in topics {
            prop_assert_eq!(glob.matches(&topic), fits_naively(&pattern, &topic), "{} {:?}", glob, topic);
            prop_assert!(!glob.matches(&topic) || topic.starts_with(&glob.literal_prefix()));
        }
    }

    #[test]
    fn any_octets_are_a_pattern_or_a_mistake(octets in prop::collection::vec(
        prop_oneof![prop::sample::select(b"[]^!-\\*?".to_vec()), any::<u8>()], 0..20)
    ) {
        match Glob::parse(&octets) {
            Ok(glob) => prop_assert_eq!(glob.as_bytes(), &octets[..]),
            Err(bad) => prop_assert!(bad.at < octets.len()),
        }
    }

    /// All together find what each would find alone, whatever was added and removed before.
    #[test]
    fn a_set_finds_what_its_globs_fit(
        ops in prop::collection::vec((pattern(), 0..3_u8, 0..4_u8), 1..40),
        topics in prop::collection::vec(topic(), 1..10),
    ) {
        let mut set = GlobSet::new();
        let mut model: Vec<(Vec<u8>, u8)> = Vec::new();
        for (pattern, holder, action) in ops {
            match action {
                0 => {
                    set.remove_all(holder, Told::Nothing);
                    model.retain(|held| held.1 != holder);
                }
                1 => {
                    let index = model.iter().position(|held| *held == (pattern.clone(), holder));
                    prop_assert_eq!(set.remove(&pattern, holder) == Removed::NotHeld, index.is_none());
                    index.map(|index| model.swap_remove(index));
                }
                _ => {
                    let is_first = model.iter().all(|held| held.0 != pattern);
                    prop_assert_eq!(set.add(&pattern, holder), Ok(is_first));
                    model.push((pattern, holder));
                }
            }
            for topic in &topics {
                let mut found = Vec::new();
                set.for_each_match(topic, |holder| found.push(holder));
                let mut expected: Vec<u8> =
                    model.iter().filter(|held| fits_naively(&held.0, topic)).map(|held| held.1).collect();
                for list in [&mut found, &mut expected] {
                    list.sort_unstable();
                    list.dedup();
                }
                prop_assert_eq!(found, expected);
            }
        }
    }
}
