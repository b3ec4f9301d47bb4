//! The system reports no more events, or the reactor itself is broken: its sockets are told, and nobody waits for ever.

use std::io;
use std::sync::{Arc, Weak};

use serverlink_driver::Key;

use super::turn::{Source, Turn};
use super::{DialerId, Farewell, Reactor};
use crate::socket::core::Core;

/// An error that many are told of.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    code: Option<i32>,
    kind: io::ErrorKind,
    words: String,
}

impl Failure {
    pub(crate) fn of(error: &io::Error) -> Failure {
        Failure { code: error.raw_os_error(), kind: error.kind(), words: error.to_string() }
    }

    /// A thread panicked while it drove. The panic's own words are on standard error.
    pub(crate) fn of_a_panic() -> Failure {
        let words = "ServerLink broke one of its own rules while it drove this socket; please report what the panic said";
        Failure { code: None, kind: io::ErrorKind::Other, words: words.to_owned() }
    }

    pub(crate) fn to_error(&self) -> io::Error {
        match self.code {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(self.kind, self.words.clone()),
        }
    }
}

impl Reactor {
    /// Tells its sockets, whose calls fail from now on. What is here is taken down by whoever drives.
    pub(crate) fn tell_failure(&self, failure: &Failure) {
        let users: Vec<Arc<Core>> = self.users.lock().iter().filter_map(Weak::upgrade).collect();
        users.iter().for_each(|core| core.driver_failed(failure));
    }
}

impl Turn {
    /// Nothing will be heard of any connection: all of them end, and no new one begins.
    pub(super) fn fail(&mut self, reactor: &Reactor, failure: Failure) {
        if self.failed {
            return;
        }
        self.failed = true;
        let connections: Vec<Key> = self.keys_of(|source| matches!(source, Source::Connection(_)));
        for key in connections {
            self.end_connection(reactor, key, Farewell::Io(failure.to_error()));
        }
        let listeners: Vec<Key> = self.keys_of(|source| matches!(source, Source::Acceptor(_)));
        listeners.into_iter().for_each(|key| self.unlisten(reactor, key));
        let dialers: Vec<DialerId> = self.dialers.keys().collect();
        dialers.into_iter().for_each(|dialer| self.drop_dialer(dialer));
        self.stop_waiting_for_closed();
        reactor.tell_failure(&failure);
        self.check_closing(reactor);
    }

    fn keys_of(&self, wanted: impl Fn(&Source) -> bool) -> Vec<Key> {
        self.sources.iter().filter(|(_, source)| wanted(source)).map(|(key, _)| key).collect()
    }
}
