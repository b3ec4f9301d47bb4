//! What a case needs of either library.

use std::time::Duration;

use serverlink::SocketType;

use crate::{ours::Ours, theirs::Theirs};

/// Longer than anything takes on the slowest machine; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How often a case looks again where libzmq gives no event to wait for.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

pub(crate) type Parts = Vec<Vec<u8>>;

/// Parts as a case writes them.
pub(crate) fn parts<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Parts {
    parts.into_iter().map(|part| part.as_ref().to_vec()).collect()
}

/// A socket of either library. Every call ends within [`PATIENCE`], by panicking if need be.
pub(crate) trait End {
    fn bind(&self, endpoint: &str) -> String;
    fn connect(&self, endpoint: &str);
    fn send(&self, parts: &Parts);
    fn recv(&self) -> Parts;
    /// Waits only for a moment.
    fn glance(&self) -> Option<Parts>;
    fn subscribe(&self, topic: &[u8]);
    fn unsubscribe(&self, topic: &[u8]);
    /// Whether so many subscriptions have arrived, as far as this end can tell: `None` if it cannot.
    fn has_subscriptions(&self, wanted: usize) -> Option<bool>;
    /// Lets the library do what it does only inside calls.
    fn nudge(&self);
    /// Waits until the other end is ready, where the library can tell.
    fn wait_for_peer(&self);
    /// Waits until the last peer was noticed to be gone.
    fn wait_until_alone(&self);
    /// Gives up the socket and its endpoints.
    fn close(self: Box<Self>);
    fn library(&self) -> Library;
    fn routing_id(&self) -> &'static [u8] {
        match self.library() {
            Library::Ours => b"ours",
            Library::Theirs => b"theirs",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Ours,
    Theirs,
}

impl Library {
    pub(crate) const BOTH: [Library; 2] = [Library::Ours, Library::Theirs];

    pub(crate) fn other(self) -> Library {
        match self {
            Library::Ours => Library::Theirs,
            Library::Theirs => Library::Ours,
        }
    }

    pub(crate) fn open(self, socket_type: SocketType) -> Box<dyn End> {
        match self {
            Library::Ours => Box::new(Ours::open(socket_type)),
            Library::Theirs => Box::new(Theirs::open(socket_type)),
        }
    }
}
