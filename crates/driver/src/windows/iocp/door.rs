//! Where peers come in, and what becomes a connection.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::ptr;
use std::sync::Mutex;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinSock::SOCKADDR_STORAGE;
use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

use super::Iocp;
use super::registered::{Registered, SystemObject};
use crate::windows::error::{self, check};
use crate::windows::lock;
use crate::windows::pipe::{self, Pipe, PipeMaker};
use crate::windows::socket::{self, AcceptFunction, SocketOsStream};
use crate::windows::source::{OsStream, PipeOsStream};
use crate::windows::tcp_options;
use crate::windows::unix_socket::SocketFile;
use crate::{Address, Key, StreamOptions};

#[derive(Debug)]
pub(super) enum Door {
    Socket(SocketDoor),
    Pipe(PipeDoor),
}

#[derive(Debug)]
pub(super) struct SocketDoor {
    pub(super) listener: Registered<TcpListener>,
    pub(super) local: Address,
    pub(super) _file: Option<SocketFile>,
    pub(super) stream_options: Box<StreamOptions>,
    pub(super) accept: AcceptFunction,
}

#[derive(Debug)]
pub(super) struct PipeDoor {
    pub(super) maker: PipeMaker,
    /// The end that was made when the name was taken.
    pub(super) first: Mutex<Option<Registered<Pipe>>>,
}

/// What becomes a connection when a peer comes.
#[derive(Debug)]
pub(super) enum Candidate {
    /// A socket without a name, associated with nothing.
    Socket(TcpStream),
    /// An end of a pipe. It waits on the listener's port, so it has joined that one for life.
    Pipe(Registered<Pipe>),
}

/// Where the system writes addresses that nobody reads: they are asked for again, in a form that needs no unpacking.
pub(super) type Addresses = [AddressMemory; 2];

/// The system asks for 16 bytes more than the longest address has.
pub(super) type AddressMemory = (SOCKADDR_STORAGE, [u8; 16]);

impl Door {
    pub(super) fn candidate(&self, iocp: &Iocp, key: Key) -> io::Result<Candidate> {
        match self {
            Door::Socket(door) => {
                let socket = TcpStream::from(socket::create((&door.local).into())?);
                socket::set_buffers(&socket, &door.stream_options)?;
                Ok(Candidate::Socket(socket))
            }
            Door::Pipe(door) => {
                let first = lock(&door.first).take();
                let pipe = match first {
                    Some(first) => first,
                    None => iocp.associate(key, door.maker.make()?).map_err(|(_, error)| error)?,
                };
                Ok(Candidate::Pipe(pipe))
            }
        }
    }

    /// Starts to wait for a peer.
    ///
    /// # Safety
    /// `addresses`, `overlapped` and the candidate with this handle must stay until the operation came home.
    pub(super) unsafe fn start_accepting(
        &self,
        candidate: HANDLE,
        addresses: *mut Addresses,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        let Door::Socket(SocketDoor { listener, accept, .. }) = self else {
            // SAFETY: as the caller promises.
            return unsafe { pipe::start_accepting(candidate, overlapped) };
        };
        let length = size_of::<AddressMemory>() as u32;
        let mut received = 0;
        // SAFETY: the listener is open while it is borrowed; the rest stays, as the caller promises. The memory has room for two addresses of this length.
        check(unsafe {
            accept(
                socket::raw(&**listener),
                candidate as usize,
                addresses.cast(),
                0,
                length,
                length,
                &mut received,
                overlapped,
            )
        })
    }

    /// Makes a connection of a candidate whose peer came. It fails where the peer is gone already.
    pub(super) fn welcome(&self, candidate: Candidate) -> io::Result<OsStream> {
        match (self, candidate) {
            (Door::Socket(door), Candidate::Socket(socket)) => {
                socket::finish_accepting(&socket, &door.listener)?;
                socket.set_nonblocking(true)?;
                tcp_options::set(&socket, (&door.local).into(), &door.stream_options)?;
                let (peer, local) = match &door.local {
                    Address::Tcp(_) => (Some(Address::Tcp(socket.peer_addr()?)), None),
                    // Who connects to a path has no name.
                    path => (None, Some(path.clone())),
                };
                Ok(OsStream::Socket(SocketOsStream { socket, peer, local }))
            }
            (_, Candidate::Pipe(pipe)) => Ok(OsStream::Pipe(PipeOsStream { pipe })),
            (Door::Pipe(_), Candidate::Socket(_)) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Calls off every operation on the listener itself; each still comes home.
    pub(super) fn cancel(&self) {
        if let Door::Socket(door) = self {
            // SAFETY: the handle is open while it is borrowed. It fails where nothing is in flight.
            let _ = check(unsafe { CancelIoEx(door.listener.handle(), ptr::null()) });
        }
    }
}

impl Candidate {
    pub(super) fn handle(&self) -> HANDLE {
        match self {
            Candidate::Socket(socket) => socket::raw(socket) as HANDLE,
            Candidate::Pipe(pipe) => pipe.handle(),
        }
    }

    /// Calls off waiting at this candidate.
    pub(super) fn cancel(&self) {
        if let Candidate::Pipe(pipe) = self {
            pipe.cancel();
        }
    }

    /// Whether waiting that is over at once brings no packet.
    pub(super) fn skips_packets(&self, door: &Door) -> bool {
        match (self, door) {
            (Candidate::Pipe(pipe), _) => pipe.skips_packets,
            (Candidate::Socket(_), Door::Socket(door)) => door.listener.skips_packets,
            (Candidate::Socket(_), Door::Pipe(_)) => false,
        }
    }
}

/// Whether accepting failed because that one connection is gone, so that the next attempt may do better.
pub(super) fn is_about_the_connection(error: &io::Error) -> bool {
    error::is_aborted(error)
        || matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}
