//! Computers of a world, with one process on each: cut off, suspended, killed, without power.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::network::whose;
use super::socket::Phase;
use super::state::{Action, DriverId, SocketId, State};
use super::world::World;
use crate::{Address, Event};

/// One computer of a [`World`], and the process on it. What does not say where it is, is on the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(u32);

impl Host {
    /// The one that a world has from the beginning.
    pub const FIRST: Host = Host(0);
}

/// What is known of hosts, and of the network between them.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    last: u32,
    /// From where to where nothing gets through.
    cuts: BTreeSet<(Host, Host)>,
    suspended: BTreeSet<Host>,
    descriptor_limits: BTreeMap<Host, usize>,
    /// Who listened there last: it stays where an address leads to when nobody listens.
    homes: BTreeMap<Address, Host>,
}

impl Hosts {
    pub(super) fn is_suspended(&self, host: Host) -> bool {
        self.suspended.contains(&host)
    }

    pub(super) fn descriptor_limit(&self, host: Host) -> Option<usize> {
        self.descriptor_limits.get(&host).copied()
    }

    pub(super) fn moves_in(&mut self, host: Host, address: &Address) {
        self.homes.insert(address.clone(), host);
    }

    fn reaches(&self, from: Host, to: Host) -> bool {
        from == to || !self.cuts.contains(&(from, to))
    }
}

impl World {
    /// One more computer on the network.
    pub fn host(&self) -> Host {
        let mut state = self.0.lock();
        state.hosts.last += 1;
        Host(state.hosts.last)
    }

    /// From now on nothing gets from one host to another: what is sent there is neither delivered nor refused, and waits. The other
    /// direction stays as it is. An attempt to connect needs both directions.
    pub fn cut(&self, from: Host, to: Host) {
        self.0.lock().hosts.cuts.insert((from, to));
    }

    /// Lets everything through again, both ways. What waited arrives, each after its latency and in its order.
    pub fn heal(&self, one: Host, other: Host) {
        let mut state = self.0.lock();
        state.hosts.cuts.remove(&(one, other));
        state.hosts.cuts.remove(&(other, one));
        state.let_through();
    }

    /// Heals every cut.
    pub fn heal_all(&self) {
        let mut state = self.0.lock();
        state.hosts.cuts.clear();
        state.let_through();
    }

    /// Whether the process on a host stands still (SIGSTOP). Its kernel goes on: it takes connections and bytes up to its buffers. It is the
    /// caller who must not run the process meanwhile; [`is_quiet`](World::is_quiet) and [`next_due`](World::next_due) do not wait for it.
    pub fn set_suspended(&self, host: Host, suspended: bool) {
        let suspended_hosts = &mut self.0.lock().hosts.suspended;
        if suspended {
            suspended_hosts.insert(host)
        } else {
            suspended_hosts.remove(&host)
        };
    }

    /// Whether the process on it stands still.
    pub fn is_suspended(&self, host: Host) -> bool {
        self.0.lock().hosts.is_suspended(host)
    }

    /// From now on the process on this host may hold so many sockets; `accept`, `connect` and `bind` fail beyond. `None` lifts the limit.
    pub fn set_descriptor_limit_of(&self, host: Host, limit: Option<usize>) {
        let limits = &mut self.0.lock().hosts.descriptor_limits;
        match limit {
            Some(limit) => limits.insert(host, limit),
            None => limits.remove(&host),
        };
    }

    /// How many handles the process on this host has open.
    pub fn descriptor_count_of(&self, host: Host) -> usize {
        self.0.lock().handles.count_of(host)
    }

    /// Kills the process on a host (SIGKILL). Its kernel closes what it had: what it took from the process is delivered, and peers see the
    /// end. Drivers, outer pollers and sockets of that process do nothing any more, and every call on them fails. Another process may
    /// start there: with new ones.
    pub fn kill(&self, host: Host) {
        self.0.change(|state| state.end_process(host, State::close));
    }

    /// Turns a host off and on: its process, its kernel and every byte in it are gone. Nobody is told: a peer hears of it when it sends
    /// something and the host answers that it knows of no such connection, and a peer that is silent never does.
    pub fn lose_power(&self, host: Host) {
        self.0.change(|state| state.end_process(host, State::forget));
    }
}

impl State {
    /// Whether something that one socket sends now gets to another.
    pub(super) fn reaches(&self, from: SocketId, to: SocketId) -> bool {
        let (Some(from), Some(to)) = (self.sockets.get(from), self.sockets.get(to)) else {
            return !self.frozen;
        };
        !self.frozen && self.hosts.reaches(from.host, to.host)
    }

    /// Whether the network keeps this from happening now.
    pub(super) fn is_held_up(&self, action: Action) -> bool {
        match action {
            Action::Establish(client) => self.frozen || !self.can_connect(client),
            Action::Deliver(from) => {
                let peer = self.sockets.get(from).and_then(|socket| socket.peer);
                self.frozen || peer.is_some_and(|to| !self.reaches(from, to))
            }
            Action::Reset(to) => {
                let peer = self.sockets.get(to).and_then(|socket| socket.peer);
                self.frozen || peer.is_some_and(|from| !self.reaches(from, to))
            }
            _ => false,
        }
    }

    /// Both ways are open between an attempt and where it goes to.
    fn can_connect(&self, client: SocketId) -> bool {
        let Some(socket) = self.sockets.get(client) else { return true };
        let Some(there) = socket.remote.as_ref().and_then(|target| whose(&self.hosts.homes, target)) else {
            return true;
        };
        self.hosts.reaches(socket.host, there) && self.hosts.reaches(there, socket.host)
    }

    /// Something was healed: what waited is on its way again, and some of it is held up once more.
    pub(super) fn let_through(&mut self) {
        for action in std::mem::take(&mut self.held) {
            self.after_latency(action);
        }
        let told: Vec<SocketId> = self
            .sockets
            .iter()
            .filter(|(id, socket)| {
                socket.unacknowledged > 0 && socket.peer.is_none_or(|peer| self.reaches(peer, *id))
            })
            .map(|(id, _)| id)
            .collect();
        for socket in told {
            self.sockets[socket].unacknowledged = 0;
            self.after_latency(Action::MakeRoom(socket));
        }
    }

    // ---- processes

    /// Where a driver is, if its process still lives.
    pub(super) fn living_host(&self, driver: DriverId) -> io::Result<Host> {
        let driver = &self.drivers[driver];
        match driver.gone {
            false => Ok(driver.host),
            true => Err(io::Error::new(io::ErrorKind::NotConnected, "the simulated process was killed")),
        }
    }

    /// `leave` says what becomes of each of its sockets.
    fn end_process(&mut self, host: Host, leave: fn(&mut State, SocketId)) {
        self.hosts.suspended.remove(&host);
        self.outers.values_mut().filter(|outer| outer.host == host).for_each(super::state::OuterState::end);
        self.end_drivers(host);
        let listeners: Vec<_> =
            self.listeners.iter().filter(|(_, listener)| listener.host == host).map(|(id, _)| id).collect();
        for listener in listeners {
            let Some(listener) = self.listeners.remove(listener) else { continue };
            self.bound.remove(&listener.local);
        }
        let sockets: Vec<_> =
            self.sockets.iter().filter(|(_, socket)| socket.host == host).map(|(id, _)| id).collect();
        for id in sockets {
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.registration = None;
                leave(self, id);
            }
        }
        self.handles.close_all_of(host);
    }

    fn end_drivers(&mut self, host: Host) {
        for driver in self.drivers.values_mut().filter(|driver| driver.host == host) {
            driver.gone = true;
            driver.woken = false;
            for event in driver.events.drain(..) {
                if let Event::Written(_, batch, _) = event {
                    self.unclaimed.push(*batch);
                }
            }
            for (_, source) in driver.sources.drain() {
                self.unclaimed.extend(source.sending.map(|batch| *batch));
            }
        }
    }

    /// A kernel that knows nothing of a socket any more.
    fn forget(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        (socket.phase, socket.forgotten) = (Phase::Closed, true);
        socket.outgoing.clear();
        socket.received.clear();
        (socket.write_shut, socket.end_sent) = (true, true);
        // What its peer wrote already finds that out.
        let peer = socket.peer;
        peer.into_iter().for_each(|peer| self.start_delivery(peer));
        self.bury(id);
    }
}
