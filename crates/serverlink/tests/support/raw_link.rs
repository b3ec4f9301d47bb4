//! A peer of bytes over tcp or ipc, on either end: it stops where a well-behaved library never would.
#![allow(dead_code, reason = "each test binary uses what it needs")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};

use crate::place::PATIENCE;
use crate::raw_peer::{command, greeting, property};

const GREETING_BYTES: usize = 64;

/// One connection.
pub(crate) enum RawLink {
    Tcp(TcpStream),
    #[cfg(unix)]
    Ipc(UnixStream),
}

/// Where the library dials to.
pub(crate) enum RawListener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Ipc(UnixListener),
}

impl RawListener {
    pub(crate) fn bind(endpoint: &str) -> RawListener {
        match endpoint.split_once("://") {
            Some(("tcp", address)) => RawListener::Tcp(TcpListener::bind(address).expect("a free port")),
            #[cfg(unix)]
            Some(("ipc", path)) => RawListener::Ipc(UnixListener::bind(path).expect("a free path")),
            _ => panic!("a raw peer cannot listen on {endpoint}"),
        }
    }

    pub(crate) fn accept(&self) -> RawLink {
        match self {
            RawListener::Tcp(listener) => RawLink::Tcp(listener.accept().expect("a connection").0).patient(),
            #[cfg(unix)]
            RawListener::Ipc(listener) => RawLink::Ipc(listener.accept().expect("a connection").0).patient(),
        }
    }
}

impl RawLink {
    pub(crate) fn connect(endpoint: &str) -> RawLink {
        match endpoint.split_once("://") {
            Some(("tcp", address)) => RawLink::Tcp(TcpStream::connect(address).expect("somebody listens")),
            #[cfg(unix)]
            Some(("ipc", path)) => RawLink::Ipc(UnixStream::connect(path).expect("somebody listens")),
            _ => panic!("a raw peer cannot connect to {endpoint}"),
        }
        .patient()
    }

    /// Connected and through the handshake.
    pub(crate) fn shaken(endpoint: &str, kind: &str, routing_id: &[u8]) -> RawLink {
        let mut link = RawLink::connect(endpoint);
        link.shake(kind, routing_id);
        link
    }

    fn patient(self) -> RawLink {
        match &self {
            RawLink::Tcp(stream) => {
                stream.set_nodelay(true).expect("a valid option");
                stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
                stream.set_write_timeout(Some(PATIENCE)).expect("a valid option");
            }
            #[cfg(unix)]
            RawLink::Ipc(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
                stream.set_write_timeout(Some(PATIENCE)).expect("a valid option");
            }
        }
        self
    }

    pub(crate) fn shake(&mut self, kind: &str, routing_id: &[u8]) {
        self.send(&greeting(1));
        self.send(&ready(kind, routing_id));
        self.read_greeting();
        self.read_frame();
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.write_all(bytes).expect("the library reads");
    }

    pub(crate) fn read_greeting(&mut self) {
        self.read_exact(&mut [0; GREETING_BYTES]).expect("the library greets");
    }

    /// Flags and body of the next frame.
    pub(crate) fn try_read_frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.read_exact(&mut head)?;
        let mut length = usize::from(head[1]);
        if head[0] & 2 != 0 {
            let mut rest = [0; 7];
            self.read_exact(&mut rest)?;
            length = rest.iter().fold(length, |length, &octet| length << 8 | usize::from(octet));
        }
        let mut body = vec![0; length];
        self.read_exact(&mut body)?;
        Ok((head[0], body))
    }

    pub(crate) fn read_frame(&mut self) -> (u8, Vec<u8>) {
        self.try_read_frame().expect("the library sends a frame")
    }

    /// Nothing more comes from here; reading goes on.
    pub(crate) fn stop_sending(&mut self) {
        match self {
            RawLink::Tcp(stream) => stream.shutdown(Shutdown::Write).expect("connected"),
            #[cfg(unix)]
            RawLink::Ipc(stream) => stream.shutdown(Shutdown::Write).expect("connected"),
        }
    }

    /// Reads to the end of the connection, and gives what came.
    pub(crate) fn read_to_the_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        match self.read_to_end(&mut all) {
            Ok(_) => all,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => all,
            Err(error) => panic!("the connection was not closed: {error}"),
        }
    }
}

impl Read for RawLink {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            RawLink::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            RawLink::Ipc(stream) => stream.read(into),
        }
    }
}

impl Write for RawLink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            RawLink::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            RawLink::Ipc(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn ready(kind: &str, routing_id: &[u8]) -> Vec<u8> {
    let data = [property("Socket-Type", kind.as_bytes()), property("Identity", routing_id)].concat();
    command("READY", &data)
}
