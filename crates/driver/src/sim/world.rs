//! The handle of a test on its world.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::socket::Socket;
use super::state::State;
use super::{Association, Driver, Faults, Host, Outer, RawPort, RawSocket};
use crate::driver::DriverKind;
use crate::outer::OuterKind;
use crate::{Address, Credentials, StreamOptions};

/// A virtual network and a virtual clock. Clones are handles on the same world.
///
/// A world is `Send`, but what happens is repeatable only if one thread at a time uses it and everything made from it, in an order that the seed decides.
#[derive(Clone, Debug)]
pub struct World(pub(super) Shared);

#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is due now happens. Without latency things are due at once, and no time has to pass for them.
    pub(super) fn catch_up(&self) {
        self.advance_by(|state| state.now);
    }

    /// Does something that may leave memory of others behind, and drops that without the lock.
    pub(super) fn change(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        act(&mut state);
        let unclaimed = std::mem::take(&mut state.unclaimed);
        drop(state);
        // The owners of its memory may use this world.
        drop(unclaimed);
    }

    fn advance_by(&self, to: impl FnOnce(&State) -> Duration) {
        self.change(|state| {
            let to = to(state);
            state.advance_to(to);
        });
    }
}

impl World {
    /// A world in which nothing goes wrong.
    pub fn new(seed: u64) -> World {
        World::with_faults(seed, Faults::NONE)
    }

    /// A world in which things go wrong, under epoll's laws or a completion port's ([`Faults::completions`]).
    pub fn with_faults(seed: u64, faults: Faults) -> World {
        World(Shared(Arc::new(Mutex::new(State::new(seed, faults)))))
    }

    /// Changes what goes wrong from now on. The laws stay: a machine does not change its kernel while it runs.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.0.lock();
        state.faults = Faults { completions: state.faults.completions, ..faults };
    }

    /// Whether this machine keeps the laws of completion ports; otherwise they are epoll's.
    pub fn has_completions(&self) -> bool {
        self.0.lock().faults.completions
    }

    /// A new driver, on the first host.
    pub fn driver(&self) -> crate::Driver {
        self.driver_on(Host::FIRST)
    }

    /// A new driver on this host.
    pub fn driver_on(&self, host: Host) -> crate::Driver {
        crate::Driver(DriverKind::Simulated(Driver::open(self.0.clone(), host, None)))
    }

    /// A new outer poller over drivers of the first host.
    pub fn outer(&self) -> crate::Outer {
        self.outer_on(Host::FIRST)
    }

    /// A new outer poller over drivers of this host. Drivers that are opened through it are on the same host.
    pub fn outer_on(&self, host: Host) -> crate::Outer {
        crate::Outer(OuterKind::Simulated(Outer::open(self.0.clone(), host)))
    }

    /// The virtual now.
    pub fn now(&self) -> Instant {
        let state = self.0.lock();
        state.base + state.now
    }

    /// When the network or an armed outer timer does something next. `None`: nothing will happen by itself.
    pub fn next_due(&self) -> Option<Instant> {
        let state = self.0.lock();
        state.next_due().map(|due| state.base + due)
    }

    /// Lets time pass and things happen, in their order. Time never goes back: an earlier instant changes nothing.
    pub fn advance_to(&self, to: Instant) {
        self.0.advance_by(|state| to.saturating_duration_since(state.base));
    }

    /// Whether no driver has an event to report and no wake is pending: time has to pass before anybody can go on.
    pub fn is_quiet(&self) -> bool {
        self.0.lock().is_quiet()
    }

    /// How many connections are alive: connecting, established, or closed with bytes on the way.
    pub fn connection_count(&self) -> usize {
        self.0.lock().sockets.len()
    }

    /// What each connection was told when it was made or accepted: its own end, its peer's, and its options. In no particular order.
    pub fn stream_options(&self) -> Vec<(Option<Address>, Option<Address>, StreamOptions)> {
        let state = self.0.lock();
        let told = |socket: &Socket| (socket.local.clone(), socket.remote.clone(), socket.options.clone());
        state.sockets.values().map(told).collect()
    }

    /// Whose the processes of this machine are, for ipc connections that are made from now on. Until then: process 1, user and group 1000.
    pub fn set_credentials(&self, credentials: Credentials) {
        self.0.lock().credentials = credentials;
    }

    /// How many handles are open: of sockets that are registered or not, listening or not, and duplicates.
    pub fn descriptor_count(&self) -> usize {
        self.0.lock().handles.len()
    }

    /// How many sockets with an open handle are with a port, or in an epoll.
    pub fn associated_count(&self) -> usize {
        self.0.lock().handles.associated_count()
    }

    /// How many sources are registered with all drivers together, those included whose last operation has not come home.
    pub fn registration_count(&self) -> usize {
        self.0.lock().drivers.values().map(|driver| driver.sources.len()).sum()
    }

    /// How many operations are in flight, those included that were cancelled and did not come home. None under epoll's laws.
    pub fn operation_count(&self) -> usize {
        let state = self.0.lock();
        let sources = state.drivers.values().flat_map(|driver| driver.sources.values());
        sources.map(|source| source.in_flight.len()).sum()
    }

    /// How many drivers somebody can wait on.
    pub fn driver_count(&self) -> usize {
        self.0.lock().drivers.values().filter(|driver| !driver.gone).count()
    }

    /// How many addresses are in use by listeners.
    pub fn bound_count(&self) -> usize {
        self.0.lock().bound.len()
    }

    /// The ledger: every socket that was to be associated with a port since the world began, also if it is long closed.
    pub fn associations(&self) -> Vec<Association> {
        self.0.lock().handles.associations()
    }

    /// How many attempts to associate a socket were refused since the world began, because a port had it.
    pub fn refused_associations(&self) -> usize {
        self.0.lock().handles.ledger.refused()
    }

    /// A port without a driver, for a test that shows what a wrong design does.
    pub fn raw_port(&self) -> RawPort {
        RawPort::open(self.0.clone())
    }

    /// A socket by its bare handle value, for a test that shows what a wrong design does.
    ///
    /// # Errors
    /// The process holds as many sockets as it may.
    pub fn raw_socket(&self) -> io::Result<RawSocket> {
        RawSocket::open(self.0.clone())
    }

    /// From now on the process may hold so many sockets; `accept`, `connect` and `bind` fail beyond. `None` lifts the limit.
    pub fn set_descriptor_limit(&self, limit: Option<usize>) {
        self.0.lock().descriptor_limit = limit.unwrap_or(usize::MAX);
    }

    /// The next so many registrations fail: `listen` and `adopt` give their object back, `connect` gives up its attempt.
    pub fn fail_registrations(&self, count: usize) {
        self.0.lock().failing_registrations = count;
    }

    /// The next connection that is made breaks when it has carried exactly so many bytes, in both directions together. Several calls are for several connections, in order.
    pub fn reset_next_connection_at(&self, carried_bytes: u64) {
        self.0.lock().dooms.push_back(carried_bytes);
    }

    /// No connection is doomed any more, neither those that stand nor those that [`reset_next_connection_at`](World::reset_next_connection_at)
    /// is still to meet.
    pub fn spare_connections(&self) {
        let mut state = self.0.lock();
        state.dooms.clear();
        state.links.values_mut().for_each(|link| link.doom = None);
    }

    /// Breaks every connection now. Both ends see a reset after the bytes that already arrived.
    pub fn reset_connections(&self) {
        self.0.lock().reset_all();
    }

    /// Frozen, the network delivers nothing and reports no loss: the other end just went silent. Thawed, it goes on where it stopped.
    pub fn set_frozen(&self, frozen: bool) {
        self.0.lock().set_frozen(frozen);
    }
}

/// The error of a process that holds too many sockets (EMFILE on every system we know that has errno).
pub(super) fn out_of_descriptors() -> io::Error {
    io::Error::from_raw_os_error(24)
}
