//! What a case needs of the other library.

use std::time::Duration;

use serverlink::SocketType;

use crate::{omq::Omq, zmq_rs::ZmqRs};

/// Longer than anything takes on the slowest machine; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How often a case looks again where the other library gives no event to wait for.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

pub(crate) type Parts = Vec<Vec<u8>>;

/// Parts as a case writes them.
pub(crate) fn parts<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Parts {
    parts.into_iter().map(|part| part.as_ref().to_vec()).collect()
}

/// A socket of the other library. Every call ends within [`PATIENCE`], by panicking if need be. Dropping it is the end of its
/// process: nothing lingers, and its endpoints are free.
pub(crate) trait Foreign {
    /// Returns the endpoint to connect to.
    fn bind(&mut self, endpoint: &str) -> String;
    fn connect(&mut self, endpoint: &str);
    fn send(&mut self, parts: &Parts);
    fn recv(&mut self) -> Parts;
    /// Waits only for a moment.
    fn glance(&mut self) -> Option<Parts>;
    fn subscribe(&mut self, topic: &[u8]);
    fn unsubscribe(&mut self, topic: &[u8]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// `zeromq`, which announces ZMTP 3.0.
    ZmqRs,
    /// `omq-tokio`.
    Omq,
}

impl Library {
    pub(crate) fn open(self, socket_type: SocketType) -> Box<dyn Foreign> {
        match self {
            Library::ZmqRs => Box::new(ZmqRs::open(socket_type)),
            Library::Omq => Box::new(Omq::open(socket_type)),
        }
    }
}
