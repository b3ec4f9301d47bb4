//! Peers within the context: two rings, no wire, and each side told directly what the other wants.

use std::sync::Arc;

use serverlink_message::Message;
use serverlink_patterns::{Attached, PeerInfo, PipeId};

use super::core::{Core, PeerEnd, PipeEntry, SendSide, ring_limit};
use crate::context::registry::Connecting;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::pipe::high_water::HighWater;
use crate::pipe::link::link;
use crate::pipe::{Inlet, Outlet, RingInlet, RingOutlet};
use crate::reactor::Command;
use crate::sync::later::{drop_later, later};

impl Core {
    pub(crate) fn bind_inproc(self: &Arc<Self>, name: &str, endpoint: &Endpoint) -> Result<(), Error> {
        let _wake_later = later();
        let mut lingering = Vec::new();
        {
            // The registry stays locked while peers meet, so that neither closes in between unseen.
            let mut registry = self.context.registry.lock();
            let waiting = registry.bind(name, self);
            let waiting = waiting.ok_or_else(|| Error::AddressInUse { endpoint: endpoint.clone() })?;
            for connecting in waiting {
                lingering.extend(connecting.core.is_closing().then(|| Arc::clone(&connecting.core)));
                self.join(connecting, endpoint);
            }
        }
        for connector in lingering {
            // It only waited for somebody to take what it had to say.
            connector.close_inproc();
            connector.post(Command::Progress);
        }
        Ok(())
    }

    pub(crate) fn connect_inproc(
        self: &Arc<Self>,
        name: &str,
        endpoint: &Endpoint,
        routing_id: Option<&[u8]>,
    ) -> Result<PipeId, Error> {
        let (mut to_peer, from_us) = link(self.options.conflate);
        let (to_us, from_peer) = link(false);
        to_peer.limit = self.send_high_water();
        to_peer.one_part_only = self.kind.has_single_part();
        self.greet_ring(&mut to_peer);
        let pipe = self.open_ring_pipe(endpoint, routing_id, to_peer, from_peer)?;
        let connecting = Connecting { core: Arc::clone(self), pipe, outlet: to_us, inlet: from_us };
        let _wake_later = later();
        {
            let mut registry = self.context.registry.lock();
            if let Some((binder, connecting)) = registry.connect(name, connecting) {
                binder.join(connecting, endpoint);
            }
        }
        if self.is_closing() {
            // Who closes it may have looked before this was to be seen.
            drop_later(self.context.registry.lock().stop_waiting(self, Some(pipe)));
            self.close_inproc();
            return Err(Error::Closed);
        }
        Ok(pipe)
    }

    /// Our ends, before the peer is there.
    fn open_ring_pipe(
        &self,
        endpoint: &Endpoint,
        routing_id: Option<&[u8]>,
        outlet: RingOutlet,
        inlet: RingInlet,
    ) -> Result<PipeId, Error> {
        let mut topology = self.topology_of_open()?;
        let early = self.queues_before_ready();
        let pipe = topology.pipes.insert(PipeEntry {
            attached: early,
            connect_routing_id: routing_id.map(<[u8]>::to_vec),
            ..PipeEntry::new(endpoint.clone(), true)
        });
        {
            let mut send = self.send.lock();
            send.outlets.insert(pipe, Outlet::Ring(Box::new(outlet)));
            if early {
                let attached = send.sender.attach(pipe, &PeerInfo::default());
                topology.pipes[pipe].attached = !attached.reject;
            }
        }
        self.add_ring_inlet(pipe, inlet);
        Ok(pipe)
    }

    fn add_ring_inlet(&self, pipe: PipeId, inlet: RingInlet) {
        self.recv.lock().inlets.insert(pipe, Inlet::Ring(Box::new(inlet)));
    }

    /// The binder's side of a meeting: makes its ends, and tells both patterns.
    fn join(self: &Arc<Self>, connecting: Connecting, endpoint: &Endpoint) {
        let Connecting { core: connector, pipe: far, mut outlet, mut inlet } = connecting;
        if connector.is_closed() || !self.kind.accepts(connector.kind) {
            connector.lose_inproc_peer(far);
            drop_later((outlet, inlet));
            return;
        }
        let near = self.topology.lock().pipes.insert(PipeEntry::new(endpoint.clone(), false));
        let (to_connector, to_binder) = (ring_limit(self, &connector), ring_limit(&connector, self));
        outlet.limit = to_connector;
        let connector_end = PeerEnd { core: Arc::clone(&connector), pipe: far };
        outlet.meet(connector_end.clone(), self.sends_in_lanes);
        outlet.one_part_only = self.kind.has_single_part();
        inlet.peer = Some(connector_end.clone());
        inlet.set_limit(to_binder);
        self.greet_ring(&mut outlet);
        self.send.lock().outlets.insert(near, Outlet::Ring(Box::new(outlet)));
        self.add_ring_inlet(near, inlet);
        let binder_end = PeerEnd { core: Arc::clone(self), pipe: near };
        connector.adopt_inproc_peer(far, binder_end.clone(), to_binder, to_connector);
        // A publisher has to know its subscriber's pipe before it is told the subscriptions.
        let (first, second) = match self.subscribes() {
            true => (&connector_end, &binder_end),
            false => (&binder_end, &connector_end),
        };
        let joined = first.core.meet_inproc_peer(first.pipe, second)
            && second.core.meet_inproc_peer(second.pipe, first);
        if !joined {
            self.lose_inproc_peer(near);
            connector.lose_inproc_peer(far);
        }
    }

    /// The connector's ends were made before anybody was there.
    fn adopt_inproc_peer(&self, pipe: PipeId, peer: PeerEnd, limit: HighWater, inlet_limit: HighWater) {
        if let Some(Outlet::Ring(outlet)) = self.send.lock().outlets.get_mut(pipe) {
            outlet.limit = limit;
            outlet.meet(peer.clone(), self.sends_in_lanes);
        }
        if let Some(Inlet::Ring(inlet)) = self.recv.lock().inlets.get_mut(pipe) {
            inlet.peer = Some(peer);
            inlet.set_limit(inlet_limit);
        }
    }

    /// Tells the pattern. False: it has no place for this peer.
    fn meet_inproc_peer(self: &Arc<Self>, pipe: PipeId, end: &PeerEnd) -> bool {
        let peer = &end.core;
        let mut topology = self.topology.lock();
        let Some(entry) = topology.pipes.get_mut(pipe) else { return false };
        let info = PeerInfo {
            routing_id: peer.settings().routing_id.clone(),
            connect_routing_id: entry.connect_routing_id.clone(),
            socket_type: Some(peer.kind),
        };
        let settings = self.settings();
        let attached = {
            let mut send = self.send.lock();
            // The other side may have left again meanwhile.
            if !send.outlets.contains_key(pipe) {
                return false;
            }
            match entry.attached {
                true => Attached { routing_id: send.sender.routing_id(pipe).cloned(), ..Attached::default() },
                false => {
                    if let (false, Some(Outlet::Ring(outlet))) =
                        (settings.welcome_message.is_empty(), send.outlets.get_mut(pipe))
                    {
                        // Before anything that is published can go there. A ring that was just made has room.
                        let _ = outlet.push(Message::from(&*settings.welcome_message));
                    }
                    send.sender.attach(pipe, &info)
                }
            }
        };
        if attached.reject {
            return false;
        }
        entry.has_peer = true;
        entry.record.on_connected(self.now());
        let endpoint = entry.endpoint.clone();
        entry.peer = Some(peer.introduce_inproc(&endpoint));
        topology.note_connection(pipe);
        let displaced = attached.displaced.and_then(|old| self.hand_over(&topology, old));
        {
            let mut recv = self.recv.lock();
            recv.admit(pipe, attached.routing_id, attached.notify);
            // Only what the pattern knows is asked for messages.
            match attached.refused {
                true => topology.nameless.push(pipe),
                false => recv.rings.push(pipe),
            }
        }
        // Under the same lock that orders subscribing: none is told twice.
        let told = if self.subscribes() { self.tell_subscriptions(end) } else { Ok(()) };
        drop(topology);
        if let Err(why) = told {
            self.part_from(pipe, end, why);
            return true;
        }
        if let Some(displaced) = displaced {
            self.finish_hand_over(displaced);
        }
        if attached.refused {
            self.tell_refused(endpoint, &info.routing_id, attached.why);
        }
        if self.options.probe_router
            && let Some(Outlet::Ring(outlet)) = self.send.lock().outlets.get_mut(pipe)
        {
            // A ring that was just made has room.
            let _ = outlet.push(Message::new());
        }
        self.wake_everybody();
        peer.readers.notify_all();
        true
    }

    /// A ROUTER's name is free, and a peer over inproc may have waited for it. A dialer over a wire comes back by itself.
    pub(super) fn let_in_nameless(&self) {
        let mut topology = self.topology.lock();
        for pipe in std::mem::take(&mut topology.nameless) {
            let Some(entry) = topology.pipes.get(pipe) else { continue };
            let attached = {
                let mut send = self.send.lock();
                let SendSide { outlets, sender, .. } = &mut **send;
                let Some(Outlet::Ring(outlet)) = outlets.get(pipe) else { continue };
                let Some(peer) = &outlet.peer else { continue };
                let info = PeerInfo {
                    routing_id: peer.core.settings().routing_id.clone(),
                    connect_routing_id: entry.connect_routing_id.clone(),
                    socket_type: Some(peer.core.kind),
                };
                sender.attach(pipe, &info)
            };
            if attached.refused {
                topology.nameless.push(pipe);
            } else {
                let mut recv = self.recv.lock();
                recv.admit(pipe, attached.routing_id, attached.notify);
                recv.rings.push(pipe);
            }
        }
    }

    /// The other end is gone. What it sent stays to be read.
    pub(crate) fn lose_inproc_peer(self: &Arc<Self>, pipe: PipeId) {
        let _later = later();
        let mut topology = self.topology.lock();
        let Some(entry) = topology.pipes.get_mut(pipe) else { return };
        let (had_peer, dialed) = (std::mem::take(&mut entry.has_peer), entry.dialed);
        entry.record.on_disconnected();
        topology.peers -= usize::from(had_peer);
        let (last_word, detached) = {
            let mut send = self.send.lock();
            if let Some(mut outlet) = send.outlets.remove(pipe) {
                if let Outlet::Ring(ring) = &mut outlet {
                    send.sent.with_peer += ring.unbound_backlog() as u64;
                }
                send.sent.retire(&outlet);
                drop_later(outlet);
            }
            let last_word = if had_peer { self.last_word_of_ring(&send.sender, pipe, dialed) } else { None };
            (last_word, send.sender.detach(pipe))
        };
        {
            let mut recv = self.recv.lock();
            if recv.end_inlet(pipe) {
                topology.pipes.remove(pipe);
            }
            self.queue_departure(&mut recv, detached.upstream);
            recv.say_last(pipe, last_word.into_iter().chain(detached.notify).collect());
        }
        if !self.has_unread_reply(pipe) {
            self.end_dialogue(pipe);
        }
        drop(topology);
        self.let_in_nameless();
        self.wake_everybody();
    }

    pub(crate) fn disconnect_inproc(self: &Arc<Self>, pipe: PipeId) {
        let _waiting = self.context.registry.lock().stop_waiting(self, Some(pipe));
        let peer = match self.send.lock().outlets.get(pipe) {
            Some(Outlet::Ring(outlet)) => outlet.peer.clone(),
            _ => None,
        };
        self.lose_inproc_peer(pipe);
        if let Some(peer) = peer {
            peer.core.lose_inproc_peer(peer.pipe);
        }
    }

    /// Something was sent to a name that nobody has bound yet.
    pub(crate) fn has_unbound_messages(&self) -> bool {
        self.send.lock().outlets.values_mut().any(|outlet| match outlet {
            Outlet::Ring(outlet) => outlet.unbound_backlog() > 0,
            Outlet::Wire(_) => false,
        })
    }

    /// A closing socket leaves all its names and tells all its peers.
    pub(crate) fn close_inproc(self: &Arc<Self>) {
        let _waiting = {
            let bound: Vec<Endpoint> =
                self.topology.lock().bound.iter().map(|bound| bound.endpoint.clone()).collect();
            let lingers = self.has_unbound_messages();
            let mut registry = self.context.registry.lock();
            for endpoint in bound {
                if let Endpoint::Inproc(name) = endpoint {
                    registry.unbind(&name, self);
                }
            }
            if lingers { Vec::new() } else { registry.stop_waiting(self, None) }
        };
        let peers: Vec<(PipeId, PeerEnd)> = self
            .send
            .lock()
            .outlets
            .iter()
            .filter_map(|(pipe, outlet)| match outlet {
                Outlet::Ring(outlet) => outlet.peer.clone().map(|peer| (pipe, peer)),
                Outlet::Wire(_) => None,
            })
            .collect();
        for (pipe, peer) in peers {
            self.lose_inproc_peer(pipe);
            peer.core.lose_inproc_peer(peer.pipe);
        }
    }
}
