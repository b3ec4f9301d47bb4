//! The client's side of SOCKS5: asking a proxy for a connection (RFC 1928), with a user name and a password if it wants them (RFC 1929).
//!
//! What the proxy says behind its yes is the peer's, so whoever reads asks [`wanted`](Negotiation::wanted) first and reads no more.
//!
//! ```
//! use serverlink_zmtp::socks::{Negotiation, Target};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut asking = Negotiation::new(Target::Name("db.example"), 5555, None)?;
//! let mut to_proxy = Vec::new();
//! asking.poll_output(&mut to_proxy);
//! assert_eq!(to_proxy, [5, 1, 0], "version 5, one method: none at all");
//! asking.handle_input(&[5, 0])?;
//! asking.poll_output(&mut to_proxy);
//! assert_eq!(to_proxy[3..], *b"\x05\x01\x00\x03\x0adb.example\x15\xb3");
//! let reply = [5, 0, 0, 1, 10, 0, 0, 7, 0x15, 0xb3];
//! assert_eq!(asking.handle_input(&[&reply[..], &[0xff]].concat())?, reply.len(), "the last octet is the peer's");
//! assert!(asking.is_done());
//! # Ok(())
//! # }
//! ```

mod failure;

// What an address is, and nothing that could connect to one.
use core::net::IpAddr;
use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

pub use failure::{SocksFailure, SocksRefusal};

/// Longest name of a machine, user name and password: each has its length in an octet.
pub const MAX_FIELD_LEN: usize = 255;

/// Most octets of one message of a proxy: its yes, with a name of 255 octets. [`Negotiation::wanted`] is never more.
pub const MAX_MESSAGE_LEN: usize = 4 + 1 + MAX_FIELD_LEN + 2;

const VERSION: u8 = 5;
const AUTH_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const RESERVED: u8 = 0;

const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Whom the proxy is to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// An address.
    Ip(IpAddr),
    /// A name, which the proxy resolves. 1 to 255 octets.
    Name(&'a str),
}

/// A user name and a password, each of up to 255 octets.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The user's name.
    pub username: &'a [u8],
    /// May be empty.
    pub password: &'a [u8],
}

/// SOCKS5 has no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the {what} has {len} octets, and SOCKS5 has room for 255")]
pub struct TooLong {
    /// What it is.
    pub what: &'static str,
    /// How long it is.
    pub len: usize,
}

/// One question to a proxy, fed with what it says and drained of what to say.
///
/// What it says is overwritten when it is dropped: there may be a password in it.
pub struct Negotiation {
    state: State,
    /// Of the message that is awaited, what is here.
    came: Vec<u8>,
    output: Zeroizing<Vec<u8>>,
    /// User name and password as they are sent, where there are any.
    credentials: Option<Zeroizing<Vec<u8>>>,
    request: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitingMethod,
    AwaitingVerdict,
    AwaitingReply,
    Done,
    Failed(SocksFailure),
}

impl Negotiation {
    /// Asks for a connection to a port of a target. With credentials, the proxy chooses whether it wants them.
    ///
    /// # Errors
    /// [`TooLong`] for a name, a user name or a password of more than 255 octets.
    pub fn new(
        target: Target<'_>,
        port: u16,
        credentials: Option<Credentials<'_>>,
    ) -> Result<Negotiation, TooLong> {
        let request = request(target, port)?;
        let credentials = credentials.map(introduction).transpose()?;
        // With room for all, so that no copy of a password is left behind by growing.
        let room = 4 + credentials.as_ref().map_or(0, |text| text.len()) + request.len();
        let mut output = Zeroizing::new(Vec::with_capacity(room));
        match credentials {
            None => output.extend_from_slice(&[VERSION, 1, NO_AUTHENTICATION]),
            Some(_) => output.extend_from_slice(&[VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD]),
        }
        Ok(Negotiation { state: State::AwaitingMethod, came: Vec::new(), output, credentials, request })
    }

    /// How many octets to read: never more than belong to the proxy. 0 when it is done.
    pub fn wanted(&self) -> usize {
        let whole = match (self.state, &self.came[..]) {
            (State::AwaitingMethod | State::AwaitingVerdict, _) => 2,
            (State::AwaitingReply, [_, _, _, IPV4, ..]) => 4 + 4 + 2,
            (State::AwaitingReply, [_, _, _, IPV6, ..]) => 4 + 16 + 2,
            (State::AwaitingReply, [_, _, _, NAME, len, ..]) => 4 + 1 + usize::from(*len) + 2,
            (State::AwaitingReply, [_, _, _, NAME]) => 4 + 1,
            (State::AwaitingReply, _) => 4,
            (State::Done | State::Failed(_), _) => 0,
        };
        whole.saturating_sub(self.came.len())
    }

    /// Takes what the proxy said, in any pieces, and tells how much of it was the proxy's: what is behind that is the peer's.
    ///
    /// # Errors
    /// [`SocksFailure`], as soon as it shows, and from then on.
    pub fn handle_input(&mut self, input: &[u8]) -> Result<usize, SocksFailure> {
        let mut taken = 0;
        loop {
            if let State::Failed(failure) = self.state {
                return Err(failure);
            }
            let piece = &input[taken..][..self.wanted().min(input.len() - taken)];
            if piece.is_empty() {
                return Ok(taken);
            }
            self.came.extend_from_slice(piece);
            taken += piece.len();
            match self.check() {
                Err(failure) => self.state = State::Failed(failure),
                Ok(()) if self.wanted() == 0 => self.on_message(),
                Ok(()) => {}
            }
        }
    }

    /// The proxy closed the connection: why there is none.
    pub fn handle_end(&mut self) -> SocksFailure {
        match self.state {
            State::Failed(failure) => failure,
            _ => {
                self.state = State::Failed(SocksFailure::Closed);
                SocksFailure::Closed
            }
        }
    }

    /// Appends what there is to say.
    pub fn poll_output(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.output);
        self.output.zeroize();
    }

    /// What is there to say was not polled yet.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// The proxy has connected: everything that follows is between us and the peer.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Looks at what is here, which need not be all. What is reserved is not looked at, and neither is the version of RFC 1929's answer,
    /// of which proxies have different opinions.
    fn check(&self) -> Result<(), SocksFailure> {
        match (self.state, &self.came[..]) {
            (State::AwaitingMethod | State::AwaitingReply, [version, ..]) if *version != VERSION => {
                Err(SocksFailure::NotSocks5(*version))
            }
            (State::AwaitingMethod, [_, method]) => match *method {
                NO_AUTHENTICATION => Ok(()),
                USERNAME_PASSWORD if self.credentials.is_some() => Ok(()),
                NONE_ACCEPTABLE => Err(SocksFailure::NoMethod),
                other => Err(SocksFailure::UnknownMethod(other)),
            },
            (State::AwaitingVerdict, [_, status]) if *status != 0 => {
                Err(SocksFailure::CredentialsRefused(*status))
            }
            (State::AwaitingReply, [_, code, behind @ ..]) => {
                match (SocksRefusal::from_code(*code), behind) {
                    // Some proxies say no more than that, and close.
                    (Some(refusal), _) => Err(SocksFailure::Refused(refusal)),
                    (None, [_, kind, ..]) if ![IPV4, NAME, IPV6].contains(kind) => {
                        Err(SocksFailure::UnknownAddressType(*kind))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// All of a message is here, and it is good.
    fn on_message(&mut self) {
        let wants_credentials = self.state == State::AwaitingMethod && self.came[1] == USERNAME_PASSWORD;
        self.state = match (self.state, &self.credentials) {
            (State::AwaitingMethod, Some(introduction)) if wants_credentials => {
                self.output.extend_from_slice(introduction);
                State::AwaitingVerdict
            }
            (State::AwaitingMethod | State::AwaitingVerdict, _) => {
                self.output.extend_from_slice(&self.request);
                State::AwaitingReply
            }
            (State::AwaitingReply, _) => State::Done,
            (end, _) => end,
        };
        self.came.clear();
    }
}

/// The name of a user and his password as they are sent.
fn introduction(credentials: Credentials<'_>) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    let Credentials { username, password } = credentials;
    let mut text = Zeroizing::new(Vec::with_capacity(3 + username.len() + password.len()));
    text.push(AUTH_VERSION);
    put_field(&mut text, "user name", username)?;
    put_field(&mut text, "password", password)?;
    Ok(text)
}

fn request(target: Target<'_>, port: u16) -> Result<Vec<u8>, TooLong> {
    let mut request = Vec::with_capacity(MAX_MESSAGE_LEN);
    request.extend_from_slice(&[VERSION, CONNECT, RESERVED]);
    match target {
        Target::Ip(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend_from_slice(&address.octets());
        }
        Target::Ip(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend_from_slice(&address.octets());
        }
        Target::Name(name) => {
            request.push(NAME);
            put_field(&mut request, "name", name.as_bytes())?;
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

fn put_field(out: &mut Vec<u8>, what: &'static str, field: &[u8]) -> Result<(), TooLong> {
    let len = u8::try_from(field.len()).map_err(|_| TooLong { what, len: field.len() })?;
    out.push(len);
    out.extend_from_slice(field);
    Ok(())
}

/// Without what it says.
impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Without the password.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.username.escape_ascii())
    }
}
