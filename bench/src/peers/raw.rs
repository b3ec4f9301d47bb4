//! The kernel without a library: what any library over it could reach at best.
//!
//! One way: 64 KiB batches of messages that were framed before the clock started, received into
//! one buffer and counted by their bytes. Round trip: blocking writes and reads of one frame.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
};

use super::{BODY_BYTES, Kind, Library, Socket, fresh_path, raw_channel};
use crate::{Error, Transport};

const FRAME_BYTES: usize = 2 + BODY_BYTES;
const BUFFER_BYTES: usize = 64 * 1024;
const FRAMES_PER_BATCH: usize = BUFFER_BYTES / FRAME_BYTES;

pub(crate) struct Raw;

impl Library for Raw {
    type Socket = Box<dyn Socket>;
    const CALLERS_PER_SERVER: usize = 1;

    fn open() -> Result<Self, Error> {
        Ok(Raw)
    }

    fn bind(&self, kind: Kind, transport: Transport) -> Result<(Self::Socket, String), Error> {
        let (listener, endpoint) = Listener::bind(transport)?;
        Ok((End::Listening(listener).into_socket(kind), endpoint))
    }

    fn connect(&self, kind: Kind, endpoint: &str) -> Result<Self::Socket, Error> {
        Ok(End::Connected(connect(endpoint)?).into_socket(kind))
    }

    fn inproc_pair(&self, bound: Kind, _connected: Kind) -> Result<(Self::Socket, Self::Socket), Error> {
        Ok(raw_channel::pair(bound))
    }
}

trait ByteStream: Read + Write + Send {}
impl<T: Read + Write + Send> ByteStream for T {}

enum Listener {
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
                Err(Error::NotMeasurable("threads of one process are measured over channels".into()))
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
    Ok(Box::new(stream))
}

/// A stream, or the listener that gives one when it is first used: accepting must not hold up the
/// role, whose endpoint the other side does not know yet.
enum End {
    Listening(Listener),
    Connected(Box<dyn ByteStream>),
}

impl End {
    fn stream(&mut self) -> Result<&mut dyn ByteStream, Error> {
        if let End::Listening(listener) = self {
            *self = End::Connected(listener.accept()?);
        }
        match self {
            End::Connected(stream) => Ok(stream.as_mut()),
            End::Listening(_) => unreachable!("replaced by the accepted stream above"),
        }
    }

    fn into_socket(self, kind: Kind) -> Box<dyn Socket> {
        match kind {
            Kind::Push | Kind::Pull => Box::new(Batches::new(self)),
            Kind::Req | Kind::Rep => Box::new(PingPong(self)),
        }
    }
}

struct Batches {
    end: End,
    framed: Vec<u8>,
    buffer: Vec<u8>,
    carried_bytes: usize,
}

impl Batches {
    fn new(end: End) -> Self {
        let frame = [&[0, BODY_BYTES as u8][..], &[b'm'; BODY_BYTES]].concat();
        Batches {
            end,
            framed: frame.repeat(FRAMES_PER_BATCH),
            buffer: vec![0; BUFFER_BYTES],
            carried_bytes: 0,
        }
    }
}

impl Socket for Batches {
    fn send(&mut self, _: &[u8; BODY_BYTES]) -> Result<u64, Error> {
        let stream = self.end.stream()?;
        stream.write_all(&self.framed).map_err(Error::io("writing"))?;
        Ok(FRAMES_PER_BATCH as u64)
    }

    fn recv(&mut self) -> Result<u64, Error> {
        let stream = self.end.stream()?;
        let read = stream.read(&mut self.buffer).map_err(Error::io("reading"))?;
        if read == 0 {
            return Err(Error::child("raw", "lost its other end"));
        }
        let bytes = self.carried_bytes + read;
        self.carried_bytes = bytes % FRAME_BYTES;
        Ok((bytes / FRAME_BYTES) as u64)
    }
}

struct PingPong(End);

impl Socket for PingPong {
    fn send(&mut self, body: &[u8; BODY_BYTES]) -> Result<u64, Error> {
        let mut frame = [0; FRAME_BYTES];
        frame[1] = BODY_BYTES as u8;
        frame[2..].copy_from_slice(body);
        self.0.stream()?.write_all(&frame).map_err(Error::io("writing"))?;
        Ok(1)
    }

    fn recv(&mut self) -> Result<u64, Error> {
        let mut frame = [0; FRAME_BYTES];
        self.0.stream()?.read_exact(&mut frame).map_err(Error::io("reading"))?;
        std::hint::black_box(&frame);
        Ok(1)
    }
}

impl Socket for Box<dyn Socket> {
    fn send(&mut self, body: &[u8; BODY_BYTES]) -> Result<u64, Error> {
        (**self).send(body)
    }

    fn recv(&mut self) -> Result<u64, Error> {
        (**self).recv()
    }
}
