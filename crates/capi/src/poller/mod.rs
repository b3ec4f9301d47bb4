//! Pollers: sets of sockets and descriptors, each with something that the program wants back.

mod beacon;
mod watch;

use std::ffi::{c_int, c_short, c_void};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use self::beacon::Beacon;
use crate::bell::RawFd;
use crate::errno::{Answer, EAGAIN, EBADF, EFAULT, EINVAL, EMFILE, fail};
use crate::guard::length;
use crate::poll::{self, Item};
use crate::socket::CSocket;
use crate::table::{Handled, Inside, Table};

static POLLERS: Table<Poller> = Table::new();

impl Handled for Poller {
    fn table() -> &'static Table<Poller> {
        &POLLERS
    }
}

/// A poller of C.
#[derive(Default)]
pub struct Poller {
    inside: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    /// Once its descriptor was asked for.
    beacon: Option<Arc<Beacon>>,
    had_shareable: bool,
}

/// What is waited for: a socket by its handle, or a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A socket.
    Socket(usize),
    /// A descriptor.
    Descriptor(RawFd),
}

impl Source {
    /// The socket of that handle, which an event tells again.
    pub fn socket(handle: *mut c_void) -> Source {
        Source::Socket(handle.expose_provenance())
    }
}

#[derive(Clone, Copy)]
struct Entry {
    source: Source,
    user_data: usize,
    events: c_short,
}

/// What was found, as both interfaces lay it out.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PollerEvent {
    /// Its handle, or null.
    pub socket: *mut c_void,
    /// Or a descriptor.
    pub fd: RawFd,
    /// As it was given.
    pub user_data: *mut c_void,
    /// In numbers.
    pub events: c_short,
}

impl PollerEvent {
    /// Neither a socket nor a descriptor.
    pub fn nothing() -> PollerEvent {
        let nothing = std::ptr::null_mut();
        PollerEvent { socket: nothing, fd: invalid(), user_data: nothing, events: 0 }
    }
}

const KNOWN: c_short = 0xF;

impl Poller {
    /// A handle for a new one.
    pub fn create() -> Answer<*mut c_void> {
        POLLERS.insert(Poller::default()).map_or(fail(EMFILE), Ok)
    }

    /// Ends one.
    pub fn destroy(handle: *const c_void) -> Answer<()> {
        POLLERS.close(handle).map_or(fail(EFAULT), |_| Ok(()))
    }

    /// What a handle stands for; `EFAULT` if it is none.
    pub fn enter(handle: *const c_void) -> Answer<Inside<Poller>> {
        crate::guard::enter(handle, EFAULT)
    }

    /// How many it has.
    pub fn len(&self) -> usize {
        self.inside.lock().entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One more; `EINVAL` for one that is there. `ENOTSUP` for a descriptor that the poller's own cannot stand for.
    pub fn add(&self, source: Source, user_data: *mut c_void, events: c_short) -> Answer<()> {
        let is_shareable = check(source, events)?;
        let mut inside = self.inside.lock();
        if inside.position(source).is_some() {
            return fail(EINVAL);
        }
        let entry = Entry { source, user_data: user_data.expose_provenance(), events };
        if let Some(beacon) = &inside.beacon {
            beacon.add(&entry)?;
        }
        inside.entries.push(entry);
        inside.had_shareable |= is_shareable;
        Ok(())
    }

    /// Other events; `EINVAL` for one that is not there.
    pub fn modify(&self, source: Source, events: c_short) -> Answer<()> {
        check(source, events)?;
        let mut inside = self.inside.lock();
        let Some(index) = inside.position(source) else { return fail(EINVAL) };
        let entry = Entry { events, ..inside.entries[index] };
        if let Some(beacon) = &inside.beacon {
            beacon.add(&entry)?;
        }
        inside.entries[index] = entry;
        Ok(())
    }

    /// One less; `EINVAL` for one that is not there.
    pub fn remove(&self, source: Source) -> Answer<()> {
        check(source, 0)?;
        let mut inside = self.inside.lock();
        let Some(index) = inside.position(source) else { return fail(EINVAL) };
        inside.entries.remove(index);
        if let Some(beacon) = &inside.beacon {
            beacon.remove(source);
        }
        Ok(())
    }

    /// A descriptor that is readable while a wait would find something. It is the poller's, and closed with it. `ENOTSUP` if it cannot stand for a
    /// descriptor that the poller has: a file's, and any where the system is not Linux.
    pub fn descriptor(&self) -> Answer<RawFd> {
        let mut inside = self.inside.lock();
        if let Some(beacon) = &inside.beacon {
            return Ok(beacon.descriptor());
        }
        let beacon = Beacon::new(&inside.entries)?;
        Ok(inside.beacon.insert(Arc::new(beacon)).descriptor())
    }

    /// Whether it has, or had, a socket of a type that libzmq lets threads share.
    pub fn had_shareable(&self) -> bool {
        self.inside.lock().had_shareable
    }

    /// Waits until something is found, and writes at most `room` of it; `EAGAIN` if nothing is before `deadline`.
    ///
    /// # Safety
    /// So many events can be written at `events`.
    pub unsafe fn wait(
        &self,
        events: *mut PollerEvent,
        room: usize,
        deadline: Option<Instant>,
    ) -> Answer<c_int> {
        let found = self.find(room, deadline);
        let beacon = self.inside.lock().beacon.clone();
        if let Some(beacon) = beacon {
            beacon.look();
        }
        let found = found?;
        for (index, event) in found.iter().enumerate() {
            // SAFETY: the caller's; no more than `room` were found.
            unsafe { events.add(index).write_unaligned(*event) };
        }
        Ok(length(found.len()))
    }

    fn find(&self, most: usize, deadline: Option<Instant>) -> Answer<Vec<PollerEvent>> {
        let entries = self.inside.lock().entries.clone();
        if entries.is_empty() && deadline.is_none() {
            // Nothing would ever end it.
            return fail(EFAULT);
        }
        let mut items = entries.iter().map(Entry::item).collect::<Answer<Vec<_>>>()?;
        poll::wait(&mut items, deadline)?;
        let found = entries.iter().zip(&items).filter(|(_, item)| item.found != 0).take(most);
        let found: Vec<_> = found.map(|(entry, item)| entry.found(item.found)).collect();
        if found.is_empty() { fail(EAGAIN) } else { Ok(found) }
    }
}

impl Inner {
    fn position(&self, source: Source) -> Option<usize> {
        self.entries.iter().position(|entry| entry.source == source)
    }
}

impl Entry {
    fn item(&self) -> Answer<Item> {
        match self.source {
            Source::Socket(handle) => {
                Item::new(std::ptr::without_provenance_mut(handle), invalid(), self.events)
            }
            Source::Descriptor(fd) => Item::new(std::ptr::null_mut(), fd, self.events),
        }
    }

    fn found(&self, events: c_int) -> PollerEvent {
        let user_data = std::ptr::with_exposed_provenance_mut(self.user_data);
        let nothing = PollerEvent { user_data, events: events as c_short, ..PollerEvent::nothing() };
        match self.source {
            Source::Socket(handle) => {
                PollerEvent { socket: std::ptr::with_exposed_provenance_mut(handle), ..nothing }
            }
            Source::Descriptor(fd) => PollerEvent { fd, ..nothing },
        }
    }
}

/// Whether it is a socket that libzmq lets threads share.
fn check(source: Source, events: c_short) -> Answer<bool> {
    if events & !KNOWN != 0 {
        return fail(EINVAL);
    }
    match source {
        Source::Socket(handle) => {
            CSocket::enter(std::ptr::without_provenance(handle)).map(|socket| socket.is_shareable())
        }
        Source::Descriptor(fd) if fd == invalid() => fail(EBADF),
        Source::Descriptor(_) => Ok(false),
    }
}

/// What no descriptor is: -1, also where they have no sign.
pub const fn invalid() -> RawFd {
    !0
}
