//! The counters of a socket and its peers, put together when somebody asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serverlink_patterns::PipeId;
use slotmap::Key as _;

use super::core::{Core, PeerEnd, PipeEntry};
use crate::pipe::{Inlet, Outlet};
use crate::stats::{PeerStats, SocketStats, Stats};

impl Core {
    pub(crate) fn stats(self: &Arc<Self>) -> Stats {
        let (mut stats, mut rings) = (Stats::default(), Vec::new());
        if self.context.is_left_behind() {
            return stats;
        }
        self.count_what_came();
        {
            let send = self.send.lock();
            stats.sent = send.sent.messages;
            let left_out = if send.fans_out { send.sender.dropped() } else { 0 };
            stats.dropped_at_high_water_mark = send.sent.at_high_water_mark + left_out;
            stats.dropped_without_receiver = send.sent.without_receiver;
            stats.dropped_with_peer = send.sent.with_peer;
            stats.refused_subscriptions = send.sent.refused_subscriptions;
            stats.sent_bytes = send.sent.bytes;
            for outlet in send.outlets.values() {
                stats.sent_bytes += outlet.sent_bytes();
                stats.send_queue += outlet.queued() as u64;
                stats.send_queue_bytes += outlet.queued_bytes() as u64;
            }
        }
        {
            let recv = self.recv.lock();
            stats.received = recv.received.messages;
            stats.received_bytes = recv.received.bytes;
            stats.dropped_at_high_water_mark += recv.received.at_high_water_mark;
            stats.discarded = recv.received.discarded;
            stats.discarded_at_handover = recv.received.at_handover;
            stats.receive_queue = recv.queued.len() as u64;
            stats.receive_queue_bytes = recv.queued_bytes as u64;
            for inlet in recv.inlets.values() {
                stats.receive_queue += inlet.waiting() as u64;
                match inlet {
                    Inlet::Wire(inbox) => stats.receive_queue_bytes += inbox.unread_bytes() as u64,
                    // What came over a wire was counted when it came.
                    Inlet::Ring(ring) => {
                        stats.received_bytes += inlet.received_bytes();
                        rings.extend(ring.peer.clone());
                    }
                }
            }
        }
        stats.receive_queue_bytes += rings.iter().map(PeerEnd::waiting_bytes).sum::<u64>();
        let topology = self.topology.lock();
        stats.peers = topology.peers as u64;
        stats.connections = topology.counts.connections;
        stats.reconnects = topology.counts.reconnects;
        stats.connection_attempts = topology.counts.attempts;
        stats.filtered = self.filtered.load(Ordering::Relaxed);
        stats
    }

    pub(crate) fn peer_stats(self: &Arc<Self>) -> Vec<PeerStats> {
        if self.context.is_left_behind() {
            return Vec::new();
        }
        self.count_what_came();
        let now = self.now();
        let topology = self.topology.lock();
        let is_peer = |(_, entry): &(PipeId, &PipeEntry)| entry.dialed || entry.has_peer;
        topology.pipes.iter().filter(is_peer).map(|(pipe, entry)| self.stats_of(pipe, entry, now)).collect()
    }

    pub(crate) fn socket_stats(self: &Arc<Self>) -> SocketStats {
        let bound = self.topology.lock().bound.iter().map(|bound| bound.endpoint.clone()).collect();
        SocketStats {
            id: self.id,
            socket_type: self.kind,
            bound,
            stats: self.stats(),
            peers: self.peer_stats(),
        }
    }

    /// The topology is locked.
    fn stats_of(&self, pipe: PipeId, entry: &PipeEntry, now: Instant) -> PeerStats {
        let record = &entry.record;
        let peer = entry.peer.as_ref();
        // Over inproc there is none, though the peer has the name that both are at.
        let connected = peer.filter(|_| entry.key.is_some());
        let mut stats = PeerStats {
            id: pipe.data().as_ffi(),
            endpoint: entry.endpoint.clone(),
            peer_address: connected.and_then(|peer| peer.address.clone()),
            socket_type: peer.and_then(|peer| peer.socket_type),
            routing_id: peer.map(|peer| peer.routing_id.clone()).unwrap_or_default(),
            connected_for: record.connected_at.map(|at| now.saturating_duration_since(at)),
            sent: 0,
            received: 0,
            sent_bytes: 0,
            dropped: 0,
            received_bytes: 0,
            send_queue: 0,
            send_queue_bytes: 0,
            receive_queue: 0,
            receive_queue_bytes: 0,
            connections: record.connections,
            connection_attempts: record.attempts,
            round_trip: record.heartbeats.round_trip(),
        };
        {
            let send = self.send.lock();
            if let Some(name) = send.sender.routing_id(pipe) {
                stats.routing_id = name.as_bytes().to_vec();
            }
            stats.dropped = send.sender.missed(pipe);
            if let Some(outlet) = send.outlets.get(pipe) {
                stats.dropped += outlet.missed();
                stats.sent = outlet.sent();
                stats.sent_bytes = outlet.sent_bytes();
                stats.send_queue = outlet.queued() as u64;
                stats.send_queue_bytes = outlet.queued_bytes() as u64;
            }
        }
        let mut ring = None;
        if let Some(inlet) = self.recv.lock().inlets.get(pipe) {
            stats.received = inlet.taken();
            stats.received_bytes = inlet.received_bytes();
            stats.receive_queue = inlet.waiting() as u64;
            match inlet {
                Inlet::Wire(inbox) => stats.receive_queue_bytes = inbox.unread_bytes() as u64,
                Inlet::Ring(inlet) => ring = inlet.peer.clone(),
            }
        }
        if let Some(peer) = ring {
            stats.receive_queue_bytes = peer.waiting_bytes();
        }
        stats
    }

    /// An application that keeps taking leaves the counting of messages to whoever asks.
    fn count_what_came(self: &Arc<Self>) {
        let is_wire = |(pipe, inlet): (PipeId, &Inlet)| matches!(inlet, Inlet::Wire(_)).then_some(pipe);
        let wires: Vec<PipeId> = self.recv.lock().inlets.iter().filter_map(is_wire).collect();
        for pipe in wires {
            // A wrong frame is found again by whoever takes it, and ends the connection there.
            let _ = self.scan(pipe);
        }
    }

    // ---- noted by the reactor

    /// A dialer tries to connect.
    pub(crate) fn note_attempt(&self, pipe: PipeId) {
        let mut topology = self.topology.lock();
        topology.counts.attempts += 1;
        if let Some(entry) = topology.pipes.get_mut(pipe) {
            entry.record.attempts += 1;
        }
    }

    /// The context of a PING that is sent now; without a time it is none whose answer is measured.
    pub(crate) fn note_ping(&self, pipe: PipeId, at: Option<Instant>) -> Vec<u8> {
        let mut topology = self.topology.lock();
        let heartbeats = topology.pipes.get_mut(pipe).map(|entry| &mut entry.record.heartbeats);
        match (heartbeats, at) {
            (Some(heartbeats), Some(now)) => heartbeats.begin(now).to_vec(),
            (Some(heartbeats), None) => {
                heartbeats.give_up();
                Vec::new()
            }
            (None, _) => Vec::new(),
        }
    }

    pub(crate) fn note_pong(&self, pipe: PipeId, context: &[u8]) {
        let now = self.now();
        if let Some(entry) = self.topology.lock().pipes.get_mut(pipe) {
            entry.record.heartbeats.end(context, now);
        }
    }
}

impl PeerEnd {
    /// Bytes in the ring from there to here: who pushes them has counted them. Call without `send` and `recv`.
    fn waiting_bytes(&self) -> u64 {
        match self.core.send.lock().outlets.get_mut(self.pipe) {
            Some(Outlet::Ring(outlet)) => outlet.waiting_bytes() as u64,
            _ => 0,
        }
    }
}
