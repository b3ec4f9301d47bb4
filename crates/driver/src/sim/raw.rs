//! Ports and sockets without our types around them.
//!
//! Nothing here is used by the drivers. It is for tests that want to show what a design does that passes bare handle values around: the
//! same table of handles and the same laws as for the drivers, and nobody who keeps the program from breaking them.

use std::io;

use super::handles::{Handle, PortNumber};
use super::host::Host;
use super::operations::{Operation, Source};
use super::state::{DriverId, DriverState};
use super::world::Shared;
use crate::{Address, Event, StreamOptions};

/// A completion port of the simulated machine, or an epoll where the machine keeps epoll's laws. Dropping it closes it.
#[derive(Debug)]
pub struct RawPort {
    world: Shared,
    number: PortNumber,
    queue: DriverId,
}

impl RawPort {
    pub(super) fn open(world: Shared) -> RawPort {
        let mut state = world.lock();
        let number = state.handles.new_port();
        let queue = state.drivers.insert(DriverState::new(Host::FIRST, number));
        drop(state);
        RawPort { world, number, queue }
    }

    /// Takes what happened: the value of the handle that was associated, and how its attempt to connect ended. Other events are dropped.
    pub fn take(&self) -> Vec<(u32, io::Result<()>)> {
        self.world.catch_up();
        let mut state = self.world.lock();
        let events: Vec<Event> = state.drivers[self.queue].events.drain(..).collect();
        let sources = &state.drivers[self.queue].sources;
        let outcome = |event| match event {
            Event::Connected(key, outcome) => Some((sources.get(key)?.handle.value, outcome)),
            _ => None,
        };
        events.into_iter().filter_map(outcome).collect()
    }
}

impl Drop for RawPort {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        let queue = &mut state.drivers[self.queue];
        queue.gone = true;
        queue.sources.clear();
        queue.events.clear();
    }
}

/// A handle value, and nothing more: cloning it copies the number, nobody owns what it stands for, and once it is closed the number
/// soon stands for another socket.
#[derive(Clone, Debug)]
pub struct RawSocket {
    world: Shared,
    value: u32,
}

impl RawSocket {
    pub(super) fn open(world: Shared) -> io::Result<RawSocket> {
        let mut state = world.lock();
        state.check_descriptor_limit(Host::FIRST)?;
        let id = state.new_socket(Host::FIRST, &StreamOptions::default());
        let value = state.handles.open(Host::FIRST, Some(id)).value;
        drop(state);
        Ok(RawSocket { world, value })
    }

    /// The number that the program sees.
    pub fn value(&self) -> u32 {
        self.value
    }

    /// Shows the socket to a port: `CreateIoCompletionPort`, or `epoll_ctl` with `EPOLL_CTL_ADD`.
    ///
    /// # Errors
    /// 87 (`ERROR_INVALID_PARAMETER`) where a completion port has, or had, the socket already, be it this one. 17 (`EEXIST`) where this epoll
    /// watches this handle. 6 (`ERROR_INVALID_HANDLE`) if the value stands for nothing.
    pub fn associate(&self, port: &RawPort) -> io::Result<()> {
        let mut state = self.world.lock();
        let handle = state.handles.find(self.value)?;
        let for_life = state.faults.completions;
        state.handles.associate(handle, port.number, for_life)?;
        let key = state.drivers[port.queue].sources.insert(Source::new(handle));
        if let Some(id) = state.handles.socket(handle) {
            state.sockets[id].registration = Some((port.queue, key));
            state.launch((port.queue, key), Operation::Connect);
        }
        Ok(())
    }

    /// Takes the socket out of an epoll again (`EPOLL_CTL_DEL`).
    ///
    /// # Errors
    /// `Unsupported` where the machine keeps the laws of completion ports, which have no such call. 6 if the value stands for nothing.
    pub fn forget(&self, port: &RawPort) -> io::Result<()> {
        let mut state = self.world.lock();
        let handle = state.handles.find(self.value)?;
        if state.faults.completions {
            let error = "a completion port keeps a handle for life: close the socket and make another one";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        state.handles.forget(handle, port.number);
        state.drivers[port.queue].sources.retain(|_, source| source.handle != handle);
        Ok(())
    }

    /// Another handle on the same socket: `DuplicateHandle`, or `dup`.
    ///
    /// # Errors
    /// 6 if the value stands for nothing; no descriptors.
    pub fn duplicate(&self) -> io::Result<RawSocket> {
        let mut state = self.world.lock();
        state.check_descriptor_limit(Host::FIRST)?;
        let value = state.handles.duplicate(self.value)?.value;
        Ok(RawSocket { world: self.world.clone(), value })
    }

    /// Starts to connect. The port that has the socket then says how that ended.
    ///
    /// # Errors
    /// 6 if the value stands for nothing; no free port.
    pub fn connect(&self, target: &Address) -> io::Result<()> {
        let mut state = self.world.lock();
        let handle = state.handles.find(self.value)?;
        match state.handles.socket(handle) {
            Some(id) => {
                let local = state.local_address_for(target)?;
                state.start_attempt(id, target, local);
                Ok(())
            }
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Closes whatever the value stands for, and the socket behind it if this was its last handle.
    ///
    /// # Errors
    /// 6 if the value stands for nothing.
    pub fn close(&self) -> io::Result<()> {
        let mut state = self.world.lock();
        let handle = state.handles.find(self.value)?;
        state.close_raw(handle);
        Ok(())
    }
}

impl super::state::State {
    fn close_raw(&mut self, handle: Handle) {
        let socket = self.handles.socket(handle).filter(|_| !self.handles.is_shared(handle));
        if let Some(id) = socket {
            self.close(id);
        }
        self.handles.close(handle);
    }
}
