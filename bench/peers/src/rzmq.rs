//! The crate `rzmq`, on the runtime that it is written for: tokio's with several threads, one for the whole
//! process.

use std::sync::Arc;

use rzmq::{
    Context, Msg, Socket, SocketType, ZmqError,
    socket::{
        AUTO_DELIMITER, AdaptiveThrottleSocketConfig,
        options::{
            ADAPTIVE_THROTTLE, LAST_ENDPOINT, MAX_CONNECTIONS, RCVHWM, SNDHWM, SUBSCRIBE, XPUB_NODROP,
        },
    },
};
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Setup, fresh_endpoint},
};
use tokio::runtime::{Builder, Runtime};

use crate::tasks::{Hosted, TaskLibrary, TaskSocket, new_runtime};

/// A listener that is further behind its context's events than this gives up; each new connection causes
/// several.
const MOST_AT_ONCE: usize = 256;

pub(crate) type Rzmq = Hosted<Tasks>;

#[derive(Clone)]
pub(crate) struct Tasks {
    context: Context,
    setup: Setup,
    runtime: Arc<Runtime>,
}

impl TaskLibrary for Tasks {
    type Socket = RzmqSocket;
    const CONNECTS_AT_ONCE: bool = true;

    fn open(setup: &Setup) -> Result<Self, Error> {
        let runtime = new_runtime(&mut Builder::new_multi_thread())?;
        let entered = runtime.enter();
        let context = Context::new().map_err(failed("creating a context"))?;
        drop(entered);
        Ok(Tasks { context, setup: setup.clone(), runtime })
    }

    fn runtime(&self) -> Result<Arc<Runtime>, Error> {
        Ok(Arc::clone(&self.runtime))
    }

    fn refuse(&self, kind: Kind, _: Transport) -> Result<(), Error> {
        if kind == Kind::Router && self.setup.connections > MOST_AT_ONCE {
            let why = "its listener stops when more than some hundred peers connect at once";
            return Err(Error::Absent(why.into()));
        }
        Ok(())
    }

    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(RzmqSocket, String), Error> {
        let socket = self.socket(kind).await?;
        let endpoint = fresh_endpoint(transport);
        socket.socket.bind(&endpoint).await.map_err(failed("binding"))?;
        let bound =
            socket.socket.get_option(LAST_ENDPOINT).await.map_err(failed("asking for the endpoint"))?;
        let bound = String::from_utf8_lossy(&bound).trim_end_matches('\0').to_owned();
        Ok((socket, bound))
    }

    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<RzmqSocket, Error> {
        let socket = self.socket(kind).await?;
        socket.socket.connect(endpoint).await.map_err(failed("connecting"))?;
        Ok(socket)
    }
}

impl Tasks {
    async fn socket(&self, kind: Kind) -> Result<RzmqSocket, Error> {
        let socket = self.context.socket(socket_type(kind)).map_err(failed("creating a socket"))?;
        let mark = i32::try_from(self.setup.high_water_mark).unwrap_or(i32::MAX);
        let connections = i32::try_from(self.setup.connections).unwrap_or(i32::MAX).max(1000);
        let set = failed("setting an option");
        let options = async {
            socket.set_option(SNDHWM, mark).await?;
            socket.set_option(RCVHWM, mark).await?;
            socket.set_option(MAX_CONNECTIONS, connections).await?;
            // Off in its own benchmarks, where it is faster without.
            let throttle = AdaptiveThrottleSocketConfig { enabled: false, ..Default::default() };
            socket.set_option(ADAPTIVE_THROTTLE, throttle).await?;
            match kind {
                // Else it puts an empty part in front, as no other library does.
                Kind::Dealer | Kind::Router => socket.set_option(AUTO_DELIMITER, false).await,
                Kind::Pub => socket.set_option(XPUB_NODROP, self.setup.no_drop).await,
                _ => Ok(()),
            }
        };
        options.await.map_err(set)?;
        Ok(RzmqSocket { socket, is_router: kind == Kind::Router })
    }
}

pub(crate) struct RzmqSocket {
    socket: Socket,
    is_router: bool,
}

impl TaskSocket for RzmqSocket {
    async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        self.socket.send(Msg::from_vec(body.to_vec())).await.map_err(failed("sending"))
    }

    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        if self.is_router {
            let parts = self.socket.recv_multipart().await.map_err(failed("receiving"))?;
            count(parts.last(), counter);
        } else {
            count(Some(&self.socket.recv().await.map_err(failed("receiving"))?), counter);
        }
        Ok(())
    }

    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let parts = self.socket.recv_multipart().await.map_err(failed("receiving"))?;
        count(parts.last(), counter);
        let _ = self.socket.send_multipart(parts).await;
        Ok(())
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        self.socket.set_option(SUBSCRIBE, topic).await.map_err(failed("subscribing"))
    }

    fn share(&self) -> Result<Self, Error> {
        Ok(RzmqSocket { socket: self.socket.clone(), is_router: self.is_router })
    }
}

fn count(body: Option<&Msg>, counter: &mut Counter) {
    counter.message(body.and_then(Msg::data).unwrap_or_default());
}

fn socket_type(kind: Kind) -> SocketType {
    match kind {
        Kind::Push => SocketType::Push,
        Kind::Pull => SocketType::Pull,
        Kind::Dealer => SocketType::Dealer,
        Kind::Router => SocketType::Router,
        Kind::Req => SocketType::Req,
        Kind::Rep => SocketType::Rep,
        Kind::Pub => SocketType::Pub,
        Kind::Sub => SocketType::Sub,
    }
}

fn failed(doing: &'static str) -> impl FnOnce(ZmqError) -> Error {
    move |error| Error::Peer { peer: "rzmq", doing, why: error.to_string() }
}
