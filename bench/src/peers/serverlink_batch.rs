//! ServerLink with several messages for each call, where that can be: PUSH and PULL.

use serverlink::Message;

use super::{
    Kind, Library, Setup, Socket,
    serverlink::{LinkSocket, Serverlink, body_of, failed},
};
use crate::{Error, Transport, load::Counter};

/// Messages of one call of a sender.
const SENT_AT_ONCE: usize = 64;
/// The most that one call of a receiver takes.
const RECEIVED_AT_ONCE: usize = 256;

pub(crate) struct ServerlinkBatch(Serverlink<true>);

impl Library for ServerlinkBatch {
    type Socket = BatchSocket;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Serverlink::open(setup).map(ServerlinkBatch)
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(BatchSocket, String), Error> {
        check(kind)?;
        let (socket, endpoint) = self.0.bind(kind, transport)?;
        Ok((BatchSocket::new(socket), endpoint))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<BatchSocket, Error> {
        check(kind)?;
        self.0.connect(kind, endpoint).map(BatchSocket::new)
    }
}

fn check(kind: Kind) -> Result<(), Error> {
    match kind {
        Kind::Push | Kind::Pull => Ok(()),
        _ => Err(Error::NotMeasurable("batches are measured with PUSH and PULL".into())),
    }
}

pub(crate) struct BatchSocket {
    socket: LinkSocket,
    received: Vec<Message>,
}

impl BatchSocket {
    fn new(socket: LinkSocket) -> BatchSocket {
        BatchSocket { socket, received: Vec::new() }
    }
}

impl Socket for BatchSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        let sent = self.socket.0.send_batch([body; SENT_AT_ONCE]);
        sent.map(|sent| sent as u64).map_err(|refused| failed("sending")(refused.error))
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let received = self.socket.0.recv_batch(&mut self.received, RECEIVED_AT_ONCE);
        received.map_err(failed("receiving"))?;
        self.received.iter().for_each(|message| counter.message(body_of(message)));
        self.received.clear();
        Ok(())
    }

    fn share(&self) -> Result<Self, Error> {
        self.socket.share().map(BatchSocket::new)
    }
}
