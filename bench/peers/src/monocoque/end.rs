//! One of its sockets on one of its streams.

use bytes::Bytes;
use compio_io::{AsyncRead, AsyncWrite};
use monocoque::{
    SocketOptions,
    rt::{TcpStream, UnixStream},
    zmq::{DealerSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SubSocket},
};
use serverlink_bench::{
    Error,
    player::{Counter, Kind, Source},
};

use super::failed;

pub(crate) struct End<S: AsyncRead + AsyncWrite + Unpin> {
    socket: Typed<S>,
    /// Received into again and again, as it recommends.
    parts: Vec<Bytes>,
}

enum Typed<S: AsyncRead + AsyncWrite + Unpin> {
    Push(PushSocket<S>),
    Pull(PullSocket<S>),
    Dealer(DealerSocket<S>),
    Router(RouterSocket<S>),
    Req(ReqSocket<S>),
    Rep(RepSocket<S>),
    Sub(SubSocket<S>),
}

/// Its constructors have a name for each kind of stream.
macro_rules! opened_from {
    ($stream:ty, $constructor:ident) => {
        impl End<$stream> {
            /// Shakes hands.
            pub(super) async fn open(
                kind: Kind,
                stream: $stream,
                options: SocketOptions,
            ) -> Result<Self, Error> {
                let socket = match kind {
                    Kind::Push => PushSocket::<$stream>::$constructor(stream, options).await.map(Typed::Push),
                    Kind::Pull => PullSocket::<$stream>::$constructor(stream, options).await.map(Typed::Pull),
                    Kind::Dealer => {
                        DealerSocket::<$stream>::$constructor(stream, options).await.map(Typed::Dealer)
                    }
                    Kind::Router => {
                        RouterSocket::<$stream>::$constructor(stream, options).await.map(Typed::Router)
                    }
                    Kind::Req => ReqSocket::<$stream>::$constructor(stream, options).await.map(Typed::Req),
                    Kind::Rep => RepSocket::<$stream>::$constructor(stream, options).await.map(Typed::Rep),
                    Kind::Sub => SubSocket::<$stream>::$constructor(stream, options).await.map(Typed::Sub),
                    Kind::Pub => return Err(Error::Absent("its PUB accepts for itself".into())),
                };
                Ok(End { socket: socket.map_err(failed("shaking hands"))?, parts: Vec::with_capacity(4) })
            }
        }
    };
}

opened_from!(TcpStream, from_tcp_with_options);
opened_from!(UnixStream, from_unix_stream_with_options);

impl<S: AsyncRead + AsyncWrite + Unpin> End<S> {
    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        let body = Bytes::copy_from_slice(body);
        let sent = match &mut self.socket {
            Typed::Push(socket) => socket.send_one(body).await,
            Typed::Dealer(socket) => socket.send(vec![body]).await,
            Typed::Req(socket) => socket.send_one(body).await,
            Typed::Rep(socket) => socket.send(vec![body]).await,
            _ => return Err(Error::Absent("this socket does not send".into())),
        };
        sent.map_err(failed("sending"))
    }

    /// Sends all that the source gives, and the rest of the last 64 KiB.
    pub(super) async fn flood(&mut self, source: &mut Source) -> Result<(), Error> {
        while let Some(body) = source.next_body() {
            self.send(body).await?;
            source.sent(1);
        }
        self.flush().await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let flushed = match &mut self.socket {
            Typed::Push(socket) => socket.flush().await,
            Typed::Dealer(socket) => socket.flush().await,
            // The others write each message at once.
            _ => Ok(()),
        };
        flushed.map_err(failed("flushing"))
    }

    pub(super) async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.receive().await?;
        counter.message(self.body());
        Ok(())
    }

    /// Receives a message, shows its body and sends it back.
    pub(super) async fn echo(&mut self, look: impl FnOnce(&[u8])) -> Result<(), Error> {
        self.receive().await?;
        look(self.body());
        let Typed::Router(socket) = &mut self.socket else {
            return Err(Error::Absent("only its ROUTER echoes".into()));
        };
        socket.send(std::mem::take(&mut self.parts)).await.map_err(failed("sending"))
    }

    pub(super) async fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        let Typed::Sub(socket) = &mut self.socket else {
            return Err(Error::Absent("only its SUB subscribes".into()));
        };
        socket.subscribe(topic).await.map_err(failed("subscribing"))
    }

    /// The last part; a ROUTER's message has the address before it.
    fn body(&self) -> &[u8] {
        self.parts.last().map_or(&[], |body| body)
    }

    /// What was read already costs no wait.
    async fn receive(&mut self) -> Result<(), Error> {
        let parts = &mut self.parts;
        let here = match &mut self.socket {
            Typed::Pull(socket) => socket.try_recv_into(parts),
            Typed::Dealer(socket) => socket.try_recv_into(parts),
            Typed::Router(socket) => socket.try_recv_into(parts),
            Typed::Sub(socket) => socket.try_recv_into(parts),
            _ => Ok(false),
        };
        if here.map_err(failed("receiving"))? {
            return Ok(());
        }
        let came = match &mut self.socket {
            Typed::Pull(socket) => socket.recv_into(parts).await,
            Typed::Dealer(socket) => socket.recv_into(parts).await,
            Typed::Router(socket) => socket.recv_into(parts).await,
            Typed::Sub(socket) => socket.recv_into(parts).await,
            Typed::Req(socket) => socket.recv_into(parts).await,
            Typed::Rep(socket) => socket.recv_into(parts).await,
            Typed::Push(_) => return Err(Error::Absent("this socket does not receive".into())),
        };
        if came.map_err(failed("receiving"))? {
            return Ok(());
        }
        Err(Error::Peer { peer: "monocoque", doing: "receiving", why: "the other end is gone".into() })
    }
}
