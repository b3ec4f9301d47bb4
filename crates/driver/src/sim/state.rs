//! Everything there is in a world: tables, time and what is due.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use slotmap::SlotMap;

use super::Faults;
use super::handles::{Handle, Handles, PortNumber};
use super::host::{Host, Hosts};
use super::operations::{Operation, Source};
use super::socket::Socket;
use super::world::out_of_descriptors;
use crate::{Address, Batch, Credentials, Event, Key, StreamOptions};

slotmap::new_key_type! {
    pub(super) struct SocketId;
    pub(super) struct ListenerId;
    pub(super) struct LinkId;
    pub(super) struct DriverId;
    pub(super) struct OuterId;
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) faults: Faults,
    pub(super) random: fastrand::Rng,
    /// The real clock is read once, because an `Instant` cannot be made from nothing; only differences are ever used.
    pub(super) base: Instant,
    pub(super) now: Duration,
    due: BTreeMap<(Duration, u64), Action>,
    sequence: u64,
    pub(super) sockets: SlotMap<SocketId, Socket>,
    pub(super) links: SlotMap<LinkId, Link>,
    pub(super) listeners: SlotMap<ListenerId, ListenerState>,
    pub(super) bound: BTreeMap<Address, ListenerId>,
    pub(super) drivers: SlotMap<DriverId, DriverState>,
    pub(super) outers: SlotMap<OuterId, OuterState>,
    pub(super) next_port: u16,
    pub(super) handles: Handles,
    pub(super) descriptor_limit: usize,
    pub(super) failing_registrations: usize,
    pub(super) dooms: VecDeque<u64>,
    pub(super) frozen: bool,
    /// Of every process on this machine.
    pub(super) credentials: Credentials,
    /// What came due while the network was frozen or cut there.
    pub(super) held: Vec<Action>,
    pub(super) hosts: Hosts,
    /// Came back to drivers that are gone; dropped when the world is unlocked.
    pub(super) unclaimed: Vec<Batch>,
}

/// What happens later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// An attempt to connect reaches its target.
    Establish(SocketId),
    /// What this socket wrote reaches its peer.
    Deliver(SocketId),
    /// This socket hears that its peer broke the connection.
    Reset(SocketId),
    /// A write that was cut short may go on.
    MakeRoom(SocketId),
    /// A receive is to end though nothing came.
    Abort(DriverId, Key),
    /// A cancelled operation of a closed source ends.
    ComeHome(DriverId, Key, Operation),
}

/// One connection, both directions.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) carried_bytes: u64,
    /// It breaks when it has carried so much.
    pub(super) doom: Option<u64>,
    pub(super) ends: usize,
}

#[derive(Debug)]
pub(super) struct ListenerState {
    pub(super) host: Host,
    pub(super) local: Address,
    pub(super) backlog: VecDeque<SocketId>,
    pub(super) backlog_limit: usize,
    pub(super) stream_options: StreamOptions,
    pub(super) registration: Option<(DriverId, Key)>,
}

#[derive(Debug)]
pub(super) struct DriverState {
    pub(super) host: Host,
    pub(super) port: PortNumber,
    pub(super) sources: SlotMap<Key, Source>,
    pub(super) events: VecDeque<Event>,
    pub(super) woken: bool,
    pub(super) last_closed: Option<Key>,
    /// Nobody waits here any more, or its process was killed. What its sources still have under way ends all the same.
    pub(super) gone: bool,
}

impl DriverState {
    pub(super) fn new(host: Host, port: PortNumber) -> DriverState {
        DriverState {
            host,
            port,
            sources: SlotMap::with_key(),
            events: VecDeque::new(),
            woken: false,
            last_closed: None,
            gone: false,
        }
    }
}

#[derive(Debug)]
pub(super) struct OuterState {
    pub(super) host: Host,
    /// Completion ports do not nest: all drivers that are opened here have this one.
    pub(super) port: PortNumber,
    pub(super) drivers: BTreeMap<u64, (DriverId, bool)>,
    pub(super) woken: bool,
    pub(super) armed: Option<Duration>,
    pub(super) gone: bool,
}

impl OuterState {
    pub(super) fn new(host: Host, port: PortNumber) -> OuterState {
        OuterState { host, port, drivers: BTreeMap::new(), woken: false, armed: None, gone: false }
    }

    /// Nobody waits here any more. Wakers may live on; what they still do has nobody to tell, and an armed timer must not keep a test
    /// waiting.
    pub(super) fn end(&mut self) {
        *self = OuterState { gone: true, ..OuterState::new(self.host, self.port) };
    }
}

impl State {
    pub(super) fn new(seed: u64, faults: Faults) -> State {
        State {
            faults,
            random: fastrand::Rng::with_seed(seed),
            base: Instant::now(),
            now: Duration::ZERO,
            due: BTreeMap::new(),
            sequence: 0,
            sockets: SlotMap::with_key(),
            links: SlotMap::with_key(),
            listeners: SlotMap::with_key(),
            bound: BTreeMap::new(),
            drivers: SlotMap::with_key(),
            outers: SlotMap::with_key(),
            next_port: 49_152,
            handles: Handles::default(),
            descriptor_limit: usize::MAX,
            failing_registrations: 0,
            dooms: VecDeque::new(),
            frozen: false,
            credentials: Credentials { process: Some(1), user: Some(1000), group: Some(1000) },
            held: Vec::new(),
            hosts: Hosts::default(),
            unclaimed: Vec::new(),
        }
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let network = self.due.keys().next().map(|(due, _)| *due);
        let running = self.outers.values().filter(|outer| !self.hosts.is_suspended(outer.host));
        running.filter_map(|outer| outer.armed).chain(network).min()
    }

    pub(super) fn advance_to(&mut self, to: Duration) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= to) {
            let ((due, _), action) = entry.remove_entry();
            self.now = self.now.max(due);
            self.perform(action);
        }
        self.now = self.now.max(to);
        for outer in
            self.outers.values_mut().filter(|outer| outer.armed.is_some_and(|armed| armed <= self.now))
        {
            outer.armed = None;
            outer.woken = true;
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        let runs = |host| !self.hosts.is_suspended(host);
        let drivers = self.drivers.values().filter(|driver| runs(driver.host));
        let outers = self.outers.values().filter(|outer| runs(outer.host));
        drivers.into_iter().all(|driver| driver.events.is_empty() && !driver.woken)
            && outers.into_iter().all(|outer| !outer.woken)
    }

    pub(super) fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.random.f64() < chance
    }

    /// From one to all of so many bytes: all, unless the chance strikes.
    pub(super) fn cut(&mut self, bytes: usize, chance: f64) -> usize {
        if bytes > 1 && self.chance(chance) { self.random.usize(1..=bytes) } else { bytes }
    }

    pub(super) fn after_latency(&mut self, action: Action) {
        let latency = self.duration_between(self.faults.min_latency, self.faults.max_latency);
        self.after(latency, action);
    }

    pub(super) fn after(&mut self, delay: Duration, action: Action) {
        self.sequence += 1;
        self.due.insert((self.now + delay, self.sequence), action);
    }

    pub(super) fn duration_between(&mut self, min: Duration, max: Duration) -> Duration {
        let (min, max) = (min.as_nanos() as u64, max.as_nanos() as u64);
        Duration::from_nanos(if min < max { self.random.u64(min..=max) } else { min })
    }

    /// A handle for the program, if it may have one more.
    pub(super) fn open_handle(&mut self, host: Host, socket: Option<SocketId>) -> io::Result<Handle> {
        self.check_descriptor_limit(host)?;
        Ok(self.handles.open(host, socket))
    }

    pub(super) fn check_descriptor_limit(&self, host: Host) -> io::Result<()> {
        let of_host =
            self.hosts.descriptor_limit(host).is_none_or(|limit| self.handles.count_of(host) < limit);
        let of_all = self.handles.len() < self.descriptor_limit;
        if of_host && of_all { Ok(()) } else { Err(out_of_descriptors()) }
    }

    /// The one registration of a socket or listener: every way to a driver leads through here.
    pub(super) fn register(&mut self, driver: DriverId, handle: Handle) -> io::Result<Key> {
        self.living_host(driver)?;
        let fails = self.failing_registrations > 0;
        self.failing_registrations -= usize::from(fails);
        if fails || self.chance(self.faults.refuse_registration) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the simulated machine refuses the registration",
            ));
        }
        let port = self.drivers[driver].port;
        self.handles.associate(handle, port, self.faults.completions)?;
        Ok(self.drivers[driver].sources.insert(Source::new(handle)))
    }

    pub(super) fn unregister(&mut self, (driver, key): (DriverId, Key)) {
        let state = &mut self.drivers[driver];
        state.last_closed = Some(key);
        if self.faults.completions {
            // The handle is closed now and its value may be another socket's at once; the source stays until all is home.
            if let Some(source) = state.sources.get(key) {
                self.handles.close(source.handle);
            }
            self.cancel((driver, key));
        } else {
            if let Some(source) = state.sources.remove(key) {
                self.handles.forget(source.handle, state.port);
            }
            state.events.retain(|event| event.key() != Some(key));
        }
    }
}
