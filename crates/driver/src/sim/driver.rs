//! The two halves of a driver on the simulated machine.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::source::{Listener, OsListener, OsStream, Stream};
use super::state::{DriverId, DriverState, ListenerState};
use super::world::Shared;
use crate::{Address, Event, Events, ListenOptions, StreamOptions};

#[derive(Debug)]
pub(crate) struct Driver(Remote);

impl Driver {
    pub(super) fn open(world: Shared) -> Driver {
        let id = world.lock().drivers.insert(DriverState::default());
        Driver(Remote { world, id })
    }

    pub(crate) fn remote(&self) -> Remote {
        self.0.clone()
    }

    pub(crate) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let mut state = self.0.world.lock();
        // Without latency things are due at once, and no time has to pass for them.
        let now = state.now;
        state.advance_to(now);
        let driver = &mut state.drivers[self.0.id];
        if std::mem::take(&mut driver.woken) {
            events.push(Event::Woken);
        }
        driver.events.drain(..).for_each(|event| events.push(event));
        Ok(())
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
        self.world.lock().drivers[self.id].woken = true;
    }

    pub(crate) fn bind(&self, address: &Address, options: &ListenOptions) -> io::Result<OsListener> {
        let mut state = self.world.lock();
        let local = match address {
            Address::Tcp(target) if target.port() == 0 => state.free_address(*target)?,
            address => address.clone(),
        };
        if state.bound.contains_key(&local) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.take_descriptor()?;
        let id = state.listeners.insert(ListenerState {
            local: local.clone(),
            backlog: VecDeque::new(),
            backlog_limit: (options.backlog as usize).max(1),
            stream_options: options.stream.clone(),
            registration: None,
            armed: true,
        });
        state.bound.insert(local.clone(), id);
        drop(state);
        Ok(OsListener { world: self.world.clone(), id, local })
    }

    pub(crate) fn listen(&self, listener: OsListener) -> Result<Listener, (OsListener, io::Error)> {
        let mut state = self.world.lock();
        match state.register(self.id) {
            Ok(key) => {
                state.listeners[listener.id].registration = Some((self.id, key));
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
        let registered = self.world.lock().register_stream(self.id, stream.id);
        match registered {
            Ok(key) => Ok(Arc::new(Stream::new(key, stream))),
            Err(error) => Err((stream, error)),
        }
    }

    pub(crate) fn connect(&self, target: &Address, options: &StreamOptions) -> io::Result<Arc<Stream>> {
        let (id, key) = self.world.lock().start_connecting(self.id, target, options)?;
        Ok(Arc::new(Stream::new(key, OsStream { world: self.world.clone(), id })))
    }
}

impl super::state::State {
    /// An address with a port that nobody uses.
    pub(super) fn free_address(&mut self, mut address: SocketAddr) -> io::Result<Address> {
        for _ in 0..=u16::MAX {
            address.set_port(self.next_port);
            self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
            if !self.bound.contains_key(&Address::Tcp(address)) {
                return Ok(Address::Tcp(address));
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}
