//! What a dialer makes of the end of its attempt.

use std::io;

use serverlink_zmtp::socks::{SocksFailure, SocksRefusal};

use super::{Connection, Phase};
use crate::monitor::Cause;
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
            (Phase::Connecting | Phase::Asking(..), Farewell::Socks(trouble))
                if is_refusal(trouble.cause) =>
            {
                Verdict::Refused
            }
            // Where nobody has bound a path there is no file.
            (Phase::Connecting, Farewell::Io(error))
                if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) =>
            {
                Verdict::Refused
            }
            (Phase::Connecting | Phase::Asking(..), _) => Verdict::Unreachable,
        }
    }
}

/// That nobody listens at the peer's address, in the words of a proxy.
fn is_refusal(cause: Cause) -> bool {
    cause == Cause::Socks(SocksFailure::Refused(SocksRefusal::ConnectionRefused))
}
