//! Security mechanisms: what happens between the greetings and the first message.
//!
//! A mechanism is a state machine over commands. [`Handshake`](crate::handshake::Handshake) feeds it whole commands and
//! sends what it has to say. PLAIN and CURVE will be further variants of [`Mechanism`].

pub mod null;

use crate::command::{Command, Metadata};
use crate::error::WireError;
use crate::greeting::MechanismName;
use null::Null;

/// The mechanism of one connection, with its state.
#[derive(Debug)]
pub enum Mechanism {
    /// No security (RFC 37).
    Null(Null),
}

impl Mechanism {
    /// As greetings name it.
    pub fn name(&self) -> MechanismName {
        match self {
            Mechanism::Null(_) => MechanismName::NULL,
        }
    }

    /// Whether it tells a server from a client. Where it does not, RFC 37 wants as-server zero in the greeting.
    pub fn has_roles(&self) -> bool {
        match self {
            Mechanism::Null(_) => false,
        }
    }

    /// Takes a command of the peer; gives its metadata when that was the last one.
    ///
    /// # Errors
    /// The peer's fault: [`WireError::RefusedByPeer`] for its ERROR, [`WireError::UnexpectedCommand`] for a command that
    /// has no place here.
    pub fn handle_command<'a>(&mut self, command: &Command<'a>) -> Result<Option<Metadata<'a>>, WireError> {
        match self {
            Mechanism::Null(null) => null.handle_command(command).map(Some),
        }
    }

    /// Appends what is to be sent next, if anything is.
    pub fn poll_output(&mut self, out: &mut Vec<u8>) {
        match self {
            Mechanism::Null(null) => null.poll_output(out),
        }
    }
}
