//! Binding and connecting, and the opposite.

use std::ffi::c_int;

use serverlink::{Endpoint, Error, Socket, SocketType};

use super::numbers::USE_FD;
use super::{CSocket, POLLOUT};
use crate::errno::{
    Answer, EHOSTUNREACH, EINVAL, ENAMETOOLONG, ENOENT, ENOTSUP, EPROTONOSUPPORT, Errno, fail,
};

/// Transports of this library.
const TRANSPORTS: [&str; 4] = ["tcp", "ipc", "inproc", "udp"];

/// An endpoint under the name that the program gave it, and under the one that it has.
pub(crate) struct Named {
    given: String,
    actual: String,
    is_bound: bool,
}

impl CSocket {
    /// Listens.
    pub fn bind(&self, endpoint: &str) -> Answer<()> {
        self.check_context()?;
        check_transport(endpoint)?;
        let socket = self.open()?;
        let bound = match self.descriptor_to_use() {
            Some(descriptor) if !endpoint.starts_with("inproc") => {
                crate::bell::listen_on(socket, descriptor)?
            }
            _ => {
                clear_path(endpoint);
                socket.bind(endpoint)?
            }
        };
        let actual = shown(&bound.to_string());
        let mut setup = self.setup.lock();
        setup.last_endpoint.clone_from(&actual);
        setup.endpoints.push(Named { given: endpoint.to_owned(), actual: bound.to_string(), is_bound: true });
        Ok(())
    }

    /// A listening descriptor of the program's.
    fn descriptor_to_use(&self) -> Option<c_int> {
        let value = self.setup.lock().kept.get(&USE_FD).and_then(|value| super::set::int(value).ok());
        value.filter(|descriptor| *descriptor >= 0)
    }

    /// Connects, now and whenever the connection is lost.
    pub fn connect(&self, endpoint: &str) -> Answer<()> {
        self.dial(endpoint, |socket| {
            let name = self.setup.lock().connect_routing_id.take();
            match name {
                Some(name) if self.kind == SocketType::Router => socket.connect_as(endpoint, &name),
                Some(name) if self.kind == SocketType::Stream => {
                    socket.connect_as(endpoint, &name)?;
                    self.setup.lock().stream_id = name;
                    Ok(())
                }
                None if self.kind == SocketType::Stream => {
                    let id = socket.connect_peer(endpoint)?;
                    self.setup.lock().stream_id = id.to_vec();
                    Ok(())
                }
                _ => socket.connect(endpoint),
            }
        })
    }

    /// PEER: the same, and tells the peer's number. `ENOTSUP` for other types.
    pub fn connect_peer(&self, endpoint: &str) -> Answer<u32> {
        if self.kind != SocketType::Peer {
            return fail(ENOTSUP);
        }
        let number = self.dial(endpoint, |socket| socket.connect_peer(endpoint))?;
        number.as_bytes().try_into().map(u32::from_be_bytes).map_err(|_| Errno(EINVAL))
    }

    /// SERVER, PEER: ends the connection with the peer of this number. `EHOSTUNREACH` if nobody has it, `ENOTSUP` for other types.
    pub fn disconnect_peer(&self, number: u32) -> Answer<()> {
        self.check_context()?;
        match (self.kind, self.opened.get()) {
            (SocketType::Server | SocketType::Peer, Some(socket)) => {
                Ok(socket.hang_up(&number.to_be_bytes())?)
            }
            (SocketType::Server | SocketType::Peer, None) => fail(EHOSTUNREACH),
            _ => fail(ENOTSUP),
        }
    }

    /// ROUTER: what could be done with one peer, by its routing id: send to it or not. `EHOSTUNREACH` if nobody has it, `ENOTSUP` for other types.
    pub fn peer_state(&self, routing_id: &[u8]) -> Answer<c_int> {
        self.check_context()?;
        match (self.kind, self.opened.get()) {
            (SocketType::Router, Some(socket)) => {
                Ok(if socket.has_room_for(routing_id)? { POLLOUT } else { 0 })
            }
            (SocketType::Router, None) => fail(EHOSTUNREACH),
            _ => fail(ENOTSUP),
        }
    }

    fn dial<T>(&self, endpoint: &str, dial: impl FnOnce(&Socket) -> Result<T, Error>) -> Answer<T> {
        self.check_context()?;
        check_transport(endpoint)?;
        let socket = self.open()?;
        if !endpoint.starts_with("inproc") {
            // Before it can be there.
            self.tell_delayed(endpoint);
        }
        let dialed = dial(socket)?;
        let mut setup = self.setup.lock();
        setup.last_endpoint = endpoint.to_owned();
        let actual =
            socket.last_endpoint().map_or_else(|| endpoint.to_owned(), |endpoint| endpoint.to_string());
        setup.endpoints.push(Named { given: endpoint.to_owned(), actual, is_bound: false });
        Ok(dialed)
    }

    /// DISH: asks for a group. `EINVAL` if it was joined already, or cannot be one.
    pub fn join(&self, group: &[u8]) -> Answer<()> {
        if self.open()?.join(group)? { Ok(()) } else { fail(EINVAL) }
    }

    /// DISH: asks for it no more. `EINVAL` if it was not joined.
    pub fn leave(&self, group: &[u8]) -> Answer<()> {
        if self.open()?.leave(group)? { Ok(()) } else { fail(EINVAL) }
    }

    /// The endpoints that it listens on are free when this returns.
    pub(super) fn stop_listening(&self) {
        let Some(socket) = self.opened.get() else { return };
        let endpoints = std::mem::take(&mut self.setup.lock().endpoints);
        for named in endpoints.iter().filter(|named| named.is_bound) {
            // What fails is ended with the socket.
            let _ = socket.unbind(&named.actual);
        }
    }

    /// Stops listening, or gives up a connection: what this endpoint was last used for, under any of its names.
    pub fn release(&self, endpoint: &str) -> Answer<()> {
        self.check_context()?;
        check_transport(endpoint)?;
        let socket = self.open()?;
        let named = {
            let mut setup = self.setup.lock();
            let fits = |named: &Named| {
                (named.given == endpoint && !endpoint.ends_with('*'))
                    || named.actual == endpoint
                    || shown(&named.actual) == endpoint
            };
            let index = setup.endpoints.iter().rposition(fits).ok_or(Errno(ENOENT))?;
            setup.endpoints.remove(index)
        };
        match named.is_bound {
            true => socket.unbind_and_hang_up(&named.actual)?,
            false => socket.disconnect(&named.actual)?,
        }
        Ok(())
    }
}

fn check_transport(endpoint: &str) -> Answer<()> {
    match endpoint.split_once("://") {
        None | Some(("", _) | (_, "")) => fail(EINVAL),
        Some(("ipc", path)) if path.len() > Endpoint::MAX_IPC_PATH_BYTES => fail(ENAMETOOLONG),
        Some((transport, _)) if TRANSPORTS.contains(&transport) => Ok(()),
        Some(_) => fail(EPROTONOSUPPORT),
    }
}

/// Programs make a fresh name with `mkstemp`, which leaves an empty file in the way. libzmq removes whatever is there; here only what holds nothing is.
fn clear_path(endpoint: &str) {
    if let Some(path) = endpoint.strip_prefix("ipc://")
        && std::fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0)
    {
        let _ = std::fs::remove_file(path);
    }
}

/// As libzmq writes it: a wildcard is an address.
fn shown(endpoint: &str) -> String {
    endpoint.replacen("tcp://*:", "tcp://0.0.0.0:", 1)
}
