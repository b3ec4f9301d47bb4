//! Virtual sockets in the hands of a program.

use std::io;

use super::socket::{Phase, Socket};
use super::state::{Action, DriverId, ListenerId, SocketId, State};
use super::world::Shared;
use crate::{Address, Batch, Interest, Key, Read, StreamOptions, Written};

#[derive(Debug)]
pub(crate) struct OsListener {
    pub(super) world: Shared,
    pub(super) id: ListenerId,
    pub(super) local: Address,
}

impl OsListener {
    pub(crate) fn local_address(&self) -> &Address {
        &self.local
    }
}

impl Drop for OsListener {
    fn drop(&mut self) {
        self.world.lock().close_listener(self.id);
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
        if state.listeners[self.listener.id].backlog.is_empty() {
            return Ok(None);
        }
        state.take_descriptor()?;
        let Some(id) = state.listeners[self.listener.id].backlog.pop_front() else { return Ok(None) };
        let peer = state.sockets[id].remote.clone();
        drop(state);
        Ok(Some((OsStream { world: world.clone(), id }, peer)))
    }

    pub(crate) fn rearm(&self) {
        let mut state = self.listener.world.lock();
        if !state.faults.completions {
            return;
        }
        let listener = &mut state.listeners[self.listener.id];
        listener.armed = true;
        if !listener.backlog.is_empty() {
            state.raise_acceptable(self.listener.id);
        }
    }
}

/// A connected socket. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct OsStream {
    pub(super) world: Shared,
    pub(super) id: SocketId,
}

impl Drop for OsStream {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        state.close(self.id);
        state.descriptors -= 1;
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

    pub(crate) fn write(&self, mut batch: Batch) -> Written {
        match self.stream.world.lock().write(self.stream.id, &mut batch) {
            Ok(()) if batch.remaining_bytes() == 0 => Written::Done(batch),
            Ok(()) => Written::Blocked(batch),
            Err(error) => Written::Failed(batch, error),
        }
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

    pub(crate) fn local_address(&self) -> Option<Address> {
        self.stream.world.lock().sockets.get(self.stream.id)?.local.clone()
    }
}

impl State {
    pub(super) fn register_stream(&mut self, driver: DriverId, id: SocketId) -> io::Result<Key> {
        let key = self.register(driver)?;
        let socket = &mut self.sockets[id];
        socket.registration = Some((driver, key));
        if socket.has_input() {
            self.raise(id, Interest::Readable);
        }
        Ok(key)
    }

    pub(super) fn start_connecting(
        &mut self,
        driver: DriverId,
        target: &Address,
        options: &StreamOptions,
    ) -> io::Result<(SocketId, Key)> {
        let local = match target {
            Address::Tcp(target) => Some(self.free_address(*target)?),
            Address::Ipc(_) => None,
        };
        self.take_descriptor()?;
        let buffer = self.faults.buffer_bytes;
        let mut socket = Socket::new(
            Phase::Connecting,
            options.send_buffer.unwrap_or(buffer),
            options.receive_buffer.unwrap_or(buffer),
        );
        let key = self.drivers[driver].sources.insert(());
        (socket.local, socket.remote) = (local, Some(target.clone()));
        socket.registration = Some((driver, key));
        let id = self.sockets.insert(socket);
        self.after_latency(Action::Establish(id));
        Ok((id, key))
    }

    /// A socket that has, or had, a connection and was not closed.
    fn connected(&self, id: SocketId) -> io::Result<&Socket> {
        let socket =
            self.sockets.get(id).filter(|socket| !matches!(socket.phase, Phase::Connecting | Phase::Closed));
        socket.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn read(&mut self, id: SocketId, into: &mut [u8]) -> io::Result<Read> {
        let socket = self.connected(id)?;
        if into.is_empty() {
            return Ok(Read::Bytes(0));
        }
        let available = socket.received.len().min(into.len());
        if available == 0 {
            return match socket.phase {
                Phase::Failed(kind) => Err(kind.into()),
                _ if socket.ended => Ok(Read::End),
                _ => Ok(Read::WouldBlock),
            };
        }
        let count = self.cut(available, self.faults.short_read);
        let socket = &mut self.sockets[id];
        for (to, from) in into.iter_mut().zip(socket.received.drain(..count)) {
            *to = from;
        }
        let peer = socket.peer;
        if count < available {
            // As if the rest had come just now.
            self.raise(id, Interest::Readable);
        }
        if let Some(peer) = peer {
            self.start_delivery(peer);
        }
        Ok(Read::Bytes(count))
    }

    /// Takes what fits. Not everything: the writer waits for `Writable`.
    fn write(&mut self, id: SocketId, batch: &mut Batch) -> io::Result<()> {
        let socket = self.connected(id)?;
        match socket.phase {
            Phase::Failed(kind) => return Err(kind.into()),
            _ if socket.write_shut => return Err(io::ErrorKind::BrokenPipe.into()),
            _ => {}
        }
        let fits = socket.send_capacity.saturating_sub(socket.outgoing.len()).min(batch.remaining_bytes());
        let mut count = self.cut(fits, self.faults.short_write);
        let socket = &mut self.sockets[id];
        while count > 0 {
            let bytes = batch.current();
            let bytes = &bytes[..bytes.len().min(count)];
            socket.outgoing.extend(bytes);
            let taken = bytes.len();
            batch.advance(taken);
            count -= taken;
        }
        socket.wants_write = batch.remaining_bytes() > 0;
        if socket.wants_write && socket.has_room() {
            self.after_latency(Action::MakeRoom(id));
        }
        self.start_delivery(id);
        Ok(())
    }

    fn rearm(&mut self, id: SocketId, interest: Interest) {
        if !self.faults.completions {
            return;
        }
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let due = match interest {
            Interest::Readable => {
                socket.readable_armed = true;
                socket.has_input()
            }
            Interest::Writable => {
                socket.writable_armed = true;
                socket.wants_write && socket.has_room()
            }
        };
        if due {
            self.raise(id, interest);
        }
    }

    fn close_listener(&mut self, id: ListenerId) {
        self.descriptors -= 1;
        let Some(listener) = self.listeners.remove(id) else { return };
        self.bound.remove(&listener.local);
        if let Some(registration) = listener.registration {
            self.unregister(registration);
        }
        for waiting in listener.backlog {
            self.reset(waiting);
            self.close(waiting);
        }
    }
}
