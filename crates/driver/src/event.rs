//! What a driver reports.

use std::collections::VecDeque;
use std::io;

use crate::Batch;

slotmap::new_key_type! {
    /// Names a registered source: a slot and its generation. Never used twice by one driver.
    pub struct Key;
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// Bytes, the end of the stream or an error may be read. Also sent for an adopted stream that has some already.
    Readable(Key),
    /// A stream whose last write was [`Blocked`](crate::Written::Blocked) may take bytes again, or has failed.
    Writable(Key),
    /// How a connection attempt ended; exactly once for each [`connect`](crate::Remote::connect) that returned a stream. After `Ok`
    /// the stream may be written, and `Readable` follows as for any other; after an error nothing works on it but `close`.
    Connected(Key, io::Result<()>),
    /// The batch of a write that was [`Pending`](crate::Written::Pending) is back; exactly once for each, also after the stream was
    /// closed. `Ok`: the system took all of it. Otherwise nothing more can be written, and the cursor says what was taken before.
    Written(Key, Box<Batch>, io::Result<()>),
    /// Connections may wait to be accepted.
    Acceptable(Key),
    /// Somebody called [`wake`](crate::Remote::wake). Several calls may be one event.
    Woken,
    /// The last operation of a closed source came home and its key is forgotten: the last event of that key. Sent for every source
    /// by drivers whose operations complete later ([`Remote::reports_closed`](crate::Remote::reports_closed)), and never by others.
    Closed(Key),
    /// A source failed outside of any call: the caller should close it.
    Error(Key, io::Error),
}

impl Event {
    /// The source that it is about. `None` for [`Event::Woken`].
    pub fn key(&self) -> Option<Key> {
        match self {
            Event::Readable(key)
            | Event::Writable(key)
            | Event::Connected(key, _)
            | Event::Written(key, ..)
            | Event::Acceptable(key)
            | Event::Closed(key)
            | Event::Error(key, _) => Some(*key),
            Event::Woken => None,
        }
    }
}

/// Events taken from the system and not handled yet.
///
/// They belong to the reactor and not to the thread that took them: what one holder leaves, the next one goes on with.
#[derive(Debug, Default)]
pub struct Events {
    queue: VecDeque<Event>,
    interrupted: bool,
}

impl Events {
    /// An empty list.
    pub fn new() -> Events {
        Events::default()
    }

    /// Whether nothing is left to handle.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many events are left to handle.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether the last wait was cut short by a signal. The `polling` back end swallows signals and never sets it.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    #[cfg(unix)]
    pub(crate) fn set_interrupted(&mut self, interrupted: bool) {
        self.interrupted = interrupted;
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.queue.push_back(event);
    }
}

impl Iterator for Events {
    type Item = Event;

    /// The oldest event. After `None` a later wait may bring more.
    #[inline]
    fn next(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.queue.len(), Some(self.queue.len()))
    }
}
