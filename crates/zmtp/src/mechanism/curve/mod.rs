//! CURVE: encryption, and proof of who is who by keys (RFC 26).
//!
//! HELLO, WELCOME, INITIATE, READY, and then MESSAGE around every frame. Each connection has keys of its own, which are gone with it:
//! whoever learns a long-term key later can read nothing of what was recorded before.
//!
//! Names as in the RFC: C and S are the long-term keys of client and server, C' and S' those of this connection; the secret halves
//! are small letters.

mod boxes;
mod channel;
mod client;
mod server;

pub use channel::{Channel, Opener, SEALED_OVERHEAD, Sealer};
pub(super) use client::CurveClient;
pub(super) use server::CurveServer;

use crate::command::Command;
use crate::error::{WireError, printable};
use crate::keys::{KEY_LEN, PublicKey};
use boxes::{PREFIX_LEN, TAG_LEN};

const HELLO: &str = "HELLO";
const WELCOME: &str = "WELCOME";
const INITIATE: &str = "INITIATE";
const READY: &str = "READY";
const ERROR: &str = "ERROR";

const HELLO_PREFIX: &[u8; PREFIX_LEN] = b"CurveZMQHELLO---";
const INITIATE_PREFIX: &[u8; PREFIX_LEN] = b"CurveZMQINITIATE";
const READY_PREFIX: &[u8; PREFIX_LEN] = b"CurveZMQREADY---";
const FROM_CLIENT_PREFIX: &[u8; PREFIX_LEN] = b"CurveZMQMESSAGEC";
const FROM_SERVER_PREFIX: &[u8; PREFIX_LEN] = b"CurveZMQMESSAGES";
const WELCOME_PREFIX: &[u8; 8] = b"WELCOME-";
const COOKIE_PREFIX: &[u8; 8] = b"COOKIE--";
const VOUCH_PREFIX: &[u8; 8] = b"VOUCH---";

/// The version of CurveZMQ.
const VERSION: [u8; 2] = [1, 0];
/// Zeros in a HELLO, so that nobody gets more out of a server than he sends to it.
const HELLO_PADDING_LEN: usize = 72;
/// Zeros in the box of a HELLO, which prove that its sender knows S.
const HELLO_BOX_INSIDE: [u8; 64] = [0; 64];
/// Octets of a nonce that is drawn by chance, without its prefix.
const LONG_NONCE_LEN: usize = 16;
/// C' and s' in their box, with the nonce in front.
const COOKIE_LEN: usize = LONG_NONCE_LEN + TAG_LEN + 2 * KEY_LEN;
/// C' and S in their box.
const VOUCH_BOX_LEN: usize = TAG_LEN + 2 * KEY_LEN;
/// Octets of a nonce that counts, without its prefix.
const SHORT_NONCE_LEN: usize = 8;

/// Puts a command's frame around its fields.
fn put_command(name: &str, body: &[u8], out: &mut Vec<u8>) {
    Command::Unknown { name: name.as_bytes(), body }.put(out);
}

fn unexpected(name: &[u8]) -> WireError {
    WireError::UnexpectedCommand { name: printable(name), mechanism: "CURVE" }
}

/// A box of this command cannot be opened.
fn sealed_wrongly(command: &'static str) -> WireError {
    WireError::CannotOpen { command }
}

fn malformed(command: &'static str, why: &'static str) -> WireError {
    WireError::MalformedCommand { command, why }
}

/// The first octets of what was in a box, as a key, and what follows them.
fn split_key(inside: &[u8]) -> (PublicKey, &[u8]) {
    let (key, rest) = inside.split_first_chunk::<KEY_LEN>().expect("the box's length was checked");
    (PublicKey::from_bytes(*key), rest)
}
