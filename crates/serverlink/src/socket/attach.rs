//! Peers come and go: what a pipe's two ends and the pattern are told, in one order.

use std::sync::Arc;

use serverlink_driver::{Key, Writer};
use serverlink_message::SocketType;
use serverlink_patterns::{AttachRefusal, Attached, PeerInfo, PipeId, Subject};
use serverlink_zmtp::mechanism::curve::Sealer;
use serverlink_zmtp::{Version, frame, handshake};

use super::core::{Core, PipeEntry, SendSide, Topology};
use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::peer::Peer;
use crate::pipe::inbox::Inbox;
use crate::pipe::outbox::Outbox;
use crate::pipe::outbox::datagrams::Target;
use crate::pipe::outbox::rewrite::Rewrite;
use crate::pipe::{Inlet, Outlet};
use crate::stats::LinkRecord;

/// A connection whose handshake is done, as the reactor hands it to its socket.
pub(crate) struct Arrival {
    pub(crate) key: Key,
    pub(crate) writer: Writer,
    /// For what goes to it, where everything is encrypted.
    pub(crate) sealer: Option<Sealer>,
    /// Where they go, if it is for datagrams.
    pub(crate) datagrams: Option<Target>,
    pub(crate) handshake: handshake::Peer,
    /// The same, as the application gets to see it.
    pub(crate) peer: Arc<Peer>,
    pub(crate) endpoint: Endpoint,
    /// The dialer's pipe; an accepted connection gets its own.
    pub(crate) pipe: Option<PipeId>,
}

impl Core {
    /// A pipe for a dialer, with its queue, before anybody is connected.
    pub(crate) fn open_dialed_pipe(
        &self,
        topology: &mut Topology,
        endpoint: &Endpoint,
        connect_routing_id: Option<&[u8]>,
    ) -> Result<PipeId, AttachRefusal> {
        let pipe = topology.pipes.insert(PipeEntry {
            connect_routing_id: connect_routing_id.map(<[u8]>::to_vec),
            ..PipeEntry::new(endpoint.clone(), true)
        });
        self.make_ends(pipe);
        if self.queues_before_ready() || connect_routing_id.is_some() || endpoint.is_udp() {
            let info = PeerInfo {
                connect_routing_id: connect_routing_id.map(<[u8]>::to_vec),
                ..PeerInfo::default()
            };
            let attached = self.send.lock().sender.attach(pipe, &info);
            if let (true, Some(why)) = (attached.reject || attached.refused, attached.why) {
                self.remove_ends(pipe);
                topology.pipes.remove(pipe);
                return Err(why);
            }
            if endpoint.is_udp() {
                // Whoever listens there says nothing of it.
                self.send.lock().sender.send_everything_to(pipe);
            }
            self.recv.lock().admit(pipe, attached.routing_id, None);
            topology.pipes[pipe].attached = true;
        }
        Ok(pipe)
    }

    fn make_ends(&self, pipe: PipeId) {
        let outbox = Outbox::new(self.send_high_water());
        self.send.lock().outlets.insert(pipe, Outlet::Wire(Box::new(outbox)));
        let inbox = Inbox::new(self.limits(), self.recv_high_water());
        self.recv.lock().inlets.insert(pipe, Inlet::Wire(Box::new(inbox)));
    }

    fn remove_ends(&self, pipe: PipeId) {
        self.send.lock().outlets.remove(pipe);
        self.recv.lock().remove_inlet(pipe);
    }

    /// A handshake is done. Gives the pipe, or says why this peer is turned away.
    pub(crate) fn attach_connection(self: &Arc<Self>, mut arrival: Arrival) -> Result<PipeId, AttachRefusal> {
        let mut topology = self.topology.lock();
        if arrival.pipe.is_some_and(|pipe| !topology.pipes.contains_key(pipe)) {
            return Err(AttachRefusal::Disconnected);
        }
        let pipe = arrival.pipe.unwrap_or_else(|| {
            let pipe = topology.pipes.insert(PipeEntry::new(arrival.endpoint.clone(), false));
            self.make_ends(pipe);
            pipe
        });
        let attached = self.introduce(&topology, pipe, &arrival);
        // A name may have been taken since the peer was judged. Its dialer comes back.
        if attached.reject || (attached.refused && arrival.pipe.is_none()) {
            if arrival.pipe.is_none() {
                self.remove_ends(pipe);
                topology.pipes.remove(pipe);
            }
            return Err(attached.why.unwrap_or(AttachRefusal::PairTaken));
        }
        let entry = &mut topology.pipes[pipe];
        entry.key = Some(arrival.key);
        entry.minor = arrival.handshake.version.minor();
        entry.peer = Some(Arc::clone(&arrival.peer));
        entry.globs = arrival.handshake.globs;
        entry.has_peer = true;
        entry.record.on_connected(self.now());
        topology.note_connection(pipe);
        let displaced = attached.displaced.and_then(|old| self.hand_over(&topology, old));
        {
            let mut recv = self.recv.lock();
            // A dialer's pipe that lost its name to another peer has lost its inlet as well.
            if !recv.inlets.contains_key(pipe) {
                let inbox = Inbox::new(self.limits(), self.recv_high_water());
                recv.inlets.insert(pipe, Inlet::Wire(Box::new(inbox)));
            }
            if let Some(Inlet::Wire(inbox)) = recv.inlets.get_mut(pipe) {
                inbox.allow_commands(arrival.handshake.version.has_commands());
            }
            // What has to be said of the connection before comes before what is said of this one.
            for farewell in recv.farewells.remove(pipe).unwrap_or_default() {
                recv.notify(Some(farewell));
            }
            recv.admit(pipe, attached.routing_id, attached.notify);
            if self.is_raw() && self.options.stream_notify {
                recv.put_message(pipe, b"");
            }
        }
        self.greet(pipe, &mut arrival);
        drop(topology);
        if let Some(displaced) = displaced {
            self.finish_hand_over(displaced);
        }
        if attached.refused {
            self.tell_refused(arrival.endpoint.clone(), &arrival.handshake.identity, attached.why);
        }
        if self.must_assume_subscription(&arrival.handshake) {
            self.take_request(pipe, true, Subject::Topic(b""));
        }
        self.write_pipe(pipe);
        self.readers.notify_all();
        self.writers.notify_all();
        self.observers.notify_all();
        Ok(pipe)
    }

    /// Whether this socket may have to turn a peer away once it knows who it is.
    pub(crate) fn may_refuse_peers(&self) -> bool {
        matches!(self.kind, SocketType::Router | SocketType::Pair | SocketType::Channel)
    }

    /// Subscribers of ZMTP 1.0 filter by themselves, and say nothing of what they subscribed to.
    fn must_assume_subscription(&self, peer: &handshake::Peer) -> bool {
        let publishes = matches!(self.kind, SocketType::Pub | SocketType::Xpub);
        publishes && peer.version == Version::V1_0 && peer.socket_type.is_none()
    }

    /// Whether a peer would be taken in, before it is told that it is.
    pub(crate) fn judge(&self, peer: &handshake::Peer) -> Result<(), AttachRefusal> {
        let info = PeerInfo {
            routing_id: peer.identity.clone(),
            connect_routing_id: None,
            socket_type: Some(self.type_of(peer)),
        };
        self.send.lock().sender.judge(&info)
    }

    /// A ROUTER's peer that gets no name must not become a black hole that nobody knows of.
    pub(crate) fn tell_refused(&self, endpoint: Endpoint, routing_id: &[u8], why: Option<AttachRefusal>) {
        self.monitor.tell(|| EventKind::RoutingIdRefused {
            endpoint,
            routing_id: routing_id.to_vec(),
            why: why.map(|why| why.to_string()).unwrap_or_default(),
        });
    }

    /// Tells the pattern who came.
    fn introduce(&self, topology: &Topology, pipe: PipeId, arrival: &Arrival) -> Attached {
        let info = PeerInfo {
            routing_id: arrival.handshake.identity.clone(),
            connect_routing_id: topology.pipes[pipe].connect_routing_id.clone(),
            socket_type: Some(self.type_of(&arrival.handshake)),
        };
        let mut send = self.send.lock();
        if topology.pipes[pipe].attached {
            let routing_id = send.sender.routing_id(pipe).cloned();
            return Attached { routing_id, notify: send.sender.on_connected(pipe), ..Attached::default() };
        }
        let settings = self.settings();
        if !settings.welcome_message.is_empty() {
            // Before anything that is published can go there.
            let SendSide { outlets, pool, .. } = &mut **send;
            if let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) {
                outbox.append_bytes(&settings.welcome_message, pool);
            }
        }
        send.sender.attach(pipe, &info)
    }

    /// For the pattern, which takes a peer of unknown type for one that this socket gets along with.
    fn type_of(&self, peer: &handshake::Peer) -> SocketType {
        let partner = || SocketType::ALL.into_iter().find(|&other| self.kind.accepts(other));
        // None stands for the programs that a STREAM talks to.
        peer.socket_type.or_else(partner).unwrap_or(self.kind)
    }

    /// Opens the outbox to the connection. Subscriptions are state and told anew to each publisher.
    fn greet(&self, pipe: PipeId, arrival: &mut Arrival) {
        if let Some(target) = arrival.datagrams {
            if let Some(outbox) = self.send.lock().outbox(pipe) {
                outbox.attach(arrival.writer.clone());
                outbox.rewrite(Rewrite::Datagrams(target));
            }
            return;
        }
        let subscriptions = self.subscriptions_for(pipe, &arrival.handshake);
        let mut send = self.send.lock();
        let SendSide { outlets, pool, .. } = &mut **send;
        let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else { return };
        outbox.attach(arrival.writer.clone());
        if let Some(sealer) = arrival.sealer.take() {
            outbox.rewrite(Rewrite::Sealed(sealer));
        } else if self.is_raw() {
            outbox.rewrite(Rewrite::Octets);
        } else if arrival.handshake.version == Version::V1_0 {
            outbox.rewrite(Rewrite::V1);
        }
        // Among what goes with the connection: it comes first on each, and on the next again.
        if !self.options.hello_message.is_empty() {
            frame::put_frame(outbox.control(), false, &self.options.hello_message);
        }
        outbox.control().extend_from_slice(&subscriptions);
        if self.options.probe_router {
            outbox.append_bytes(b"", pool);
        }
    }

    pub(crate) fn key_of(&self, pipe: PipeId) -> Option<Key> {
        self.topology.lock().pipes.get(pipe).and_then(|entry| entry.key)
    }
}

impl Topology {
    /// A peer has come to this pipe, and is in its record.
    pub(super) fn note_connection(&mut self, pipe: PipeId) {
        self.peers += 1;
        self.counts.on_connected(&self.pipes[pipe].record);
    }
}

impl PipeEntry {
    pub(crate) fn new(endpoint: Endpoint, dialed: bool) -> PipeEntry {
        PipeEntry {
            key: None,
            minor: 1,
            peer: None,
            pinged_at: None,
            globs: false,
            endpoint,
            dialed,
            has_peer: false,
            connect_routing_id: None,
            attached: false,
            record: LinkRecord::default(),
        }
    }
}
