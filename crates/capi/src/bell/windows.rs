//! A socket that is readable while the bell rings, and `WSAPoll`.

use std::ffi::c_int;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::windows::io::{AsRawSocket, FromRawSocket, IntoRawSocket, OwnedSocket, RawSocket};
use std::sync::Once;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serverlink::{Endpoint, Socket};

use windows_sys::Win32::Networking::WinSock::{POLLNVAL, SOCKET_ERROR, WSAENOTSOCK, WSAPOLLFD, WSAPoll};

use super::milliseconds_until;
use crate::errno::{Answer, EINVAL, Errno};

/// A descriptor, as C knows it.
pub type RawFd = usize;
/// What `poll` is asked.
pub type PollFd = WSAPOLLFD;

/// Rings from [`ring`](Bell::ring) until [`clear`](Bell::clear).
#[derive(Debug)]
pub struct Bell {
    pub(super) rings: AtomicBool,
    /// Connected to itself.
    socket: UdpSocket,
}

impl Bell {
    /// # Errors
    /// The system gives no socket.
    pub fn new() -> io::Result<Bell> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Bell { rings: AtomicBool::new(false), socket })
    }

    /// Readable while it rings.
    pub fn descriptor(&self) -> RawFd {
        self.socket.as_raw_socket() as RawFd
    }

    /// Makes it readable, if not at once: it goes through the system.
    pub(super) fn strike(&self) -> bool {
        self.socket.send(&[1]).is_ok()
    }

    /// False: it was not readable.
    pub(super) fn still(&self) -> bool {
        self.socket.recv(&mut [0; 8]).is_ok()
    }
}

/// Waits for descriptors, for ever if there is no deadline. Gives how many are ready. One that is no socket is, with `POLLNVAL`.
///
/// # Errors
/// What the system says.
pub fn poll(descriptors: &mut [PollFd], deadline: Option<Instant>) -> io::Result<usize> {
    loop {
        let timeout = milliseconds_until(deadline);
        // SAFETY: the system reads and writes so many entries of a slice that we hold.
        let ready = unsafe { WSAPoll(descriptors.as_mut_ptr(), descriptors.len() as u32, timeout) };
        if ready == SOCKET_ERROR {
            return none_of_them(descriptors, io::Error::last_os_error());
        }
        if ready > 0 || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(ready as usize);
        }
    }
}

/// Where not one is a socket, the call as a whole may fail with what `POLLNVAL` says of each.
fn none_of_them(descriptors: &mut [PollFd], error: io::Error) -> io::Result<usize> {
    if error.raw_os_error() != Some(WSAENOTSOCK) {
        return Err(error);
    }
    for descriptor in descriptors.iter_mut() {
        descriptor.revents = POLLNVAL;
    }
    Ok(descriptors.len())
}

/// Listens on a listening `SOCKET` that the program made, and gave away. As a number of 32 bits: no more of a handle has a meaning.
pub fn listen_on(socket: &Socket, descriptor: c_int) -> Answer<Endpoint> {
    // SAFETY: the program says that it is the socket's from now on. What is no socket is asked whether it is, and given back.
    let owned = unsafe { OwnedSocket::from_raw_socket(descriptor as u32 as RawSocket) };
    socket.listen_on(owned).map_err(|refused| {
        // It stays the program's.
        let _ = refused.socket.into_raw_socket();
        Errno(EINVAL)
    })
}

/// What programs may rely on once they have a context: that the system's sockets can be used, as with libzmq.
pub fn start_network() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Rust's library starts it with its first socket, and never stops it.
        let _ = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    });
}
