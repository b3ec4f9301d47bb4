//! Virtual sockets in the hands of a program.

use std::io;
use std::time::Duration;

use super::handles::Handle;
use super::operations::Operation;
use super::state::{ListenerId, SocketId};
use super::world::Shared;
use crate::borrowed::Borrowed;
use crate::{Address, Batch, Credentials, Interest, Key, Read, Written};

#[derive(Debug)]
pub(crate) struct OsListener {
    pub(super) world: Shared,
    pub(super) id: ListenerId,
    pub(super) handle: Handle,
    pub(super) local: Address,
}

impl OsListener {
    pub(crate) fn local_address(&self) -> &Address {
        &self.local
    }
}

impl Drop for OsListener {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        state.close_listener(self.id);
        state.handles.close(self.handle);
    }
}

#[derive(Debug)]
pub(crate) struct Listener {
    pub(super) key: Key,
    pub(super) listener: OsListener,
}

impl Listener {
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn local_address(&self) -> &Address {
        &self.listener.local
    }

    pub(crate) fn accept(&self) -> io::Result<Option<(OsStream, Option<Address>)>> {
        let world = &self.listener.world;
        let mut state = world.lock();
        // It is gone if its process was killed.
        let Some(listener) = state.listeners.get(self.listener.id) else { return Ok(None) };
        let (host, Some(&id)) = (listener.host, listener.backlog.front()) else { return Ok(None) };
        let handle = state.open_handle(host, Some(id))?;
        state.listeners[self.listener.id].backlog.pop_front();
        let peer = state.sockets[id].remote.clone();
        drop(state);
        Ok(Some((OsStream { world: world.clone(), id, handle }, peer)))
    }

    pub(crate) fn rearm(&self) {
        let mut state = self.listener.world.lock();
        let Some(listener) = state.listeners.get(self.listener.id) else { return };
        let Some(registration) = listener.registration.filter(|_| state.faults.completions) else { return };
        let due = !listener.backlog.is_empty();
        state.launch(registration, Operation::Accept);
        if due {
            state.raise_acceptable(self.listener.id);
        }
    }
}

/// A connected socket. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct OsStream {
    pub(super) world: Shared,
    pub(super) id: SocketId,
    pub(super) handle: Handle,
}

impl OsStream {
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.world.lock().sockets.get(self.id)?.peer_credentials
    }
}

impl Drop for OsStream {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        state.close(self.id);
        state.handles.close(self.handle);
    }
}

#[derive(Debug)]
pub(crate) struct Stream {
    key: Key,
    stream: OsStream,
}

impl Stream {
    pub(super) fn new(key: Key, stream: OsStream) -> Stream {
        Stream { key, stream }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        self.stream.world.lock().read(self.stream.id, into)
    }

    pub(crate) fn is_drained_by(&self, count: usize, room: usize) -> bool {
        let state = self.stream.world.lock();
        count < room && state.sockets.get(self.stream.id).is_some_and(|socket| !socket.has_input())
    }

    pub(crate) fn write(&self, batch: Batch) -> Written {
        self.stream.world.lock().write(self.stream.id, batch)
    }

    pub(crate) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        self.stream.world.lock().write_borrowed(self.stream.id, borrowed)
    }

    pub(crate) fn reports_writable(&self) -> bool {
        !self.stream.world.lock().faults.completions
    }

    /// Nothing happens on a simulated machine while somebody sleeps.
    pub(crate) fn wait_writable(&self, _at_most: Duration) -> bool {
        false
    }

    pub(crate) fn shutdown_write(&self) {
        let mut state = self.stream.world.lock();
        if let Some(socket) = state.sockets.get_mut(self.stream.id) {
            socket.write_shut = true;
            state.start_delivery(self.stream.id);
        }
    }

    pub(crate) fn rearm(&self, interest: Interest) {
        self.stream.world.lock().rearm(self.stream.id, interest);
    }

    pub(crate) fn close(&self) {
        self.stream.world.lock().close(self.stream.id);
    }

    pub(crate) fn peer_address(&self) -> Option<Address> {
        self.stream.world.lock().sockets.get(self.stream.id)?.remote.clone()
    }

    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.stream.credentials()
    }

    pub(crate) fn local_address(&self) -> Option<Address> {
        self.stream.world.lock().sockets.get(self.stream.id)?.local.clone()
    }
}
