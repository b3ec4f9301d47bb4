//! The crate `monocoque-rs` on its tokio backend, with coalesced writes.
//!
//! Coalescing is a mode that the application chooses: what does not fill 64 KiB stays behind until the
//! application calls `flush`. A sender of this benchmark does that after its last message; a REQ, a REP and a
//! ROUTER that echoes write each message at once. Accepting connections is the application's work as well,
//! and all but PUB have one connection to a socket.

mod end;
mod router;

use std::mem;

use bytes::Bytes;
use monocoque::{
    SocketOptions,
    rt::{TcpListener, TcpStream, UnixListener, UnixStream},
    zmq::PubSocket,
};
use serverlink_bench::{
    Error, Transport,
    player::{Counter, Kind, Setup, Source, fresh_endpoint},
};

use crate::tasks::{Hosted, TaskLibrary, TaskSocket};
use end::End;

pub(crate) type Monocoque = Hosted<Tasks>;

#[derive(Clone)]
pub(crate) struct Tasks(Setup);

impl TaskLibrary for Tasks {
    type Socket = MonocoqueSocket;
    const CALLERS_PER_SERVER: usize = 1;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(Tasks(setup.clone()))
    }

    fn refuse(&self, kind: Kind, transport: Transport) -> Result<(), Error> {
        let why = match (kind, transport) {
            (_, Transport::Inproc) => "its inproc channels are not sockets of these types",
            (Kind::Pub, Transport::Ipc) => "its PUB has tcp alone",
            (Kind::Pull, _) if self.0.connections > 1 => "its sockets have one connection each",
            _ => return Ok(()),
        };
        Err(Error::Absent(why.into()))
    }

    async fn bind(&self, kind: Kind, transport: Transport) -> Result<(MonocoqueSocket, String), Error> {
        let wanted = fresh_endpoint(transport);
        let options = options(kind, &self.0);
        if kind == Kind::Pub {
            return publisher(&wanted, options, self.0.connections).await;
        }
        let (listener, endpoint) = Listener::bind(&wanted).await?;
        Ok((MonocoqueSocket::Listening { kind, options, listener }, endpoint))
    }

    async fn connect(&self, kind: Kind, endpoint: &str) -> Result<MonocoqueSocket, Error> {
        let options = options(kind, &self.0);
        match endpoint.split_once("://") {
            Some(("tcp", address)) => {
                let stream = TcpStream::connect(address).await.map_err(failed("connecting"))?;
                Stream::Tcp(stream).open(kind, options).await
            }
            Some(("ipc", path)) => {
                let stream = UnixStream::connect(path).await.map_err(failed("connecting"))?;
                Stream::Ipc(stream).open(kind, options).await
            }
            _ => Err(Error::NotMeasurable(format!("no stream to {endpoint}"))),
        }
    }
}

async fn publisher(
    wanted: &str,
    options: SocketOptions,
    subscribers: usize,
) -> Result<(MonocoqueSocket, String), Error> {
    let address = wanted.trim_start_matches("tcp://");
    let socket = PubSocket::bind_with_options(address, options).await.map_err(failed("binding"))?;
    let bound = socket.local_addr().map_err(failed("asking for the endpoint"))?;
    Ok((MonocoqueSocket::Pub { socket, subscribers }, format!("tcp://{bound}")))
}

fn options(kind: Kind, setup: &Setup) -> SocketOptions {
    let mark = setup.high_water_mark as usize;
    SocketOptions::default()
        .with_send_hwm(mark)
        .with_recv_hwm(mark)
        .with_xpub_nodrop(setup.no_drop)
        .with_write_coalescing(matches!(kind, Kind::Push | Kind::Dealer | Kind::Pub))
}

pub(crate) enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

impl Listener {
    async fn bind(endpoint: &str) -> Result<(Listener, String), Error> {
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            let listener = UnixListener::bind(path).await.map_err(failed("binding"))?;
            return Ok((Listener::Ipc(listener), endpoint.to_owned()));
        }
        let address = endpoint.trim_start_matches("tcp://");
        let listener = TcpListener::bind(address).await.map_err(failed("binding"))?;
        let bound = listener.local_addr().map_err(failed("asking for the endpoint"))?;
        Ok((Listener::Tcp(listener), format!("tcp://{bound}")))
    }

    /// Waits for a connection, not for its handshake.
    async fn accept(&self) -> Result<Stream, Error> {
        match self {
            Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
            Listener::Ipc(listener) => listener.accept().await.map(|(stream, _)| Stream::Ipc(stream)),
        }
        .map_err(failed("accepting"))
    }
}

enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
}

impl Stream {
    async fn open(self, kind: Kind, options: SocketOptions) -> Result<MonocoqueSocket, Error> {
        Ok(match self {
            Stream::Tcp(stream) => MonocoqueSocket::Tcp(End::<TcpStream>::open(kind, stream, options).await?),
            Stream::Ipc(stream) => {
                MonocoqueSocket::Ipc(End::<UnixStream>::open(kind, stream, options).await?)
            }
        })
    }
}

pub(crate) enum MonocoqueSocket {
    Listening { kind: Kind, options: SocketOptions, listener: Listener },
    Tcp(End<TcpStream>),
    Ipc(End<UnixStream>),
    Pub { socket: PubSocket, subscribers: usize },
}

/// The same call on whichever stream it is.
macro_rules! on_end {
    ($socket:expr, $end:ident => $call:expr) => {
        match $socket {
            MonocoqueSocket::Tcp($end) => $call,
            MonocoqueSocket::Ipc($end) => $call,
            _ => Err(Error::Absent("it has no such call on this socket".into())),
        }
    };
}

impl MonocoqueSocket {
    /// Waits for the one connection if there is none yet.
    async fn accept(&mut self) -> Result<(), Error> {
        if let MonocoqueSocket::Listening { kind, options, listener } = self {
            *self = listener.accept().await?.open(*kind, options.clone()).await?;
        }
        Ok(())
    }
}

impl TaskSocket for MonocoqueSocket {
    async fn get_ready(&mut self) -> Result<(), Error> {
        match self {
            // One that echoes has a connection for each peer, one that only receives waits for the first
            // message's.
            MonocoqueSocket::Listening { kind: Kind::Router, .. } => Ok(()),
            MonocoqueSocket::Pub { socket, subscribers } => {
                for _ in 0..mem::take(subscribers) {
                    socket.accept_subscriber().await.map_err(failed("accepting"))?;
                }
                Ok(())
            }
            _ => self.accept().await,
        }
    }

    async fn send(&mut self, body: &[u8]) -> Result<(), Error> {
        match self {
            MonocoqueSocket::Pub { socket, .. } => {
                socket.send_frames(&[Bytes::copy_from_slice(body)]).await.map_err(failed("sending"))
            }
            other => on_end!(other, end => end.send(body).await),
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        match self {
            MonocoqueSocket::Tcp(end) => end.flush().await,
            MonocoqueSocket::Ipc(end) => end.flush().await,
            MonocoqueSocket::Listening { .. } | MonocoqueSocket::Pub { .. } => Ok(()),
        }
    }

    async fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.accept().await?;
        on_end!(self, end => end.recv(counter).await)
    }

    async fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.accept().await?;
        on_end!(self, end => end.echo(|body| counter.message(body)).await)
    }

    async fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        on_end!(self, end => end.subscribe(topic).await)
    }

    async fn drain(&mut self, counter: &mut Counter) -> Result<(), Error> {
        self.accept().await?;
        on_end!(self, end => loop { end.recv(counter).await?; })
    }

    async fn flood(&mut self, source: &mut Source) -> Result<(), Error> {
        match self {
            MonocoqueSocket::Pub { socket, .. } => {
                while let Some(body) = source.next_body() {
                    socket.send_frames(&[Bytes::copy_from_slice(body)]).await.map_err(failed("sending"))?;
                    source.sent(1);
                }
                Ok(())
            }
            other => on_end!(other, end => end.flood(source).await),
        }
    }

    async fn echo_all(&mut self, counter: &mut Counter) -> Result<(), Error> {
        match self {
            MonocoqueSocket::Listening { kind, options, listener } => {
                router::serve(listener, *kind, options, counter).await
            }
            other => on_end!(other, end => loop { end.echo(|body| counter.message(body)).await?; }),
        }
    }
}

fn failed(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::Peer { peer: "monocoque", doing, why: error.to_string() }
}
