//! ServerLink as a competitor.

use std::sync::Arc;

use serverlink::{Context, Message, Options, SocketType};

use super::{Kind, Library, Setup, Socket, fresh_endpoint};
use crate::{Error, Transport, load::Counter};

/// One context with one I/O thread. Without `SPINS` it only does what spinning is for.
pub(crate) struct Serverlink<const SPINS: bool> {
    context: Context,
    setup: Setup,
}

impl<const SPINS: bool> Library for Serverlink<SPINS> {
    type Socket = LinkSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        let context =
            Context::builder().io_threads(1).spin(SPINS).build().map_err(failed("creating a context"))?;
        Ok(Serverlink { context, setup: setup.clone() })
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(LinkSocket, String), Error> {
        let socket = self.socket(kind)?;
        let endpoint = socket.0.bind(&fresh_endpoint(transport)).map_err(failed("binding"))?;
        Ok((socket, endpoint.to_string()))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<LinkSocket, Error> {
        let socket = self.socket(kind)?;
        socket.0.connect(endpoint).map_err(failed("connecting"))?;
        Ok(socket)
    }
}

impl<const SPINS: bool> Serverlink<SPINS> {
    fn socket(&self, kind: Kind) -> Result<LinkSocket, Error> {
        if !SPINS && !matches!(kind, Kind::Req | Kind::Rep) {
            return Err(Error::NotMeasurable("its round trips alone are another matter".into()));
        }
        let socket_type = match kind {
            Kind::Push => SocketType::Push,
            Kind::Pull => SocketType::Pull,
            Kind::Dealer => SocketType::Dealer,
            Kind::Router => SocketType::Router,
            Kind::Req => SocketType::Req,
            Kind::Rep => SocketType::Rep,
            Kind::Pub => SocketType::Pub,
            Kind::Sub => SocketType::Sub,
        };
        let connections = u32::try_from(self.setup.connections).unwrap_or(u32::MAX);
        let defaults = Options::default();
        let options = Options {
            send_hwm: self.setup.high_water_mark,
            recv_hwm: self.setup.high_water_mark,
            send_buffer_bytes: self.setup.buffer_bytes,
            receive_buffer_bytes: self.setup.buffer_bytes,
            xpub_no_drop: kind == Kind::Pub && self.setup.no_drop,
            backlog: connections.max(defaults.backlog),
            max_connections: connections.saturating_mul(2).max(defaults.max_connections),
            ..defaults
        };
        let socket = self.context.socket_with(socket_type, options).map_err(failed("creating a socket"))?;
        Ok(LinkSocket(Arc::new(socket)))
    }
}

/// Shared, because any thread may use it.
pub(crate) struct LinkSocket(pub(super) Arc<serverlink::Socket>);

impl Socket for LinkSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        self.0.send(body).map_err(|refused| failed("sending")(refused.error))?;
        Ok(1)
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.0.recv().map_err(failed("receiving"))?;
        counter.message(body_of(&message));
        Ok(())
    }

    fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.0.recv().map_err(failed("receiving"))?;
        counter.message(body_of(&message));
        self.0.send(message).map_err(|refused| failed("sending")(refused.error))
    }

    fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        self.0.subscribe(topic).map_err(failed("subscribing"))
    }

    fn share(&self) -> Result<Self, Error> {
        Ok(LinkSocket(Arc::clone(&self.0)))
    }
}

/// A ROUTER has the sender's address in front.
pub(super) fn body_of(message: &Message) -> &[u8] {
    let body = if message.is_multipart() { message.iter().next_back() } else { None };
    body.unwrap_or_else(|| message.first()).as_bytes()
}

pub(super) fn failed(doing: &'static str) -> impl FnOnce(serverlink::Error) -> Error {
    move |error| Error::Peer { peer: "serverlink", doing, why: error.to_string() }
}
