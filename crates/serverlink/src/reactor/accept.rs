//! Listeners: from a connection request to a connection in its handshake.

use std::sync::Arc;
use std::time::Duration;

use serverlink_driver::{Key, Listener, OsStream, Stream};

use super::Reactor;
use super::command::{NewListener, NewStream};
use super::turn::{Due, Source, Turn};
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::report::Origin;
use crate::socket::core::Core;

/// How long accepting pauses where the system has no descriptors or memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections accepted in one go, so that a storm does not keep the others waiting.
const ACCEPT_BUDGET: usize = 64;

/// A listener and its mark.
pub(crate) struct Acceptor {
    pub(crate) core: Arc<Core>,
    pub(super) listener: Listener,
    pub(super) endpoint: Endpoint,
    pub(crate) acceptable: bool,
    pub(crate) queued: bool,
}

impl Turn {
    pub(super) fn listen(&mut self, reactor: &Reactor, new: NewListener) {
        let NewListener { core, listener, endpoint } = new;
        let key = listener.key();
        if core.is_closing() {
            listener.close();
            return self.wait_for_closed(reactor, key, None);
        }
        // Registered before its command was taken: an edge may have passed unseen.
        let acceptor = Acceptor { core, listener, endpoint, acceptable: true, queued: false };
        self.sources.insert(key, Source::Acceptor(Box::new(acceptor)));
        match self.failed {
            true => self.unlisten(reactor, key),
            false => self.mark_ready(key),
        }
    }

    pub(super) fn unlisten(&mut self, reactor: &Reactor, key: Key) {
        if let Some(Source::Acceptor(acceptor)) = self.sources.remove(key) {
            let endpoint = acceptor.endpoint.clone();
            acceptor.listener.close();
            self.wait_for_closed(reactor, key, None);
            acceptor.core.listener_closed(key);
            acceptor.core.monitor.tell(|| EventKind::ListenerClosed { endpoint });
        }
    }

    pub(super) fn accept(&mut self, reactor: &Reactor, key: Key) {
        for _ in 0..ACCEPT_BUDGET {
            let Some(Source::Acceptor(acceptor)) = self.sources.get_mut(key) else { return };
            acceptor.queued = false;
            match acceptor.listener.accept() {
                Ok(Some((stream, _))) => self.take_in_stream(reactor, key, stream),
                Ok(None) => {
                    acceptor.acceptable = false;
                    acceptor.listener.rearm();
                    return;
                }
                Err(error) => return self.pause_accepting(reactor, key, error),
            }
        }
        self.mark_ready(key);
    }

    /// Its home reactor adopts it: this is the stream's one registration.
    fn take_in_stream(&mut self, reactor: &Reactor, listener: Key, stream: OsStream) {
        let Some(Source::Acceptor(acceptor)) = self.sources.get(listener) else { return };
        let (core, endpoint) = (Arc::clone(&acceptor.core), acceptor.endpoint.clone());
        match reactor.remote().adopt(stream) {
            Ok(stream) => self.welcome(reactor, core, stream, endpoint, Origin::Accepted),
            Err(unregistered) => {
                let error = unregistered.error.to_string();
                core.monitor.tell(|| EventKind::AcceptFailed { endpoint, error });
            }
        }
    }

    /// A stream that the application made.
    pub(super) fn take_in(&mut self, reactor: &Reactor, new: NewStream) {
        let NewStream { core, stream, endpoint } = new;
        if core.is_closing() || self.failed {
            let key = stream.key();
            stream.close();
            return self.wait_for_closed(reactor, key, None);
        }
        self.welcome(reactor, core, stream, endpoint, Origin::Adopted);
    }

    /// A peer that came to us: the handshake begins.
    fn welcome(
        &mut self,
        reactor: &Reactor,
        core: Arc<Core>,
        stream: Stream,
        endpoint: Endpoint,
        origin: Origin,
    ) {
        let now = reactor.env.now();
        let deadline = now + core.options.handshake_timeout;
        core.monitor.tell(|| EventKind::Accepted { endpoint: endpoint.clone() });
        let (connection, flow) = Connection::connected(core, stream, endpoint, origin, now);
        let key = self.add_connection(connection, deadline);
        self.follow(reactor, key, flow);
    }

    /// The mark stays, and so do the requests in the system's queue.
    fn pause_accepting(&mut self, reactor: &Reactor, key: Key, error: std::io::Error) {
        let Some(Source::Acceptor(acceptor)) = self.sources.get(key) else { return };
        let (endpoint, error) = (acceptor.endpoint.clone(), error.to_string());
        acceptor.core.monitor.tell(|| EventKind::AcceptFailed { endpoint, error });
        self.timers.set(reactor.env.now() + PAUSE, Due::Accept(key));
    }
}
