//! A peer that speaks ZMTP by hand, over a plain `TcpStream`, and can therefore do it wrong.
//!
//! Nothing here uses the library's own codec: what is tested must not test itself.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use crate::world::PATIENCE;

pub(crate) const MORE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const COMMAND: u8 = 4;

pub(crate) struct RawPeer(TcpStream);

impl RawPeer {
    pub(crate) fn connect(endpoint: &str) -> RawPeer {
        let address = endpoint.strip_prefix("tcp://").expect("raw peers speak tcp");
        RawPeer::over(TcpStream::connect(address).expect("the listener is there"))
    }

    pub(crate) fn accept(listener: &TcpListener) -> RawPeer {
        RawPeer::over(listener.accept().expect("the library connects").0)
    }

    fn over(stream: TcpStream) -> RawPeer {
        stream.set_nodelay(true).expect("a valid option");
        stream.set_read_timeout(Some(PATIENCE)).expect("a valid option");
        stream.set_write_timeout(Some(PATIENCE)).expect("a valid option");
        RawPeer(stream)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the library reads");
    }

    /// Writes to a peer that may be closing already; false when it is gone.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    pub(crate) fn read(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        self.0.read_exact(&mut buffer).expect("the library answers");
        buffer
    }

    pub(crate) fn stop_sending(&mut self) {
        self.0.shutdown(Shutdown::Write).expect("connected");
    }

    /// Both greetings and READYs as a ZMTP 3.1 peer; returns the library's READY.
    pub(crate) fn shake_hands(&mut self, socket_type: &str) -> Vec<u8> {
        self.shake_hands_as(socket_type, 1)
    }

    pub(crate) fn shake_hands_as(&mut self, socket_type: &str, minor: u8) -> Vec<u8> {
        self.send(&greeting(minor));
        self.send(&ready(socket_type));
        self.read_greeting();
        let (flags, body) = self.read_frame();
        assert_eq!(flags, COMMAND, "READY is a command");
        assert!(body.starts_with(b"\x05READY"), "{body:?}");
        body
    }

    pub(crate) fn read_greeting(&mut self) {
        let greeting = self.read(64);
        assert_eq!((greeting[0], greeting[9], greeting[10]), (0xff, 0x7f, 3), "{greeting:?}");
        assert_eq!(greeting[12..17], *b"NULL\0");
    }

    /// Flags and body of the next frame.
    pub(crate) fn read_frame(&mut self) -> (u8, Vec<u8>) {
        let flags = self.read(1)[0];
        let length = if flags & LONG == 0 {
            usize::from(self.read(1)[0])
        } else {
            let octets = self.read(8).try_into().expect("eight were read");
            usize::try_from(u64::from_be_bytes(octets)).expect("frames of tests are small")
        };
        (flags & !LONG, self.read(length))
    }

    /// Reads what is still there, to the end of the connection.
    pub(crate) fn assert_closed(&mut self) {
        self.rest();
    }

    /// What is still there, to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let (mut rest, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return rest,
                Ok(count) => rest.extend(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return rest,
                Err(error) => panic!("the connection was not closed: {error}"),
            }
        }
    }
}

pub(crate) fn greeting(minor: u8) -> Vec<u8> {
    let mut greeting = vec![0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = minor;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    command("READY", &property("Socket-Type", socket_type.as_bytes()))
}

pub(crate) fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("values of tests are small");
    [&[name.len() as u8], name.as_bytes(), &length.to_be_bytes(), value].concat()
}

pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[&[name.len() as u8], name.as_bytes(), data].concat())
}

pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(length) => [&[flags, length], body].concat(),
        Err(_) => [&[flags | LONG][..], &(body.len() as u64).to_be_bytes(), body].concat(),
    }
}
