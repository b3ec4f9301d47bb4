//! The messages of ZAP 1.0 (RFC 27).

use serverlink_message::Message;
use serverlink_zmtp::Limits;
use serverlink_zmtp::command::Metadata;
use serverlink_zmtp::mechanism::{Credentials, Denial};

use crate::endpoint::{Endpoint, Host};
use crate::security::{AuthRequest, User};

const VERSION: &[u8] = b"1.0";
/// Each question has a pipe of its own, so all have the same number, as libzmq's have.
const REQUEST_ID: &[u8] = b"1";

/// Parts of a reply, with the empty one in front.
const REPLY_PARTS: usize = 7;

pub(super) fn request(request: &AuthRequest) -> Message {
    let address = request.peer_address.as_ref().map(address_of).unwrap_or_default();
    let head: [&[u8]; 7] = [
        b"",
        VERSION,
        REQUEST_ID,
        request.domain.as_bytes(),
        address.as_bytes(),
        &request.routing_id,
        request.mechanism().as_bytes(),
    ];
    let mut message = Message::from_parts(head);
    match &request.credentials {
        Credentials::Null => {}
        Credentials::Plain { username, password } => {
            message.push_back(&username[..]);
            message.push_back(&password[..]);
        }
        Credentials::Curve { public_key } => message.push_back(&public_key.as_bytes()[..]),
    }
    message
}

/// Without the port, which means nothing to those who judge.
fn address_of(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { host: Host::Ip(ip), .. } => ip.to_string(),
        other => other.to_string(),
    }
}

/// What a handler said. A reply that is none counts as a failure of the handler.
pub(super) fn verdict(reply: &Message) -> Result<User, Denial> {
    let parts: Vec<&[u8]> = reply.iter().map(|part| &part[..]).collect();
    let Ok([b"", VERSION, REQUEST_ID, status, _text, user, metadata]) =
        <[&[u8]; REPLY_PARTS]>::try_from(parts)
    else {
        return Err(Denial::Failed);
    };
    match status {
        b"200" => {}
        b"300" => return Err(Denial::Temporary),
        b"400" => return Err(Denial::Refused),
        _ => return Err(Denial::Failed),
    }
    let metadata = Metadata::parse(metadata, &Limits::default()).map_err(|_| Denial::Failed)?;
    let mut named = User::named(user);
    for property in metadata.properties() {
        named = named.with(property.name, property.value);
    }
    Ok(named)
}
