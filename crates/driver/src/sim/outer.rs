//! An outer poller over simulated drivers.

use std::io;
use std::time::Duration;

use super::driver::{Driver, Remote};
use super::host::Host;
use super::state::{OuterId, OuterState};
use super::world::Shared;
use crate::driver::DriverKind;

#[derive(Debug)]
pub(crate) struct Outer(OuterWaker);

#[derive(Clone, Debug)]
pub(crate) struct OuterWaker {
    world: Shared,
    id: OuterId,
}

impl Outer {
    pub(super) fn open(world: Shared, host: Host) -> Outer {
        let mut state = world.lock();
        let port = state.handles.new_port();
        let id = state.outers.insert(OuterState::new(host, port));
        drop(state);
        Outer(OuterWaker { world, id })
    }

    pub(crate) fn waker(&self) -> OuterWaker {
        self.0.clone()
    }

    pub(crate) fn wait(&mut self, ready: &mut Vec<u64>) {
        self.0.world.catch_up();
        let mut state = self.0.world.lock();
        state.outers[self.0.id].woken = false;
        let (outer, drivers) = (&state.outers[self.0.id], &state.drivers);
        let has_news = |driver| {
            let driver: &super::state::DriverState = &drivers[driver];
            driver.woken || !driver.events.is_empty()
        };
        ready.extend(
            outer
                .drivers
                .iter()
                .filter(|(_, (driver, masked))| !masked && has_news(*driver))
                .map(|(token, _)| *token),
        );
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        self.0.world.lock().outers[self.0.id].end();
    }
}

impl OuterWaker {
    pub(crate) fn open_driver(&self) -> crate::Driver {
        let (host, port, gone) = {
            let outer = &self.world.lock().outers[self.id];
            (outer.host, outer.port, outer.gone)
        };
        let driver = Driver::open(self.world.clone(), host, Some(port));
        self.world.lock().drivers[driver.id()].gone = gone;
        crate::Driver(DriverKind::Simulated(driver))
    }

    pub(crate) fn add(&self, driver: &Remote, token: u64) -> io::Result<()> {
        let mut state = self.world.lock();
        let drivers = &mut state.outers[self.id].drivers;
        if drivers.contains_key(&token) || drivers.values().any(|(known, _)| *known == driver.id) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        drivers.insert(token, (driver.id, false));
        Ok(())
    }

    pub(crate) fn set_masked(&self, token: u64, masked: bool) -> io::Result<()> {
        let mut state = self.world.lock();
        let entry = state.outers[self.id].drivers.get_mut(&token);
        entry.map(|(_, was)| *was = masked).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn remove(&self, token: u64) -> io::Result<()> {
        let removed = self.world.lock().outers[self.id].drivers.remove(&token);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn wake(&self) {
        let outer = &mut self.world.lock().outers[self.id];
        outer.woken = !outer.gone;
    }

    /// `None` disarms.
    pub(crate) fn arm(&self, after: Option<Duration>) {
        let mut state = self.world.lock();
        let gone = state.outers[self.id].gone;
        let armed = after.filter(|_| !gone).map(|after| state.now.saturating_add(after));
        state.outers[self.id].armed = armed;
    }
}
