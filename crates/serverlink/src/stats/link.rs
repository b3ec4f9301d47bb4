//! What is remembered of a peer beside its messages.

use std::time::Instant;

use super::round_trip::Heartbeats;

/// One pipe's connections, one after the other.
#[derive(Default)]
pub(crate) struct LinkRecord {
    pub(crate) attempts: u64,
    pub(crate) connections: u64,
    pub(crate) connected_at: Option<Instant>,
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
    pub(crate) fn on_connected(&mut self, now: Instant) {
        self.connections += 1;
        self.connected_at = Some(now);
    }

    pub(crate) fn on_disconnected(&mut self) {
        self.connected_at = None;
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
