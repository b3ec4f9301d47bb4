//! Which sources a driver has, and what their readiness means.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use slotmap::SlotMap;

use super::identity::Identity;
use super::selector::{Raised, Selector};
use super::socket::OsStream;
use super::stream::Stream;
use crate::{Event, Events, Key, Kind, fork};

/// What both halves of a driver and all its sources share.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(super) selector: Selector,
    /// Its place in [`ALL`].
    number: u64,
    /// The process that made it. Its child has the same descriptors, and must change nothing through them.
    generation: u32,
    sources: Mutex<SlotMap<Key, Source>>,
    /// Attempts to connect that failed in the call itself. The selector knows nothing of them; a wake brings them in.
    refused: Mutex<Vec<(Key, io::Error)>>,
}

/// Every registry of the process: a socket from outside may be registered with any of them.
static ALL: Mutex<BTreeMap<u64, Weak<Registry>>> = Mutex::new(BTreeMap::new());
static OPENED: AtomicU64 = AtomicU64::new(0);

pub(crate) type AllLocked = MutexGuard<'static, BTreeMap<u64, Weak<Registry>>>;

/// Nobody is amid a change of it while this is held.
pub(super) fn lock_all() -> AllLocked {
    lock(&ALL)
}

#[derive(Debug)]
enum Source {
    /// Apart: there are few of them, and every connection has a place of this size.
    Listener(Option<Box<Identity>>),
    Stream(Weak<Stream>),
    /// Whether it waits for room.
    Datagrams(Arc<AtomicBool>),
}

impl Registry {
    pub(super) fn open(kind: Kind) -> io::Result<Arc<Registry>> {
        let selector = Selector::open(kind)?;
        let registry = Arc::new(Registry {
            selector,
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            generation: fork::generation(),
            sources: Mutex::default(),
            refused: Mutex::default(),
        });
        let number = registry.number;
        lock(&ALL).insert(number, Arc::downgrade(&registry));
        Ok(registry)
    }

    /// Those of this process that are alive.
    pub(super) fn all() -> Vec<Arc<Registry>> {
        lock_all().values().filter_map(Weak::upgrade).filter(|each| !each.is_left_behind()).collect()
    }

    /// It belongs to the process that this one was forked from. Its locks may be held for ever.
    pub(super) fn is_left_behind(&self) -> bool {
        self.generation != fork::generation()
    }

    pub(super) fn add_listener(&self, fd: &OwnedFd) -> io::Result<Key> {
        let key = lock(&self.sources).insert(Source::Listener(Identity::of(fd).map(Box::new)));
        self.selector.add(fd, key).inspect_err(|_| self.forget(key))?;
        Ok(key)
    }

    /// Input is reported, and room only where `wants_write` says so.
    pub(super) fn add_datagrams(&self, fd: &OwnedFd, wants_write: &Arc<AtomicBool>) -> io::Result<Key> {
        let key = lock(&self.sources).insert(Source::Datagrams(Arc::clone(wants_write)));
        self.selector.add_input(fd, key).inspect_err(|_| self.forget(key))?;
        Ok(key)
    }

    /// Registers a socket and makes its stream. The lock is held throughout, so an event that comes at once finds the stream.
    pub(super) fn add_stream(
        &self,
        stream: OsStream,
        make: impl FnOnce(Key, OsStream) -> Arc<Stream>,
    ) -> Result<Arc<Stream>, (OsStream, io::Error)> {
        let mut sources = lock(&self.sources);
        let key = sources.insert(Source::Stream(Weak::new()));
        if let Err(error) = self.selector.add(&stream.fd, key) {
            sources.remove(key);
            return Err((stream, error));
        }
        let stream = make(key, stream);
        sources[key] = Source::Stream(Arc::downgrade(&stream));
        Ok(stream)
    }

    /// Makes a stream whose attempt to connect has failed and reports that through the next wait. The selector never sees its socket.
    pub(super) fn add_refused(
        &self,
        error: io::Error,
        make: impl FnOnce(Key) -> Arc<Stream>,
    ) -> io::Result<Arc<Stream>> {
        let stream = make(lock(&self.sources).insert(Source::Stream(Weak::new())));
        lock(&self.refused).push((stream.key(), error));
        self.selector.wake()?;
        Ok(stream)
    }

    /// Frees the slot. Events taken for this key after this are dropped.
    pub(super) fn forget(&self, key: Key) {
        lock(&self.sources).remove(key);
    }

    pub(crate) fn source_count(&self) -> usize {
        lock(&self.sources).len()
    }

    /// The source that is this very socket. Asks the system about each stream.
    pub(crate) fn key_of(&self, identity: &Identity) -> Option<Key> {
        // Carried out of the lock: dropping the last handle of a stream takes it again.
        let mut streams = Vec::new();
        let listener = lock(&self.sources).iter().find_map(|(key, source)| match source {
            Source::Listener(its) => (its.as_deref() == Some(identity)).then_some(key),
            Source::Stream(stream) => {
                streams.extend(stream.upgrade());
                None
            }
            // Nobody brings one from outside.
            Source::Datagrams(_) => None,
        });
        let stream = || streams.iter().find(|stream| stream.identity().as_ref() == Some(identity));
        listener.or_else(|| stream().map(|stream| stream.key()))
    }

    pub(super) fn report_refused(&self, events: &mut Events) {
        let refused = mem::take(&mut *lock(&self.refused));
        let sources = lock(&self.sources);
        for (key, error) in refused.into_iter().filter(|(key, _)| sources.contains_key(*key)) {
            events.push(Event::Connected(key, Err(error)));
        }
    }

    /// Looks up what is ready. `streams` carries the streams out of the lock: dropping the last handle of one takes this lock again.
    pub(super) fn report(
        &self,
        raised: &mut Vec<Raised>,
        streams: &mut Vec<(Arc<Stream>, Raised)>,
        events: &mut Events,
    ) {
        let sources = lock(&self.sources);
        for raised in raised.drain(..) {
            match sources.get(raised.key) {
                Some(Source::Listener(_)) => events.push(Event::Acceptable(raised.key)),
                Some(Source::Stream(stream)) => {
                    streams.extend(stream.upgrade().map(|stream| (stream, raised)))
                }
                Some(Source::Datagrams(wants_write)) => {
                    if raised.readable {
                        events.push(Event::Readable(raised.key));
                    }
                    if raised.writable && wants_write.swap(false, Ordering::SeqCst) {
                        events.push(Event::Writable(raised.key));
                    }
                }
                None => {}
            }
        }
        drop(sources);
        for (stream, raised) in streams.drain(..) {
            stream.report(raised, events);
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        lock(&ALL).remove(&self.number);
    }
}

/// No panic happens inside these locks that would leave the data half changed, so a poisoned one is as good as a clean one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix::driver::Driver;
    use crate::{Address, ListenOptions, StreamOptions};

    #[test]
    fn sources_free_their_slots() {
        let driver = Driver::open(Kind::native()).expect("the native driver");
        let remote = driver.remote();
        let count = || remote.registry.source_count();
        let any = Address::Tcp("127.0.0.1:0".parse().expect("an address"));
        let listener = crate::unix::OsListener::bind(&any, &ListenOptions::default()).expect("a free port");
        let address = listener.local_address().clone();
        let listener = remote.listen(listener).expect("a first registration");
        let closed = remote.connect(&address, &StreamOptions::default()).expect("an attempt");
        let dropped = remote.connect(&address, &StreamOptions::default()).expect("an attempt");
        let nobody = Address::Ipc("/nonexistent/socket".into());
        let refused = remote.connect(&nobody, &StreamOptions::default()).expect("an attempt");
        assert_eq!(count(), 4);
        closed.close();
        assert_eq!(count(), 3);
        drop(dropped);
        assert_eq!(count(), 2);
        drop(refused);
        assert_eq!(count(), 1);
        drop(listener);
        assert_eq!(count(), 0);
        drop(closed);
        assert_eq!(count(), 0);
    }
}
