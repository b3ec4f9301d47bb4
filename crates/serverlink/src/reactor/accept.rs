//! Listeners: from a connection request to a connection in its handshake.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serverlink_driver::{Address, Key, Listener, OsStream, Stream};

use super::command::{NewListener, NewStream};
use super::leaving::Leaving;
use super::turn::{Due, Source, Turn};
use super::{Farewell, Reactor, number};
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::options::{Newcomer, Options};
use crate::report::Origin;
use crate::resolve;
use crate::socket::core::Core;

/// How long accepting pauses where the system has no descriptors or memory left.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections accepted in one go, so that a storm does not keep the others waiting.
const ACCEPT_BUDGET: usize = 64;

/// A listener and its mark.
pub(crate) struct Acceptor {
    pub(crate) core: Arc<Core>,
    /// What it was made with.
    settings: Arc<Options>,
    pub(super) listener: Listener,
    pub(super) endpoint: Endpoint,
    pub(crate) acceptable: bool,
    pub(crate) queued: bool,
    /// It was told that accepting pauses, and not yet that it goes on.
    paused: bool,
}

/// Whose a stream is, and what it is made with.
struct Owner {
    core: Arc<Core>,
    settings: Arc<Options>,
}

impl Turn {
    pub(super) fn listen(&mut self, reactor: &Reactor, new: NewListener) {
        let NewListener { core, settings, listener, endpoint } = new;
        let key = listener.key();
        if core.is_closing() {
            listener.close();
            return self.wait_for_closed(reactor, key, Leaving::Listener { core, endpoint });
        }
        // Registered before its command was taken: an edge may have passed unseen.
        let acceptor =
            Acceptor { core, settings, listener, endpoint, acceptable: true, queued: false, paused: false };
        self.sources.insert(key, Source::Acceptor(Box::new(acceptor)));
        match self.failed {
            true => self.unlisten(reactor, key),
            false => self.mark_ready(key),
        }
    }

    pub(super) fn unlisten(&mut self, reactor: &Reactor, key: Key) {
        if let Some(Source::Acceptor(acceptor)) = self.sources.remove(key) {
            let Acceptor { core, listener, endpoint, .. } = *acceptor;
            listener.close();
            self.wait_for_closed(reactor, key, Leaving::Listener { core, endpoint });
        }
    }

    /// What was bound there listens, or receives datagrams.
    pub(super) fn unbind(&mut self, reactor: &Reactor, key: Key) {
        let Some(Source::Connection(connection)) = self.sources.get(key) else {
            return self.unlisten(reactor, key);
        };
        let (core, endpoint) = (Arc::clone(&connection.core), connection.endpoint().clone());
        self.end_connection(reactor, key, Farewell::Closed);
        self.wait_for_closed(reactor, key, Leaving::Listener { core, endpoint });
    }

    pub(super) fn accept(&mut self, reactor: &Reactor, key: Key) {
        for _ in 0..ACCEPT_BUDGET {
            let Some(Source::Acceptor(acceptor)) = self.sources.get_mut(key) else { return };
            acceptor.queued = false;
            if let Some(limit) = acceptor.limit_reached() {
                acceptor.pause(|| format!("{limit} connections are open, as many as max_connections allows"));
                // The mark stays: the end of a connection brings it back.
                if !self.full.contains(&key) {
                    self.full.push(key);
                }
                return;
            }
            match acceptor.listener.accept() {
                Ok(Some((stream, peer))) => {
                    acceptor.resume();
                    self.take_in_stream(reactor, key, stream, peer);
                }
                Ok(None) => {
                    acceptor.resume();
                    acceptor.acceptable = false;
                    acceptor.listener.rearm();
                    return;
                }
                Err(error) => {
                    acceptor.pause(|| error.to_string());
                    // The mark stays, and so do the requests in the system's queue.
                    self.timers.set(reactor.env.now() + PAUSE, Due::Accept(key));
                    return;
                }
            }
        }
        self.mark_ready(key);
    }

    /// One of its connections has ended, and a listener may have waited for that.
    pub(super) fn let_in_more(&mut self) {
        std::mem::take(&mut self.full).into_iter().for_each(|key| self.mark_ready(key));
    }

    /// Its home reactor adopts it: this is the stream's one registration.
    fn take_in_stream(&mut self, reactor: &Reactor, listener: Key, stream: OsStream, peer: Option<Address>) {
        let Some(Source::Acceptor(acceptor)) = self.sources.get(listener) else { return };
        if let Some(why) = acceptor.why_not(&stream, peer.as_ref()) {
            return acceptor.turn_away(stream, why);
        }
        let (core, endpoint) = (Arc::clone(&acceptor.core), acceptor.endpoint.clone());
        let settings = Arc::clone(&acceptor.settings);
        match reactor.remote().adopt(stream) {
            Ok(stream) => self.welcome(reactor, Owner { core, settings }, stream, endpoint, Origin::Accepted),
            Err(unregistered) => {
                let error = unregistered.error.to_string();
                core.monitor.tell(|| EventKind::AcceptFailed { endpoint, error });
            }
        }
    }

    /// A stream that the application made, or one of datagrams.
    pub(super) fn take_in(&mut self, reactor: &Reactor, new: NewStream) {
        let NewStream { core, stream, endpoint, origin } = new;
        if core.is_closing() || self.failed {
            let key = stream.key();
            stream.close();
            return self.wait_for_closed(reactor, key, Leaving::Newcomer);
        }
        let settings = core.settings();
        match origin {
            Origin::Bound => self.receive(reactor, Owner { core, settings }, stream, endpoint),
            _ => self.welcome(reactor, Owner { core, settings }, stream, endpoint, origin),
        }
    }

    /// Datagrams from whoever sends any: no peer came, and none is waited for.
    fn receive(&mut self, reactor: &Reactor, owner: Owner, stream: Stream, endpoint: Endpoint) {
        let Owner { core, settings } = owner;
        let now = reactor.env.now();
        let (connection, flow) = Connection::bound(core, settings, stream, endpoint, now);
        let key = self.add_connection(connection, now);
        self.follow(reactor, key, flow);
    }

    /// A peer that came to us: the handshake begins.
    fn welcome(
        &mut self,
        reactor: &Reactor,
        owner: Owner,
        stream: Stream,
        endpoint: Endpoint,
        origin: Origin,
    ) {
        let Owner { core, settings } = owner;
        let now = reactor.env.now();
        let deadline = now + settings.handshake_timeout;
        core.monitor.tell(|| EventKind::Accepted {
            endpoint: endpoint.clone(),
            registration: number(stream.key()),
            peer_address: stream.peer_address().map(|address| resolve::endpoint_of(&address)),
        });
        let (connection, flow) = Connection::connected(core, settings, stream, endpoint, origin, now);
        let key = self.add_connection(connection, deadline);
        self.follow(reactor, key, flow);
    }
}

impl Acceptor {
    /// As many connections as the socket may have, if it has them.
    fn limit_reached(&self) -> Option<u32> {
        let limit = self.core.options.max_connections;
        let is_reached = limit != 0 && self.core.accepted.load(Ordering::Relaxed) >= limit as usize;
        is_reached.then_some(limit)
    }

    /// Told once, however often it is found to last.
    fn pause(&mut self, reason: impl FnOnce() -> String) {
        if !std::mem::replace(&mut self.paused, true) {
            let endpoint = self.endpoint.clone();
            self.core.monitor.tell(|| EventKind::AcceptPaused { endpoint, reason: reason() });
        }
    }

    fn resume(&mut self) {
        if std::mem::take(&mut self.paused) {
            let endpoint = self.endpoint.clone();
            self.core.monitor.tell(|| EventKind::AcceptResumed { endpoint });
        }
    }

    /// Why the filters let nobody like this in.
    fn why_not(&self, stream: &OsStream, peer: Option<&Address>) -> Option<String> {
        let filters = &self.settings.accept_filters;
        if filters.is_empty() {
            return None;
        }
        let newcomer = match (&self.endpoint, peer) {
            (Endpoint::Tcp { .. }, Some(Address::Tcp(peer))) => Newcomer::Tcp(peer.ip()),
            _ => Newcomer::Ipc(stream.credentials().unwrap_or_default()),
        };
        (!newcomer.is_let_in(filters)).then(|| newcomer.to_string())
    }

    /// Closes it unread.
    fn turn_away(&self, stream: OsStream, reason: String) {
        drop(stream);
        self.core.filtered.fetch_add(1, Ordering::Relaxed);
        let endpoint = self.endpoint.clone();
        self.core.monitor.tell(|| EventKind::AcceptFiltered { endpoint, reason });
    }
}
