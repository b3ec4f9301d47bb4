//! The end of a socket: what is queued is written within the linger, then everything of it closes.

use std::sync::Arc;
use std::time::Instant;

use serverlink_driver::Key;

use super::leaving::Leaving;
use super::timers::TimerId;
use super::turn::{Due, Source, Turn};
use super::{DialerId, Farewell, Reactor};
use crate::connection::Finish;
use crate::socket::core::Core;

/// A socket that closes.
pub(crate) struct Closing {
    core: Arc<Core>,
    deadline: Option<Instant>,
    timer: Option<TimerId>,
}

impl Turn {
    pub(super) fn close_socket(&mut self, reactor: &Reactor, core: Arc<Core>, deadline: Option<Instant>) {
        let timer = deadline.map(|at| self.timers.set(at, Due::Linger));
        if let Some(closing) = self.closing.iter_mut().find(|closing| Arc::ptr_eq(&closing.core, &core)) {
            closing.deadline = deadline;
            if let Some(old) = std::mem::replace(&mut closing.timer, timer) {
                self.timers.cancel(old);
            }
        } else {
            self.stop_listening(reactor, &core);
            self.closing.push(Closing { core, deadline, timer });
        }
        self.check_closing(reactor);
    }

    fn stop_listening(&mut self, reactor: &Reactor, core: &Arc<Core>) {
        let listeners: Vec<Key> = self
            .sources
            .iter()
            .filter(|(_, source)| {
                matches!(source, Source::Acceptor(acceptor) if Arc::ptr_eq(&acceptor.core, core))
            })
            .map(|(key, _)| key)
            .collect();
        listeners.into_iter().for_each(|key| self.unlisten(reactor, key));
    }

    /// Goes on with closing, where a socket closes at all.
    pub(super) fn check_closing(&mut self, reactor: &Reactor) {
        for mut closing in std::mem::take(&mut self.closing) {
            if self.is_over(reactor, &closing) {
                if let Some(timer) = closing.timer.take() {
                    self.timers.cancel(timer);
                }
                closing.core.finish_closing();
                self.over = true;
            } else {
                self.closing.push(closing);
            }
        }
        self.retire_if_over(reactor);
    }

    /// Nothing of its socket is left, here or with the system.
    pub(super) fn retire_if_over(&mut self, reactor: &Reactor) {
        let is_empty = self.sources.is_empty()
            && self.dialers.is_empty()
            && self.closing.is_empty()
            && self.leaving.is_empty();
        if self.over && is_empty {
            reactor.retire();
        }
    }

    fn is_over(&mut self, reactor: &Reactor, closing: &Closing) -> bool {
        let core = &closing.core;
        if closing.deadline.is_some_and(|at| at <= reactor.env.now()) {
            self.give_up(reactor, core);
            // The system has the last word on those, and soon.
            return !self.has_leaving_listeners(core);
        }
        for id in self.dialers_of(core) {
            let dialer = &mut self.dialers[id];
            dialer.stopping = true;
            if dialer.has_nothing_to_send() && !dialer.is_connected() {
                self.drop_dialer(id);
            }
        }
        for key in self.connections_of(core) {
            let Some(connection) = self.connection(key) else { continue };
            match connection.finish_if_flushed() {
                Finish::NotYet => {}
                Finish::Draining => {
                    self.set_deadline(key, None);
                    self.mark_ready(key);
                }
                Finish::Done => self.forget_connection(reactor, key),
            }
        }
        !self.has_any_of(core)
    }

    /// One connection of a socket that goes on.
    pub(super) fn hang_up(&mut self, reactor: &Reactor, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        let dialer = connection.dialer.take();
        let (how_far, next) = connection.hang_up(reactor.env.now());
        if let Some(dialer) = dialer {
            self.drop_dialer(dialer);
        }
        match how_far {
            Finish::NotYet => self.set_deadline(key, next),
            Finish::Draining => {
                self.set_deadline(key, next);
                self.mark_ready(key);
            }
            Finish::Done => self.end_connection(reactor, key, Farewell::Closed),
        }
    }

    /// The linger is over.
    fn give_up(&mut self, reactor: &Reactor, core: &Arc<Core>) {
        self.connections_of(core).into_iter().for_each(|key| self.forget_connection(reactor, key));
        self.dialers_of(core).into_iter().for_each(|id| self.drop_dialer(id));
    }

    fn forget_connection(&mut self, reactor: &Reactor, key: Key) {
        if let Some(Source::Connection(connection)) = self.sources.remove(key) {
            if let Some(timer) = connection.timer {
                self.timers.cancel(timer);
            }
            if let Some(dialer) = connection.dialer {
                self.drop_dialer(dialer);
            }
            let remains = connection.end(Farewell::Closed);
            self.wait_for_closed(reactor, key, Leaving::Connection(remains));
        }
    }

    fn connections_of(&self, core: &Arc<Core>) -> Vec<Key> {
        let is_its = |source: &Source| matches!(source, Source::Connection(connection) if Arc::ptr_eq(&connection.core, core));
        self.sources.iter().filter(|(_, source)| is_its(source)).map(|(key, _)| key).collect()
    }

    fn dialers_of(&self, core: &Arc<Core>) -> Vec<DialerId> {
        let is_its = |dialer: &&super::dial::Dialer| Arc::ptr_eq(&dialer.core, core);
        self.dialers.iter().filter(|(_, dialer)| is_its(dialer)).map(|(id, _)| id).collect()
    }
}
