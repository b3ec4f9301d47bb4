//! The `zeromq` crate's end of a case.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serverlink::SocketType;
use tokio::runtime::{Builder, Runtime};
use zeromq::prelude::*;
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SubSocket, ZmqError,
    ZmqMessage, ZmqResult,
};

use crate::foreign::{Foreign, GLANCE, PATIENCE, Parts};

pub(crate) struct ZmqRs {
    /// `None` only while it is dropped.
    socket: Option<Any>,
    /// A socket's tasks outlive it here; with the runtime they end as with a process.
    runtime: Option<Runtime>,
}

/// Their socket types have nothing in common but traits that cannot be objects.
enum Any {
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
            Any::Dealer($name) => $call,
            Any::Pub($name) => $call,
            Any::Pull($name) => $call,
            Any::Push($name) => $call,
            Any::Rep($name) => $call,
            Any::Req($name) => $call,
            Any::Router($name) => $call,
            Any::Sub($name) => $call,
        }
    };
}

impl ZmqRs {
    pub(crate) fn open(socket_type: SocketType) -> ZmqRs {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a tokio runtime");
        // A PUB starts a task when it is made.
        let entered = runtime.enter();
        let socket = match socket_type {
            SocketType::Dealer => Any::Dealer(DealerSocket::new()),
            SocketType::Pub => Any::Pub(PubSocket::new()),
            SocketType::Pull => Any::Pull(PullSocket::new()),
            SocketType::Push => Any::Push(PushSocket::new()),
            SocketType::Rep => Any::Rep(RepSocket::new()),
            SocketType::Req => Any::Req(ReqSocket::new()),
            SocketType::Router => Any::Router(RouterSocket::new()),
            SocketType::Sub => Any::Sub(SubSocket::new()),
            other => panic!("zmq.rs has no {other}, or it is not tried here"),
        };
        drop(entered);
        ZmqRs { socket: Some(socket), runtime: Some(runtime) }
    }

    fn parts(&mut self) -> (&mut Any, &Runtime) {
        (
            self.socket.as_mut().expect("it is dropped last"),
            self.runtime.as_ref().expect("it is dropped last"),
        )
    }

    /// `None`: nothing came in time.
    fn recv_within(&mut self, patience: Duration) -> Option<Parts> {
        let (socket, runtime) = self.parts();
        let received = within(runtime, patience, async {
            match socket {
                Any::Dealer(socket) => socket.recv().await,
                Any::Pull(socket) => socket.recv().await,
                Any::Rep(socket) => socket.recv().await,
                Any::Req(socket) => socket.recv().await,
                Any::Router(socket) => socket.recv().await,
                Any::Sub(socket) => socket.recv().await,
                Any::Pub(_) | Any::Push(_) => panic!("it does not receive"),
            }
        })?;
        Some(received.expect("zmq.rs receiving").into_vec().iter().map(|part| part.to_vec()).collect())
    }
}

/// `None`: it took longer.
fn within<T>(runtime: &Runtime, patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    runtime.block_on(async { tokio::time::timeout(patience, work).await.ok() })
}

async fn send(socket: &mut Any, message: ZmqMessage) -> ZmqResult<()> {
    match socket {
        Any::Dealer(socket) => socket.send(message).await,
        Any::Pub(socket) => socket.send(message).await,
        Any::Push(socket) => socket.send(message).await,
        Any::Rep(socket) => socket.send(message).await,
        Any::Req(socket) => socket.send(message).await,
        Any::Router(socket) => socket.send(message).await,
        Any::Pull(_) | Any::Sub(_) => panic!("it does not send"),
    }
}

impl Foreign for ZmqRs {
    /// Its socket files stay behind when it ends, and are in its way when it comes back.
    fn bind(&mut self, endpoint: &str) -> String {
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            // Mostly there is none.
            let _ = std::fs::remove_file(path);
        }
        let (socket, runtime) = self.parts();
        let bound = within(runtime, PATIENCE, async { on_any!(socket, it => it.bind(endpoint).await) });
        bound.expect("zmq.rs binding in time").expect("zmq.rs binding").to_string()
    }

    fn connect(&mut self, endpoint: &str) {
        let (socket, runtime) = self.parts();
        let connected =
            within(runtime, PATIENCE, async { on_any!(socket, it => it.connect(endpoint).await) });
        connected.expect("zmq.rs connecting in time").expect("zmq.rs connecting");
    }

    /// Where nobody is connected yet it gives the message back instead of waiting.
    fn send(&mut self, parts: &Parts) {
        let (socket, runtime) = self.parts();
        let frames: Vec<Bytes> = parts.iter().map(|part| Bytes::copy_from_slice(part)).collect();
        let mut message = ZmqMessage::try_from(frames).expect("a message has a part");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match within(runtime, PATIENCE, send(socket, message)).expect("zmq.rs sending in time") {
                Ok(()) => return,
                Err(ZmqError::ReturnToSender { message: returned, reason }) => {
                    assert!(Instant::now() < deadline, "zmq.rs does not send: {reason}");
                    message = returned;
                    std::thread::yield_now();
                }
                Err(error) => panic!("zmq.rs sending: {error}"),
            }
        }
    }

    fn recv(&mut self) -> Parts {
        self.recv_within(PATIENCE).expect("zmq.rs receiving in time")
    }

    fn glance(&mut self) -> Option<Parts> {
        self.recv_within(GLANCE)
    }

    fn subscribe(&mut self, topic: &[u8]) {
        let topic = std::str::from_utf8(topic).expect("its topics are text");
        let (socket, runtime) = self.parts();
        let Any::Sub(socket) = socket else { panic!("it does not subscribe") };
        let done = within(runtime, PATIENCE, socket.subscribe(topic));
        done.expect("zmq.rs subscribing in time").expect("zmq.rs subscribing");
    }

    fn unsubscribe(&mut self, topic: &[u8]) {
        let topic = std::str::from_utf8(topic).expect("its topics are text");
        let (socket, runtime) = self.parts();
        let Any::Sub(socket) = socket else { panic!("it does not subscribe") };
        let done = within(runtime, PATIENCE, socket.unsubscribe(topic));
        done.expect("zmq.rs unsubscribing in time").expect("zmq.rs unsubscribing");
    }
}

impl Drop for ZmqRs {
    fn drop(&mut self) {
        let runtime = self.runtime.take().expect("it is dropped once");
        let entered = runtime.enter();
        drop(self.socket.take());
        drop(entered);
        runtime.shutdown_timeout(PATIENCE);
    }
}
