//! Error codes: the C library's, and libzmq's own for what that has none.

use std::ffi::{CStr, c_int};
use std::io::ErrorKind;

use serverlink::{Endpoint, Error};

use crate::system_error;

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
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, ECONNABORTED, ECONNREFUSED, ECONNRESET, EEXIST, EFAULT,
    EHOSTUNREACH, EINTR, EINVAL, EIO, EMFILE, EMSGSIZE, ENAMETOOLONG, ENODEV, ENOENT, ENOMEM, ENOTSOCK,
    ENOTSUP, EPERM, EPIPE, EPROTONOSUPPORT, ETIMEDOUT,
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
    of_thread::set(code);
}

/// The thread's error.
pub fn get() -> c_int {
    of_thread::get()
}

#[cfg(unix)]
mod of_thread {
    use std::ffi::c_int;

    pub(super) fn set(code: c_int) {
        errno::set_errno(errno::Errno(code));
    }

    pub(super) fn get() -> c_int {
        errno::errno().0
    }
}

/// What C calls `errno` is the C library's there, and not the system's last error. A program that was built with another C library than this one
/// has an `errno` of its own: that is what `zmq_errno` is for.
#[cfg(windows)]
mod of_thread {
    use std::ffi::c_int;

    unsafe extern "C" {
        fn _errno() -> *mut c_int;
    }

    pub(super) fn set(code: c_int) {
        // SAFETY: the C library gives this thread's own place, which is there as long as the thread is.
        unsafe { *_errno() = code };
    }

    pub(super) fn get() -> c_int {
        // SAFETY: as above.
        unsafe { *_errno() }
    }
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
            Error::Io { source, endpoint, .. } => {
                system_error::known(&source).unwrap_or(match source.kind() {
                    // A path that is not there, or a name that belongs to no machine.
                    ErrorKind::NotFound if matches!(endpoint, Some(Endpoint::Ipc(_))) => ENOENT,
                    ErrorKind::NotFound | ErrorKind::AddrNotAvailable => ENODEV,
                    ErrorKind::AlreadyExists => EADDRINUSE,
                    ErrorKind::PermissionDenied => EACCES,
                    ErrorKind::Unsupported => ENOTSUP,
                    ErrorKind::OutOfMemory => ENOMEM,
                    ErrorKind::InvalidInput => EINVAL,
                    ErrorKind::BrokenPipe => EPIPE,
                    _ => EIO,
                })
            }
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
        code => of_system(code),
    }
}

fn of_system(code: c_int) -> &'static CStr {
    #[cfg(windows)]
    if let Some(text) = system_error::describe(code) {
        return text;
    }
    // SAFETY: the C library's text is a string that stays until this thread's next call.
    unsafe { CStr::from_ptr(libc::strerror(code)) }
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

    #[test]
    fn what_no_number_of_the_systems_says_its_kind_does() {
        for (kind, code) in [
            (ErrorKind::NotFound, ENODEV),
            (ErrorKind::PermissionDenied, EACCES),
            (ErrorKind::AlreadyExists, EADDRINUSE),
            (ErrorKind::BrokenPipe, EPIPE),
            (ErrorKind::Other, EIO),
        ] {
            let error = Error::Io { doing: "trying", endpoint: None, source: kind.into() };
            assert_eq!(Errno::from(error), Errno(code), "{kind:?}");
        }
    }

    /// Above all the numbers of sockets: a C library of Windows may have no words for them.
    #[test]
    fn every_code_has_words() {
        for code in [EADDRINUSE, ENOTSOCK, ENOTSUP, EPROTONOSUPPORT, ETIMEDOUT, EFSM, EINVAL] {
            let text = describe(code).to_str().expect("words");
            assert!(!text.is_empty() && !text.contains("Unknown"), "{code}: {text}");
        }
    }
}
