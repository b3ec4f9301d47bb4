//! Datagrams of RADIO and DISH.

use proptest::prelude::*;
use serverlink_zmtp::datagram::{self, BadDatagram};

#[test]
fn a_datagram_is_a_group_and_a_body() {
    let mut out = Vec::new();
    datagram::put(b"tv", b"ball", &mut out);
    assert_eq!(out, b"\x02tvball");
    assert_eq!(out.len(), datagram::len_of(b"tv", b"ball"));
    assert_eq!(datagram::parse(&out), Ok((&b"tv"[..], &b"ball"[..])));
}

#[test]
fn both_may_be_empty() {
    assert_eq!(datagram::parse(b"\0"), Ok((&b""[..], &b""[..])));
    assert_eq!(datagram::parse(b"\0body"), Ok((&b""[..], &b"body"[..])));
    assert_eq!(datagram::parse(b"\x05group"), Ok((&b"group"[..], &b""[..])));
}

#[test]
fn what_ends_too_early_is_none() {
    assert_eq!(datagram::parse(b""), Err(BadDatagram::Empty));
    assert_eq!(datagram::parse(b"\x01"), Err(BadDatagram::CutGroup));
    assert_eq!(datagram::parse(b"\xffgroup"), Err(BadDatagram::CutGroup));
}

#[test]
#[should_panic(expected = "two parts")]
fn a_message_of_one_part_becomes_no_datagram() {
    datagram::for_each_outgoing(b"\x00\x01x", |_, _| {});
}

proptest! {
    #[test]
    fn any_octets_are_a_datagram_or_are_not(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        match datagram::parse(&octets) {
            Ok((group, body)) => {
                let mut again = Vec::new();
                datagram::put(group, body, &mut again);
                prop_assert_eq!(again, octets);
            }
            Err(BadDatagram::Empty) => prop_assert!(octets.is_empty()),
            Err(BadDatagram::CutGroup) => prop_assert!(usize::from(octets[0]) > octets.len() - 1),
        }
    }

    #[test]
    fn messages_come_back_out_of_their_frames(
        messages in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..256), prop::collection::vec(any::<u8>(), 0..700)),
            0..8,
        )
    ) {
        let mut frames = Vec::new();
        messages.iter().for_each(|(group, body)| datagram::frame_incoming(group, body, &mut frames));
        let mut back = Vec::new();
        datagram::for_each_outgoing(&frames, |group, body| back.push((group.to_vec(), body.to_vec())));
        prop_assert_eq!(back, messages);
    }
}
