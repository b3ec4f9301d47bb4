//! How bytes and ends travel.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::operations::Operation;
use super::socket::{Phase, Socket};
use super::state::{Action, Link, LinkId, ListenerId, SocketId, State};
use crate::{Address, Event, Interest};

impl State {
    pub(super) fn perform(&mut self, action: Action) {
        if self.is_held_up(action) {
            return self.held.push(action);
        }
        match action {
            Action::Establish(socket) => self.establish(socket),
            Action::Deliver(socket) => self.deliver(socket),
            Action::Reset(socket) => self.break_end(socket),
            Action::MakeRoom(socket) => self.make_room(socket),
            Action::Abort(driver, key) => self.abort_receive(driver, key),
            Action::ComeHome(driver, key, operation) => self.come_home(driver, key, operation),
        }
    }

    /// An attempt arrives where it was going.
    fn establish(&mut self, client: SocketId) {
        let Some((target, local)) = self.connecting(client) else { return };
        let refused = self.chance(self.faults.refuse);
        let listener = self.listener_at(&target).filter(|listener| {
            !refused && self.listeners[*listener].backlog.len() < self.listeners[*listener].backlog_limit
        });
        let Some(listener) = listener else {
            self.sockets[client].phase = Phase::Failed(ErrorKind::ConnectionRefused);
            return self.report_connected(client, Err(ErrorKind::ConnectionRefused));
        };
        let link = self.new_link();
        let options = self.listeners[listener].stream_options.clone();
        let buffer = self.faults.buffer_bytes;
        let mut server = Socket::new(
            self.listeners[listener].host,
            Phase::Open,
            options.send_buffer.unwrap_or(buffer),
            options.receive_buffer.unwrap_or(buffer),
        );
        // All processes of this machine are one, as far as it says.
        let credentials = matches!(target, Address::Ipc(_)).then_some(self.credentials);
        server.options = options;
        server.peer_credentials = credentials;
        (server.local, server.remote) = (Some(target), local);
        (server.peer, server.link) = (Some(client), Some(link));
        let server = self.sockets.insert(server);
        let end = &mut self.sockets[client];
        end.peer_credentials = credentials;
        (end.phase, end.peer, end.link) = (Phase::Open, Some(server), Some(link));
        self.report_connected(client, Ok(()));
        self.listeners[listener].backlog.push_back(server);
        self.raise_acceptable(listener);
        if self.links[link].doom == Some(0) {
            self.reset(client);
        }
    }

    fn connecting(&self, client: SocketId) -> Option<(Address, Option<Address>)> {
        let socket = self.sockets.get(client)?;
        if socket.phase != Phase::Connecting {
            return None;
        }
        Some((socket.remote.clone()?, socket.local.clone()))
    }

    fn report_connected(&mut self, client: SocketId, outcome: Result<(), ErrorKind>) {
        let Some(registration) = self.sockets[client].registration else { return };
        let (driver, key) = registration;
        self.land(registration, Operation::Connect);
        self.report(driver, Event::Connected(key, outcome.map_err(Into::into)));
        if outcome.is_ok() {
            self.launch(registration, Operation::Receive);
        }
    }

    fn new_link(&mut self) -> LinkId {
        let doom = match self.dooms.pop_front() {
            Some(doom) => Some(doom),
            None if self.chance(self.faults.reset) => {
                Some(self.random.u64(0..self.faults.reset_within_bytes.max(1)))
            }
            None => None,
        };
        self.links.insert(Link { carried_bytes: 0, doom, ends: 2 })
    }

    fn listener_at(&self, target: &Address) -> Option<ListenerId> {
        whose(&self.bound, target)
    }

    pub(super) fn raise_acceptable(&mut self, listener: ListenerId) {
        let Some((driver, key)) = self.listeners[listener].registration else { return };
        if self.land((driver, key), Operation::Accept) {
            self.report(driver, Event::Acceptable(key));
        }
    }

    /// Sends what a socket has to send, unless it is doing so.
    pub(super) fn start_delivery(&mut self, from: SocketId) {
        let Some(socket) = self.sockets.get_mut(from) else { return };
        let something = !socket.outgoing.is_empty() || (socket.write_shut && !socket.end_sent);
        if something && !socket.delivering && socket.peer.is_some() {
            socket.delivering = true;
            let stalls = self.chance(self.faults.stall);
            let stall = if stalls { self.faults.longest_stall } else { Duration::ZERO };
            let delay = self.duration_between(self.faults.min_latency, self.faults.max_latency + stall);
            self.after(delay, Action::Deliver(from));
        }
    }

    /// Bytes, or the end, arrive at the peer.
    fn deliver(&mut self, from: SocketId) {
        let Some(socket) = self.sockets.get_mut(from) else { return };
        socket.delivering = false;
        let waiting = socket.outgoing.len();
        let Some(to) = socket.peer else { return };
        if waiting == 0 {
            return self.deliver_end(from, to);
        }
        if self.sockets[to].phase == Phase::Closed {
            // Nobody will read them: that is what a reset says.
            return self.abort(to);
        }
        let room = self.sockets[to].receive_capacity.saturating_sub(self.sockets[to].received.len());
        if room == 0 {
            // Reading makes room and starts the delivery again.
            return;
        }
        let count = self.cut(waiting.min(room), self.faults.split_delivery);
        let (count, broken) = self.carry(from, count);
        let mut bytes = vec![0; count];
        self.sockets[from].outgoing.read_exact(&mut bytes).expect("so much was waiting");
        self.sockets[to].received.extend(bytes);
        if !self.reaches(to, from) {
            self.sockets[from].unacknowledged += count;
        }
        if count > 0 {
            self.raise(to, Interest::Readable);
        }
        if broken {
            return self.reset(from);
        }
        self.make_room(from);
        self.start_delivery(from);
    }

    /// Counts bytes on the link: how many of them it carries, and whether it breaks then.
    fn carry(&mut self, from: SocketId, count: usize) -> (usize, bool) {
        let link = self.sockets[from].link.expect("a socket with a peer has a link");
        let link = &mut self.links[link];
        let count = match link.doom {
            Some(doom) => count.min(usize::try_from(doom - link.carried_bytes).unwrap_or(usize::MAX)),
            None => count,
        };
        link.carried_bytes += count as u64;
        (count, link.doom == Some(link.carried_bytes))
    }

    fn deliver_end(&mut self, from: SocketId, to: SocketId) {
        let socket = &mut self.sockets[from];
        if !socket.write_shut || socket.end_sent {
            return;
        }
        socket.end_sent = true;
        if self.sockets[to].forgotten {
            return self.abort(to);
        }
        self.sockets[to].ended = true;
        self.raise(to, Interest::Readable);
        self.bury(from);
    }

    /// Lets the send in flight go on, or tells a blocked writer that there is room.
    fn make_room(&mut self, socket: SocketId) {
        if self.faults.completions {
            return self.continue_send(socket);
        }
        let Some(state) = self.sockets.get_mut(socket) else { return };
        if state.wants_write && state.has_room() {
            state.wants_write = false;
            self.raise(socket, Interest::Writable);
        }
    }

    /// The network breaks a connection: both ends hear of it. What arrived may still be read; what was on its way is lost.
    pub(super) fn reset(&mut self, socket: SocketId) {
        let peer = self.sockets.get(socket).and_then(|state| state.peer);
        self.break_end(socket);
        peer.into_iter().for_each(|peer| self.break_end(peer));
    }

    /// One end breaks the connection. The other hears of it if the network lets that through.
    pub(super) fn abort(&mut self, socket: SocketId) {
        // Before it is forgotten who the peer is.
        let peer = self.sockets.get(socket).and_then(|state| state.peer);
        let heard = peer.is_some_and(|peer| self.reaches(socket, peer));
        self.break_end(socket);
        let Some(peer) = peer else { return };
        if heard { self.break_end(peer) } else { self.held.push(Action::Reset(peer)) }
    }

    fn break_end(&mut self, end: SocketId) {
        let Some(state) = self.sockets.get_mut(end) else { return };
        state.outgoing.clear();
        state.unacknowledged = 0;
        state.end_sent = true;
        if state.phase == Phase::Open {
            state.phase = Phase::Failed(ErrorKind::ConnectionReset);
            self.raise(end, Interest::Readable);
            self.make_room(end);
        }
        self.bury(end);
    }

    pub(super) fn reset_all(&mut self) {
        let open: Vec<SocketId> =
            self.sockets.iter().filter(|(_, socket)| socket.phase == Phase::Open).map(|(id, _)| id).collect();
        for socket in open {
            self.reset(socket);
        }
    }

    /// The program is done with a socket. The second call does nothing.
    pub(super) fn close(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id).filter(|socket| socket.phase != Phase::Closed) else {
            return;
        };
        if let Some(registration) = socket.registration.take() {
            self.unregister(registration);
        }
        let socket = &mut self.sockets[id];
        let was = std::mem::replace(&mut socket.phase, Phase::Closed);
        let unread = !socket.received.is_empty();
        socket.received.clear();
        socket.write_shut = true;
        if was == Phase::Open && unread {
            self.abort(id);
        } else if was == Phase::Open {
            self.start_delivery(id);
            // What the peer sends from now on finds nobody, and must not wait for room.
            if let Some(peer) = self.sockets[id].peer {
                self.start_delivery(peer);
            }
            self.bury(id);
        } else {
            self.sockets[id].end_sent = true;
            self.bury(id);
        }
    }

    /// Forgets a socket that the program closed and that has nothing more to send.
    pub(super) fn bury(&mut self, id: SocketId) {
        let Some(socket) =
            self.sockets.get(id).filter(|socket| socket.phase == Phase::Closed && socket.end_sent)
        else {
            return;
        };
        // A peer that still writes must find out that nobody reads.
        let peer_writes =
            socket.peer.and_then(|peer| self.sockets.get(peer)).is_some_and(|peer| !peer.end_sent);
        if peer_writes {
            return;
        }
        let Some(socket) = self.sockets.remove(id) else { return };
        if let Some(link) = socket.link {
            self.links[link].ends -= 1;
            if self.links[link].ends == 0 {
                self.links.remove(link);
            }
        }
        if let Some(peer) = socket.peer.and_then(|peer| self.sockets.get_mut(peer)) {
            peer.peer = None;
        }
        if let Some(peer) = socket.peer {
            self.bury(peer);
        }
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        if !frozen {
            self.let_through();
        }
    }
}

/// Who has an address, by itself or by a wildcard.
pub(super) fn whose<T: Copy>(addresses: &BTreeMap<Address, T>, target: &Address) -> Option<T> {
    let exact = addresses.get(target).copied();
    let Address::Tcp(target) = target else { return exact };
    let any = |ip: IpAddr| addresses.get(&Address::Tcp(SocketAddr::new(ip, target.port()))).copied();
    let any_v4 = || any(Ipv4Addr::UNSPECIFIED.into()).filter(|_| target.is_ipv4());
    exact.or_else(any_v4).or_else(|| any(Ipv6Addr::UNSPECIFIED.into()))
}
