//! NULL: each side sends READY or ERROR, and nothing else (RFC 37, "The NULL Security Mechanism").

use std::borrow::Cow;

use super::Step;
use crate::command::{Command, MetadataBuilder};
use crate::error::{WireError, printable};
use crate::limits::Limits;

/// Our side of a NULL handshake; the same for both roles.
///
/// RFC 37 lets the connecting side speak first. We do not wait for it where nothing depends on who it is: libzmq does
/// not, a peer that waits for us is never left waiting, and the first message leaves half a round trip earlier. Whoever
/// has to know the peer before it says READY asks the handshake for it
/// ([`Config::judges`](crate::handshake::Config::judges)).
#[derive(Debug)]
pub(crate) struct Null {
    /// Until it is sent.
    ready: Option<MetadataBuilder>,
}

impl Null {
    /// A side that introduces itself with `metadata`.
    pub(super) fn new(metadata: MetadataBuilder) -> Self {
        Null { ready: Some(metadata) }
    }

    pub(super) fn handle_command<'a>(
        &mut self,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Step<'a>, WireError> {
        match Command::parse(body, limits)? {
            Command::Ready(metadata) => Ok(Step::Introduced(Cow::Borrowed(metadata.as_bytes()))),
            Command::Error { reason } => Err(WireError::RefusedByPeer { reason: printable(reason) }),
            // A machine that let strange commands pass would have to count them; the grammar has none.
            other => Err(WireError::UnexpectedCommand { name: printable(other.name()), mechanism: "NULL" }),
        }
    }

    pub(super) fn poll_output(&mut self, out: &mut Vec<u8>) {
        if let Some(metadata) = self.ready.take() {
            Command::Ready(metadata.metadata()).put(out);
        }
    }
}
