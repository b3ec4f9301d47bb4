//! Waiting so that a signal ends it, and for sockets and descriptors together.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use serverlink::{Alert, Error, Interest, Socket};

use crate::bell::{Bell, PollFd, poll};

thread_local! {
    /// The bell of a thread that waits. One that is in use is replaced.
    static BELL: RefCell<Option<Arc<Bell>>> = const { RefCell::new(None) };
}

/// Until one socket is ready for `interest`, which names one direction.
///
/// # Errors
/// `TimedOut`, `Interrupted`, and why no call will succeed any more.
pub fn for_one(socket: &Socket, interest: Interest, deadline: Option<Instant>) -> Result<(), Error> {
    if socket.is_on_a_wire() {
        return socket.wait_ready(interest, deadline).map(drop);
    }
    let bell = own_bell().map_err(failed)?;
    bell.clear();
    let alert = Alert::new(socket, interest, Waker::from(Arc::clone(&bell)));
    loop {
        let ready = alert.arm()?;
        if ready.readable || ready.writable {
            return Ok(());
        }
        let mut descriptors = [readable(&bell)];
        if poll(&mut descriptors, deadline).map_err(failed)? == 0 {
            return Err(Error::TimedOut);
        }
        bell.clear();
    }
}

/// The bell of this thread.
///
/// # Errors
/// The system gives no descriptors.
pub fn own_bell() -> io::Result<Arc<Bell>> {
    BELL.with(|own| {
        let mut own = own.borrow_mut();
        match &*own {
            Some(bell) => Ok(Arc::clone(bell)),
            None => Ok(Arc::clone(own.insert(Arc::new(Bell::new()?)))),
        }
    })
}

/// A bell among what is polled.
pub fn readable(bell: &Bell) -> PollFd {
    #[cfg(unix)]
    let event = libc::POLLIN;
    #[cfg(windows)]
    let event = windows_sys::Win32::Networking::WinSock::POLLRDNORM;
    PollFd { fd: bell.descriptor(), events: event, revents: 0 }
}

fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::Interrupted => Error::Interrupted,
        _ => Error::Io { doing: "waiting for a socket", endpoint: None, source: error },
    }
}
