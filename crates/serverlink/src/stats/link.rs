//! What is remembered of a peer beside its messages.

use std::time::Instant;

use serverlink_message::SocketType;

use super::round_trip::Heartbeats;
use crate::endpoint::Endpoint;

/// One pipe's connections, one after the other.
#[derive(Default)]
pub(crate) struct LinkRecord {
    pub(crate) attempts: u64,
    pub(crate) connections: u64,
    pub(crate) connected_at: Option<Instant>,
    pub(crate) peer_address: Option<Endpoint>,
    pub(crate) socket_type: Option<SocketType>,
    /// That which the peer announced.
    pub(crate) routing_id: Vec<u8>,
    pub(crate) heartbeats: Heartbeats,
}

/// The same over all pipes of a socket, those that are gone included.
#[derive(Default)]
pub(crate) struct ConnectionCounts {
    pub(crate) attempts: u64,
    pub(crate) connections: u64,
    pub(crate) reconnects: u64,
}

impl LinkRecord {
    pub(crate) fn on_connected(&mut self, now: Instant, socket_type: Option<SocketType>, routing_id: &[u8]) {
        self.connections += 1;
        self.connected_at = Some(now);
        self.socket_type = socket_type;
        self.routing_id = routing_id.to_vec();
    }

    pub(crate) fn on_disconnected(&mut self) {
        self.connected_at = None;
        self.peer_address = None;
        self.heartbeats = Heartbeats::default();
    }
}

impl ConnectionCounts {
    /// Counts the connection that `record` has just noted.
    pub(crate) fn on_connected(&mut self, record: &LinkRecord) {
        self.connections += 1;
        self.reconnects += u64::from(record.connections > 1);
    }
}
