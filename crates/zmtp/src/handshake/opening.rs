//! Up to the point where both sides know which version they speak: the greetings, and an older peer's identity.

use serverlink_message::SocketType;

use super::{Handshake, State, older};
use crate::error::WireError;
use crate::greeting::{
    self, GREETING_LEN, Greeting, MAJOR, MechanismName, SIGNATURE_LEN, Shown, V2_GREETING_LEN,
    V2_SOCKET_TYPE_AT,
};
use crate::mechanism::Credentials;
use crate::version::Version;

/// The parts of our greeting that are in the output, or were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Said {
    Signature,
    Revision,
    All,
}

impl Handshake {
    pub(super) fn on_greeting_input(&mut self, said: Said, input: &[u8]) -> Result<usize, WireError> {
        // Not an octet more than tells how to go on: it may belong to a frame.
        let wanted_len = match greeting::look(&self.piece) {
            Shown::Nothing if self.piece.is_empty() => 1,
            Shown::Nothing => SIGNATURE_LEN,
            Shown::Signature => SIGNATURE_LEN + 1,
            Shown::Older(_) => V2_GREETING_LEN,
            Shown::Current => GREETING_LEN,
            Shown::Unversioned => unreachable!("such a peer has no greeting to be read"),
        };
        let taken = self.fill(input, wanted_len);
        let shown = greeting::look(&self.piece);
        if let Shown::Older(version) = shown {
            // Before it hears more of us than that: it would be told our routing id, in clear.
            self.check_has_no_security(version)?;
        }
        self.say(said, shown);
        match shown {
            Shown::Unversioned => self.on_unversioned()?,
            Shown::Older(version) if self.piece.len() == V2_GREETING_LEN => {
                self.on_older_greeting(version)?
            }
            Shown::Current => {
                if let Some(octets) = self.piece.first_chunk() {
                    self.on_greeting(Greeting::parse(octets))?;
                }
            }
            Shown::Nothing | Shown::Signature | Shown::Older(_) => {}
        }
        Ok(taken)
    }

    /// Goes on with our greeting as far as what the peer has shown allows.
    fn say(&mut self, said: Said, shown: Shown) {
        let called_for = match shown {
            Shown::Nothing | Shown::Unversioned => Said::Signature,
            Shown::Signature => Said::Revision,
            Shown::Older(_) | Shown::Current => Said::All,
        };
        if called_for >= Said::Revision && said < Said::Revision {
            self.output.push(MAJOR);
        }
        if called_for == Said::All && said < Said::All {
            match shown {
                Shown::Older(version) => {
                    self.output.push(older::socket_type_octet(self.socket_type));
                    older::put_identity(&mut self.output, version, &self.identity);
                }
                _ => self.greeting.put_rest(&mut self.output),
            }
        }
        self.state = State::Greeting(called_for);
    }

    fn on_unversioned(&mut self) -> Result<(), WireError> {
        self.check_has_no_security(Version::V1_0)?;
        // Its header was our signature.
        self.output.extend_from_slice(&self.identity);
        self.state = State::Identity { version: Version::V1_0, socket_type: None };
        // Up to here it may have been its whole frame.
        self.on_identity_input(Version::V1_0, None, &[]).map(drop)
    }

    fn on_older_greeting(&mut self, version: Version) -> Result<(), WireError> {
        let socket_type = older::parse_socket_type(self.socket_type, self.piece[V2_SOCKET_TYPE_AT])?;
        self.finish_piece();
        self.state = State::Identity { version, socket_type: Some(socket_type) };
        Ok(())
    }

    /// RFC 37: a peer before 3.0 can only be let in where no security is asked for.
    fn check_has_no_security(&self, version: Version) -> Result<(), WireError> {
        match self.greeting.mechanism {
            MechanismName::NULL => Ok(()),
            mechanism => Err(WireError::TooOldForMechanism { version, mechanism }),
        }
    }

    pub(super) fn on_identity_input(
        &mut self,
        version: Version,
        socket_type: Option<SocketType>,
        input: &[u8],
    ) -> Result<usize, WireError> {
        let taken = self.fill(input, older::identity_frame_len(version, &self.piece)?);
        if self.piece.len() == older::identity_frame_len(version, &self.piece)? {
            let frame = self.finish_piece();
            let peer = older::peer_of(self.socket_type, version, socket_type, &frame)?;
            if self.asks {
                let credentials = Some(Credentials::Null);
                self.state = State::Asking { version, credentials, older: Some(peer) };
            } else {
                self.on_peer(peer);
            }
        }
        Ok(taken)
    }

    fn on_greeting(&mut self, theirs: Greeting) -> Result<(), WireError> {
        let ours = self.greeting;
        if theirs.mechanism != ours.mechanism {
            return Err(WireError::MechanismMismatch { ours: ours.mechanism, theirs: theirs.mechanism });
        }
        // libzmq never says that it is one, so only two that do say so are known to be.
        if ours.as_server && theirs.as_server {
            return Err(WireError::TwoServers { mechanism: ours.mechanism });
        }
        self.finish_piece();
        let version = Version::of_minor(ours.minor.min(theirs.minor));
        self.state = State::Commands { version };
        match self.mechanism.on_greeting() {
            Some(credentials) => self.ask(version, credentials),
            None => {
                self.speak();
                Ok(())
            }
        }
    }
}
