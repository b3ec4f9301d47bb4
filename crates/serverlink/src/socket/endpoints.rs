//! Binding and connecting, and the opposite.

use std::sync::Arc;

use serverlink_driver::{Key, ListenOptions, StreamOptions};
use serverlink_message::{Part, SocketType};
use serverlink_patterns::PipeId;

use super::core::{Bound, Core, Dialed, Topology};
use super::datagrams::Purpose;
use super::drive::For;
use crate::endpoint::{Endpoint, Host};
use crate::error::Error;
use crate::monitor::EventKind;
use crate::options::Options;
use crate::reactor::command::{NewDialer, NewListener};
use crate::reactor::{Command, Reactor};
use crate::resolve;
use crate::sync::Guard;

/// Longest routing id on the wire.
const MAX_ROUTING_ID_BYTES: usize = 255;

impl Core {
    pub(crate) fn bind(self: &Arc<Self>, endpoint: &str) -> Result<Endpoint, Error> {
        self.check_open()?;
        let endpoint: Endpoint = endpoint.parse()?;
        self.check_has_octets(&endpoint)?;
        self.check_transport(&endpoint, Purpose::Bind)?;
        let (bound, listener) = match &endpoint {
            Endpoint::Inproc(name) => {
                self.bind_inproc(name, &endpoint)?;
                (endpoint, None)
            }
            Endpoint::Udp { .. } => self.bind_datagrams(&endpoint).map(|(bound, key)| (bound, Some(key)))?,
            _ => self.listen(&endpoint).map(|(bound, key)| (bound, Some(key)))?,
        };
        self.note_bound(&bound, listener);
        if self.is_closing() {
            // Who closes it may have looked for its names before this one was noted.
            self.close_inproc();
            return Err(Error::Closed);
        }
        Ok(bound)
    }

    /// The socket listens there from now on.
    pub(super) fn note_bound(&self, endpoint: &Endpoint, listener: Option<Key>) {
        let mut topology = self.topology.lock();
        topology.last_endpoint = Some(endpoint.clone());
        topology.bound.push(Bound { endpoint: endpoint.clone(), listener });
        drop(topology);
        self.monitor.tell(|| EventKind::Listening { endpoint: endpoint.clone() });
    }

    fn listen(self: &Arc<Self>, endpoint: &Endpoint) -> Result<(Endpoint, Key), Error> {
        let settings = self.settings();
        let address = resolve::to_bind(&self.env, endpoint, settings.ipv6)?;
        let home = self.home_reactor()?;
        let options = ListenOptions {
            backlog: settings.backlog,
            stream: stream_options(&settings),
            ..ListenOptions::default()
        };
        let failed = |error| bind_error(endpoint, error);
        let listener = home.remote().bind(&address, &options).map_err(failed)?;
        let bound = resolve::endpoint_of(&listener.local_address());
        let listener = home.remote().listen(listener).map_err(|refused| failed(refused.error))?;
        let key = listener.key();
        let (core, endpoint) = (Arc::clone(self), bound.clone());
        let listening = Command::Listen(Box::new(NewListener { core, settings, listener, endpoint }));
        let topology = self.topology_of_open()?;
        home.post(listening);
        drop(topology);
        Ok((bound, key))
    }

    pub(crate) fn unbind(self: &Arc<Self>, endpoint: &str) -> Result<(), Error> {
        self.check_open()?;
        let endpoint: Endpoint = endpoint.parse()?;
        let bound = {
            let mut topology = self.topology.lock();
            let index = topology.bound.iter().position(|bound| bound.endpoint == endpoint);
            index.map(|index| topology.bound.remove(index))
        };
        let Some(bound) = bound else { return Err(Error::NoSuchEndpoint { endpoint }) };
        match (bound.listener, &endpoint) {
            (Some(key), _) => self.stop_listening(key)?,
            (None, Endpoint::Inproc(name)) => self.context.registry.lock().unbind(name, self),
            (None, _) => {}
        }
        Ok(())
    }

    /// Connections that came through a listener there are written to the end of their queues, and closed.
    pub(super) fn hang_up_on_all_of(self: &Arc<Self>, endpoint: &Endpoint) {
        let topology = self.topology.lock();
        let came_there =
            topology.pipes.iter().filter(|(_, entry)| !entry.dialed && entry.endpoint == *endpoint);
        let connections: Vec<_> = came_there.filter_map(|(pipe, entry)| Some((pipe, entry.key?))).collect();
        for (pipe, key) in connections {
            // What is sent from now on is for others.
            self.send.lock().sender.set_writable(pipe, false);
            self.post(Command::HangUp(key));
        }
    }

    /// Waits for the listener to be closed, so that its endpoint is free when this returns.
    fn stop_listening(self: &Arc<Self>, key: Key) -> Result<(), Error> {
        self.topology.lock().unlistening.push(key);
        self.post(Command::Unlisten(key));
        loop {
            let closed = || Ok((!self.topology.lock().unlistening.contains(&key)).then_some(()));
            match self.wait_until(For::Change, None, closed) {
                Err(Error::Interrupted) => continue,
                outcome => return outcome,
            }
        }
    }

    /// The reactor has closed it.
    pub(crate) fn listener_closed(&self, key: Key) {
        self.topology.lock().unlistening.retain(|&waiting| waiting != key);
        self.observers.notify_all();
    }

    /// `routing_id` names the peer for a ROUTER or a STREAM, whatever it calls itself.
    pub(crate) fn connect(self: &Arc<Self>, endpoint: &str, routing_id: Option<&[u8]>) -> Result<(), Error> {
        self.dial(endpoint, routing_id).map(drop)
    }

    /// Connects, and tells under which routing id the peer is addressed from now on.
    pub(crate) fn connect_peer(self: &Arc<Self>, endpoint: &str) -> Result<Part, Error> {
        self.check_open()?;
        if !matches!(self.kind, SocketType::Peer | SocketType::Stream) {
            let what = "tell the routing id of a peer before it is there";
            return Err(Error::NotSupported { what, socket_type: self.kind });
        }
        if self.options.immediate {
            let why = "with it a peer has no routing id before it is connected";
            return Err(Error::invalid_option("immediate", true, why));
        }
        let pipe = self.dial(endpoint, None)?;
        let routing_id = self.send.lock().sender.routing_id(pipe).cloned();
        routing_id.ok_or_else(|| Error::invalid_endpoint(endpoint, "its peer is gone already"))
    }

    fn dial(self: &Arc<Self>, endpoint: &str, routing_id: Option<&[u8]>) -> Result<PipeId, Error> {
        self.check_open()?;
        let endpoint: Endpoint = endpoint.parse()?;
        endpoint.check_connectable()?;
        self.check_has_octets(&endpoint)?;
        self.check_transport(&endpoint, Purpose::Connect)?;
        if let Some(id) = routing_id {
            self.check_connect_routing_id(id)?;
        }
        if let Endpoint::Inproc(name) = &endpoint {
            let pipe = self.connect_inproc(name, &endpoint, routing_id)?;
            self.topology.lock().dial(endpoint, pipe);
            return Ok(pipe);
        }
        let settings = self.settings();
        if self.env.world().is_none() {
            let refused =
                |source| Error::Io { doing: "connecting", endpoint: Some(endpoint.clone()), source };
            options_of_system(&endpoint, &settings).check().map_err(refused)?;
        }
        check_known_to_proxy(&settings, &endpoint)?;
        if endpoint.is_udp() {
            self.begin_sending_datagrams(&endpoint)?;
        }
        let home = self.home_reactor()?;
        let pipe = {
            // Posted under the lock: a disconnect in another thread must not come before it.
            let mut topology = self.topology_of_open()?;
            let pipe = self
                .open_dialed_pipe(&mut topology, &endpoint, routing_id)
                .map_err(|why| Error::invalid_endpoint(&endpoint, why.to_string()))?;
            topology.dial(endpoint.clone(), pipe);
            let core = Arc::clone(self);
            home.post(Command::Dial(Box::new(NewDialer { core, settings, endpoint, pipe })));
            pipe
        };
        self.writers.notify_all();
        Ok(pipe)
    }

    /// What goes through a process are messages.
    fn check_has_octets(&self, endpoint: &Endpoint) -> Result<(), Error> {
        match endpoint {
            Endpoint::Inproc(_) if self.is_raw() => {
                Err(Error::invalid_endpoint(endpoint, "a STREAM socket talks over tcp and ipc"))
            }
            _ => Ok(()),
        }
    }

    /// For new pipes: once a socket closes, which another thread may begin at any moment, there are none. See `begin_closing`.
    pub(super) fn topology_of_open(&self) -> Result<Guard<'_, Topology>, Error> {
        let topology = self.topology.lock();
        if self.is_closing() { Err(Error::Closed) } else { Ok(topology) }
    }

    fn check_connect_routing_id(&self, id: &[u8]) -> Result<(), Error> {
        if !matches!(self.kind, SocketType::Router | SocketType::Stream) {
            let what = "name the peers it connects to";
            return Err(Error::NotSupported { what, socket_type: self.kind });
        }
        let invalid = |why: &str| Err(Error::invalid_option("routing_id", id, why));
        if id.is_empty() || id.len() > MAX_ROUTING_ID_BYTES {
            return invalid("1 to 255 bytes are possible");
        }
        if id[0] == 0 {
            return invalid("ids that begin with a zero byte are given by the library");
        }
        if self.send.lock().sender.pipe_of(id).is_some() {
            return invalid("another peer has this routing id; disconnect it first or choose another");
        }
        Ok(())
    }

    pub(crate) fn disconnect(self: &Arc<Self>, endpoint: &str) -> Result<(), Error> {
        self.check_open()?;
        let endpoint: Endpoint = endpoint.parse()?;
        let dialed = {
            let mut topology = self.topology.lock();
            let index = topology.dialed.iter().position(|dialed| dialed.endpoint == endpoint);
            index.map(|index| topology.dialed.remove(index))
        };
        let Some(dialed) = dialed else { return Err(Error::NoSuchEndpoint { endpoint }) };
        match endpoint {
            Endpoint::Inproc(_) => self.disconnect_inproc(dialed.pipe),
            _ => {
                // At once: what is sent from now on must not be given to this pipe.
                self.drop_dialed(dialed.pipe);
                self.post(Command::StopDialing(dialed.pipe));
            }
        }
        Ok(())
    }

    /// The reactor of all its connections.
    pub(crate) fn home_reactor(self: &Arc<Self>) -> Result<&Arc<Reactor>, Error> {
        self.check_driver()?;
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        let _one_at_a_time = self.topology.lock();
        if self.home.get().is_none() {
            let home = self.context.open_reactor(self.options.affinity)?;
            home.add_user(self);
            let _ = self.home.set(home);
        }
        Ok(self.home.get().expect("it was just set"))
    }
}

impl Topology {
    fn dial(&mut self, endpoint: Endpoint, pipe: PipeId) {
        // A dialer that gave up is forgotten when its endpoint is connected to again.
        if !matches!(endpoint, Endpoint::Inproc(_)) {
            let Topology { dialed, pipes, .. } = self;
            dialed.retain(|old| old.endpoint != endpoint || pipes.contains_key(old.pipe));
        }
        self.last_endpoint = Some(endpoint.clone());
        self.dialed.push(Dialed { endpoint, pipe });
    }
}

/// What every connection of a socket with these options is told, but its source.
pub(crate) fn stream_options(options: &Options) -> StreamOptions {
    let tcp = &options.tcp;
    StreamOptions {
        send_buffer: options.send_buffer_bytes,
        receive_buffer: options.receive_buffer_bytes,
        keepalive: tcp.keepalive,
        keepalive_idle: tcp.keepalive_idle,
        keepalive_interval: tcp.keepalive_interval,
        keepalive_count: tcp.keepalive_count,
        user_timeout: tcp.user_timeout,
        type_of_service: tcp.type_of_service,
        priority: tcp.priority,
        device: tcp.device.clone(),
        busy_poll: tcp.busy_poll,
        ..StreamOptions::default()
    }
}

/// What the system may not have, or refuse, of the options that concern such an endpoint.
fn options_of_system(endpoint: &Endpoint, options: &Options) -> StreamOptions {
    match endpoint {
        Endpoint::Tcp { .. } => stream_options(options),
        Endpoint::Udp { .. } => StreamOptions {
            type_of_service: options.tcp.type_of_service,
            device: options.tcp.device.clone(),
            ..StreamOptions::default()
        },
        Endpoint::Ipc(_) | Endpoint::Inproc(_) => StreamOptions::default(),
    }
}

/// An address with a zone means something on its own machine alone.
fn check_known_to_proxy(settings: &Options, endpoint: &Endpoint) -> Result<(), Error> {
    match endpoint {
        Endpoint::Tcp { host: Host::Name(zoned), .. }
            if zoned.contains(':') && !settings.socks_proxy.is_empty() =>
        {
            let why = "its zone is one of this machine, and the socket's SOCKS5 proxy would not know it";
            Err(Error::invalid_endpoint(endpoint, why))
        }
        _ => Ok(()),
    }
}

pub(super) fn bind_error(endpoint: &Endpoint, source: std::io::Error) -> Error {
    let endpoint = endpoint.clone();
    match source.kind() {
        std::io::ErrorKind::AddrInUse => Error::AddressInUse { endpoint },
        std::io::ErrorKind::AddrNotAvailable => Error::AddressNotAvailable { endpoint },
        _ => Error::Io { doing: "binding", endpoint: Some(endpoint), source },
    }
}
