//! A connection in the words of a report.

use std::time::Instant;

use super::{Connection, Phase};
use crate::endpoint::Endpoint;
use crate::reactor::number;
use crate::report::{ConnectionReport, ConnectionState};
use crate::resolve;

impl Connection {
    pub(crate) fn describe(&self, now: Instant) -> ConnectionReport {
        ConnectionReport {
            socket_type: self.core.kind,
            endpoint: self.endpoint.clone(),
            peer_address: self.peer_address(),
            peer_credentials: self.credentials,
            origin: self.origin,
            state: self.state(),
            peer: self.pipe.and_then(|pipe| self.core.peer_behind(pipe)),
            routing_id: self.pipe.and_then(|pipe| self.core.routing_id_of(pipe)),
            registration: Some(number(self.key())),
            age: now.saturating_duration_since(self.registered_at),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who is at the other end, where the system knows. All that it knows of who is behind a proxy is the proxy.
    pub(super) fn peer_address(&self) -> Option<Endpoint> {
        if self.goes_through_proxy() {
            return None;
        }
        self.stream.peer_address().map(|address| resolve::endpoint_of(&address))
    }

    fn state(&self) -> ConnectionState {
        match self.phase {
            Phase::Connecting | Phase::Asking(..) => ConnectionState::Connecting,
            Phase::Greeting(..) => ConnectionState::Handshake,
            Phase::Open => ConnectionState::Open,
            Phase::Draining => ConnectionState::Draining,
        }
    }
}
