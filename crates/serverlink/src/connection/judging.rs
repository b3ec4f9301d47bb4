//! Peers whose credentials have to be judged before they are let in.

use std::time::Instant;

use serverlink_zmtp::WireError;
use serverlink_zmtp::mechanism::Credentials;

use super::{Connection, Flow, Phase};
use crate::reactor::{Farewell, number};
use crate::security::{AuthRequest, Opinion, PublicKey, User, Verdict};
use crate::zap::Question;

/// What is found out of a peer before it is introduced.
#[derive(Default)]
pub(super) struct Judging {
    /// A question to a handler, as long as it stands.
    pub(super) question: Option<Question>,
    /// What whoever judged it says of it.
    pub(super) user: Option<User>,
    /// The key that it has proven to have, or will have when the handshake is done.
    pub(super) public_key: Option<PublicKey>,
}

impl Connection {
    pub(super) fn judging(&mut self) -> &mut Judging {
        self.judging.get_or_insert_default()
    }

    /// Nothing that the peer says is heard until somebody has said whether it may come in, only that it hangs up; the handshake's deadline goes on.
    pub(super) fn have_judged(&mut self, credentials: Credentials, now: Instant) -> Flow {
        if let Credentials::Curve { public_key } = credentials {
            self.judging().public_key = Some(public_key);
        }
        let request = AuthRequest {
            domain: self.settings.zap_domain.clone(),
            socket: self.core.id,
            endpoint: self.endpoint.clone(),
            registration: number(self.stream.key()),
            peer_address: self.peer_address(),
            peer_credentials: self.credentials,
            routing_id: self.settings.routing_id.clone(),
            credentials,
        };
        match self.core.have_judged(&self.settings, self.stream.key(), request) {
            Opinion::Later(question) => {
                self.judging().question = question;
                Flow::Idle
            }
            Opinion::Denied(denial) => self.handle_verdict(Err(denial), now),
            Opinion::Nobody => Flow::End(Farewell::Wire(WireError::NobodyJudges)),
            Opinion::Allowed => self.handle_verdict(Ok(None), now),
        }
    }

    /// Somebody has said whether the peer may come in.
    pub(crate) fn handle_verdict(&mut self, verdict: Verdict, now: Instant) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        if !handshake.is_asking() {
            return Flow::Idle;
        }
        let judging = self.judging.get_or_insert_default();
        judging.question = None;
        let outcome = match verdict {
            Ok(user) => {
                judging.user = user;
                handshake.answer(Ok(()))
            }
            Err(denial) => handshake.answer(Err(denial)),
        };
        let outcome = outcome.and_then(|()| match self.early.take() {
            // It came behind what had to be judged.
            Some(mut early) => {
                let consumed = handshake.handle_input(&early)?;
                if consumed < early.len() {
                    early.advance(consumed);
                    self.early = Some(early);
                }
                Ok(())
            }
            None => Ok(()),
        });
        let flow = self.write_greeting(now);
        if let Err(error) = outcome {
            return Flow::End(Farewell::Wire(error));
        }
        self.readable = true;
        match flow {
            Flow::Idle => Flow::Again,
            flow => flow,
        }
    }
}
