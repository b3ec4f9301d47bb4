//! PLAIN: a user name and a password, in clear (RFC 24).
//!
//! HELLO with both, WELCOME, INITIATE with the client's metadata, READY with the server's. It protects nothing that crosses a network
//! that others can read.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::Step;
use super::security::{Credentials, MAX_PLAIN_LEN};
use crate::command::{Command, Fields, Metadata, MetadataBuilder, parse_error};
use crate::error::{WireError, printable};
use crate::frame::{Header, put_header};
use crate::limits::Limits;

const HELLO: &str = "HELLO";
const WELCOME: &str = "WELCOME";
const INITIATE: &str = "INITIATE";

/// How libzmq writes and reads the name of PLAIN's ERROR, and no other command's: its source has `"\x05ERROR"`, of which C takes the first E
/// for a digit. Both forms are understood; this one is sent, because to libzmq's clients the right one is only a breach of the protocol.
const ERROR_OF_LIBZMQ: &[u8] = b"\x5eRROR";

/// Appends what tells a client that it is refused, and why.
pub(super) fn put_refusal(reason: &str, out: &mut Vec<u8>) {
    let reason = &reason.as_bytes()[..reason.len().min(MAX_PLAIN_LEN)];
    let body_len = (ERROR_OF_LIBZMQ.len() + 1 + reason.len()) as u64;
    put_header(out, Header { more: false, command: true, body_len });
    out.extend_from_slice(ERROR_OF_LIBZMQ);
    out.push(reason.len() as u8);
    out.extend_from_slice(reason);
}

/// The side that asks for a password.
#[derive(Debug)]
pub(crate) struct PlainServer {
    state: ServerState,
    metadata: MetadataBuilder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerState {
    AwaitingHello,
    /// Its user is being judged.
    Judging,
    Welcoming,
    AwaitingInitiate,
    /// READY is to be sent.
    Introduced,
    Done,
}

impl PlainServer {
    pub(super) fn new(metadata: MetadataBuilder) -> PlainServer {
        PlainServer { state: ServerState::AwaitingHello, metadata }
    }

    pub(super) fn handle_command<'a>(
        &mut self,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Step<'a>, WireError> {
        match (self.state, Command::parse(body, limits)?) {
            (ServerState::AwaitingHello, Command::Unknown { name, body }) if name == HELLO.as_bytes() => {
                let credentials = parse_hello(body)?;
                self.state = ServerState::Judging;
                Ok(Step::Ask(credentials))
            }
            (ServerState::AwaitingInitiate, Command::Unknown { name, body })
                if name == INITIATE.as_bytes() =>
            {
                let metadata = Metadata::parse_of(INITIATE, body, limits)?;
                self.state = ServerState::Introduced;
                Ok(Step::Introduced(Cow::Borrowed(metadata.as_bytes())))
            }
            (_, other) => Err(unexpected(&other)),
        }
    }

    pub(super) fn allow(&mut self) -> Step<'static> {
        if self.state == ServerState::Judging {
            self.state = ServerState::Welcoming;
        }
        Step::Continue
    }

    pub(super) fn poll_output(&mut self, out: &mut Vec<u8>) {
        match self.state {
            ServerState::Welcoming => {
                Command::Unknown { name: WELCOME.as_bytes(), body: b"" }.put(out);
                self.state = ServerState::AwaitingInitiate;
            }
            ServerState::Introduced => {
                Command::Ready(self.metadata.metadata()).put(out);
                self.state = ServerState::Done;
            }
            _ => {}
        }
    }
}

/// The side that has a password.
#[derive(Debug)]
pub(crate) struct PlainClient {
    state: ClientState,
    metadata: MetadataBuilder,
}

enum ClientState {
    /// The body of the HELLO that is to be sent.
    Beginning(Zeroizing<Vec<u8>>),
    AwaitingWelcome,
    /// INITIATE is to be sent.
    Welcomed,
    AwaitingReady,
    Done,
}

/// Without the password.
impl std::fmt::Debug for ClientState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ClientState::Beginning(_) => "Beginning",
            ClientState::AwaitingWelcome => "AwaitingWelcome",
            ClientState::Welcomed => "Welcomed",
            ClientState::AwaitingReady => "AwaitingReady",
            ClientState::Done => "Done",
        })
    }
}

impl PlainClient {
    pub(super) fn new(username: &[u8], password: &[u8], metadata: MetadataBuilder) -> PlainClient {
        // With room for all, so that no copy of a password is left behind by growing.
        let mut hello = Zeroizing::new(Vec::with_capacity(2 + 2 * MAX_PLAIN_LEN));
        for field in [username, password] {
            let field = &field[..field.len().min(MAX_PLAIN_LEN)];
            hello.push(field.len() as u8);
            hello.extend_from_slice(field);
        }
        PlainClient { state: ClientState::Beginning(hello), metadata }
    }

    pub(super) fn handle_command<'a>(
        &mut self,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Step<'a>, WireError> {
        if let Some(rest) = body.strip_prefix(ERROR_OF_LIBZMQ) {
            return Err(WireError::RefusedByPeer { reason: printable(parse_error(rest)?) });
        }
        match (&self.state, Command::parse(body, limits)?) {
            (_, Command::Error { reason }) => Err(WireError::RefusedByPeer { reason: printable(reason) }),
            (ClientState::AwaitingWelcome, Command::Unknown { name, body }) if name == WELCOME.as_bytes() => {
                Fields::new(WELCOME, body).finish("something follows its name")?;
                self.state = ClientState::Welcomed;
                Ok(Step::Continue)
            }
            (ClientState::AwaitingReady, Command::Ready(metadata)) => {
                self.state = ClientState::Done;
                Ok(Step::Introduced(Cow::Borrowed(metadata.as_bytes())))
            }
            (_, other) => Err(unexpected(&other)),
        }
    }

    pub(super) fn poll_output(&mut self, out: &mut Vec<u8>) {
        match &self.state {
            ClientState::Beginning(hello) => {
                Command::Unknown { name: HELLO.as_bytes(), body: hello }.put(out);
                self.state = ClientState::AwaitingWelcome;
            }
            ClientState::Welcomed => {
                let metadata = self.metadata.metadata();
                Command::Unknown { name: INITIATE.as_bytes(), body: metadata.as_bytes() }.put(out);
                self.state = ClientState::AwaitingReady;
            }
            _ => {}
        }
    }
}

fn parse_hello(body: &[u8]) -> Result<Credentials, WireError> {
    let mut fields = Fields::new(HELLO, body);
    let username = fields.short("it ends before its user name does")?.to_vec();
    let password = Zeroizing::new(fields.short("it ends before its password does")?.to_vec());
    fields.finish("something follows its password")?;
    Ok(Credentials::Plain { username, password })
}

fn unexpected(command: &Command<'_>) -> WireError {
    WireError::UnexpectedCommand { name: printable(command.name()), mechanism: "PLAIN" }
}
