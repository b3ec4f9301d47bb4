//! A descriptor that is readable while the bell rings, and `poll`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serverlink::{Endpoint, Socket};

use super::milliseconds_until;
use crate::errno::{Answer, EBADF, EINVAL, Errno, fail};

/// A descriptor, as C knows it.
pub type RawFd = libc::c_int;
/// What `poll` is asked.
pub type PollFd = libc::pollfd;

/// Rings from [`ring`](Bell::ring) until [`clear`](Bell::clear).
#[derive(Debug)]
pub struct Bell {
    pub(super) rings: AtomicBool,
    read: OwnedFd,
    /// Where reading and writing have a descriptor each.
    write: Option<OwnedFd>,
}

impl Bell {
    /// # Errors
    /// The system gives no descriptors.
    pub fn new() -> io::Result<Bell> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let (read, write) = {
            use rustix::event::{EventfdFlags, eventfd};
            (eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?, None)
        };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let (read, write) = {
            let (read, write) = rustix::pipe::pipe()?;
            for end in [&read, &write] {
                rustix::io::ioctl_fionbio(end, true)?;
                rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            }
            (read, Some(write))
        };
        Ok(Bell { rings: AtomicBool::new(false), read, write })
    }

    /// Readable while it rings.
    pub fn descriptor(&self) -> RawFd {
        self.read.as_raw_fd()
    }

    /// The same, for calls that want to know that it is open.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.read.as_fd()
    }

    /// Makes it readable. It cannot be full, and nobody else may close it.
    pub(super) fn strike(&self) -> bool {
        let write = self.write.as_ref().unwrap_or(&self.read);
        rustix::io::write(write.as_fd(), &1_u64.to_ne_bytes()).is_ok()
    }

    /// False: it was not readable.
    pub(super) fn still(&self) -> bool {
        rustix::io::read(self.read.as_fd(), &mut [0; 64]).is_ok()
    }
}

/// Waits for descriptors, for ever if there is no deadline. Gives how many are ready.
///
/// # Errors
/// What the system says; a signal is `EINTR`.
pub fn poll(descriptors: &mut [PollFd], deadline: Option<Instant>) -> io::Result<usize> {
    loop {
        let timeout = milliseconds_until(deadline);
        // SAFETY: the system reads and writes so many entries of a slice that we hold.
        let ready =
            unsafe { libc::poll(descriptors.as_mut_ptr(), descriptors.len() as libc::nfds_t, timeout) };
        if ready < 0 {
            return Err(io::Error::last_os_error());
        }
        if ready > 0 || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Ok(ready as usize);
        }
    }
}

/// Listens on a listening descriptor that the program made, and gave away.
pub fn listen_on(socket: &Socket, descriptor: RawFd) -> Answer<Endpoint> {
    // SAFETY: asks about a number; one that is no descriptor is an error.
    if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } < 0 {
        return fail(EBADF);
    }
    // SAFETY: it is open, and the program says that it is the socket's from now on.
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    socket.listen_on(owned).map_err(|refused| {
        // It stays the program's.
        let _ = refused.socket.into_raw_fd();
        Errno(EINVAL)
    })
}
