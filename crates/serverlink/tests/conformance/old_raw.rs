//! A peer before ZMTP 3.0 that speaks by hand, in the steps in which libzmq 2.x and 3.2 take.
//!
//! Nothing here uses the library's own codec: what is tested must not test itself.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use serverlink::SocketType;

use crate::world::PATIENCE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Old {
    /// ZMTP 1.0: no greeting.
    V1,
    /// Revision 0: the greeting of 2.0 and the frames of 1.0.
    Revision0,
    V2,
}

impl Old {
    pub(crate) const ALL: [Old; 3] = [Old::V1, Old::Revision0, Old::V2];

    pub(crate) fn frame(self, more: bool, body: &[u8]) -> Vec<u8> {
        let flags = u8::from(more);
        let len = body.len() as u64;
        match self {
            Old::V2 if len < 256 => [&[flags, len as u8], body].concat(),
            Old::V2 => [&[flags | 2][..], &len.to_be_bytes(), body].concat(),
            _ if len < 254 => [&[len as u8 + 1, flags], body].concat(),
            _ => [&[0xFF][..], &(len + 1).to_be_bytes(), &[flags], body].concat(),
        }
    }

    /// All that such a peer says before its first message.
    pub(crate) fn handshake(self, kind: SocketType, identity: &[u8]) -> Vec<u8> {
        let greeting = match self {
            Old::V1 => Vec::new(),
            Old::Revision0 => [&signature(identity)[..], &[0, number(kind)]].concat(),
            Old::V2 => [&signature(identity)[..], &[1, number(kind)]].concat(),
        };
        [greeting, self.frame(false, identity)].concat()
    }
}

fn signature(identity: &[u8]) -> Vec<u8> {
    [&[0xFF][..], &(identity.len() as u64 + 1).to_be_bytes(), &[0x7F]].concat()
}

/// RFC 15.
fn number(kind: SocketType) -> u8 {
    match kind {
        SocketType::Pair => 0,
        SocketType::Pub | SocketType::Xpub => 1,
        SocketType::Sub | SocketType::Xsub => 2,
        SocketType::Req => 3,
        SocketType::Rep => 4,
        SocketType::Dealer => 5,
        SocketType::Router => 6,
        SocketType::Pull => 7,
        SocketType::Push => 8,
        younger => panic!("ZMTP 2.0 has no {younger}"),
    }
}

pub(crate) struct OldPeer {
    stream: TcpStream,
    pub(crate) version: Old,
}

impl OldPeer {
    pub(crate) fn connect(endpoint: &str, version: Old) -> OldPeer {
        let address = endpoint.strip_prefix("tcp://").expect("raw peers speak tcp");
        OldPeer::over(TcpStream::connect(address).expect("the listener is there"), version)
    }

    pub(crate) fn accept(listener: &TcpListener, version: Old) -> OldPeer {
        OldPeer::over(listener.accept().expect("the library connects").0, version)
    }

    fn over(stream: TcpStream, version: Old) -> OldPeer {
        stream.set_nodelay(true).expect("a valid option");
        stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
        stream.set_write_timeout(Some(PATIENCE)).expect("a valid option");
        OldPeer { stream, version }
    }

    /// Says who it is, and gives the library's identity. It says nothing before it has to.
    pub(crate) fn shake(&mut self, kind: SocketType, identity: &[u8]) -> Vec<u8> {
        match self.version {
            Old::V1 => {
                self.send_bytes(&self.version.frame(false, identity));
                // Which it reads as a frame of 1.0: the signature is its header.
                let header = self.read(10);
                assert_eq!((header[0], header[9]), (0xFF, 0x7F), "{header:?}");
                let len = u64::from_be_bytes(header[1..9].try_into().expect("eight octets"));
                self.read(len as usize - 1)
            }
            Old::Revision0 | Old::V2 => {
                self.send_bytes(&signature(identity));
                let signature = self.read(10);
                assert_eq!((signature[0], signature[9]), (0xFF, 0x7F), "{signature:?}");
                self.send_bytes(&[if self.version == Old::V2 { 1 } else { 0 }, number(kind)]);
                let said = self.read(2);
                assert_eq!(said[0], 3, "the library's revision");
                assert!(said[1] <= 8, "a type of the RFC, and no octet of a longer greeting: {said:?}");
                self.send_bytes(&self.version.frame(false, identity));
                let (more, identity) = self.read_frame();
                assert!(!more);
                identity
            }
        }
    }

    pub(crate) fn send(&mut self, parts: &[&[u8]]) {
        let frames = parts.iter().enumerate();
        let frames = frames.map(|(index, part)| self.version.frame(index + 1 < parts.len(), part));
        let bytes = frames.collect::<Vec<_>>().concat();
        self.send_bytes(&bytes);
    }

    pub(crate) fn recv(&mut self) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        loop {
            let (more, part) = self.read_frame();
            parts.push(part);
            if !more {
                return parts;
            }
        }
    }

    fn read_frame(&mut self) -> (bool, Vec<u8>) {
        let (flags, len) = match self.version {
            Old::V2 => {
                let flags = self.read(1)[0];
                assert_eq!(flags & !3, 0, "no commands before ZMTP 3.0: {flags:#x}");
                (flags, if flags & 2 == 0 { u64::from(self.read(1)[0]) } else { self.read_u64() })
            }
            _ => {
                let first = self.read(1)[0];
                let len = if first == 0xFF { self.read_u64() } else { u64::from(first) };
                (self.read(1)[0], len - 1)
            }
        };
        (flags & 1 != 0, self.read(usize::try_from(len).expect("frames of tests are small")))
    }

    fn read_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.read(8).try_into().expect("eight were read"))
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut buffer = vec![0; count];
        self.stream.read_exact(&mut buffer).expect("the library answers");
        buffer
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the library reads");
    }

    /// Nothing more comes from here.
    pub(crate) fn stop_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("connected");
    }

    /// Reads what is still there, to the end of the connection.
    pub(crate) fn assert_closed(&mut self) {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("the connection was not closed: {error}"),
            }
        }
    }
}
