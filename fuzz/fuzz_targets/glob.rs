//! A pattern and a topic, against a matcher that does word for word what the rules say. Patterns that are none are refused at a place in
//! them, and what a pattern fits begins with its literal prefix.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serverlink_patterns::Glob;

/// The naive matcher goes back at each star: long inputs would only measure that.
const MAX_PATTERN: usize = 24;
const MAX_TOPIC: usize = 40;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (pattern, topic) = input;
    let glob = match Glob::parse(pattern) {
        Ok(glob) => glob,
        Err(bad) => return assert!(bad.at < pattern.len(), "{bad}"),
    };
    let fits = glob.matches(topic);
    assert!(!fits || topic.starts_with(&glob.literal_prefix()));
    if pattern.len() <= MAX_PATTERN && topic.len() <= MAX_TOPIC {
        assert_eq!(fits, fits_naively(pattern, topic), "{glob:?} {topic:?}");
    }
});

fn fits_naively(pattern: &[u8], topic: &[u8]) -> bool {
    let Some((&first, rest)) = pattern.split_first() else { return topic.is_empty() };
    if first == b'*' {
        let rest = &rest[rest.iter().take_while(|&&octet| octet == b'*').count()..];
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

/// Whether a class, from behind its bracket, lists the octet; and the pattern behind it.
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
