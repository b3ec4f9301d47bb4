//! Sources that are closed here, while the system still has an operation of theirs.

use std::sync::Arc;

use serverlink_driver::{Key, Written};

use super::Reactor;
use super::turn::Turn;
use crate::connection::Remains;
use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::socket::core::Core;
use crate::sync::later::drop_later;

/// What waits for the last operation of a closed source to come home.
pub(super) enum Leaving {
    /// A batch that comes back: the messages in it may be its dialer's to send again.
    Connection(Remains),
    /// Whoever asked for its end: before, its endpoint need not be free.
    Listener { core: Arc<Core>, endpoint: Endpoint },
    /// Nothing. It was closed before anybody knew of it.
    Newcomer,
}

impl Turn {
    /// A source was closed. Some drivers have memory of it until its last operation came home.
    pub(super) fn wait_for_closed(&mut self, reactor: &Reactor, key: Key, leaving: Leaving) {
        if reactor.remote().reports_closed() && !self.failed {
            self.leaving.insert(key, leaving);
        } else {
            leaving.came_home(key);
        }
    }

    pub(super) fn on_closed(&mut self, reactor: &Reactor, key: Key) {
        if let Some(leaving) = self.leaving.remove(key) {
            leaving.came_home(key);
        }
        self.check_closing(reactor);
    }

    /// Nobody will say any more that their last operations came home.
    pub(super) fn stop_waiting_for_closed(&mut self) {
        self.leaving.drain().for_each(|(key, leaving)| leaving.came_home(key));
    }

    /// A batch is back whose connection ended.
    pub(super) fn take_back(&self, key: Key, written: Written) {
        match self.leaving.get(key) {
            Some(Leaving::Connection(Remains { core, pipe: Some(pipe) })) => {
                core.take_back(key, *pipe, written)
            }
            _ => drop_later(written),
        }
    }

    /// Whether an endpoint of this socket need not be free yet.
    pub(super) fn has_leaving_listeners(&self, core: &Arc<Core>) -> bool {
        let is_its = |leaving: &Leaving| matches!(leaving, Leaving::Listener { core: its, .. } if Arc::ptr_eq(its, core));
        self.leaving.values().any(is_its)
    }
}

impl Leaving {
    fn came_home(self, key: Key) {
        if let Leaving::Listener { core, endpoint } = self {
            core.listener_closed(key);
            core.monitor.tell(|| EventKind::ListenerClosed { endpoint });
        }
    }
}
