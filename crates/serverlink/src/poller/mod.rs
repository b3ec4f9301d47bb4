//! Waiting for several sockets, and for descriptors of the system, in one call.
//!
//! A poller takes nothing out of its sockets. What is not ready has a waker in its socket's lists, as a task has, and whoever drives the
//! socket's reactor runs it. Foreign descriptors wait with the system, in a [`Watch`], which a ring of the bell ends.

mod alert;
mod bell;
mod entry;
mod event;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::{SystemSocket, Watch, Watched, fork};
use serverlink_message::chunk;

pub use self::alert::Alert;
pub use self::event::{Interest, PollEvent, PollEvents};

use self::bell::{Bell, Rung};
use self::entry::{Entry, Source};
use crate::error::Error;
use crate::socket::Socket;
use crate::sync::Lock;

/// Waits until one of several sockets, or a descriptor that is none of ours, can be used without waiting.
///
/// Each is registered under a key that the program chooses, with an [`Interest`]. It is level-triggered: as long as a condition holds each
/// wait reports it, and nothing is reported that does not hold at the end of the wait. What is true then another thread may
/// have changed a moment later, so `try_recv` and `try_send` are the calls to follow.
///
/// All calls take `&self`, and threads may add, change, remove and wake while another one waits. A poller does not keep its sockets
/// open, and dropping either first is fine. Sockets of different contexts may be mixed; those of a [simulation](crate::sim) can be
/// asked (with a time-out of zero) and not waited for.
///
/// ```
/// use std::time::Duration;
/// use serverlink::{Context, Error, Interest, PollEvents, Poller};
///
/// let context = Context::new()?;
/// let (orders, news) = (context.pull().open()?, context.pair().open()?);
/// orders.bind("inproc://orders")?;
/// news.bind("inproc://news")?;
///
/// let poller = Poller::new();
/// poller.add(1, &orders, Interest::READABLE)?;
/// poller.add(2, &news, Interest::READABLE)?;
///
/// let push = context.push().open()?;
/// push.connect("inproc://orders")?;
/// push.send("one coffee")?;
///
/// let mut events = PollEvents::new();
/// poller.wait(&mut events, Some(Duration::from_secs(10)))?;
/// for event in &events {
///     assert_eq!((event.key, event.readable), (1, true));
///     assert_eq!(orders.try_recv()?, "one coffee".into());
/// }
/// # Ok::<(), Error>(())
/// ```
pub struct Poller {
    shared: Arc<Shared>,
    generation: u32,
}

/// What the wakers of a poller reach.
struct Shared {
    entries: Lock<Entries>,
    bell: Bell,
}

#[derive(Default)]
struct Entries {
    by_key: BTreeMap<usize, Arc<Entry>>,
    /// The last that was reported when there was no room for all: the next wait begins behind it.
    reported: Option<usize>,
    /// Under which number the system watches a foreign descriptor; none is used twice.
    next_number: usize,
}

/// What the system can wait for: on unix whatever has a descriptor (sockets, pipes, terminals, timers), on Windows whatever is a socket.
#[cfg(unix)]
pub use std::os::fd::AsFd as ForeignDescriptor;
/// What the system can wait for: on unix whatever has a descriptor, on Windows whatever is a socket.
#[cfg(windows)]
pub use std::os::windows::io::AsSocket as ForeignDescriptor;

impl Default for Poller {
    fn default() -> Poller {
        Poller::new()
    }
}

impl Poller {
    /// With nothing registered. It takes nothing from the system before the first foreign descriptor.
    pub fn new() -> Poller {
        fork::watch();
        let shared = Shared { entries: Lock::default(), bell: Bell::default() };
        Poller { shared: Arc::new(shared), generation: fork::generation() }
    }

    /// Registers a socket, typed or not. The same one may be there under several keys.
    ///
    /// When it is closed or its context shut down, each wait reports an error for it until it is removed.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a key that is in use; nothing changed. [`Error::Forked`].
    pub fn add(&self, key: usize, socket: &impl AsRef<Socket>, interest: Interest) -> Result<(), Error> {
        self.check_process()?;
        let core = socket.as_ref().core();
        core.context.check_process()?;
        self.insert(key, |_| Entry::new(key, Source::Socket(Arc::downgrade(core)), interest))?;
        self.shared.bell.suspect(key);
        Ok(())
    }

    /// Registers a descriptor of the system. The poller waits on a duplicate, so closing the original is allowed; until
    /// [`remove`](Poller::remove) the duplicate keeps open what it leads to.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a key that is in use; [`Error::Io`] for what the system cannot wait for, such as a regular file, or
    /// when it has no descriptors left; [`Error::Forked`]. Nothing changed.
    pub fn add_foreign(
        &self,
        key: usize,
        descriptor: &impl ForeignDescriptor,
        interest: Interest,
    ) -> Result<(), Error> {
        self.check_process()?;
        let own = duplicate(descriptor).map_err(|error| failed("duplicating a descriptor", error))?;
        let watch = self.shared.watch()?;
        let entry = self.insert(key, |number| Entry::new(key, Source::Foreign(number), interest))?;
        let Source::Foreign(number) = entry.source else { unreachable!("it was made above") };
        if let Err(error) = watch.add(number, own, interest.watched()) {
            self.shared.entries.lock().by_key.remove(&key);
            return Err(failed("waiting for a descriptor", error));
        }
        self.shared.bell.suspect(key);
        Ok(())
    }

    fn insert(&self, key: usize, make: impl FnOnce(usize) -> Entry) -> Result<Arc<Entry>, Error> {
        let mut entries = self.shared.entries.lock();
        if entries.by_key.contains_key(&key) {
            return Err(Error::invalid_option("key", key, "it is registered already; remove that one first"));
        }
        entries.next_number += 1;
        let entry = Arc::new(make(entries.next_number));
        entries.by_key.insert(key, Arc::clone(&entry));
        Ok(entry)
    }

    /// Waits for something else from now on, also in a wait that is under way.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a key that is not registered; [`Error::Io`]; [`Error::Forked`].
    pub fn modify(&self, key: usize, interest: Interest) -> Result<(), Error> {
        self.check_process()?;
        let entry = self.shared.entries.lock().by_key.get(&key).cloned();
        let entry = entry.ok_or_else(|| unknown(key))?;
        if let Source::Foreign(number) = entry.source {
            let modified = self.shared.watch()?.modify(number, interest.watched());
            modified.map_err(|error| failed("waiting for a descriptor", error))?;
        }
        entry.set_interest(interest);
        self.shared.bell.suspect(key);
        Ok(())
    }

    /// Forgets a socket or descriptor. A wait that ends in another thread at this moment may still report it.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a key that is not registered; [`Error::Forked`].
    pub fn remove(&self, key: usize) -> Result<(), Error> {
        self.check_process()?;
        let entry = self.shared.entries.lock().by_key.remove(&key).ok_or_else(|| unknown(key))?;
        if let Source::Foreign(number) = entry.source {
            // It fails only where the system has forgotten it already.
            let _ = self.shared.watch()?.remove(number);
        }
        Ok(())
    }

    /// Waits until something is ready, at most for `timeout` (`None`: for ever; zero: only looks), and gives how many events there are.
    ///
    /// It never returns earlier than that with nothing, unless it was [woken](Poller::wake), and it writes what was sent on its
    /// sockets and not yet flushed before it sleeps. If there is no room for all events, the rest comes first the next time.
    /// Threads that wait at the same time take turns; the time of one may be over before its turn comes. A signal does not end a wait.
    ///
    /// # Errors
    /// [`Error::Io`] if the system cannot wait for the descriptors; [`Error::Forked`].
    pub fn wait(&self, events: &mut PollEvents, timeout: Option<Duration>) -> Result<usize, Error> {
        self.check_process()?;
        events.clear();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let Some(turn) = self.shared.bell.take_turn(deadline) else { return Ok(0) };
        let mut looked_at_all = false;
        loop {
            let rung = turn.rung();
            let only = looked_at_all.then_some(&rung);
            self.shared.look(only, events)?;
            looked_at_all = true;
            if !events.is_empty() || rung.woken || deadline.is_some_and(|at| at <= Instant::now()) {
                return Ok(events.len());
            }
            chunk::settle();
            turn.sleep(deadline).map_err(|error| failed("waiting for descriptors", error))?;
        }
    }

    /// Ends the wait of another thread with what there is, or the next one if nobody waits.
    pub fn wake(&self) {
        if self.check_process().is_ok() {
            self.shared.bell.wake();
        }
    }

    fn check_process(&self) -> Result<(), Error> {
        if self.generation == fork::generation() { Ok(()) } else { Err(Error::Forked) }
    }
}

impl Shared {
    fn watch(&self) -> Result<&Watch, Error> {
        let place = self.bell.watch();
        if place.get().is_none() {
            let watch = Watch::open().map_err(|error| failed("opening a poller", error))?;
            // Another thread may have been faster; then ours is closed again.
            let _ = place.set(watch);
        }
        Ok(place.get().expect("it was set above"))
    }

    /// Collects what is ready, of all or of what rang. Foreign descriptors are always asked: the system says which at once.
    fn look(&self, only: Option<&Rung>, events: &mut PollEvents) -> Result<(), Error> {
        let mut ready = BTreeMap::new();
        if let Some(watch) = self.bell.watch().get() {
            let mut found = Vec::new();
            let looked = watch.wait(&mut found, Some(Duration::ZERO));
            looked.map_err(|error| failed("waiting for descriptors", error))?;
            ready.extend(found);
        }
        for entry in self.in_turn(only) {
            if events.is_full() {
                return Ok(());
            }
            if let Some(event) = self.look_at(&entry, &ready) {
                events.push(event);
                self.entries.lock().reported = Some(entry.key);
            }
        }
        Ok(())
    }

    fn look_at(&self, entry: &Arc<Entry>, ready: &BTreeMap<usize, Watched>) -> Option<PollEvent> {
        match &entry.source {
            Source::Foreign(number) => entry.foreign_event(*ready.get(number)?),
            Source::Socket(core) => entry.socket_event(core, &self.bell),
        }
    }

    /// Those behind the one that was reported last, then the others: nobody starves where there is never room for all.
    fn in_turn(&self, only: Option<&Rung>) -> Vec<Arc<Entry>> {
        let entries = self.entries.lock();
        let is_wanted = |entry: &&Arc<Entry>| {
            only.is_none_or(|rung| matches!(entry.source, Source::Foreign(_)) || rung.has(entry.key))
        };
        let behind = entries.reported.map_or(Unbounded, Excluded);
        let first = entries.by_key.range((behind, Unbounded)).map(|(_, entry)| entry);
        let rest = entries.by_key.values().take_while(|entry| Some(entry.key) <= entries.reported);
        first.chain(rest).filter(is_wanted).cloned().collect()
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        if self.check_process().is_err() {
            // Taking its descriptors off would take them off in the parent.
            std::mem::forget(Arc::clone(&self.shared));
        }
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn duplicate(descriptor: &impl ForeignDescriptor) -> std::io::Result<SystemSocket> {
    descriptor.as_fd().try_clone_to_owned()
}

#[cfg(windows)]
fn duplicate(descriptor: &impl ForeignDescriptor) -> std::io::Result<SystemSocket> {
    descriptor.as_socket().try_clone_to_owned()
}

fn unknown(key: usize) -> Error {
    Error::invalid_option("key", key, "nothing is registered under it")
}

fn failed(doing: &'static str, source: std::io::Error) -> Error {
    Error::Io { doing, endpoint: None, source }
}
