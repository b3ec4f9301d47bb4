//! Error codes: the C library's, and libzmq's own for what that has none.

use std::ffi::{CStr, c_int};
use std::io::ErrorKind;

use serverlink::{Endpoint, Error};

/// Where libzmq's own codes begin.
pub const HAUSNUMERO: c_int = 156_384_712;
/// A conversation is at another step.
pub const EFSM: c_int = HAUSNUMERO + 51;
/// The protocol does not go with the socket's type.
pub const ENOCOMPATPROTO: c_int = HAUSNUMERO + 52;
/// The context was terminated.
pub const ETERM: c_int = HAUSNUMERO + 53;
/// No I/O thread is there.
pub const EMTHREAD: c_int = HAUSNUMERO + 54;

pub use libc::{
    EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, EFAULT, EHOSTUNREACH, EINTR, EINVAL, EIO, EMFILE, EMSGSIZE,
    ENAMETOOLONG, ENODEV, ENOENT, ENOMEM, ENOTSOCK, ENOTSUP, EPROTONOSUPPORT, ETIMEDOUT,
};

/// What a call of ours says when it fails: its code, for `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub c_int);

/// What a call gives.
pub type Answer<T> = Result<T, Errno>;

/// Shorthand for a failed call.
pub const fn fail<T>(code: c_int) -> Answer<T> {
    Err(Errno(code))
}

/// Sets the thread's error, as a system call does.
#[cold]
pub fn set(code: c_int) {
    errno::set_errno(errno::Errno(code));
}

/// The thread's error.
pub fn get() -> c_int {
    errno::errno().0
}

impl From<Error> for Errno {
    #[cold]
    fn from(error: Error) -> Errno {
        Errno(match error {
            Error::WouldBlock | Error::TimedOut => EAGAIN,
            Error::Terminated => ETERM,
            Error::Closed | Error::Forked => ENOTSOCK,
            Error::Interrupted => EINTR,
            Error::AddressInUse { .. } => EADDRINUSE,
            Error::AddressNotAvailable { .. } => EADDRNOTAVAIL,
            Error::NoSuchEndpoint { .. } => ENOENT,
            Error::Unroutable { .. } => EHOSTUNREACH,
            Error::WrongTransport { .. } => ENOCOMPATPROTO,
            Error::WrongState { .. } => EFSM,
            Error::NotSupported { .. } => ENOTSUP,
            Error::TooLarge { .. } => EMSGSIZE,
            Error::TooManySockets => EMFILE,
            Error::Io { source, endpoint, .. } => source.raw_os_error().unwrap_or(match source.kind() {
                // A path that is not there, or a name that belongs to no machine.
                ErrorKind::NotFound if matches!(endpoint, Some(Endpoint::Ipc(_))) => ENOENT,
                ErrorKind::NotFound | ErrorKind::AddrNotAvailable => ENODEV,
                ErrorKind::AlreadyExists => EADDRINUSE,
                ErrorKind::Unsupported => ENOTSUP,
                ErrorKind::OutOfMemory => ENOMEM,
                ErrorKind::InvalidInput => EINVAL,
                _ => EIO,
            }),
            _ => EINVAL,
        })
    }
}

impl<M> From<serverlink::SendError<M>> for Errno {
    fn from(failed: serverlink::SendError<M>) -> Errno {
        Errno::from(failed.error)
    }
}

/// A code in words. What is not ours is the C library's.
pub fn describe(code: c_int) -> &'static CStr {
    match code {
        EFSM => c"Operation cannot be accomplished in current state",
        ENOCOMPATPROTO => c"The protocol is not compatible with the socket type",
        ETERM => c"Context was terminated",
        EMTHREAD => c"No thread available",
        EHOSTUNREACH => c"Host unreachable",
        // SAFETY: the C library's text is a string that stays until this thread's next call.
        _ => unsafe { CStr::from_ptr(libc::strerror(code)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_header() {
        assert_eq!(
            (EFSM, ENOCOMPATPROTO, ETERM, EMTHREAD),
            (156_384_763, 156_384_764, 156_384_765, 156_384_766)
        );
        set(EFSM);
        assert_eq!(get(), EFSM);
        assert_eq!(Errno::from(Error::TimedOut), Errno(EAGAIN));
    }
}
