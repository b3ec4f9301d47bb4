//! What a program's calls on sockets do.

use std::io::{self, Read as _};

use super::handles::Handle;
use super::host::Host;
use super::operations::{Operation, Source};
use super::socket::{Phase, Socket};
use super::source::OsStream;
use super::state::{Action, DriverId, ListenerId, SocketId, State};
use crate::borrowed::Borrowed;
use crate::{Address, Batch, Event, Interest, Key, Read, StreamOptions, Written};

impl State {
    pub(super) fn register_stream(&mut self, driver: DriverId, stream: &OsStream) -> io::Result<Key> {
        let key = self.register(driver, stream.handle)?;
        let socket = &mut self.sockets[stream.id];
        socket.registration = Some((driver, key));
        let due = socket.has_input();
        self.launch((driver, key), Operation::Receive);
        if due {
            self.raise(stream.id, Interest::Readable);
        }
        Ok(key)
    }

    pub(super) fn start_connecting(
        &mut self,
        driver: DriverId,
        target: &Address,
        options: &StreamOptions,
    ) -> io::Result<(SocketId, Handle, Key)> {
        let host = self.living_host(driver)?;
        let local = self.source_for(target, options)?;
        let id = self.new_socket(host, options);
        let handle = self.open_handle(host, Some(id)).inspect_err(|_| {
            self.sockets.remove(id);
        })?;
        let key = self.register(driver, handle).inspect_err(|_| {
            self.sockets.remove(id);
            self.handles.close(handle);
        })?;
        self.sockets[id].registration = Some((driver, key));
        self.launch((driver, key), Operation::Connect);
        self.start_attempt(id, target, local);
        Ok((id, handle, key))
    }

    /// A socket that is not connected, nor trying.
    pub(super) fn new_socket(&mut self, host: Host, options: &StreamOptions) -> SocketId {
        let buffer = self.faults.buffer_bytes;
        let (send, receive) = (options.send_buffer, options.receive_buffer);
        let (send, receive) = (send.unwrap_or(buffer), receive.unwrap_or(buffer));
        let socket = Socket::new(host, Phase::Connecting, send, receive);
        self.sockets.insert(Socket { options: options.clone(), ..socket })
    }

    pub(super) fn local_address_for(&mut self, target: &Address) -> io::Result<Option<Address>> {
        match target {
            Address::Tcp(target) => Ok(Some(self.free_address(*target)?)),
            Address::Ipc(_) => Ok(None),
        }
    }

    /// Our end of a connection to be made: what the options ask for, if nobody else of this machine has it.
    fn source_for(&mut self, target: &Address, options: &StreamOptions) -> io::Result<Option<Address>> {
        let (Address::Tcp(to), Some(source)) = (target, options.source) else {
            return self.local_address_for(target);
        };
        if source.is_ipv4() != to.is_ipv4() {
            let message = format!("the source address {source} cannot be used: {to} is of the other family");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if source.port() == 0 {
            return self.free_address(source).map(Some);
        }
        let source = Address::Tcp(source);
        let same = |socket: &Socket| {
            let alive = socket.phase != Phase::Closed;
            alive && socket.local.as_ref() == Some(&source) && socket.remote.as_ref() == Some(target)
        };
        if self.sockets.values().any(same) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok(Some(source))
    }

    pub(super) fn start_attempt(&mut self, id: SocketId, target: &Address, local: Option<Address>) {
        let socket = &mut self.sockets[id];
        (socket.local, socket.remote) = (local, Some(target.clone()));
        self.after_latency(Action::Establish(id));
    }

    /// A socket that has, or had, a connection and was not closed.
    fn connected(&self, id: SocketId) -> io::Result<&Socket> {
        let socket =
            self.sockets.get(id).filter(|socket| !matches!(socket.phase, Phase::Connecting | Phase::Closed));
        socket.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    pub(super) fn read(&mut self, id: SocketId, into: &mut [u8]) -> io::Result<Read> {
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
        socket.received.read_exact(&mut into[..count]).expect("so much is there");
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

    // ---- writing

    /// Takes what fits. The rest waits for `Writable`, or with completions for the driver, which keeps it.
    pub(super) fn write(&mut self, id: SocketId, mut batch: Batch) -> Written {
        match self.start_write(id, &mut batch) {
            Err(error) => Written::Failed(batch, error),
            Ok(()) if batch.remaining_bytes() == 0 => Written::Done(batch),
            Ok(()) if self.faults.completions => self.keep_sending(id, batch),
            Ok(()) => Written::Blocked(batch),
        }
    }

    /// Takes what fits, or any part of it. Nothing is kept.
    pub(super) fn write_borrowed(&mut self, id: SocketId, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        self.check_write(id)?;
        self.take_bytes(id, borrowed)
    }

    fn start_write(&mut self, id: SocketId, batch: &mut Batch) -> io::Result<()> {
        self.check_write(id)?;
        self.take_bytes(id, &mut Borrowed::new(batch, &mut &[][..]))
    }

    fn check_write(&mut self, id: SocketId) -> io::Result<()> {
        if self.connected(id)?.write_shut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let sending = self.source_mut(id).is_some_and(|source| source.sending.is_some());
        assert!(!sending, "a stream was written before Event::Written brought its pending batch back");
        Ok(())
    }

    fn source_mut(&mut self, id: SocketId) -> Option<&mut Source> {
        let (driver, key) = self.sockets.get(id)?.registration?;
        self.drivers[driver].sources.get_mut(key)
    }

    /// Into the kernel's buffer, as far as there is room.
    fn take_bytes(&mut self, id: SocketId, from: &mut Borrowed<'_, '_>) -> io::Result<()> {
        let socket = self.connected(id)?;
        if let Phase::Failed(kind) = socket.phase {
            return Err(kind.into());
        }
        let fits = socket.room().min(from.remaining_bytes());
        let mut count = self.cut(fits, self.faults.short_write);
        let socket = &mut self.sockets[id];
        while count > 0 {
            let bytes = from.current();
            let bytes = &bytes[..bytes.len().min(count)];
            socket.outgoing.extend(bytes);
            let taken = bytes.len();
            from.advance(taken);
            count -= taken;
        }
        socket.wants_write = from.remaining_bytes() > 0;
        if socket.wants_write && socket.has_room() {
            self.after_latency(Action::MakeRoom(id));
        }
        self.start_delivery(id);
        Ok(())
    }

    /// The rest of a write becomes a send in flight, which owns its memory.
    fn keep_sending(&mut self, id: SocketId, batch: Batch) -> Written {
        let Some(source) = self.source_mut(id) else {
            return Written::Failed(batch, io::ErrorKind::NotConnected.into());
        };
        source.sending = Some(Box::new(batch));
        source.in_flight.insert(Operation::Send);
        Written::Pending
    }

    /// The send in flight takes the room that there is, and ends with the last byte or with the connection.
    pub(super) fn continue_send(&mut self, id: SocketId) {
        let Some(mut batch) = self.source_mut(id).and_then(|source| source.sending.take()) else { return };
        let outcome = self.take_bytes(id, &mut Borrowed::new(&mut batch, &mut &[][..]));
        let Some(registration) = self.sockets[id].registration else { return };
        if outcome.is_ok() && batch.remaining_bytes() > 0 {
            self.source_mut(id).expect("it had the batch").sending = Some(batch);
        } else if self.land(registration, Operation::Send) {
            self.report(registration.0, Event::Written(registration.1, batch, outcome));
        }
    }

    // ---- the rest

    pub(super) fn rearm(&mut self, id: SocketId, interest: Interest) {
        // There is no `Writable` with completions, and nothing to ask for without.
        if !self.faults.completions || interest == Interest::Writable {
            return;
        }
        let Some(socket) = self.sockets.get(id) else { return };
        let Some(registration) = socket.registration else { return };
        let due = socket.has_input();
        self.launch(registration, Operation::Receive);
        if due {
            self.raise(id, Interest::Readable);
        }
    }

    pub(super) fn close_listener(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.remove(id) else { return };
        self.bound.remove(&listener.local);
        if let Some((driver, key)) = listener.registration {
            if let Some(source) = self.drivers[driver].sources.get_mut(key) {
                source.listened_on = Some(listener.local);
            }
            self.unregister((driver, key));
        }
        for waiting in listener.backlog {
            self.abort(waiting);
            self.close(waiting);
        }
    }
}
