//! What a monitor tells, and whether it can have been so.

use std::collections::BTreeMap;

use serverlink::EventKind;

use super::{Complaint, Law, Verdict, demand};

/// The events of one socket. Each of its dialers has an endpoint of its own.
#[derive(Default)]
pub(crate) struct Story {
    dialers: BTreeMap<String, Dialer>,
    listeners: BTreeMap<String, Listener>,
    /// Connections that were established and ended.
    pub(crate) breaks: u64,
    /// Connections that were established.
    pub(crate) established: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dialer {
    /// It tries, or will.
    #[default]
    Trying,
    Connected,
    Established,
    /// Of a connection or an attempt.
    Ended,
}

#[derive(Clone, Copy, Debug, Default)]
struct Listener {
    accepted: u64,
    failed: u64,
    established: u64,
    ended: u64,
}

impl Story {
    pub(crate) fn dials(&mut self, endpoint: &str) {
        self.dialers.insert(endpoint.to_owned(), Dialer::default());
    }

    pub(crate) fn tell(&mut self, event: &EventKind) -> Verdict {
        let endpoint = match event {
            EventKind::Accepted { endpoint, .. }
            | EventKind::Connected { endpoint, .. }
            | EventKind::Established { endpoint, .. }
            | EventKind::HandshakeFailed { endpoint, .. }
            | EventKind::Disconnected { endpoint, .. }
            | EventKind::Retrying { endpoint, .. } => endpoint.to_string(),
            _ => return Ok(()),
        };
        self.established += u64::from(matches!(event, EventKind::Established { .. }));
        self.breaks += u64::from(matches!(event, EventKind::Disconnected { .. }));
        let follows = match self.dialers.get_mut(&endpoint) {
            Some(dialer) => dialer.follow(event).map_err(|was| format!("{was:?}")),
            None => {
                let listener = self.listeners.entry(endpoint).or_default();
                let was = format!("{listener:?}");
                if listener.follow(event) { Ok(()) } else { Err(was) }
            }
        };
        follows.map_err(|was| Complaint { law: Law::Events, what: format!("{event:?} came after {was}") })
    }

    /// How many peers there must be after these events.
    pub(crate) fn peers(&self) -> u64 {
        self.established - self.breaks
    }

    /// The socket is closed: all that began has ended.
    pub(crate) fn check_ended(&self) -> Verdict {
        for (endpoint, dialer) in &self.dialers {
            let open = matches!(dialer, Dialer::Connected | Dialer::Established);
            demand(!open, Law::Events, || format!("nobody told the end of {endpoint}: {dialer:?}"))?;
        }
        for (endpoint, listener) in &self.listeners {
            let ended = listener.established == listener.ended
                && listener.accepted == listener.established + listener.failed;
            demand(ended, Law::Events, || format!("not every connection of {endpoint} ended: {listener:?}"))?;
        }
        Ok(())
    }
}

impl Dialer {
    fn follow(&mut self, event: &EventKind) -> Result<(), Dialer> {
        let next = match (*self, event) {
            (Dialer::Trying, EventKind::Connected { .. }) => Dialer::Connected,
            (Dialer::Connected, EventKind::Established { .. }) => Dialer::Established,
            (Dialer::Trying | Dialer::Connected, EventKind::HandshakeFailed { .. })
            | (Dialer::Established, EventKind::Disconnected { .. }) => Dialer::Ended,
            // Also when the system refused the very attempt.
            (Dialer::Ended | Dialer::Trying, EventKind::Retrying { .. }) => Dialer::Trying,
            (was, _) => return Err(was),
        };
        *self = next;
        Ok(())
    }
}

impl Listener {
    fn follow(&mut self, event: &EventKind) -> bool {
        match event {
            EventKind::Accepted { .. } => self.accepted += 1,
            EventKind::Established { .. } => self.established += 1,
            EventKind::HandshakeFailed { .. } => self.failed += 1,
            EventKind::Disconnected { .. } => self.ended += 1,
            _ => return false,
        }
        self.established + self.failed <= self.accepted && self.ended <= self.established
    }
}
