//! What a stream reads from and writes to.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpStream};
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{WSABUF, WSARecv, WSASend};
use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

use super::registered::SystemObject;
use crate::batch::MAX_SLICES;
use crate::borrowed::Borrowed;
use crate::windows::error::{check, check_socket};
use crate::windows::pipe::{self, Pipe};
use crate::windows::socket::{self, RawAddress, Taken};
use crate::{Address, Batch, Read};

/// How much is written when the system had no memory for more.
const FRUGAL_BYTES: usize = 64 * 1024;
/// How much is written to a pipe at a time. The system counts it in 32 bits.
const MAX_PIECE_BYTES: usize = 1 << 30;

#[derive(Debug)]
pub(super) enum Channel {
    Socket(TcpStream),
    Pipe(Pipe),
}

impl Channel {
    /// For a socket that joined its port just now: one from outside may have been blocking, and is not changed before it is ours.
    pub(super) fn stop_blocking(&self) {
        let Channel::Socket(socket) = self else { return };
        if socket.set_nonblocking(true).is_err() {
            // Nobody may ever wait in a read of it.
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Reads what is there.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<Read> {
        match self {
            Channel::Socket(socket) => socket::read(socket, into),
            Channel::Pipe(pipe) => pipe.read(into),
        }
    }

    /// Writes what fits without waiting. Pipes have no such call.
    pub(super) fn write(&self, batch: &mut Batch) -> io::Result<Taken> {
        match self {
            Channel::Socket(socket) => socket::write(socket, batch),
            Channel::Pipe(_) if batch.remaining_bytes() == 0 => Ok(Taken::All),
            Channel::Pipe(_) => Ok(Taken::Part),
        }
    }

    /// What fits of it, at once. A pipe would have to own it.
    pub(super) fn write_borrowed(&self, borrowed: &mut Borrowed<'_, '_>) -> io::Result<()> {
        match self {
            Channel::Socket(socket) => socket::write_borrowed(socket, borrowed),
            Channel::Pipe(_) => Ok(()),
        }
    }

    /// Starts an operation that is over when there is something to read. It takes no bytes.
    pub(super) fn start_receive(&self, overlapped: *mut OVERLAPPED) -> io::Result<()> {
        let socket = match self {
            Channel::Socket(socket) => socket,
            Channel::Pipe(pipe) => return pipe.start_receive(overlapped),
        };
        let nothing = WSABUF { len: 0, buf: ptr::null_mut() };
        let mut flags = 0;
        // SAFETY: the socket is open while it is borrowed. The system copies the description of the buffer, which is empty, and the flags before
        // the call returns. `overlapped` stays alive in the table of flights until its packet is taken, on whatever thread.
        check_socket(unsafe {
            WSARecv(socket::raw(socket), &nothing, 1, ptr::null_mut(), &mut flags, overlapped, None)
        })
    }

    /// Starts to write what is next of the batch.
    ///
    /// # Safety
    /// The batch's buffers must stay as they are until the operation came home.
    pub(super) unsafe fn start_send(
        &self,
        batch: &Batch,
        frugal: bool,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        let socket = match self {
            Channel::Socket(socket) => socket,
            Channel::Pipe(pipe) => {
                // SAFETY: the bytes are the batch's, which stay, as the caller promises.
                return unsafe { pipe.start_send(batch.next_piece(piece_limit(frugal)), overlapped) };
            }
        };
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = if frugal {
            slices[0] = IoSlice::new(batch.next_piece(FRUGAL_BYTES));
            1
        } else {
            batch.fill_slices(&mut slices)
        };
        // SAFETY: the socket is open while it is borrowed. `IoSlice` is a `WSABUF` here, and the system copies these descriptions before the call
        // returns. The bytes stay where they are, as the caller promises; `overlapped` stays alive in the table of flights until its packet is taken.
        check_socket(unsafe {
            WSASend(
                socket::raw(socket),
                slices.as_ptr().cast::<WSABUF>(),
                count as u32,
                ptr::null_mut(),
                0,
                overlapped,
                None,
            )
        })
    }

    /// How much a send took that is over, did not fail, and does not say how much it took. `None`: nobody knows.
    ///
    /// Wine forgets the count if the thread that started the operation has ended. What a pipe took is all or nothing; a socket may have taken a part,
    /// and writing that again would be worse than breaking the connection.
    pub(super) fn sent_unless_failed(&self, batch: &Batch, frugal: bool) -> Option<usize> {
        match self {
            Channel::Pipe(_) => Some(batch.next_piece(piece_limit(frugal)).len()),
            Channel::Socket(_) => None,
        }
    }

    /// What `ConnectEx` left to do.
    pub(super) fn finish_connecting(&self) -> io::Result<()> {
        match self {
            Channel::Socket(socket) => socket::finish_connecting(socket),
            Channel::Pipe(_) => Ok(()),
        }
    }

    /// False: a pipe has no half of a close.
    pub(super) fn shutdown_write(&self) -> bool {
        match self {
            Channel::Socket(socket) => {
                socket::shutdown_write(socket);
                true
            }
            Channel::Pipe(_) => false,
        }
    }

    /// Cancels every operation; each still comes home.
    pub(super) fn cancel(&self) {
        let handle = match self {
            Channel::Socket(socket) => socket.handle(),
            Channel::Pipe(pipe) => pipe.handle(),
        };
        // SAFETY: the handle is open while it is borrowed. It fails where nothing is in flight.
        let _ = check(unsafe { CancelIoEx(handle, ptr::null()) });
    }

    /// Our end, where the system knows it.
    pub(super) fn local_address(&self) -> Option<Address> {
        match self {
            Channel::Socket(socket) => socket.local_addr().ok().map(Address::Tcp),
            Channel::Pipe(_) => None,
        }
    }
}

/// How much is written in one piece.
fn piece_limit(frugal: bool) -> usize {
    if frugal { FRUGAL_BYTES } else { MAX_PIECE_BYTES }
}

/// What a write failed with, in the words of every system.
pub(super) fn write_error(error: io::Error) -> io::Error {
    if pipe::is_end(&error) {
        return io::Error::new(io::ErrorKind::BrokenPipe, error);
    }
    socket::write_error(error)
}

/// Starts to connect a socket that is bound and associated.
pub(super) fn start_connecting(
    socket: &TcpStream,
    target: &SocketAddr,
    overlapped: *mut OVERLAPPED,
) -> io::Result<()> {
    let connect = socket::connect_function(socket)?;
    let target = RawAddress::from(target);
    // SAFETY: the socket is open while it is borrowed, the address outlives the call that copies it, and there is nothing to send at once.
    // `overlapped` stays alive in the table of flights until its packet is taken.
    check(unsafe {
        connect(
            socket::raw(socket),
            target.as_ptr(),
            target.len(),
            ptr::null(),
            0,
            ptr::null_mut(),
            overlapped,
        )
    })
}
