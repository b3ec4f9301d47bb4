//! Subscriptions in both forms.

use crate::common::{Stream, any_body};
use proptest::prelude::*;
use serverlink_zmtp::command::Command;
use serverlink_zmtp::error::Limited;
use serverlink_zmtp::subscription::{
    parse_message_form, put_cancel, put_glob_cancel, put_glob_subscribe, put_subscribe,
};
use serverlink_zmtp::{Limits, WireError};

/// Reads one subscription as a publisher does, in whatever form it came.
fn read(wire: &[u8]) -> (bool, Vec<u8>) {
    let mut stream = Stream::default();
    stream.feed(wire, &Limits::default()).expect("subscriptions are legal frames");
    assert!(stream.is_at_frame_start());
    let [(header, body)] = &stream.frames[..] else { panic!("one frame, not {:?}", stream.frames) };
    if !header.command {
        let (subscribe, topic) = parse_message_form(body).expect("a subscription");
        return (subscribe, topic.to_vec());
    }
    match Command::parse(body, &Limits::default()) {
        Ok(Command::Subscribe(topic)) => (true, topic.to_vec()),
        Ok(Command::Cancel(topic)) => (false, topic.to_vec()),
        other => panic!("not a subscription: {other:?}"),
    }
}

#[test]
fn the_form_follows_the_minor_version() {
    let table: [(u8, &[u8], &[u8]); 2] =
        [(0, b"\x00\x03\x01AB", b"\x00\x03\x00AB"), (1, b"\x04\x0c\x09SUBSCRIBEAB", b"\x04\x09\x06CANCELAB")];
    for (minor, subscribe, cancel) in table {
        let mut wire = Vec::new();
        put_subscribe(&mut wire, minor, b"AB");
        assert_eq!(wire, subscribe);
        wire.clear();
        put_cancel(&mut wire, minor, b"AB");
        assert_eq!(wire, cancel);
    }
}

#[test]
fn other_messages_are_no_subscriptions() {
    assert_eq!(parse_message_form(b""), None);
    assert_eq!(parse_message_form(b"\x02AB"), None);
    assert_eq!(parse_message_form(b"AB"), None);
    assert_eq!(parse_message_form(b"\x01"), Some((true, &b""[..])));
    assert_eq!(parse_message_form(b"\x00"), Some((false, &b""[..])));
}

#[test]
fn topics_around_255_octets_are_whole_in_both_forms() {
    for topic_len in 244..260 {
        let topic = vec![b't'; topic_len];
        for minor in [0, 1] {
            let (mut subscribe, mut cancel) = (Vec::new(), Vec::new());
            put_subscribe(&mut subscribe, minor, &topic);
            put_cancel(&mut cancel, minor, &topic);
            assert_eq!(read(&subscribe), (true, topic.clone()));
            assert_eq!(read(&cancel), (false, topic.clone()));
        }
    }
}

/// libzmq gives a 3.0 peer a topic of exactly 255 octets with the flags of a short frame and the size of a long one.
/// The stream is out of step from there, so the connection must fail, and nothing may be subscribed by accident.
#[test]
fn libzmqs_topic_of_255_octets_fails_its_connection() {
    let mut wire = vec![0];
    wire.extend_from_slice(&256u64.to_be_bytes());
    wire.push(1);
    wire.extend_from_slice(&[b't'; 255]);
    let mut stream = Stream::default();
    assert_eq!(stream.feed(&wire, &Limits::default()), Err(WireError::ReservedFlags { flags: b't' }));
    let subscribed =
        stream.frames.iter().filter_map(|(_, body)| parse_message_form(body)).any(|(subscribe, _)| subscribe);
    assert!(!subscribed, "{:?}", stream.frames);
}

#[test]
fn topics_are_limited_in_both_forms() {
    let limits = Limits { max_subscription_bytes: 3, ..Limits::default() };
    let refused = WireError::LimitExceeded { what: Limited::Subscription, size: 4, limit: 3 };
    assert_eq!(limits.check_topic(b"abc"), Ok(()));
    assert_eq!(limits.check_topic(b"abcd"), Err(refused.clone()));
    assert!(Command::parse(b"\x09SUBSCRIBEabc", &limits).is_ok());
    assert_eq!(Command::parse(b"\x09SUBSCRIBEabcd", &limits), Err(refused.clone()));
    assert_eq!(Command::parse(b"\x06CANCELabcd", &limits), Err(refused.clone()));
    assert_eq!(Command::parse(b"\x0aPSUBSCRIBEabcd", &limits), Err(refused.clone()));
    assert_eq!(Command::parse(b"\x07PCANCELabcd", &limits), Err(refused));
}

#[test]
fn globs_are_commands() {
    let (mut subscribe, mut cancel) = (Vec::new(), Vec::new());
    put_glob_subscribe(&mut subscribe, b"a*");
    put_glob_cancel(&mut cancel, b"a*");
    assert_eq!(Command::parse(&subscribe[2..], &Limits::default()), Ok(Command::GlobSubscribe(b"a*")));
    assert_eq!(Command::parse(&cancel[2..], &Limits::default()), Ok(Command::GlobCancel(b"a*")));
}

proptest! {
    #[test]
    fn subscriptions_come_back(minor in 0..2u8, topic in any_body()) {
        let (mut subscribe, mut cancel) = (Vec::new(), Vec::new());
        put_subscribe(&mut subscribe, minor, &topic);
        put_cancel(&mut cancel, minor, &topic);
        prop_assert_eq!(read(&subscribe), (true, topic.clone()));
        prop_assert_eq!(read(&cancel), (false, topic));
    }
}
