//! From the first octet to the peer's READY (RFC 37, 23, 24 and 26), or to the identity of an older peer (RFC 15, 13).

mod config;
mod older;
mod opening;
mod peer;

pub use config::{Config, MAX_IDENTITY_LEN};
pub use peer::Peer;

use serverlink_message::SocketType;

use crate::command::Metadata;
use crate::error::{Limited, WireError, check_limit};
use crate::frame;
use crate::greeting::{self, Greeting, MechanismName};
use crate::limits::Limits;
use crate::mechanism::curve::Channel;
use crate::mechanism::{Credentials, Denial, Mechanism, Security, Step};
use crate::version::Version;
use opening::Said;

/// The handshake of one connection, in either role, with peers of any version of ZMTP.
///
/// Our greeting goes out as far as the peer's octets show that it can be understood: its first ten octets at once, which every
/// version understands in its own way, so that nobody waits for the other; then the revision; then the rest. A peer before
/// 3.0 gets our socket type and identity in place of the rest, says the same of itself, and is done. It cannot be told why it is
/// turned away.
///
/// After every [`handle_input`](Self::handle_input) drain [`poll_output`](Self::poll_output), also after an error: it
/// may hold an ERROR command that tells the peer why. Once [`is_done`](Self::is_done), write what is left of the
/// output, and the connection is open: bytes that were not consumed are its first frames.
#[derive(Debug)]
pub struct Handshake {
    state: State,
    mechanism: Mechanism,
    greeting: Greeting,
    socket_type: SocketType,
    identity: Vec<u8>,
    judges: bool,
    asks: bool,
    limits: Limits,
    /// The piece of wire that is not whole yet: a greeting or a frame. Only octets that came.
    piece: Vec<u8>,
    /// Octets of all pieces before this one.
    past_bytes: u64,
    output: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// How much of our greeting the peer's octets have called for.
    Greeting(Said),
    /// An older peer's frame with its identity.
    Identity {
        version: Version,
        socket_type: Option<SocketType>,
    },
    Commands {
        version: Version,
    },
    /// Somebody judges its credentials, which are here until they are polled.
    Asking {
        version: Version,
        credentials: Option<Credentials>,
        /// An older peer has said all that it will.
        older: Option<Peer>,
    },
    /// Its READY is here, ours is not out. Of an older peer, its identity.
    Judged(Peer),
    /// The peer until it is polled.
    Done(Option<Peer>),
    Failed(WireError),
}

impl Handshake {
    /// Starts a handshake without security. Its first output, the signature, is ready at once.
    pub fn new(config: Config) -> Self {
        Handshake::with_security(config, Security::Null)
    }

    /// Starts a handshake with a mechanism of security, which the peer must have as well.
    pub fn with_security(config: Config, security: Security) -> Self {
        let (metadata, state) = match config.metadata().and_then(|metadata| security.check(metadata)) {
            Ok(metadata) => (metadata, State::Greeting(Said::Signature)),
            Err(error) => (Default::default(), State::Failed(error)),
        };
        let asks = config.asks || security.is_server();
        let mechanism = Mechanism::new(security, metadata);
        let greeting =
            Greeting { minor: config.minor, mechanism: mechanism.name(), as_server: mechanism.is_server() };
        let mut output = Vec::new();
        if matches!(state, State::Greeting(_)) {
            // For a peer of 1.0 it is the header of our routing id's frame. With security such a peer is turned away, and nobody else
            // needs to know how long it is.
            let shown_len = if greeting.mechanism == MechanismName::NULL { config.identity.len() } else { 0 };
            greeting::put_signature(&mut output, shown_len);
        }
        Handshake {
            state,
            mechanism,
            greeting,
            socket_type: config.socket_type,
            identity: config.identity,
            judges: config.judges,
            asks,
            limits: config.limits,
            piece: Vec::new(),
            past_bytes: 0,
            output,
        }
    }

    /// Takes what came from the peer, in pieces of any size, and tells how much of it belonged to the handshake: all of
    /// `input` until the peer is ready, and never an octet past its READY or, of an older peer, its identity. While somebody is
    /// [asked](Self::question) about the peer nothing is taken: come back with the rest after the answer.
    ///
    /// # Errors
    /// The connection is lost: drain the output and close. Further calls give the same error.
    pub fn handle_input(&mut self, input: &[u8]) -> Result<usize, WireError> {
        let mut rest = input;
        loop {
            let step = match self.state {
                State::Failed(ref error) => return Err(error.clone()),
                State::Asking { .. } | State::Judged(_) | State::Done(_) => break,
                _ if rest.is_empty() => break,
                State::Greeting(said) => self.on_greeting_input(said, rest),
                State::Identity { version, socket_type } => {
                    self.on_identity_input(version, socket_type, rest)
                }
                State::Commands { version } => self.on_command_input(version, rest),
            };
            match step {
                Ok(taken) => rest = &rest[taken..],
                Err(error) => self.state = State::Failed(error),
            }
        }
        Ok(input.len() - rest.len())
    }

    /// Whether [`poll_output`](Self::poll_output) would append anything.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Appends what is to be sent to the peer now.
    pub fn poll_output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.output);
    }

    /// What somebody has to judge before the handshake goes on, exactly once: tell the outcome with [`answer`](Self::answer). For the
    /// server's side of PLAIN and CURVE, and where [`Config::asks`] is set.
    pub fn question(&mut self) -> Option<Credentials> {
        match &mut self.state {
            State::Asking { credentials, .. } => credentials.take(),
            _ => None,
        }
    }

    /// Whether somebody still judges the peer.
    pub fn is_asking(&self) -> bool {
        matches!(self.state, State::Asking { .. })
    }

    /// The outcome: the handshake goes on, or ends. Drain the output in either case: the peer may have to be told.
    ///
    /// # Errors
    /// [`WireError::Denied`] for a peer that is not let in, and whatever is wrong with what it said of itself. Close the connection.
    pub fn answer(&mut self, verdict: Result<(), Denial>) -> Result<(), WireError> {
        let State::Asking { version, older, .. } = &mut self.state else { return Ok(()) };
        let (version, older) = (*version, older.take());
        let outcome = match (verdict, older) {
            (Ok(()), Some(peer)) => {
                self.on_peer(peer);
                Ok(())
            }
            (Ok(()), None) => self.on_allowed(version),
            (Err(denial), _) => {
                if let Some(reason) = denial.reason()
                    && version.has_commands()
                {
                    self.mechanism.put_refusal(reason, &mut self.output);
                }
                Err(WireError::Denied(denial))
            }
        };
        if let Err(error) = &outcome {
            self.state = State::Failed(error.clone());
        }
        outcome
    }

    fn on_allowed(&mut self, version: Version) -> Result<(), WireError> {
        self.state = State::Commands { version };
        let step = self.mechanism.allow();
        self.on_step(version, step)
    }

    /// What seals and opens all that follows, where the mechanism encrypts: exactly once, when the handshake is done and its output drained.
    pub fn take_channel(&mut self) -> Option<Channel> {
        self.mechanism.take_channel()
    }

    /// The peer whose READY waits for our answer: [`admit`](Self::admit) or [`refuse`](Self::refuse).
    pub fn candidate(&self) -> Option<&Peer> {
        match &self.state {
            State::Judged(peer) => Some(peer),
            _ => None,
        }
    }

    /// Takes the candidate in: our READY goes out.
    pub fn admit(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Done(None)) {
            State::Judged(peer) => {
                if peer.version.has_commands() {
                    self.mechanism.poll_output(&mut self.output);
                }
                State::Done(Some(peer))
            }
            other => other,
        };
    }

    /// Turns the candidate away. If it announced that it comes back nevertheless, an ERROR with this reason goes out, in visible characters
    /// without spaces: a dialer of libzmq that gets one never tries again. Then close.
    pub fn refuse(&mut self, reason: &str) {
        if let State::Judged(peer) = &self.state {
            if peer.takes_refusals && self.mechanism.may_refuse() {
                self.mechanism.put_refusal(reason, &mut self.output);
            }
            self.state = State::Done(None);
        }
    }

    /// The peer, exactly once: both sides are ready, and messages may follow our output.
    pub fn poll_peer(&mut self) -> Option<Peer> {
        match &mut self.state {
            State::Done(peer) => peer.take(),
            _ => None,
        }
    }

    /// Whether the peer has said who it is, and was accepted.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    fn on_command_input(&mut self, version: Version, input: &[u8]) -> Result<usize, WireError> {
        let taken = self.fill(input, self.wanted_len()?);
        if self.piece.len() == self.wanted_len()? {
            let frame = self.finish_piece();
            self.on_command_frame(version, &frame)?;
        }
        Ok(taken)
    }

    /// Octets of the frame that has begun, or as many as it takes to know that.
    fn wanted_len(&self) -> Result<usize, WireError> {
        let (header, header_len) = match frame::parse_header(&self.piece)? {
            frame::Parsed::Incomplete { need } => return Ok(need),
            frame::Parsed::Complete { header, header_len } => (header, header_len),
        };
        if !header.command {
            return Err(WireError::MessageInHandshake);
        }
        let frame_len = header.body_len_within(&self.limits)?.saturating_add(header_len);
        let so_far = self.past_bytes.saturating_add(frame_len as u64);
        check_limit(Limited::Handshake, so_far, self.limits.max_handshake_bytes)?;
        Ok(frame_len)
    }

    fn on_command_frame(&mut self, version: Version, frame: &[u8]) -> Result<(), WireError> {
        let header_len = match frame::parse_header(frame)? {
            frame::Parsed::Complete { header_len, .. } => header_len,
            frame::Parsed::Incomplete { .. } => unreachable!("a frame is whole only after its header is"),
        };
        let step = self.mechanism.handle_command(&frame[header_len..], &self.limits)?;
        self.on_step(version, step)
    }

    fn on_step(&mut self, version: Version, step: Step<'_>) -> Result<(), WireError> {
        match step {
            Step::Continue => {
                self.speak();
                Ok(())
            }
            Step::Ask(credentials) => self.ask(version, credentials),
            Step::Introduced(metadata) => self.on_introduced(version, &metadata),
        }
    }

    /// Has the peer judged, or lets it in.
    fn ask(&mut self, version: Version, credentials: Credentials) -> Result<(), WireError> {
        if !self.asks {
            return self.on_allowed(version);
        }
        self.state = State::Asking { version, credentials: Some(credentials), older: None };
        Ok(())
    }

    /// What the mechanism has to say now. NULL has only its READY, which waits where the peer is judged.
    fn speak(&mut self) {
        if !self.judges || self.mechanism.may_speak_first() {
            self.mechanism.poll_output(&mut self.output);
        }
    }

    fn on_introduced(&mut self, version: Version, metadata: &[u8]) -> Result<(), WireError> {
        let metadata = Metadata::parse(metadata, &self.limits)?;
        match Peer::from_metadata(self.socket_type, version, metadata) {
            Ok(peer) => self.on_peer(peer),
            Err(error) => {
                if self.mechanism.may_refuse() {
                    self.mechanism.put_refusal(&reason_for_peer(&error), &mut self.output);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// The peer has said who it is.
    fn on_peer(&mut self, peer: Peer) {
        if self.judges {
            self.state = State::Judged(peer);
            return;
        }
        if peer.version.has_commands() {
            self.mechanism.poll_output(&mut self.output);
        }
        self.state = State::Done(Some(peer));
    }

    /// Moves octets from `input` to the piece until that has `target_len`; tells how many.
    fn fill(&mut self, input: &[u8], target_len: usize) -> usize {
        let taken = input.len().min(target_len.saturating_sub(self.piece.len()));
        self.piece.extend_from_slice(&input[..taken]);
        taken
    }

    fn finish_piece(&mut self) -> Vec<u8> {
        self.past_bytes += self.piece.len() as u64;
        std::mem::take(&mut self.piece)
    }
}

/// What the peer is told about its READY, in the visible characters that RFC 37 allows in a reason.
fn reason_for_peer(error: &WireError) -> String {
    match error {
        WireError::SocketTypeMismatch { ours, theirs } => format!("{ours}-does-not-accept-{theirs}"),
        WireError::SocketTypeMissing => "Socket-Type-missing".to_owned(),
        WireError::SocketTypeUnknown { .. } => "Socket-Type-unknown".to_owned(),
        WireError::InvalidIdentity { .. } => "Identity-not-accepted".to_owned(),
        _ => "READY-not-accepted".to_owned(),
    }
}
