//! ServerLink as a competitor.

use serverlink::{Context, Options, SocketType};

use super::{BODY_BYTES, HIGH_WATER_MARK, Kind, Library, Socket, fresh_endpoint};
use crate::{Error, Transport};

/// One context with one I/O thread.
pub(crate) struct Serverlink(Context);

impl Library for Serverlink {
    type Socket = serverlink::Socket;

    fn open() -> Result<Self, Error> {
        let context = Context::builder().io_threads(1).build().map_err(failed("creating a context"))?;
        Ok(Serverlink(context))
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(Self::Socket, String), Error> {
        let socket = self.socket(kind)?;
        let endpoint = socket.bind(&fresh_endpoint(transport)).map_err(failed("binding"))?;
        Ok((socket, endpoint.to_string()))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<Self::Socket, Error> {
        let socket = self.socket(kind)?;
        socket.connect(endpoint).map_err(failed("connecting"))?;
        Ok(socket)
    }
}

impl Serverlink {
    fn socket(&self, kind: Kind) -> Result<serverlink::Socket, Error> {
        let socket_type = match kind {
            Kind::Push => SocketType::Push,
            Kind::Pull => SocketType::Pull,
            Kind::Req => SocketType::Req,
            Kind::Rep => SocketType::Rep,
        };
        let options = Options { send_hwm: HIGH_WATER_MARK, recv_hwm: HIGH_WATER_MARK, ..Options::default() };
        self.0.socket_with(socket_type, options).map_err(failed("creating a socket"))
    }
}

impl Socket for serverlink::Socket {
    fn send(&mut self, body: &[u8; BODY_BYTES]) -> Result<u64, Error> {
        serverlink::Socket::send(self, body.as_slice())
            .map_err(|refused| failed("sending")(refused.error))?;
        Ok(1)
    }

    fn recv(&mut self) -> Result<u64, Error> {
        let message = serverlink::Socket::recv(self).map_err(failed("receiving"))?;
        std::hint::black_box(message.first().first());
        Ok(1)
    }
}

fn failed(doing: &'static str) -> impl FnOnce(serverlink::Error) -> Error {
    move |error| Error::Peer { peer: "serverlink", doing, why: error.to_string() }
}
