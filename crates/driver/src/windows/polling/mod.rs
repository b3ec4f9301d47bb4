//! The `polling` crate: readiness on Windows, as a second opinion. Each event has to be asked for again.

mod datagrams;
mod listener;
mod stream;
mod watched;

use std::fmt;
use std::io;
use std::mem;
use std::net::UdpSocket;
use std::os::windows::io::AsSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::polling::{AsRawSource, Event as Interest, Events, PollMode, Poller};
use slotmap::{Key as _, KeyData, SlotMap};

pub(crate) use datagrams::Datagrams;
pub(crate) use listener::Listener;
pub(crate) use stream::Stream;
pub(super) use stream::unsupported_pipe;

use super::lock;
use crate::port::{MemberId, Well};
use crate::{Event, Key};

const _: () = assert!(size_of::<usize>() == size_of::<u64>(), "the poller's tokens must hold a whole key");

/// A poller and its sources.
pub(crate) struct Polled {
    poller: Poller,
    /// Memory that a wait uses.
    raised: Mutex<Events>,
    /// Somebody waits, or is about to.
    waiting: AtomicBool,
    sources: Mutex<SlotMap<Key, Registration>>,
    /// Attempts to connect that failed in the call itself. The poller knows nothing of them.
    refused: Mutex<Vec<(Key, io::Error)>>,
}

#[derive(Debug)]
struct Registration {
    member: MemberId,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Listener,
    Stream(Arc<stream::Shared>),
    Datagrams(Arc<watched::Watched<UdpSocket>>),
}

impl fmt::Debug for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled")
            .field("poller", &self.poller)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

impl Polled {
    pub(crate) fn open() -> io::Result<Polled> {
        Ok(Polled {
            poller: Poller::new()?,
            raised: Mutex::new(Events::new()),
            waiting: AtomicBool::new(false),
            sources: Mutex::default(),
            refused: Mutex::default(),
        })
    }

    /// How many sources of this member are registered.
    pub(crate) fn source_count(&self, member: MemberId) -> usize {
        lock(&self.sources).values().filter(|registration| registration.member == member).count()
    }

    /// Names a source.
    fn name(&self, member: MemberId, source: impl FnOnce(Key) -> Source) -> Key {
        lock(&self.sources).insert_with_key(|key| Registration { member, source: source(key) })
    }

    fn forget(&self, key: Key) {
        // It may be the last owner of a stream, which is dropped without the lock.
        let forgotten = lock(&self.sources).remove(key);
        drop(forgotten);
    }

    /// Starts to watch a socket.
    ///
    /// # Safety
    /// The socket must be open until [`unwatch`](Polled::unwatch) is called for it.
    unsafe fn watch(&self, socket: impl AsRawSource, key: Key, wanted: Wanted) -> io::Result<()> {
        // SAFETY: it is deleted before it is closed, as the caller promises.
        unsafe { self.poller.add_with_mode(socket, wanted.of(key), PollMode::Oneshot)? };
        self.tell()
    }

    /// Changes what is wanted of a socket. What is there already is reported.
    fn want(&self, socket: impl AsSocket, key: Key, wanted: Wanted) -> io::Result<()> {
        self.poller.modify_with_mode(socket, wanted.of(key), PollMode::Oneshot)?;
        self.tell()
    }

    fn unwatch(&self, socket: impl AsSocket) {
        // It fails only for a socket that is not watched.
        let _ = self.poller.delete(socket);
    }

    /// The poller may take a change to its list while it goes to sleep, and would see to it when it wakes.
    fn tell(&self) -> io::Result<()> {
        if self.waiting.load(Ordering::SeqCst) { self.poller.notify() } else { Ok(()) }
    }

    /// Reports an attempt that failed before there was anything to watch.
    fn refuse(&self, key: Key, error: io::Error) -> io::Result<()> {
        lock(&self.refused).push((key, error));
        self.poller.notify()
    }

    fn report(&self, raised: &Interest, taken: &mut Vec<(MemberId, Event)>) {
        let key = Key::from(KeyData::from_ffi(raised.key as u64));
        let found = lock(&self.sources).get(key).map(|found| (found.member, found.source.clone()));
        match found {
            Some((member, Source::Listener)) => taken.push((member, Event::Acceptable(key))),
            Some((member, Source::Stream(stream))) => {
                stream.raised(self, raised, &mut |event| taken.push((member, event)));
            }
            Some((member, Source::Datagrams(socket))) => {
                socket.raised(self, raised, &mut |event| taken.push((member, event)));
            }
            None => {}
        }
    }

    fn report_refused(&self, taken: &mut Vec<(MemberId, Event)>) {
        let refused = mem::take(&mut *lock(&self.refused));
        let sources = lock(&self.sources);
        for (key, error) in refused {
            if let Some(registration) = sources.get(key) {
                taken.push((registration.member, Event::Connected(key, Err(error))));
            }
        }
    }
}

impl Well for Polled {
    fn take(&self, taken: &mut Vec<(MemberId, Event)>, timeout: Option<Duration>) -> io::Result<()> {
        let mut raised = lock(&self.raised);
        raised.clear();
        self.waiting.store(true, Ordering::SeqCst);
        let outcome = self.poller.wait(&mut raised, timeout);
        self.waiting.store(false, Ordering::SeqCst);
        outcome?;
        raised.iter().for_each(|raised| self.report(&raised, taken));
        self.report_refused(taken);
        Ok(())
    }

    fn interrupt(&self) -> io::Result<()> {
        self.poller.notify()
    }
}

/// What a source wants to hear of. Nothing once it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wanted {
    readable: bool,
    writable: bool,
}

impl Wanted {
    const READABLE: Wanted = Wanted { readable: true, writable: false };
    const WRITABLE: Wanted = Wanted { readable: false, writable: true };

    fn of(self, key: Key) -> Interest {
        Interest::new(key.data().as_ffi() as usize, self.readable, self.writable)
    }

    fn is_nothing(self) -> bool {
        self == Wanted::default()
    }
}
