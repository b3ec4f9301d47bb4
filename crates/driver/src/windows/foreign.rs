//! The door for sockets from outside: looked at first, and changed only once they are registered, because nobody can ask a socket whether it blocks.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::windows::io::OwnedSocket;

use windows_sys::Win32::Networking::WinSock::{
    SO_ACCEPTCONN, SO_TYPE, SOCK_STREAM, SOL_SOCKET, WSAENOTSOCK, getsockopt,
};

use super::error::check_socket;
use super::socket::{SocketOsListener, SocketOsStream, raw};
use super::source::{OsListener, OsStream};
use crate::{Address, Unregistered, Unsuitable};

impl OsStream {
    pub(crate) fn from_foreign(socket: OwnedSocket) -> Result<OsStream, Unregistered<OwnedSocket>> {
        Ok(OsStream::Socket(SocketOsStream::from_foreign(socket)?))
    }

    /// A pipe has no socket, and comes back.
    pub(crate) fn into_socket(self) -> Result<OwnedSocket, OsStream> {
        match self {
            OsStream::Socket(stream) => Ok(stream.socket.into()),
            pipe @ OsStream::Pipe(_) => Err(pipe),
        }
    }
}

impl OsListener {
    pub(crate) fn from_foreign(socket: OwnedSocket) -> Result<OsListener, Unregistered<OwnedSocket>> {
        Ok(OsListener::Socket(SocketOsListener::from_foreign(socket)?))
    }

    /// A pipe has no socket, and comes back.
    pub(crate) fn into_socket(self) -> Result<OwnedSocket, OsListener> {
        match self {
            OsListener::Socket(listener) => Ok(listener.socket.into()),
            pipe @ OsListener::Pipe(_) => Err(pipe),
        }
    }
}

impl SocketOsStream {
    pub(crate) fn from_foreign(socket: OwnedSocket) -> Result<SocketOsStream, Unregistered<OwnedSocket>> {
        if let Err(error) = check_kind(&socket) {
            return Err(Unregistered { object: socket, error });
        }
        let listens = listens(&socket);
        let socket = TcpStream::from(socket);
        match socket.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                let why = if listens { Unsuitable::Listening } else { Unsuitable::NotConnected };
                Err(Unregistered { object: socket.into(), error: why.into() })
            }
            // An address of another family has no name here, and is a connection all the same.
            peer => {
                // What is written comes in batches, so waiting for more helps nobody. It fails where the connection has just broken.
                let _ = socket.set_nodelay(true);
                Ok(SocketOsStream { socket, peer: peer.ok().map(Address::Tcp), local: None })
            }
        }
    }
}

impl SocketOsListener {
    fn from_foreign(socket: OwnedSocket) -> Result<SocketOsListener, Unregistered<OwnedSocket>> {
        if let Err(error) = check_listener(&socket) {
            return Err(Unregistered { object: socket, error });
        }
        let socket = TcpListener::from(socket);
        match socket.local_addr() {
            Ok(local) => {
                let stream_options = Box::default();
                Ok(SocketOsListener { socket, local: Address::Tcp(local), stream_options, file: None })
            }
            Err(_) => Err(Unregistered { object: socket.into(), error: Unsuitable::Nameless.into() }),
        }
    }
}

/// Our end and the other one, as far as they are there and have names. Asked through a duplicate, which is closed again.
pub(crate) fn addresses_of(socket: &OwnedSocket) -> (Option<Address>, Option<Address>) {
    let Ok(duplicate) = socket.try_clone().map(TcpStream::from) else { return (None, None) };
    (duplicate.local_addr().ok().map(Address::Tcp), duplicate.peer_addr().ok().map(Address::Tcp))
}

fn check_listener(socket: &OwnedSocket) -> io::Result<()> {
    check_kind(socket)?;
    if listens(socket) { Ok(()) } else { Err(Unsuitable::NotListening.into()) }
}

fn check_kind(socket: &OwnedSocket) -> io::Result<()> {
    match option(socket, SO_TYPE) {
        Ok(SOCK_STREAM) => Ok(()),
        Ok(_) => Err(Unsuitable::NotAStream.into()),
        Err(error) if error.raw_os_error() == Some(WSAENOTSOCK) => Err(Unsuitable::NotASocket.into()),
        Err(error) => Err(error),
    }
}

fn listens(socket: &OwnedSocket) -> bool {
    option(socket, SO_ACCEPTCONN).is_ok_and(|listens| listens != 0)
}

fn option(socket: &OwnedSocket, name: i32) -> io::Result<i32> {
    let mut value = 0_i32;
    let mut length = size_of::<i32>() as i32;
    // SAFETY: the socket is open while it is borrowed; the pointers are to writable memory of the size that `length` tells, and outlive the call.
    check_socket(unsafe { getsockopt(raw(socket), SOL_SOCKET, name, (&raw mut value).cast(), &mut length) })?;
    Ok(value)
}
