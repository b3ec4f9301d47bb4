//! Subscriptions on the wire, in the form that the peer's version understands.
//!
//! ZMTP 3.1 has commands for them (RFC 37); 3.0 sends messages whose body starts with 1 or 0. Either form may come from
//! anyone. They add up: two subscriptions to one topic take two cancels.

use crate::command::Command;
use crate::frame::{Header, put_header};

const SUBSCRIBE: u8 = 1;
const CANCEL: u8 = 0;

/// Appends a subscription to `topic` for a peer with whom ZMTP 3.`minor` is spoken.
pub fn put_subscribe(out: &mut Vec<u8>, minor: u8, topic: &[u8]) {
    if minor == 0 { put_message_form(out, SUBSCRIBE, topic) } else { Command::Subscribe(topic).put(out) }
}

/// Appends the end of one subscription to `topic` for a peer with whom ZMTP 3.`minor` is spoken.
pub fn put_cancel(out: &mut Vec<u8>, minor: u8, topic: &[u8]) {
    if minor == 0 { put_message_form(out, CANCEL, topic) } else { Command::Cancel(topic).put(out) }
}

/// Reads the body of a single-frame message as the message form: true to subscribe, false to cancel, and the topic.
///
/// `None` for a body that is no subscription: an XPUB hands such a message to its application, a PUB drops it. A topic
/// in this form is held to its limit with [`Limits::check_topic`](crate::Limits::check_topic).
pub fn parse_message_form(body: &[u8]) -> Option<(bool, &[u8])> {
    match body {
        [SUBSCRIBE, topic @ ..] => Some((true, topic)),
        [CANCEL, topic @ ..] => Some((false, topic)),
        _ => None,
    }
}

fn put_message_form(out: &mut Vec<u8>, first: u8, topic: &[u8]) {
    put_header(out, Header { more: false, command: false, body_len: 1 + topic.len() as u64 });
    out.push(first);
    out.extend_from_slice(topic);
}
