//! The life of a socket that is watched, and what is wanted of it.

use std::io;
use std::os::windows::io::{AsRawSocket, AsSocket};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::{Polled, Wanted};
use crate::windows::lock;
use crate::{Event, Interest, Key};

#[derive(Debug)]
pub(super) struct Watched<S> {
    key: Key,
    /// `None` once it is closed. Calls that use the handle read, closing writes: no call hits a handle that the system gave to somebody else.
    socket: RwLock<Option<S>>,
    /// Locked while the poller is told.
    wanted: Mutex<Wanted>,
}

impl<S: AsRawSocket + AsSocket> Watched<S> {
    pub(super) fn new(key: Key, socket: S, wanted: Wanted) -> Watched<S> {
        Watched { key, socket: RwLock::new(Some(socket)), wanted: Mutex::new(wanted) }
    }

    /// Tells the poller of it, once in its life.
    pub(super) fn begin(&self, polled: &Polled) -> io::Result<()> {
        match &*self.socket() {
            // SAFETY: this owns the socket, and unwatches it before anybody can close it, in `take`.
            Some(socket) => unsafe { polled.watch(socket, self.key, *lock(&self.wanted)) },
            None => Ok(()),
        }
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    pub(super) fn socket(&self) -> RwLockReadGuard<'_, Option<S>> {
        self.socket.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Undoes the registration. `None`: it was undone before.
    pub(super) fn take(&self, polled: &Polled) -> Option<S> {
        let socket = self.socket.write().unwrap_or_else(PoisonError::into_inner).take()?;
        polled.forget(self.key);
        polled.unwatch(&socket);
        Some(socket)
    }

    pub(super) fn rearm(&self, polled: &Polled, interest: Interest) -> io::Result<()> {
        self.want(polled, |wanted| match interest {
            Interest::Readable => wanted.readable = true,
            Interest::Writable => wanted.writable = true,
        })
    }

    pub(super) fn want(&self, polled: &Polled, change: impl FnOnce(&mut Wanted)) -> io::Result<()> {
        let socket = self.socket();
        let Some(socket) = &*socket else { return Ok(()) };
        let mut wanted = lock(&self.wanted);
        change(&mut wanted);
        polled.want(socket, self.key, *wanted)
    }

    /// Turns readiness into events, and asks again for what was not told. Only the waiting half calls it.
    pub(super) fn raised(&self, polled: &Polled, raised: &::polling::Event, report: &mut dyn FnMut(Event)) {
        let failed = has_failed(raised);
        let mut told = Wanted::default();
        let outcome = self.want_what_is_left(polled, |wanted| {
            told.readable = wanted.readable && (raised.readable || failed);
            told.writable = wanted.writable && (raised.writable || failed);
            wanted.readable &= !told.readable;
            wanted.writable &= !told.writable;
        });
        if told.readable {
            report(Event::Readable(self.key));
        }
        if told.writable {
            report(Event::Writable(self.key));
        }
        if let Err(error) = outcome {
            report(Event::Error(self.key, error));
        }
    }

    /// The poller forgot what was wanted when it reported some of it.
    fn want_what_is_left(&self, polled: &Polled, change: impl FnOnce(&mut Wanted)) -> io::Result<()> {
        let socket = self.socket();
        let Some(socket) = &*socket else { return Ok(()) };
        let mut wanted = lock(&self.wanted);
        change(&mut wanted);
        if wanted.is_nothing() { Ok(()) } else { polled.want(socket, self.key, *wanted) }
    }
}

pub(super) fn has_failed(raised: &::polling::Event) -> bool {
    raised.is_interrupt() || raised.is_err() == Some(true)
}
