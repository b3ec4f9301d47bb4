//! What is waited for, and what was found.

use std::ops::BitOr;

use serverlink_driver::Watched;

/// What a [`Poller`](crate::Poller) reports of a socket or descriptor. Errors are reported in any case.
///
/// ```
/// use serverlink::Interest;
/// assert_eq!(Interest::READABLE | Interest::WRITABLE, Interest::BOTH);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// A receive would give a message; of a foreign descriptor: a read would not block.
    pub readable: bool,
    /// A send would find a peer with room; of a foreign descriptor: a write would not block.
    pub writable: bool,
}

impl Interest {
    /// Errors alone.
    pub const NONE: Interest = Interest { readable: false, writable: false };
    /// Whether something can be received.
    pub const READABLE: Interest = Interest { readable: true, writable: false };
    /// Whether something can be sent.
    pub const WRITABLE: Interest = Interest { readable: false, writable: true };
    /// Either.
    pub const BOTH: Interest = Interest { readable: true, writable: true };

    pub(super) fn watched(self) -> Watched {
        Watched { readable: self.readable, writable: self.writable, failed: false }
    }
}

impl BitOr for Interest {
    type Output = Interest;
    fn bitor(self, other: Interest) -> Interest {
        Interest { readable: self.readable || other.readable, writable: self.writable || other.writable }
    }
}

/// What holds for one socket or descriptor at the end of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollEvent {
    /// Under which it was registered.
    pub key: usize,
    /// `try_recv` gives a message. Of a REQ or REP it may find that what came does not belong to the conversation, and drop it. Of a
    /// foreign descriptor: a read does not block, be it that there is nothing more to come.
    pub readable: bool,
    /// `try_send` finds room. A ROUTER with `router_mandatory` has room for one peer at least, the others never wait.
    pub writable: bool,
    /// A socket: every call fails from now on, because it was closed, its context shut down, or its driver failed. A foreign descriptor: an
    /// error is pending, or the other end hung up.
    pub error: bool,
}

/// The events of one wait.
#[derive(Clone, Debug)]
pub struct PollEvents {
    list: Vec<PollEvent>,
    capacity: usize,
}

/// Enough for most programs, and little memory.
const CAPACITY: usize = 256;

impl PollEvents {
    /// Room for 256 events.
    pub fn new() -> PollEvents {
        PollEvents::with_capacity(CAPACITY)
    }

    /// Room for so many events, at least one. What finds no room comes first in the next wait.
    pub fn with_capacity(events: usize) -> PollEvents {
        PollEvents { list: Vec::new(), capacity: events.max(1) }
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, PollEvent> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Nothing was ready.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What was found under a key.
    pub fn of(&self, key: usize) -> Option<PollEvent> {
        self.list.iter().find(|event| event.key == key).copied()
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= self.capacity
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    pub(super) fn push(&mut self, event: PollEvent) {
        self.list.push(event);
    }
}

impl Default for PollEvents {
    fn default() -> PollEvents {
        PollEvents::new()
    }
}

impl<'a> IntoIterator for &'a PollEvents {
    type Item = &'a PollEvent;
    type IntoIter = std::slice::Iter<'a, PollEvent>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
