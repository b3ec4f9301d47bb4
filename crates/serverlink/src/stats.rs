//! Counters, always on.

/// What went through a socket since it was opened.
///
/// Taken under the socket's own locks, each half for itself: the two halves of one snapshot may be a
/// few messages apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages accepted by a send.
    pub sent: u64,
    /// Messages given to the application.
    pub received: u64,
    /// Copies of messages that were not queued because a peer was at its high-water mark.
    pub dropped_at_high_water_mark: u64,
    /// Messages that counted as sent and went nowhere: no subscriber, no such routing id, no peer.
    pub dropped_without_receiver: u64,
    /// Messages accepted by a send that were given up with the connection or the pipe they waited in.
    pub dropped_with_peer: u64,
    /// Messages that came and were not for the application: not subscribed, out of turn, malformed envelope.
    pub discarded: u64,
    /// Messages that came from a peer whose routing id was taken over before they were read.
    pub discarded_at_handover: u64,
    /// Peers that none of the [`accept_filters`](crate::Options::accept_filters) let in.
    pub filtered: u64,
    /// Messages that wait for the system to take them, over all peers.
    pub send_queue: u64,
    /// Peers that are connected and through the handshake.
    pub peers: u64,
}

/// The counters behind the send lock.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) messages: u64,
    pub(crate) at_high_water_mark: u64,
    pub(crate) without_receiver: u64,
    pub(crate) with_peer: u64,
}

/// The counters behind the receive lock.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) messages: u64,
    pub(crate) discarded: u64,
    pub(crate) at_handover: u64,
}
