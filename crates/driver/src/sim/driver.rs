//! The two halves of a driver on the simulated machine.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::handles::PortNumber;
use super::host::Host;
use super::operations::Operation;
use super::source::{Listener, OsListener, OsStream, Stream};
use super::state::{DriverId, DriverState, ListenerState};
use super::world::Shared;
use crate::{Address, Event, Events, ListenOptions, StreamOptions};

#[derive(Debug)]
pub(crate) struct Driver(Remote);

impl Driver {
    /// `port`: which completion port it shares. Otherwise it has one of its own, and an epoll driver always has.
    pub(super) fn open(world: Shared, host: Host, port: Option<PortNumber>) -> Driver {
        let mut state = world.lock();
        let port = port.filter(|_| state.faults.completions).unwrap_or_else(|| state.handles.new_port());
        let id = state.drivers.insert(DriverState::new(host, port));
        drop(state);
        Driver(Remote { world, id })
    }

    pub(super) fn id(&self) -> DriverId {
        self.0.id
    }

    pub(crate) fn remote(&self) -> Remote {
        self.0.clone()
    }

    pub(crate) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        self.0.world.catch_up();
        let mut state = self.0.world.lock();
        if std::mem::take(&mut state.drivers[self.0.id].woken) {
            events.push(Event::Woken);
        }
        state.take_events(self.0.id).into_iter().for_each(|event| events.push(event));
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut state = self.0.world.lock();
        let driver = &mut state.drivers[self.0.id];
        driver.gone = true;
        driver.woken = false;
        let untaken = std::mem::take(&mut driver.events);
        drop(state);
        // They may hold memory of others, whose destructors know nothing of this lock.
        drop(untaken);
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(super) world: Shared,
    pub(super) id: DriverId,
}

impl Remote {
    pub(crate) fn reports_closed(&self) -> bool {
        self.world.lock().faults.completions
    }

    pub(crate) fn source_count(&self) -> usize {
        self.world.lock().drivers[self.id].sources.len()
    }

    pub(crate) fn wake(&self) {
        let driver = &mut self.world.lock().drivers[self.id];
        driver.woken = !driver.gone;
    }

    pub(crate) fn bind(&self, address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        let mut state = self.world.lock();
        let host = state.living_host(self.id)?;
        let local = match address {
            Address::Tcp(target) if target.port() == 0 => state.free_address(*target)?,
            Address::Ipc(path) if path == Path::new("*") => state.free_path(),
            address => address.clone(),
        };
        if state.is_in_use(&local) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let handle = state.open_handle(host, None)?;
        state.hosts.moves_in(host, &local);
        let id = state.listeners.insert(ListenerState {
            host,
            local: local.clone(),
            backlog: VecDeque::new(),
            backlog_limit: (options.backlog as usize).max(1),
            stream_options: options.stream.clone(),
            registration: None,
        });
        state.bound.insert(local.clone(), id);
        drop(state);
        Ok(OsListener { world: self.world.clone(), id, handle, local })
    }

    pub(crate) fn listen(&self, listener: OsListener) -> Result<Listener, (OsListener, io::Error)> {
        let mut state = self.world.lock();
        match state.register(self.id, listener.handle) {
            Ok(key) => {
                state.listeners[listener.id].registration = Some((self.id, key));
                state.launch((self.id, key), Operation::Accept);
                if !state.listeners[listener.id].backlog.is_empty() {
                    state.raise_acceptable(listener.id);
                }
                drop(state);
                Ok(Listener { key, listener })
            }
            Err(error) => {
                drop(state);
                Err((listener, error))
            }
        }
    }

    pub(crate) fn adopt(&self, stream: OsStream) -> Result<Arc<Stream>, (OsStream, io::Error)> {
        let registered = self.world.lock().register_stream(self.id, &stream);
        match registered {
            Ok(key) => Ok(Arc::new(Stream::new(key, stream))),
            Err(error) => Err((stream, error)),
        }
    }

    pub(crate) fn connect(&self, target: &Address, options: &StreamOptions) -> io::Result<Arc<Stream>> {
        let (id, handle, key) = self.world.lock().start_connecting(self.id, target, options)?;
        Ok(Arc::new(Stream::new(key, OsStream { world: self.world.clone(), id, handle })))
    }
}

impl super::state::State {
    /// Also by a listener that is closed, and has not come to its end.
    fn is_in_use(&self, address: &Address) -> bool {
        let mut sources = self.drivers.values().flat_map(|driver| driver.sources.values());
        self.bound.contains_key(address) || sources.any(|source| source.listened_on.as_ref() == Some(address))
    }

    /// A path that nobody uses.
    fn free_path(&mut self) -> Address {
        loop {
            let path =
                Address::Ipc(format!("/tmp/serverlink-{:012x}/socket", self.random.u64(..1 << 48)).into());
            if !self.is_in_use(&path) {
                return path;
            }
        }
    }

    /// An address with a port that nobody uses.
    pub(super) fn free_address(&mut self, mut address: SocketAddr) -> io::Result<Address> {
        for _ in 0..=u16::MAX {
            address.set_port(self.next_port);
            self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
            if !self.is_in_use(&Address::Tcp(address)) {
                return Ok(Address::Tcp(address));
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}
