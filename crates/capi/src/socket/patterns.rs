//! Subscriptions to patterns, which libzmq does not have.

use serverlink::{Glob, SocketType};

use super::CSocket;
use crate::errno::{Answer, EINVAL, Errno, fail};

impl CSocket {
    /// SUB, XSUB: subscribes to what fits a pattern, or cancels one such subscription. XPUB in manual mode: does so for the peer that asked last.
    /// A wrong pattern is `EINVAL`.
    pub fn subscribe_to_pattern(&self, subscribes: bool, pattern: &[u8]) -> Answer<()> {
        Glob::parse(pattern).map_err(|_| Errno(EINVAL))?;
        let pattern = pattern.to_vec();
        match self.kind {
            SocketType::Sub | SocketType::Xsub => self.when_open(move |socket| {
                let done = match subscribes {
                    true => socket.psubscribe(&pattern),
                    false => socket.punsubscribe(&pattern),
                };
                Ok(done?)
            }),
            SocketType::Xpub => {
                let socket = self.open()?;
                if let Some(peer) = socket.last_subscriber()? {
                    match subscribes {
                        true => socket.psubscribe_peer(peer, &pattern)?,
                        false => socket.punsubscribe_peer(peer, &pattern)?,
                    };
                }
                Ok(())
            }
            _ => fail(EINVAL),
        }
    }
}
