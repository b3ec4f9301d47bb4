//! One client: what it has said and heard so far.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddrV4, TcpStream},
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

use crate::{Error, wire};

/// What came of some input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that is whole.
    Nothing,
    /// The last of the handshake.
    Open,
    /// The answer to the question under way.
    Answer(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Handshake,
    Open,
}

pub(super) struct Client {
    pub(super) stream: TcpStream,
    state: State,
    /// Input of which the end is still to come.
    held: Vec<u8>,
    asked: Instant,
    pub(super) answers: u32,
}

impl Client {
    /// Connects from the given address, because one address has too few ports for many clients in a row, and says its greeting.
    pub(super) fn connect(from: SocketAddrV4, to: SocketAddrV4) -> Result<Client, Error> {
        let system = |doing: &'static str| move |error: rustix::io::Errno| Error::io(doing)(error.into());
        let handle =
            socket(AddressFamily::INET, SocketType::STREAM, None).map_err(system("making a client"))?;
        bind(&handle, &from).map_err(system("binding a client"))?;
        connect(&handle, &to).map_err(system("connecting a client"))?;
        let mut stream = TcpStream::from(handle);
        stream.set_nodelay(true).map_err(Error::io("setting up a client"))?;
        stream.set_nonblocking(true).map_err(Error::io("setting up a client"))?;
        stream.write_all(&wire::greeting()).map_err(Error::io("greeting the server"))?;
        Ok(Client { stream, state: State::Greeting, held: Vec::new(), asked: Instant::now(), answers: 0 })
    }

    /// Sends the frame as its next question.
    pub(super) fn ask(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.asked = Instant::now();
        self.stream.write_all(frame).map_err(Error::io("asking the server"))
    }

    /// Takes what has come.
    pub(super) fn hear(&mut self, buffer: &mut [u8]) -> Result<Heard, Error> {
        let read = match self.stream.read(buffer) {
            Ok(0) => return Err(Error::child("clients", "lost a connection")),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::Nothing),
            Err(error) => return Err(Error::io("reading an answer")(error)),
        };
        if self.held.is_empty() && self.state == State::Open {
            let (heard, used) = self.take(&buffer[..read])?;
            self.held.extend_from_slice(&buffer[used..read]);
            return Ok(heard);
        }
        self.held.extend_from_slice(&buffer[..read]);
        let held = std::mem::take(&mut self.held);
        let (heard, used) = self.take(&held)?;
        self.held.extend_from_slice(&held[used..]);
        Ok(heard)
    }

    /// All that is whole in the bytes: what it means last, and how many bytes it is.
    fn take(&mut self, bytes: &[u8]) -> Result<(Heard, usize), Error> {
        let mut used = 0;
        let mut heard = Heard::Nothing;
        if self.state == State::Greeting {
            if bytes.len() < wire::GREETING_BYTES {
                return Ok((heard, 0));
            }
            used = wire::GREETING_BYTES;
            self.state = State::Handshake;
            self.stream.write_all(&wire::ready("DEALER")).map_err(Error::io("shaking hands"))?;
        }
        while let Some(frame) = wire::first_frame(&bytes[used..]) {
            used += frame.bytes;
            if !frame.is_command {
                self.answers += 1;
                heard = Heard::Answer(self.asked.elapsed());
            } else if self.state == State::Handshake {
                self.state = State::Open;
                heard = Heard::Open;
            } else if let Some(pong) = wire::pong(frame.body) {
                self.stream.write_all(&pong).map_err(Error::io("answering a PING"))?;
            }
        }
        Ok((heard, used))
    }
}
