//! A poller's own descriptor, for event loops: readable while a wait on the poller would find something.
//!
//! A bell rings for its sockets. Each wait looks at all of them when it is over, and only a look that finds nothing ends the ringing; what changes after a
//! look rings. A loop that sleeps on the descriptor neither misses anything nor spins. Other descriptors are left to the system, beside the bell, where it
//! has a descriptor for several.

use std::ffi::c_int;
use std::io;
use std::sync::Arc;
use std::task::Waker;

use parking_lot::Mutex;
use serverlink::Alert;

use super::watch::Watch;
use super::{Entry, Source};
use crate::bell::{Bell, RawFd};
use crate::errno::{Answer, ENOTSUP, EPERM, Errno};
use crate::poll::interest_in;
use crate::socket::CSocket;
use crate::system_error;

/// See the module's page.
pub(super) struct Beacon {
    bell: Arc<Bell>,
    watch: Watch,
    sockets: Mutex<Vec<Watched>>,
}

/// A socket by its handle.
struct Watched {
    handle: usize,
    events: c_int,
    alert: Alert,
}

impl Beacon {
    pub(super) fn new(entries: &[Entry]) -> Answer<Beacon> {
        let bell = Arc::new(Bell::new().map_err(code_of)?);
        let watch = Watch::new(&bell).map_err(code_of)?;
        let beacon = Beacon { bell, watch, sockets: Mutex::default() };
        entries.iter().try_for_each(|entry| beacon.add(entry))?;
        Ok(beacon)
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.watch.descriptor(&self.bell)
    }

    /// Watches one more, or one for other events.
    pub(super) fn add(&self, entry: &Entry) -> Answer<()> {
        let events = entry.events.into();
        match entry.source {
            Source::Descriptor(fd) => self.watch.add(fd, events).map_err(code_of)?,
            Source::Socket(handle) => {
                let socket = CSocket::enter(std::ptr::without_provenance(handle))?;
                let waker = Waker::from(Arc::clone(&self.bell));
                let alert = Alert::new(socket.open()?, interest_in(events), waker);
                self.forget(handle);
                self.sockets.lock().push(Watched { handle, events, alert });
            }
        }
        self.look();
        Ok(())
    }

    pub(super) fn remove(&self, source: Source) {
        match source {
            Source::Descriptor(fd) => self.watch.remove(fd),
            Source::Socket(handle) => self.forget(handle),
        }
        self.look();
    }

    fn forget(&self, handle: usize) {
        self.sockets.lock().retain(|watched| watched.handle != handle);
    }

    /// Rings if a wait would find a socket, now or from the next change on.
    pub(super) fn look(&self) {
        self.bell.clear();
        // All of them, so that all are armed.
        let ready = self.sockets.lock().iter().filter(|watched| watched.is_ready()).count();
        if ready > 0 {
            self.bell.ring();
        }
    }
}

impl Watched {
    /// A wait tells of what fails, too.
    fn is_ready(&self) -> bool {
        let armed = self.alert.arm();
        match (CSocket::enter(std::ptr::without_provenance(self.handle)), armed) {
            (Ok(socket), Ok(ready)) => socket.events_of(ready) & self.events != 0,
            _ => true,
        }
    }
}

/// A file is always ready, and the system watches none.
fn code_of(error: io::Error) -> Errno {
    match system_error::code_of(&error, ENOTSUP) {
        Errno(EPERM) => Errno(ENOTSUP),
        code => code,
    }
}
