//! Completion ports: a call starts an operation, and a packet says how it ended.

mod channel;
mod datagrams;
mod door;
mod flights;
mod listener;
mod port;
mod registered;
mod source;
mod stream;

use std::io;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use slotmap::SlotMap;
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, STATUS_INSUFFICIENT_RESOURCES};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};

pub(crate) use datagrams::Datagrams;
pub(crate) use listener::Listener;
/// What is registered from the first moment on.
pub(super) use registered::Registered;
pub(crate) use stream::Stream;

use flights::{Flights, Landing};
use registered::{NumberedPort, SystemObject};
use source::{Home, Role};

use super::{error, lock};
use crate::port::{MemberId, Well};
use crate::{Event, Key};

/// How long an operation that the system had no memory for waits until it is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(10);
/// How long a port waits for its last operations before it closes and leaves their memory to the system.
const DRAIN_FOR: Duration = Duration::from_secs(2);

/// A completion port, its sources, and the operations that are in flight.
#[derive(Debug)]
pub(crate) struct Iocp {
    port: NumberedPort,
    flights: Flights,
    sources: Mutex<SlotMap<Key, MemberId>>,
    /// In flight by name only: the system lacked memory for them.
    postponed: Mutex<Vec<Postponed>>,
}

#[derive(Clone, Copy, Debug)]
struct Postponed(*mut OVERLAPPED);

// SAFETY: the pointer is a name to be looked up among the flights, and never followed.
unsafe impl Send for Postponed {}

/// What became of a launch.
#[derive(Debug)]
enum Launched {
    /// It will come home.
    Pending,
    /// It succeeded at once and moved so many bytes.
    Done(usize),
    /// It failed at once.
    Failed(io::Error),
    /// It is in flight already.
    Busy,
}

impl Iocp {
    pub(crate) fn open() -> io::Result<Iocp> {
        Ok(Iocp {
            port: NumberedPort::open()?,
            flights: Flights::default(),
            sources: Mutex::default(),
            postponed: Mutex::default(),
        })
    }

    /// How many sources of this member are registered, those included whose last operation has not come home.
    pub(crate) fn source_count(&self, member: MemberId) -> usize {
        lock(&self.sources).values().filter(|of| **of == member).count()
    }

    /// Names a source.
    fn name(&self, member: MemberId) -> Key {
        lock(&self.sources).insert(member)
    }

    /// Registers an object of the system for life, under a name of its own. Failure gives it back.
    fn register<T: SystemObject>(
        &self,
        member: MemberId,
        object: T,
    ) -> Result<(Key, Registered<T>), (T, io::Error)> {
        let key = self.name(member);
        match self.associate(key, object) {
            Ok(registered) => Ok((key, registered)),
            Err(failure) => {
                lock(&self.sources).remove(key);
                Err(failure)
            }
        }
    }

    /// Registers an object of the system for life, as part of a source that has a name.
    fn associate<T: SystemObject>(&self, key: Key, object: T) -> Result<Registered<T>, (T, io::Error)> {
        Registered::new(&self.port, key, object)
    }

    /// Starts an operation. `call` hands its memory to one call of the system, on a handle that is associated with this port.
    fn launch(
        &self,
        home: Arc<dyn Home>,
        role: Role,
        skips_packets: bool,
        call: impl FnOnce(*mut OVERLAPPED) -> io::Result<()>,
    ) -> Launched {
        let Some(pointer) = self.flights.begin(&home, role) else { return Launched::Busy };
        home.source().hold();
        let failure = match call(pointer) {
            Ok(()) if skips_packets => None,
            Ok(()) => return Launched::Pending,
            Err(error) if error.raw_os_error() == Some(ERROR_IO_PENDING as i32) => return Launched::Pending,
            Err(error) if error::is_out_of_memory(&error) => {
                self.postpone(pointer);
                return Launched::Pending;
            }
            Err(error) => Some(error),
        };
        let landing = self.flights.land(pointer);
        self.release(home);
        match (failure, landing) {
            (Some(error), _) => Launched::Failed(error),
            (None, landing) => Launched::Done(landing.map_or(0, |landing| landing.bytes)),
        }
    }

    /// Lets an operation that the system has no memory for come home a little later, as one that failed for that reason.
    fn postpone(&self, pointer: *mut OVERLAPPED) {
        lock(&self.postponed).push(Postponed(pointer));
        // Whoever waits now does not know that there is something to do in a moment. If he cannot be told, the next packet tells.
        let _ = self.interrupt();
    }

    /// Gives back a hold on a source. Behind the last one comes its last packet.
    fn release(&self, home: Arc<dyn Home>) {
        if home.source().release() {
            self.post(home, Role::Farewell);
        }
    }

    /// Lets something come home that the system has no part in: through the port, so that it overtakes nothing.
    fn post(&self, home: Arc<dyn Home>, role: Role) {
        if let Some(pointer) = self.flights.begin(&home, role)
            && self.port.port.post(pointer).is_err()
        {
            self.postpone(pointer);
        }
    }

    fn complete(&self, landing: Landing, events: &mut Vec<(MemberId, Event)>) {
        let Landing { flight, status, bytes, is_forgotten } = landing;
        let is_over = flight.role == Role::Farewell || {
            let outcome = match status {
                _ if is_forgotten && matches!(flight.role, Role::Receive | Role::Send) => {
                    Err(error::forgotten())
                }
                0.. => Ok(bytes),
                status => Err(error::from_status(status)),
            };
            Arc::clone(&flight.home).complete(flight.role, outcome, self, events);
            flight.home.source().release()
        };
        if is_over {
            let source = flight.home.source();
            lock(&self.sources).remove(source.key);
            events.push((source.member, Event::Closed(source.key)));
        }
    }
}

impl Well for Iocp {
    fn take(&self, taken: &mut Vec<(MemberId, Event)>, timeout: Option<Duration>) -> io::Result<()> {
        let postponed = mem::take(&mut *lock(&self.postponed));
        let timeout = match timeout {
            _ if postponed.is_empty() => timeout,
            timeout => Some(timeout.unwrap_or(RETRY_AFTER).min(RETRY_AFTER)),
        };
        let mut entries = [OVERLAPPED_ENTRY::default(); port::BATCH];
        let outcome = self.port.port.dequeue(&mut entries, timeout).map(|entries| {
            let landings = entries.iter().filter_map(|entry| self.flights.land_with(entry));
            landings.for_each(|landing| self.complete(landing, taken));
        });
        for Postponed(pointer) in postponed {
            if let Some(landing) = self.flights.land(pointer) {
                self.complete(Landing { status: STATUS_INSUFFICIENT_RESOURCES, ..landing }, taken);
            }
        }
        outcome
    }

    fn interrupt(&self) -> io::Result<()> {
        self.port.port.post(std::ptr::null_mut())
    }
}

impl Drop for Iocp {
    /// Every source is closed by now, so its operations are on their way home.
    fn drop(&mut self) {
        let deadline = Instant::now() + DRAIN_FOR;
        for Postponed(pointer) in mem::take(&mut *lock(&self.postponed)) {
            self.flights.land(pointer);
        }
        let mut entries = [OVERLAPPED_ENTRY::default(); port::BATCH];
        while !self.flights.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.port.port.dequeue(&mut entries, Some(left)) {
                Ok(entries) if !entries.is_empty() => {
                    for entry in entries {
                        self.flights.land(entry.lpOverlapped);
                    }
                }
                Ok(_) if !left.is_zero() => {}
                _ => return self.flights.leak(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
