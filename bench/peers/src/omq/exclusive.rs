//! Its exclusive sockets: the caller reads and writes the one connection itself, nothing runs beside it.

use std::time::Duration;

use omq_tokio::exclusive::{Options, Socket};
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Setup, fresh_endpoint},
};

use super::{count, failed, message, socket_type};
use crate::tasks::{Hosted, TaskLibrary, TaskSocket};

/// How long a bound socket waits for its peer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type OmqExclusive = Hosted<Tasks>;

#[derive(Clone)]
pub(crate) struct Tasks {
    connections: usize,
}

impl TaskLibrary for Tasks {
    type Socket = ExclusiveSocket;
    const CALLERS_PER_SERVER: usize = 1;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(Tasks { connections: setup.connections })
    }

    fn refuse(&self, kind: Kind, transport: Transport) -> Result<(), Error> {
        let why = match (kind, transport) {
            (Kind::Push | Kind::Pull | Kind::Pub | Kind::Sub, _) => {
                "its exclusive sockets are DEALER, ROUTER, REQ and REP"
            }
            (_, Transport::Ipc | Transport::Inproc) => "its exclusive sockets have tcp alone",
            (Kind::Router, _) if self.connections > 1 => "its exclusive sockets have one connection each",
            _ => return Ok(()),
        };
        Err(Error::Absent(why.into()))
    }

    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(ExclusiveSocket, String), Error> {
        let endpoint = fresh_endpoint(transport);
        let (socket, bound) =
            Socket::bind(socket_type(kind), endpoint.as_str(), options()).await.map_err(failed("binding"))?;
        Ok((ExclusiveSocket(socket), bound.to_string()))
    }

    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<ExclusiveSocket, Error> {
        let socket =
            Socket::connect(socket_type(kind), endpoint, options()).await.map_err(failed("connecting"))?;
        Ok(ExclusiveSocket(socket))
    }
}

fn options() -> Options {
    Options { connect_timeout: PATIENCE, ..Options::default() }
}

pub(crate) struct ExclusiveSocket(Socket);

impl TaskSocket for ExclusiveSocket {
    async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        self.0.send(&message(body)).await.map_err(failed("sending"))
    }

    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        count(&self.0.recv().await.map_err(failed("receiving"))?, counter);
        Ok(())
    }

    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.0.recv().await.map_err(failed("receiving"))?;
        count(&message, counter);
        self.0.send(&message).await.map_err(failed("sending"))
    }

    async fn subscribe(&mut self, _: &[u8]) -> Result<(), Error> {
        Err(Error::Absent("it has no exclusive SUB".into()))
    }
}
