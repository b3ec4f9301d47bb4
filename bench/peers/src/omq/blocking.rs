//! Its blocking calls: an I/O thread of its own does what the callers do not.

use omq_tokio::{Context, blocking};
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Library, Setup, Socket, fresh_endpoint},
};

use super::{count, failed, message, options, socket_type, topic};

/// One context with one I/O thread.
pub(crate) struct OmqBlocking {
    context: Context,
    setup: Setup,
}

impl Library for OmqBlocking {
    type Socket = BlockingSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(OmqBlocking { context: Context::new(), setup: setup.clone() })
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(BlockingSocket, String), Error> {
        let socket = self.socket(kind);
        let endpoint = fresh_endpoint(transport);
        let bound = socket.0.bind(endpoint.as_str()).map_err(failed("binding"))?;
        Ok((socket, bound.to_string()))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<BlockingSocket, Error> {
        let socket = self.socket(kind);
        socket.0.connect(endpoint).map_err(failed("connecting"))?;
        Ok(socket)
    }
}

impl OmqBlocking {
    fn socket(&self, kind: Kind) -> BlockingSocket {
        BlockingSocket(self.context.blocking_socket(socket_type(kind), options(&self.setup)))
    }
}

pub(crate) struct BlockingSocket(blocking::Socket);

impl Socket for BlockingSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        self.0.send(message(body)).map_err(failed("sending"))?;
        Ok(1)
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        count(&self.0.recv().map_err(failed("receiving"))?, counter);
        Ok(())
    }

    fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.0.recv().map_err(failed("receiving"))?;
        count(&message, counter);
        // Whoever is gone meanwhile needs no answer.
        let _ = self.0.send(message);
        Ok(())
    }

    fn subscribe(&mut self, prefix: &[u8]) -> Result<(), Error> {
        self.0.subscribe(topic(prefix)).map_err(failed("subscribing"))
    }

    fn share(&self) -> Result<Self, Error> {
        Ok(BlockingSocket(self.0.clone()))
    }
}
