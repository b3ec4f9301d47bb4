//! One registration: how it is looked at, and how its socket wakes the poller.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use serverlink_driver::Watched;

use super::bell::{Bell, Ringer};
use super::event::{Interest, PollEvent};
use crate::socket::core::Core;
use crate::socket::drive::For;
use crate::sync::{Lock, Registration};

/// See the module's page.
pub(super) struct Entry {
    pub(super) key: usize,
    pub(super) source: Source,
    state: Lock<State>,
}

pub(super) enum Source {
    Socket(Weak<Core>),
    /// Under this number in the watch.
    Foreign(usize),
}

struct State {
    interest: Interest,
    /// Places in the lists of who waits for the socket. They stay from wait to wait until they are used up, so that a socket where
    /// nothing happens costs a look and no more.
    armed: Vec<Registration>,
}

impl Entry {
    pub(super) fn new(key: usize, source: Source, interest: Interest) -> Entry {
        Entry { key, source, state: Lock::new(State { interest, armed: Vec::new() }) }
    }

    pub(super) fn set_interest(&self, interest: Interest) {
        let mut state = self.state.lock();
        state.interest = interest;
        let armed = std::mem::take(&mut state.armed);
        drop(state);
        drop(armed);
    }

    pub(super) fn foreign_event(&self, found: Watched) -> Option<PollEvent> {
        let interest = self.state.lock().interest;
        let event = PollEvent {
            key: self.key,
            readable: found.readable && interest.readable,
            writable: found.writable && interest.writable,
            error: found.failed,
        };
        (event.readable || event.writable || event.error).then_some(event)
    }

    /// What holds for the socket. If nothing does, it rings when that changes.
    pub(super) fn socket_event(&self, core: &Weak<Core>, bell: &Bell) -> Option<PollEvent> {
        let Some(core) = core.upgrade() else {
            return Some(PollEvent { key: self.key, readable: false, writable: false, error: true });
        };
        let interest = self.state.lock().interest;
        if let Some(event) = self.look(&core, interest) {
            let armed = std::mem::take(&mut self.state.lock().armed);
            drop(armed);
            return Some(event);
        }
        if !self.is_armed() {
            self.arm(&core, interest, bell);
            // What changed before that rings nothing.
            return self.look(&core, interest);
        }
        None
    }

    fn look(&self, core: &Arc<Core>, interest: Interest) -> Option<PollEvent> {
        if core.check_usable().is_err() {
            return Some(PollEvent { key: self.key, readable: false, writable: false, error: true });
        }
        let readable = interest.readable && core.poll_readable();
        let writable = interest.writable && core.poll_writable();
        (readable || writable).then_some(PollEvent { key: self.key, readable, writable, error: false })
    }

    fn is_armed(&self) -> bool {
        let state = self.state.lock();
        !state.armed.is_empty() && !state.armed.iter().any(Registration::is_notified)
    }

    fn arm(&self, core: &Arc<Core>, interest: Interest, bell: &Bell) {
        // Whoever closes the socket tells all three lists; one of them has to be there.
        let waits = [
            (interest.readable, For::Message),
            (interest.writable, For::Credit),
            (interest == Interest::NONE, For::Change),
        ];
        let armed = waits.into_iter().filter(|(wanted, _)| *wanted).map(|(_, what)| {
            let signal = Signal { ringer: bell.ringer(), key: self.key, core: Arc::downgrade(core), what };
            core.waiters(what).register_task(&Waker::from(Arc::new(signal)))
        });
        let armed = armed.collect();
        let used_up = std::mem::replace(&mut self.state.lock().armed, armed);
        drop(used_up);
        core.watch_conversation(For::Message);
        core.watch_conversation(For::Credit);
        core.flush();
        if let Some(home) = core.home.get() {
            // Nobody waits in a call of its own, so the I/O thread has to drive.
            home.rely();
        }
    }
}

/// What a socket runs when something that a poller waits for may have come.
struct Signal {
    ringer: Ringer,
    key: usize,
    core: Weak<Core>,
    what: For,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.ringer.suspect(self.key);
        if let Some(core) = self.core.upgrade() {
            core.hand_on(self.what);
        }
    }
}
