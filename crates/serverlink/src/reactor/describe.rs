//! What is here, told to whoever asks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use serverlink_driver::Key;
use slotmap::Key as _;

use super::accept::Acceptor;
use super::dial::{DialState, Dialer};
use super::turn::{Source, Turn};
use super::{Attention, Command, Reactor};
use crate::report::{ConnectionReport, ConnectionState, ListenerReport, Origin, ReactorReport};
use crate::socket::core::Core;

/// Somebody waits to be told. Dropping it unanswered tells that the reactor is gone.
pub(crate) struct Inquiry {
    /// Only what belongs to this socket.
    of: Option<Arc<Core>>,
    answer: SyncSender<ReactorReport>,
}

impl Reactor {
    /// What is here, or what of it is this socket's. `None`: the reactor is retired. Call without locks.
    pub(crate) fn describe(&self, of: Option<&Arc<Core>>) -> Option<ReactorReport> {
        let (answer, answered) = sync_channel(1);
        self.leave_command(Command::Describe(Inquiry { of: of.cloned(), answer }));
        match self.take_role() {
            // One round sees to everything that was asked for, this included.
            Some(mut hold) => {
                hold.poll(Attention::Absent);
                hold.leave(true);
            }
            None => self.depend(),
        }
        // Retired before the command came: nobody else will look at it any more.
        if !self.io.knows(self.token) {
            self.dismiss_inquiries();
        }
        answered.recv().ok()
    }

    /// Nobody will drive it any more, so nobody may wait for it.
    pub(super) fn dismiss_inquiries(&self) {
        let is_inquiry = |command: &Command| matches!(command, Command::Describe(_));
        let mut commands = self.commands.lock();
        let (dismissed, kept) = std::mem::take(&mut *commands).into_iter().partition(is_inquiry);
        *commands = kept;
        drop(commands);
        drop::<VecDeque<Command>>(dismissed);
    }
}

impl Turn {
    pub(super) fn answer(&self, reactor: &Reactor, inquiry: Inquiry) {
        let now = reactor.env.now();
        let is_asked_for = |core: &Arc<Core>| inquiry.of.as_ref().is_none_or(|of| Arc::ptr_eq(of, core));
        let mut report = ReactorReport {
            io_thread: reactor.io.index(),
            token: reactor.token,
            registrations: reactor.remote.registration_count(),
            closing: self.leaving.len(),
            listeners: Vec::new(),
            connections: Vec::new(),
        };
        for source in self.sources.values() {
            match source {
                Source::Connection(connection) if is_asked_for(&connection.core) => {
                    report.connections.push(connection.describe(now));
                }
                Source::Acceptor(acceptor) if is_asked_for(&acceptor.core) => {
                    report.listeners.push(acceptor.describe());
                }
                _ => {}
            }
        }
        let dialers = self.dialers.values().filter(|dialer| is_asked_for(&dialer.core));
        report.connections.extend(dialers.filter_map(|dialer| dialer.describe(now)));
        // The one who asked waits for this.
        let _ = inquiry.answer.send(report);
    }
}

impl Acceptor {
    fn describe(&self) -> ListenerReport {
        ListenerReport {
            socket_type: self.core.kind,
            endpoint: self.endpoint.clone(),
            registration: number(self.listener.key()),
        }
    }
}

impl Dialer {
    /// `None` while it has a connection, which tells for itself.
    fn describe(&self, now: Instant) -> Option<ConnectionReport> {
        let state = match self.state {
            DialState::Connected(_) => return None,
            DialState::Resolving(_) => ConnectionState::Resolving,
            DialState::Waiting(timer) => ConnectionState::Waiting {
                attempt: self.attempts,
                next_try_in: timer
                    .map_or_else(Default::default, |timer| timer.at().saturating_duration_since(now)),
            },
        };
        Some(ConnectionReport {
            socket_type: self.core.kind,
            endpoint: self.endpoint.clone(),
            peer_address: None,
            peer_credentials: None,
            origin: Origin::Dialed,
            state,
            peer: None,
            routing_id: self.core.routing_id_of(self.pipe),
            registration: None,
            age: now.saturating_duration_since(self.idle_since),
        })
    }
}

/// A key as a number: its slot and its generation.
pub(crate) fn number(key: Key) -> u64 {
    key.data().as_ffi()
}
