//! An outer poller over simulated drivers.

use std::io;
use std::time::Duration;

use super::driver::{Driver, Remote};
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
    pub(super) fn open(world: Shared) -> Outer {
        let mut state = world.lock();
        let port = state.handles.new_port();
        let id = state.outers.insert(OuterState::new(port));
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
        // Its wakers may live on; what they still do has nobody to tell, and an armed timer must not keep a test waiting.
        let mut state = self.0.world.lock();
        let port = state.outers[self.0.id].port;
        state.outers[self.0.id] = OuterState::new(port);
    }
}

impl OuterWaker {
    pub(crate) fn open_driver(&self) -> crate::Driver {
        let port = self.world.lock().outers[self.id].port;
        crate::Driver(DriverKind::Simulated(Driver::open(self.world.clone(), Some(port))))
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
        self.world.lock().outers[self.id].woken = true;
    }

    /// `None` disarms.
    pub(crate) fn arm(&self, after: Option<Duration>) {
        let mut state = self.world.lock();
        let armed = after.map(|after| state.now.saturating_add(after));
        state.outers[self.id].armed = armed;
    }
}
