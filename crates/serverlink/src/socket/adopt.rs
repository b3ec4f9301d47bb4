//! The one door for sockets that the application made: looked at, registered once, or given back.

use std::path::PathBuf;
use std::sync::Arc;

use serverlink_driver::{Address, OsListener, OsStream, SystemSocket, Unregistered, addresses_of, handle_of};

use super::core::Core;
use crate::adopt::{AdoptError, AdoptRefusal, Holder, RefusalReason};
use crate::endpoint::Endpoint;
use crate::reactor::command::{NewListener, NewStream};
use crate::reactor::{Command, Reactor, number};
use crate::report::{ConnectionReport, ListenerReport, Origin};
use crate::resolve;

impl Core {
    /// Takes a connected stream in, as if a listener had accepted it.
    pub(crate) fn adopt(
        self: &Arc<Self>,
        socket: SystemSocket,
    ) -> Result<Endpoint, AdoptError<SystemSocket>> {
        let (home, socket) = self.home_for(socket)?;
        let endpoint = endpoint_of(addresses_of(&socket).0);
        let stream = OsStream::try_from(socket).map_err(|refused| self.refused(refused))?;
        let stream = home.remote().adopt(stream).map_err(|refused| self.refused(system_stream(refused)))?;
        let core = Arc::clone(self);
        home.post(Command::TakeIn(Box::new(NewStream {
            core,
            stream,
            endpoint: endpoint.clone(),
            origin: Origin::Adopted,
        })));
        Ok(endpoint)
    }

    /// Listens on a socket that listens already. It is unbound as any other.
    pub(crate) fn listen_on(
        self: &Arc<Self>,
        socket: SystemSocket,
    ) -> Result<Endpoint, AdoptError<SystemSocket>> {
        let (home, socket) = self.home_for(socket)?;
        let listener = OsListener::try_from(socket).map_err(|refused| self.refused(refused))?;
        let endpoint = resolve::endpoint_of(&listener.local_address());
        let listener =
            home.remote().listen(listener).map_err(|refused| self.refused(system_listener(refused)))?;
        let key = listener.key();
        let core = Arc::clone(self);
        home.post(Command::Listen(Box::new(NewListener {
            settings: core.settings(),
            core,
            listener,
            endpoint: endpoint.clone(),
        })));
        self.note_bound(&endpoint, Some(key));
        Ok(endpoint)
    }

    /// The reactor that it will stay in.
    fn home_for(
        self: &Arc<Self>,
        socket: SystemSocket,
    ) -> Result<(&Arc<Reactor>, SystemSocket), AdoptError<SystemSocket>> {
        match self.check_open().and_then(|()| self.home_reactor()) {
            Ok(home) => Ok((home, socket)),
            Err(error) => Err(refusal(socket, RefusalReason::Failed(error))),
        }
    }

    fn refused(&self, refused: Unregistered<SystemSocket>) -> AdoptError<SystemSocket> {
        let Unregistered { object, error } = refused;
        let reason = RefusalReason::of(error, || self.holder_of(&object));
        refusal(object, reason)
    }

    /// Whose it is already. Every reactor of the context is asked.
    fn holder_of(&self, socket: &SystemSocket) -> Option<Holder> {
        let (local, peer) = addresses_of(socket);
        let (local, peer) =
            (local.map(|local| resolve::endpoint_of(&local)), peer.map(|peer| resolve::endpoint_of(&peer)));
        let reactors = self.context.reactors();
        reactors.iter().find_map(|reactor| match reactor.remote().key_of(socket) {
            Some(key) => reactor.holder(|holder, _| holder.registration == number(key)),
            // Where the system keeps that to itself, a connection is known by its two ends.
            None if cfg!(unix) => None,
            None => reactor.holder(|holder, its_peer| {
                Some(&holder.endpoint) == local.as_ref() && its_peer == peer.as_ref()
            }),
        })
    }
}

impl Reactor {
    /// The listener or connection that is the one, by what a holder is called and by its peer's address.
    fn holder(&self, is_it: impl Fn(&Holder, Option<&Endpoint>) -> bool) -> Option<Holder> {
        let report = self.describe(None)?;
        let listeners = report.listeners.into_iter().map(|listener| {
            let ListenerReport { socket_type, endpoint, registration } = listener;
            (Holder { socket_type, endpoint, registration }, None)
        });
        let connections = report.connections.into_iter().filter_map(|connection| {
            let ConnectionReport { socket_type, endpoint, registration, peer_address, .. } = connection;
            Some((Holder { socket_type, endpoint, registration: registration? }, peer_address))
        });
        let mut all = listeners.chain(connections);
        all.find(|(holder, peer)| is_it(holder, peer.as_ref())).map(|(holder, _)| holder)
    }
}

fn refusal(socket: SystemSocket, reason: RefusalReason) -> AdoptError<SystemSocket> {
    let (local, peer) = addresses_of(&socket);
    let named = |address: Option<Address>| address.map(|address| resolve::endpoint_of(&address));
    let refusal = AdoptRefusal { handle: handle_of(&socket), local: named(local), peer: named(peer), reason };
    AdoptError { socket, refusal: Box::new(refusal) }
}

/// What a report and the monitor call it. One of a pair has no name, and no path is empty.
fn endpoint_of(local: Option<Address>) -> Endpoint {
    local.map_or_else(|| Endpoint::Ipc(PathBuf::new()), |local| resolve::endpoint_of(&local))
}

fn system_stream(refused: Unregistered<OsStream>) -> Unregistered<SystemSocket> {
    let Unregistered { object, error } = refused;
    Unregistered { object: object.into_system().expect(REAL), error }
}

fn system_listener(refused: Unregistered<OsListener>) -> Unregistered<SystemSocket> {
    let Unregistered { object, error } = refused;
    Unregistered { object: object.into_system().expect(REAL), error }
}

const REAL: &str = "it was made from a socket of the system";
