//! The kernel without a library: what any library over it could reach at best.
//!
//! One way: batches of messages that were framed before the clock started, 64 KiB and at least one message, received into one
//! buffer and counted by their bytes, or cut into one owned message per frame. Round trip: blocking writes and reads of one frame.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
};

#[cfg(target_os = "linux")]
use super::raw_echo;
use super::{
    Kind, Library, Setup, Socket, fresh_path, raw_batches::Batches, raw_ping_pong::PingPong,
    raw_ring::RingEnd, raw_turns::TurnEnd,
};
use crate::{Error, Transport, load::Counter};

/// The bare kernel. `OWNED`: each received message becomes one of its own.
pub(crate) struct Raw<const OWNED: bool>(Setup);

impl<const OWNED: bool> Library for Raw<OWNED> {
    type Socket = RawSocket;
    const CALLERS_PER_SERVER: usize = 1;

    fn open(setup: &Setup) -> Result<Self, Error> {
        Ok(Raw(setup.clone()))
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(RawSocket, String), Error> {
        let (listener, endpoint) = Listener::bind(transport)?;
        Ok((self.socket(End::Listening(listener), kind)?, endpoint))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<RawSocket, Error> {
        self.socket(End::Connected(connect(endpoint)?), kind)
    }

    fn inproc_pair(&self, bound: Kind, _connected: Kind) -> Result<(RawSocket, RawSocket), Error> {
        if bound == Kind::Rep {
            if OWNED {
                return Err(Error::NotMeasurable("one message at a time: as raw".into()));
            }
            let (bound, connected) = TurnEnd::pair(&self.0);
            return Ok((RawSocket::Turn(bound), RawSocket::Turn(connected)));
        }
        let (bound, connected) = RingEnd::pair(&self.0, OWNED);
        Ok((RawSocket::Ring(bound), RawSocket::Ring(connected)))
    }
}

impl<const OWNED: bool> Raw<OWNED> {
    fn socket(&self, end: End, kind: Kind) -> Result<RawSocket, Error> {
        match kind {
            Kind::Push | Kind::Pull | Kind::Dealer | Kind::Router => {
                Ok(RawSocket::Batches(Batches::new(end, self.0.body_bytes, OWNED)))
            }
            Kind::Req | Kind::Rep if OWNED => Err(Error::NotMeasurable("one frame at a time: as raw".into())),
            Kind::Req | Kind::Rep => Ok(RawSocket::PingPong(PingPong::new(end, self.0.body_bytes))),
            Kind::Pub | Kind::Sub => Err(Error::NotMeasurable("the kernel has no topics".into())),
        }
    }
}

pub(crate) enum RawSocket {
    Batches(Batches),
    PingPong(PingPong),
    Ring(RingEnd),
    Turn(TurnEnd),
}

impl Socket for RawSocket {
    fn send(&mut self, body: &[u8]) -> Result<u64, Error> {
        match self {
            RawSocket::Batches(batches) => batches.send(),
            RawSocket::PingPong(ping_pong) => ping_pong.send(body),
            RawSocket::Ring(ring) => Ok(ring.send(body)),
            RawSocket::Turn(turn) => turn.send(body),
        }
    }

    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error> {
        match self {
            RawSocket::Batches(batches) => batches.recv(counter),
            RawSocket::PingPong(ping_pong) => ping_pong.recv(counter),
            RawSocket::Ring(ring) => {
                ring.recv(counter);
                Ok(())
            }
            RawSocket::Turn(turn) => turn.recv(counter),
        }
    }

    #[cfg(target_os = "linux")]
    fn echo_all(&mut self, counter: &mut Counter) -> Result<(), Error> {
        match self {
            RawSocket::Batches(Batches { owned: true, .. }) => {
                Err(Error::NotMeasurable("one frame at a time: as raw".into()))
            }
            RawSocket::Batches(Batches {
                end: End::Listening(Listener::Tcp(listener)), body_bytes, ..
            }) => {
                let listener = listener.try_clone().map_err(Error::io("handing over a listener"))?;
                raw_echo::serve(listener, *body_bytes, counter)
            }
            _ => Err(Error::NotMeasurable("echoes are measured over tcp".into())),
        }
    }
}

pub(super) trait ByteStream: Read + Write + Send {}
impl<T: Read + Write + Send> ByteStream for T {}

pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener, PathBuf),
}

impl Listener {
    fn bind(transport: Transport) -> Result<(Listener, String), Error> {
        match transport {
            Transport::Tcp => {
                let listener =
                    TcpListener::bind("127.0.0.1:0").map_err(Error::io("binding a raw listener"))?;
                let address =
                    listener.local_addr().map_err(Error::io("asking for a raw listener's address"))?;
                Ok((Listener::Tcp(listener), format!("tcp://{address}")))
            }
            Transport::Ipc => Listener::bind_path(fresh_path()),
            Transport::Inproc => {
                Err(Error::NotMeasurable("no fan-out without a library inside a process".into()))
            }
        }
    }

    #[cfg(unix)]
    fn bind_path(path: PathBuf) -> Result<(Listener, String), Error> {
        let listener =
            std::os::unix::net::UnixListener::bind(&path).map_err(Error::io("binding a raw listener"))?;
        let endpoint = format!("ipc://{}", path.display());
        Ok((Listener::Unix(listener, path), endpoint))
    }

    #[cfg(not(unix))]
    fn bind_path(_: PathBuf) -> Result<(Listener, String), Error> {
        Err(Error::NotMeasurable("no Unix domain sockets here".into()))
    }

    fn accept(&self) -> Result<Box<dyn ByteStream>, Error> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().map_err(Error::io("accepting"))?;
                tcp(stream)
            }
            #[cfg(unix)]
            Listener::Unix(listener, path) => {
                let (stream, _) = listener.accept().map_err(Error::io("accepting"))?;
                // One connection is all there will be, so the path can go at once.
                let _ = std::fs::remove_file(path);
                Ok(Box::new(stream))
            }
        }
    }
}

fn connect(endpoint: &str) -> Result<Box<dyn ByteStream>, Error> {
    match endpoint.split_once("://") {
        Some(("tcp", address)) => tcp(TcpStream::connect(address).map_err(Error::io("connecting"))?),
        Some(("ipc", path)) => connect_path(Path::new(path)),
        _ => Err(Error::NotMeasurable(format!("no raw stream to {endpoint}"))),
    }
}

#[cfg(unix)]
fn connect_path(path: &Path) -> Result<Box<dyn ByteStream>, Error> {
    let stream = std::os::unix::net::UnixStream::connect(path).map_err(Error::io("connecting"))?;
    Ok(Box::new(stream))
}

#[cfg(not(unix))]
fn connect_path(_: &Path) -> Result<Box<dyn ByteStream>, Error> {
    Err(Error::NotMeasurable("no Unix domain sockets here".into()))
}

fn tcp(stream: TcpStream) -> Result<Box<dyn ByteStream>, Error> {
    stream.set_nodelay(true).map_err(Error::io("setting no-delay"))?;
    unpace(&stream);
    Ok(Box::new(stream))
}

/// The limit is what the kernel can do, not what a congestion control that paces lets through on a machine whose default that is.
#[cfg(target_os = "linux")]
pub(super) fn unpace(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_tcp_congestion(stream, "reno");
}

#[cfg(not(target_os = "linux"))]
pub(super) fn unpace(_: &TcpStream) {}

/// A stream, or the listener that gives one when it is first used: accepting must not hold up the
/// role, whose endpoint the other side does not know yet.
pub(super) enum End {
    Listening(Listener),
    Connected(Box<dyn ByteStream>),
}

impl End {
    pub(super) fn stream(&mut self) -> Result<&mut dyn ByteStream, Error> {
        if let End::Listening(listener) = self {
            *self = End::Connected(listener.accept()?);
        }
        match self {
            End::Connected(stream) => Ok(stream.as_mut()),
            End::Listening(_) => unreachable!("replaced by the accepted stream above"),
        }
    }
}
