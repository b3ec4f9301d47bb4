/// After which ends of a connection a dialer gives up; see [`Options::reconnect_stop`](super::Options::reconnect_stop).
///
/// A dialer that gave up is told in [`EventKind::GaveUp`](crate::EventKind), and what was queued for its peer is dropped and
/// counted. Connecting again is the application's to decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReconnectStop {
    /// Nobody listens at the last of its addresses. A peer that does not answer, or an unknown name, is no refusal.
    pub refused: bool,
    /// The peer was reached, and the handshake came to nothing.
    pub handshake_failed: bool,
    /// An established connection has ended.
    pub disconnected: bool,
}

impl ReconnectStop {
    /// Try again whatever happened.
    pub const NEVER: ReconnectStop =
        ReconnectStop { refused: false, handshake_failed: false, disconnected: false };
    /// Connect once: give up after any end, also where nobody answered or the name was not known.
    pub const ALWAYS: ReconnectStop =
        ReconnectStop { refused: true, handshake_failed: true, disconnected: true };
}
