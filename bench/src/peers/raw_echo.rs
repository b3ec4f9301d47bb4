//! The kernel's ROUTER: one epoll loop that writes back what it reads.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
};

use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
};

use crate::{Error, load::Counter, wire};

const LISTENER: u64 = 0;
const READ_BYTES: usize = 64 * 1024;

struct Client {
    stream: TcpStream,
    /// What of its handshake is still to come; it is not looked at.
    handshake_left: usize,
}

/// Serves every client that connects, without end. `body_bytes` tells how many echoes some bytes are.
pub(super) fn serve(listener: TcpListener, body_bytes: usize, counter: &mut Counter) -> Result<(), Error> {
    let system = |error: rustix::io::Errno| Error::io("waiting for clients")(error.into());
    let frame_bytes = wire::head_bytes(body_bytes) + body_bytes;
    listener.set_nonblocking(true).map_err(Error::io("setting up a listener"))?;
    let poller = epoll::create(CreateFlags::CLOEXEC).map_err(system)?;
    epoll::add(&poller, &listener, EventData::new_u64(LISTENER), EventFlags::IN).map_err(system)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let mut next = LISTENER + 1;
    let mut buffer = vec![0; READ_BYTES];
    let mut events = Vec::with_capacity(256);
    loop {
        epoll::wait(&poller, spare_capacity(&mut events), None).map_err(system)?;
        for event in events.drain(..) {
            let key = event.data.u64();
            if key == LISTENER {
                while let Some(client) = accept(&listener)? {
                    epoll::add(&poller, &client.stream, EventData::new_u64(next), EventFlags::IN)
                        .map_err(system)?;
                    clients.insert(next, client);
                    next += 1;
                }
            } else if let Some(client) = clients.get_mut(&key) {
                match echo(client, &mut buffer) {
                    Some(bytes) => counter.batch((bytes / frame_bytes) as u64),
                    // Closing takes it out of the poller.
                    None => drop(clients.remove(&key)),
                }
            }
        }
    }
}

fn accept(listener: &TcpListener) -> Result<Option<Client>, Error> {
    let mut stream = match listener.accept() {
        Ok((stream, _)) => stream,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(Error::io("accepting")(error)),
    };
    stream.set_nonblocking(true).map_err(Error::io("setting up a connection"))?;
    stream.set_nodelay(true).map_err(Error::io("setting up a connection"))?;
    super::raw::unpace(&stream);
    let handshake = [&wire::greeting()[..], &wire::ready("ROUTER")].concat();
    stream.write_all(&handshake).map_err(Error::io("greeting"))?;
    let handshake_left = wire::GREETING_BYTES + wire::ready("DEALER").len();
    Ok(Some(Client { stream, handshake_left }))
}

/// How many bytes went back; nothing when the client is gone.
fn echo(client: &mut Client, buffer: &mut [u8]) -> Option<usize> {
    let read = match client.stream.read(buffer) {
        Ok(read) if read > 0 => read,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(0),
        _ => return None,
    };
    let skipped = read.min(client.handshake_left);
    client.handshake_left -= skipped;
    client.stream.write_all(&buffer[skipped..read]).ok()?;
    Some(read - skipped)
}
