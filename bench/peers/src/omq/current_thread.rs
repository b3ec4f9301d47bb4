//! Its futures on a current-thread runtime: the application and the library's tasks share one thread.

use omq_tokio::{Socket, TrySendError};
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Setup, fresh_endpoint},
};

use super::{count, failed, message, options, socket_type, topic};
use crate::tasks::{Hosted, TaskLibrary, TaskSocket};

pub(crate) type OmqCurrentThread = Hosted<Tasks>;

#[derive(Clone)]
pub(crate) struct Tasks(Setup);

impl TaskLibrary for Tasks {
    type Socket = TokioSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(Tasks(setup.clone()))
    }

    fn refuse(&self, _: Kind, _: Transport) -> Result<(), Error> {
        Ok(())
    }

    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(TokioSocket, String), Error> {
        let socket = self.socket(kind);
        let endpoint = fresh_endpoint(transport);
        let bound = socket.socket.bind(endpoint.as_str()).await.map_err(failed("binding"))?;
        Ok((socket, bound.to_string()))
    }

    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<TokioSocket, Error> {
        let socket = self.socket(kind);
        socket.socket.connect(endpoint).await.map_err(failed("connecting"))?;
        Ok(socket)
    }
}

impl Tasks {
    fn socket(&self, kind: Kind) -> TokioSocket {
        let socket = Socket::new(socket_type(kind), options(&self.0));
        TokioSocket { socket, publishes: kind == Kind::Pub }
    }
}

pub(crate) struct TokioSocket {
    socket: Socket,
    publishes: bool,
}

impl TaskSocket for TokioSocket {
    /// More than small messages need to get to the high-water mark.
    const BYTES_PER_TURN: usize = 256 << 10;

    /// Tries first: the future of a send that has room costs more than the send. A PUB alone does not,
    /// because one without subscribers always has room and nobody else would ever run.
    async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        if self.publishes {
            return self.socket.send(message(body)).await.map_err(failed("sending"));
        }
        match self.socket.try_send(message(body)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => self.socket.send(message).await.map_err(failed("sending")),
            Err(TrySendError::Error(error)) => Err(failed("sending")(error)),
            Err(error) => Err(Error::Peer { peer: "omq", doing: "sending", why: error.to_string() }),
        }
    }

    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = match self.socket.try_recv() {
            Err(omq_tokio::Error::WouldBlock) => self.socket.recv().await,
            received => received,
        };
        count(&message.map_err(failed("receiving"))?, counter);
        Ok(())
    }

    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.socket.recv().await.map_err(failed("receiving"))?;
        count(&message, counter);
        let _ = self.socket.send(message).await;
        Ok(())
    }

    async fn subscribe(&mut self, prefix: &[u8]) -> Result<(), Error> {
        self.socket.subscribe(topic(prefix)).await.map_err(failed("subscribing"))
    }
}
