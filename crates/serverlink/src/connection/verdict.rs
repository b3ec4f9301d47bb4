//! What a dialer makes of the end of its attempt.

use std::io;

use super::{Connection, Phase};
use crate::reactor::Farewell;

/// How an attempt, or the connection that it led to, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nobody listens there.
    Refused,
    /// Nobody answered, or no way leads there.
    Unreachable,
    HandshakeFailed,
    Disconnected,
}

impl Connection {
    /// What its dialer makes of its end.
    pub(crate) fn verdict(&self, farewell: &Farewell) -> Verdict {
        match (&self.phase, farewell) {
            (Phase::Open | Phase::Draining, _) => Verdict::Disconnected,
            (Phase::Greeting(..), _) => Verdict::HandshakeFailed,
            // Where nobody has bound a path there is no file.
            (Phase::Connecting, Farewell::Io(error))
                if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) =>
            {
                Verdict::Refused
            }
            (Phase::Connecting, _) => Verdict::Unreachable,
        }
    }
}
