//! The crate `zeromq` (zmq.rs), on a current-thread runtime.
//!
//! Its queues have fixed lengths: a sender's to one peer holds 100,000 messages, whatever the high-water
//! mark.

use bytes::Bytes;
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Setup, fresh_endpoint},
};
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketRecv,
    SocketSend, SubSocket, ZmqError, ZmqMessage,
};

use crate::tasks::{Hosted, TaskLibrary, TaskSocket};

pub(crate) type ZmqRs = Hosted<Tasks>;

#[derive(Clone)]
pub(crate) struct Tasks;

impl TaskLibrary for Tasks {
    type Socket = AnySocket;

    fn open(_: &Setup) -> Result<Self, Error> {
        Ok(Tasks)
    }

    fn refuse(&self, _: Kind, transport: Transport) -> Result<(), Error> {
        match transport {
            Transport::Inproc => Err(Error::Absent("it has no inproc transport".into())),
            _ => Ok(()),
        }
    }

    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(AnySocket, String), Error> {
        let mut socket = AnySocket::new(kind);
        let endpoint = fresh_endpoint(transport);
        let bound = on_any!(&mut socket, it => it.bind(&endpoint).await).map_err(failed("binding"))?;
        Ok((socket, bound.to_string()))
    }

    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<AnySocket, Error> {
        let mut socket = AnySocket::new(kind);
        on_any!(&mut socket, it => it.connect(endpoint).await).map_err(failed("connecting"))?;
        Ok(socket)
    }
}

/// Their socket types have nothing in common but traits that cannot be objects.
pub(crate) enum AnySocket {
    Dealer(DealerSocket),
    Pub(PubSocket),
    Pull(PullSocket),
    Push(PushSocket),
    Rep(RepSocket),
    Req(ReqSocket),
    Router(RouterSocket),
    Sub(SubSocket),
}

/// The same call on whichever socket it is.
macro_rules! on_any {
    ($socket:expr, $name:ident => $call:expr) => {
        match $socket {
            AnySocket::Dealer($name) => $call,
            AnySocket::Pub($name) => $call,
            AnySocket::Pull($name) => $call,
            AnySocket::Push($name) => $call,
            AnySocket::Rep($name) => $call,
            AnySocket::Req($name) => $call,
            AnySocket::Router($name) => $call,
            AnySocket::Sub($name) => $call,
        }
    };
}
use on_any;

impl AnySocket {
    fn new(kind: Kind) -> AnySocket {
        match kind {
            Kind::Push => AnySocket::Push(PushSocket::new()),
            Kind::Pull => AnySocket::Pull(PullSocket::new()),
            Kind::Dealer => AnySocket::Dealer(DealerSocket::new()),
            Kind::Router => AnySocket::Router(RouterSocket::new()),
            Kind::Req => AnySocket::Req(ReqSocket::new()),
            Kind::Rep => AnySocket::Rep(RepSocket::new()),
            Kind::Pub => AnySocket::Pub(PubSocket::new()),
            Kind::Sub => AnySocket::Sub(SubSocket::new()),
        }
    }

    async fn receive(&mut self) -> Result<ZmqMessage, Error> {
        let received = match self {
            AnySocket::Dealer(socket) => socket.recv().await,
            AnySocket::Pull(socket) => socket.recv().await,
            AnySocket::Rep(socket) => socket.recv().await,
            AnySocket::Req(socket) => socket.recv().await,
            AnySocket::Router(socket) => socket.recv().await,
            AnySocket::Sub(socket) => socket.recv().await,
            AnySocket::Pub(_) | AnySocket::Push(_) => Err(ZmqError::Other("it does not receive")),
        };
        received.map_err(failed("receiving"))
    }

    async fn transmit(&mut self, message: ZmqMessage) -> Result<(), Error> {
        let sent = match self {
            AnySocket::Dealer(socket) => socket.send(message).await,
            AnySocket::Pub(socket) => socket.send(message).await,
            AnySocket::Push(socket) => socket.send(message).await,
            AnySocket::Rep(socket) => socket.send(message).await,
            AnySocket::Req(socket) => socket.send(message).await,
            AnySocket::Router(socket) => socket.send(message).await,
            AnySocket::Pull(_) | AnySocket::Sub(_) => Err(ZmqError::Other("it does not send")),
        };
        sent.map_err(failed("sending"))
    }
}

impl TaskSocket for AnySocket {
    /// A thousand small messages, as the high-water mark of the others; its own queue is longer, and a PUB
    /// never waits.
    const BYTES_PER_TURN: usize = 64 << 10;

    async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        self.transmit(Bytes::copy_from_slice(body).into()).await
    }

    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        count(&self.receive().await?, counter);
        Ok(())
    }

    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let message = self.receive().await?;
        count(&message, counter);
        let _ = self.transmit(message).await;
        Ok(())
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        let AnySocket::Sub(socket) = self else {
            return Err(Error::Absent("only its SUB subscribes".into()));
        };
        let topic = std::str::from_utf8(topic)
            .map_err(|_| Error::Absent("its topics are text, which this one is not".into()))?;
        socket.subscribe(topic).await.map_err(failed("subscribing"))
    }
}

/// The body is the last part.
fn count(message: &ZmqMessage, counter: &mut Counter) {
    if let Some(body) = message.len().checked_sub(1).and_then(|last| message.get(last)) {
        counter.message(body);
    }
}

fn failed(doing: &'static str) -> impl FnOnce(ZmqError) -> Error {
    move |error| Error::Peer { peer: "zmq.rs", doing, why: error.to_string() }
}
