//! Everything there is in a world: tables, time and what is due.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use slotmap::SlotMap;

use super::Faults;
use super::socket::Socket;
use super::world::out_of_descriptors;
use crate::{Address, Event, Interest, Key, StreamOptions};

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
    pub(super) descriptors: usize,
    pub(super) descriptor_limit: usize,
    pub(super) failing_registrations: usize,
    pub(super) dooms: VecDeque<u64>,
    pub(super) frozen: bool,
    /// Deliveries that came due while the network was frozen.
    pub(super) held: Vec<SocketId>,
}

/// What happens later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// An attempt to connect reaches its target.
    Establish(SocketId),
    /// What this socket wrote reaches its peer.
    Deliver(SocketId),
    /// A write that was cut short may go on.
    MakeRoom(SocketId),
    /// The last operation of a closed source comes home.
    Close(DriverId, Key),
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
    pub(super) local: Address,
    pub(super) backlog: VecDeque<SocketId>,
    pub(super) backlog_limit: usize,
    pub(super) stream_options: StreamOptions,
    pub(super) registration: Option<(DriverId, Key)>,
    pub(super) armed: bool,
}

#[derive(Debug, Default)]
pub(super) struct DriverState {
    pub(super) sources: SlotMap<Key, ()>,
    pub(super) events: VecDeque<Event>,
    pub(super) woken: bool,
    pub(super) last_closed: Option<Key>,
}

#[derive(Debug, Default)]
pub(super) struct OuterState {
    pub(super) drivers: BTreeMap<u64, (DriverId, bool)>,
    pub(super) woken: bool,
    pub(super) armed: Option<Duration>,
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
            descriptors: 0,
            descriptor_limit: usize::MAX,
            failing_registrations: 0,
            dooms: VecDeque::new(),
            frozen: false,
            held: Vec::new(),
        }
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        let network = self.due.keys().next().map(|(due, _)| *due);
        self.outers.values().filter_map(|outer| outer.armed).chain(network).min()
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
        self.drivers.values().all(|driver| driver.events.is_empty() && !driver.woken)
            && self.outers.values().all(|outer| !outer.woken)
    }

    pub(super) fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.random.f64() < chance
    }

    /// From one to all of so many bytes: all, unless the chance strikes.
    pub(super) fn cut(&mut self, bytes: usize, chance: f64) -> usize {
        if bytes > 1 && self.chance(chance) { self.random.usize(1..=bytes) } else { bytes }
    }

    pub(super) fn after_latency(&mut self, action: Action) {
        let (min, max) =
            (self.faults.min_latency.as_nanos() as u64, self.faults.max_latency.as_nanos() as u64);
        let latency = Duration::from_nanos(if min < max { self.random.u64(min..=max) } else { min });
        self.sequence += 1;
        self.due.insert((self.now + latency, self.sequence), action);
    }

    /// Counts one more socket that the process holds.
    pub(super) fn take_descriptor(&mut self) -> io::Result<()> {
        if self.descriptors >= self.descriptor_limit {
            return Err(out_of_descriptors());
        }
        self.descriptors += 1;
        Ok(())
    }

    pub(super) fn register(&mut self, driver: DriverId) -> io::Result<Key> {
        if self.failing_registrations > 0 {
            self.failing_registrations -= 1;
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the simulated machine refuses the registration",
            ));
        }
        Ok(self.drivers[driver].sources.insert(()))
    }

    pub(super) fn unregister(&mut self, (driver, key): (DriverId, Key)) {
        self.drivers[driver].last_closed = Some(key);
        if self.faults.completions {
            self.after_latency(Action::Close(driver, key));
        } else {
            let driver = &mut self.drivers[driver];
            driver.sources.remove(key);
            driver.events.retain(|event| event.key() != Some(key));
        }
    }

    /// Reports to whoever waits on the driver.
    pub(super) fn report(&mut self, driver: DriverId, event: Event) {
        let spurious = self.chance(self.faults.spurious);
        let driver = &mut self.drivers[driver];
        let companion = if spurious { driver.last_closed.map(Event::Readable) } else { None };
        driver.events.push_back(event);
        driver.events.extend(companion);
    }

    /// Reports that a socket became readable or writable, unless its next event of that kind is not owed yet.
    pub(super) fn raise(&mut self, socket: SocketId, interest: Interest) {
        let Some(state) = self.sockets.get_mut(socket) else { return };
        let Some((driver, key)) = state.registration else { return };
        let (armed, event) = match interest {
            Interest::Readable => (&mut state.readable_armed, Event::Readable(key)),
            Interest::Writable => (&mut state.writable_armed, Event::Writable(key)),
        };
        if self.faults.completions && !std::mem::replace(armed, false) {
            return;
        }
        self.report(driver, event);
        if self.chance(self.faults.spurious) {
            self.report(driver, Event::Readable(key));
        }
    }
}
