//! Subscriptions on the wire, in the form that the peer's version understands.
//!
//! ZMTP 3.1 has commands for them (RFC 37); 3.0 sends messages whose body starts with 1 or 0. Either form may come from
//! anyone. They add up: two subscriptions to one topic take two cancels.
//!
//! Globs are an extension. Publishers and subscribers announce in their READY that they know them, and only between two that both did,
//! PSUBSCRIBE and PCANCEL carry them. Every other peer sees plain ZMTP.

use crate::command::Command;
use crate::frame::{Header, put_header};

const SUBSCRIBE: u8 = 1;
const CANCEL: u8 = 0;

/// The property of a READY by which publishers and subscribers say that they know PSUBSCRIBE and PCANCEL.
pub const GLOBS_PROPERTY: &str = "X-ServerLink-Globs";
/// The version of that extension.
pub(crate) const GLOBS_VERSION: &[u8] = b"1";

/// Appends a subscription to `glob`, for a peer that announced [`GLOBS_PROPERTY`].
pub fn put_glob_subscribe(out: &mut Vec<u8>, glob: &[u8]) {
    Command::GlobSubscribe(glob).put(out);
}

/// Appends the end of one subscription to `glob`, for such a peer.
pub fn put_glob_cancel(out: &mut Vec<u8>, glob: &[u8]) {
    Command::GlobCancel(glob).put(out);
}

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
