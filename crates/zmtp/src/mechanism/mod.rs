//! Security mechanisms: what happens between the greetings and the first message.
//!
//! A mechanism is a state machine over commands. [`Handshake`](crate::handshake::Handshake) feeds it whole commands and
//! sends what it has to say. It reads no clock and throws no dice: what has to be random comes with [`Security`]. Whoever judges peers
//! is asked between two steps, for as long as that takes.

pub mod curve;
pub(crate) mod null;
mod plain;
mod security;

use std::borrow::Cow;

pub use security::{Credentials, Denial, MAX_PLAIN_LEN, Security, Seed};

use crate::command::{Command, MetadataBuilder};
use crate::error::WireError;
use crate::greeting::MechanismName;
use crate::limits::Limits;
use curve::{Channel, CurveClient, CurveServer};
use null::Null;
use plain::{PlainClient, PlainServer};

/// The mechanism of one connection, with its state.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(Null),
    PlainServer(PlainServer),
    PlainClient(PlainClient),
    CurveServer(Box<CurveServer>),
    CurveClient(Box<CurveClient>),
}

/// What a step led to.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// Something may have to be said; then the peer's next command is awaited.
    Continue,
    /// Somebody has to judge the peer: [`Mechanism::allow`], or the connection ends.
    Ask(Credentials),
    /// That was its last command. The peer's metadata, as it stands on the wire.
    Introduced(Cow<'a, [u8]>),
}

impl Mechanism {
    pub(crate) fn new(security: Security, metadata: MetadataBuilder) -> Mechanism {
        match security {
            Security::Null => Mechanism::Null(Null::new(metadata)),
            Security::PlainServer => Mechanism::PlainServer(PlainServer::new(metadata)),
            Security::PlainClient { username, password } => {
                Mechanism::PlainClient(PlainClient::new(&username, &password, metadata))
            }
            Security::CurveServer { keys, seed } => {
                Mechanism::CurveServer(Box::new(CurveServer::new(keys, seed, metadata)))
            }
            Security::CurveClient { keys, server, seed } => {
                Mechanism::CurveClient(Box::new(CurveClient::new(keys, server, &seed, metadata)))
            }
        }
    }

    /// As greetings name it.
    pub(crate) fn name(&self) -> MechanismName {
        match self {
            Mechanism::Null(_) => MechanismName::NULL,
            Mechanism::PlainServer(_) | Mechanism::PlainClient(_) => MechanismName::PLAIN,
            Mechanism::CurveServer(_) | Mechanism::CurveClient(_) => MechanismName::CURVE,
        }
    }

    /// Whether this side is its server.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Mechanism::PlainServer(_) | Mechanism::CurveServer(_))
    }

    /// Whether it may speak as soon as the greetings are through, though the peer has still to be judged. NULL has nothing to say but
    /// its READY.
    pub(crate) fn may_speak_first(&self) -> bool {
        !matches!(self, Mechanism::Null(_))
    }

    /// Whether the peer may still be told that it is refused: our last command has not been sent.
    pub(crate) fn may_refuse(&self) -> bool {
        !matches!(self, Mechanism::PlainClient(_) | Mechanism::CurveClient(_))
    }

    /// Appends what tells the peer that it is refused, and why.
    pub(crate) fn put_refusal(&self, reason: &str, out: &mut Vec<u8>) {
        match self {
            Mechanism::PlainServer(_) => plain::put_refusal(reason, out),
            _ => Command::Error { reason: reason.as_bytes() }.put(out),
        }
    }

    /// The greetings are through: whom to judge before anything is said. With the others that comes later, on the server's side.
    pub(crate) fn on_greeting(&self) -> Option<Credentials> {
        matches!(self, Mechanism::Null(_)).then_some(Credentials::Null)
    }

    /// Takes the body of a command of the peer.
    ///
    /// # Errors
    /// The peer's fault: [`WireError::RefusedByPeer`] for its ERROR, [`WireError::UnexpectedCommand`] for a command that
    /// has no place here, and whatever the mechanism finds wrong with its proof.
    pub(crate) fn handle_command<'a>(
        &mut self,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Step<'a>, WireError> {
        match self {
            Mechanism::Null(null) => null.handle_command(body, limits),
            Mechanism::PlainServer(plain) => plain.handle_command(body, limits),
            Mechanism::PlainClient(plain) => plain.handle_command(body, limits),
            Mechanism::CurveServer(curve) => curve.handle_command(body, limits),
            Mechanism::CurveClient(curve) => curve.handle_command(body, limits),
        }
    }

    /// The peer whose credentials were asked about may come in.
    pub(crate) fn allow(&mut self) -> Step<'static> {
        match self {
            Mechanism::PlainServer(plain) => plain.allow(),
            Mechanism::CurveServer(curve) => curve.allow(),
            Mechanism::Null(_) | Mechanism::PlainClient(_) | Mechanism::CurveClient(_) => Step::Continue,
        }
    }

    /// Appends what is to be sent next, if anything is.
    pub(crate) fn poll_output(&mut self, out: &mut Vec<u8>) {
        match self {
            Mechanism::Null(null) => null.poll_output(out),
            Mechanism::PlainServer(plain) => plain.poll_output(out),
            Mechanism::PlainClient(plain) => plain.poll_output(out),
            Mechanism::CurveServer(curve) => curve.poll_output(out),
            Mechanism::CurveClient(curve) => curve.poll_output(out),
        }
    }

    /// What seals and opens everything from here on, where the mechanism encrypts; once, after both sides are ready.
    pub(crate) fn take_channel(&mut self) -> Option<Channel> {
        match self {
            Mechanism::CurveServer(curve) => curve.take_channel(),
            Mechanism::CurveClient(curve) => curve.take_channel(),
            Mechanism::Null(_) | Mechanism::PlainServer(_) | Mechanism::PlainClient(_) => None,
        }
    }
}
