//! Waiting for descriptors that are not ours to drive: level-triggered, through the `polling` crate on every system.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use crate::SystemSocket;

/// Says which of some descriptors are ready, as long as they are. They are its own from [`add`](Watch::add) until
/// [`remove`](Watch::remove), so none is closed, and its number used again, while the system watches it.
///
/// All calls take `&self`: descriptors may be added, changed and removed while a thread waits. One thread waits at a time; another waits for it.
pub struct Watch {
    /// Before the table, so that it is closed before what it watches.
    poller: Poller,
    watched: Mutex<BTreeMap<usize, SystemSocket>>,
    events: Mutex<Events>,
}

/// What is watched for, or was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Reading would not block; the end counts.
    pub readable: bool,
    /// Writing would not block.
    pub writable: bool,
    /// An error is pending, or the other end hung up. Found whether or not it was asked for.
    pub failed: bool,
}

impl Watch {
    /// # Errors
    /// The system gives no descriptors.
    pub fn open() -> io::Result<Watch> {
        Ok(Watch { poller: Poller::new()?, watched: Mutex::default(), events: Mutex::new(Events::new()) })
    }

    /// Watches a descriptor under a key that is not in use. It stays blocking or non-blocking, as it is.
    ///
    /// # Errors
    /// What cannot be waited for, such as a file on Linux; a key that is in use, or `usize::MAX`. The descriptor is closed then.
    pub fn add(&self, key: usize, socket: SystemSocket, interest: Watched) -> io::Result<()> {
        let mut watched = lock(&self.watched);
        if watched.contains_key(&key) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        // SAFETY: the descriptor must be deleted before it is closed. It moves into the table below, which keeps it open until `remove`
        // deletes it; what is never removed is closed after this poller, which is the field before the table. If this call fails, nothing was added.
        unsafe { self.poller.add_with_mode(&socket, event(key, interest), PollMode::Level)? };
        watched.insert(key, socket);
        Ok(())
    }

    /// Watches for something else from now on, also in a wait that is under way.
    ///
    /// # Errors
    /// `NotFound` for a key that is not in use, or what the system says.
    pub fn modify(&self, key: usize, interest: Watched) -> io::Result<()> {
        let watched = lock(&self.watched);
        let socket = watched.get(&key).ok_or(io::ErrorKind::NotFound)?;
        self.poller.modify_with_mode(socket, event(key, interest), PollMode::Level)
    }

    /// Ends it, and closes our descriptor. A key that is not in use is ignored.
    ///
    /// # Errors
    /// What the system says; the descriptor is closed all the same.
    pub fn remove(&self, key: usize) -> io::Result<()> {
        let Some(socket) = lock(&self.watched).remove(&key) else { return Ok(()) };
        self.poller.delete(&socket)
    }

    /// Appends what is ready, each with its key. Waits for something at most for `timeout`; `None`: until then or [`wake`](Watch::wake).
    /// It may return early with nothing.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, ready: &mut Vec<(usize, Watched)>, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = lock(&self.events);
        events.clear();
        self.poller.wait(&mut events, timeout)?;
        ready.extend(events.iter().map(|event| {
            let failed = event.is_interrupt() || event.is_err() == Some(true);
            (event.key, Watched { readable: event.readable, writable: event.writable, failed })
        }));
        Ok(())
    }

    /// Ends the wait of another thread, or the next one if nobody waits.
    ///
    /// # Errors
    /// What the system says.
    pub fn wake(&self) -> io::Result<()> {
        self.poller.notify()
    }
}

fn event(key: usize, interest: Watched) -> Event {
    Event::new(key, interest.readable, interest.writable)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("watched", &lock(&self.watched).len()).finish_non_exhaustive()
    }
}
