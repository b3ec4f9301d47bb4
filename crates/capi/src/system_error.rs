//! What the system says went wrong, in the numbers of `errno.h`.
//!
//! On unix they are the same. Windows has numbers of its own, those of Winsock from 10000 up, which programs for libzmq do not expect: libzmq
//! gives them what the C library's `errno.h` calls `EADDRINUSE` and so on.

#[cfg(any(windows, test))]
use std::ffi::CStr;
use std::ffi::c_int;
use std::io;

use crate::errno::Errno;

/// The number for an error of the system's; `otherwise` where it has none.
pub fn code_of(error: &io::Error, otherwise: c_int) -> Errno {
    Errno(known(error).unwrap_or(otherwise))
}

/// The number for an error that the system gave; none for one that was made here.
#[cfg(unix)]
pub(crate) fn known(error: &io::Error) -> Option<c_int> {
    error.raw_os_error()
}

/// The number for an error that the system gave; none for one that was made here, and for what only its kind tells of.
#[cfg(windows)]
pub(crate) fn known(error: &io::Error) -> Option<c_int> {
    of_winsock(error.raw_os_error()?)
}

/// What the C library of Windows may have no words for: older ones know the numbers of 1989.
#[cfg(windows)]
pub(crate) fn describe(code: c_int) -> Option<&'static CStr> {
    WINSOCK.iter().find(|(_, known, _)| *known == code).map(|(_, _, text)| *text)
}

#[cfg(any(windows, test))]
fn of_winsock(number: i32) -> Option<c_int> {
    match WINSOCK.iter().find(|(theirs, _, _)| *theirs == number) {
        Some((_, code, _)) => Some(*code),
        // Never theirs: it would be nothing that `errno.h` knows.
        None if number >= 10_000 => Some(libc::EIO),
        None => None,
    }
}

/// Winsock's number, the C library's, and its meaning. Where `errno.h` of Windows has none, what comes nearest.
#[cfg(any(windows, test))]
static WINSOCK: &[(i32, c_int, &CStr)] = &[
    (10_004, libc::EINTR, c"Interrupted function call"),
    (10_009, libc::EBADF, c"Bad file descriptor"),
    (10_013, libc::EACCES, c"Permission denied"),
    (10_014, libc::EFAULT, c"Bad address"),
    (10_022, libc::EINVAL, c"Invalid argument"),
    (10_024, libc::EMFILE, c"Too many open files"),
    (10_035, libc::EAGAIN, c"Resource temporarily unavailable"),
    (10_036, libc::EINPROGRESS, c"Operation in progress"),
    (10_037, libc::EALREADY, c"Operation already in progress"),
    (10_038, libc::ENOTSOCK, c"Not a socket"),
    (10_039, libc::EDESTADDRREQ, c"Destination address required"),
    (10_040, libc::EMSGSIZE, c"Message too long"),
    (10_041, libc::EPROTOTYPE, c"Wrong protocol type for the socket"),
    (10_042, libc::ENOPROTOOPT, c"Protocol option not available"),
    (10_043, libc::EPROTONOSUPPORT, c"Protocol not supported"),
    (10_044, libc::EPROTONOSUPPORT, c"Protocol not supported"),
    (10_045, libc::ENOTSUP, c"Not supported"),
    (10_046, libc::EAFNOSUPPORT, c"Address family not supported"),
    (10_047, libc::EAFNOSUPPORT, c"Address family not supported"),
    (10_048, libc::EADDRINUSE, c"Address in use"),
    (10_049, libc::EADDRNOTAVAIL, c"Address not available"),
    (10_050, libc::ENETDOWN, c"Network is down"),
    (10_051, libc::ENETUNREACH, c"Network unreachable"),
    (10_052, libc::ENETRESET, c"Connection reset by the network"),
    (10_053, libc::ECONNABORTED, c"Connection aborted"),
    (10_054, libc::ECONNRESET, c"Connection reset"),
    (10_055, libc::ENOBUFS, c"No buffer space available"),
    (10_056, libc::EISCONN, c"Socket is connected"),
    (10_057, libc::ENOTCONN, c"Socket is not connected"),
    (10_058, libc::EPIPE, c"Broken pipe"),
    (10_060, libc::ETIMEDOUT, c"Connection timed out"),
    (10_061, libc::ECONNREFUSED, c"Connection refused"),
    (10_062, libc::ELOOP, c"Too many levels of symbolic links"),
    (10_063, libc::ENAMETOOLONG, c"File name too long"),
    (10_064, libc::EHOSTUNREACH, c"Host unreachable"),
    (10_065, libc::EHOSTUNREACH, c"Host unreachable"),
    // The network is not ready, or was not started.
    (10_091, libc::ENETDOWN, c"Network is down"),
    (10_093, libc::ENETDOWN, c"Network is down"),
    (10_101, libc::ECONNRESET, c"Connection reset"),
    // Names: no such machine; ask again; a machine without an address.
    (11_001, libc::ENODEV, c"No such device"),
    (11_002, libc::EAGAIN, c"Resource temporarily unavailable"),
    (11_004, libc::ENODEV, c"No such device"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errno::EIO;

    /// As `errno.h` has them on this system, which is what a program compares with.
    #[test]
    fn winsocks_numbers_become_those_of_the_c_library() {
        for (theirs, ours) in [
            (10_013, libc::EACCES),
            (10_035, libc::EAGAIN),
            (10_038, libc::ENOTSOCK),
            (10_048, libc::EADDRINUSE),
            (10_049, libc::EADDRNOTAVAIL),
            (10_054, libc::ECONNRESET),
            (10_055, libc::ENOBUFS),
            (10_060, libc::ETIMEDOUT),
            (10_061, libc::ECONNREFUSED),
            (10_065, libc::EHOSTUNREACH),
            (11_001, libc::ENODEV),
        ] {
            assert_eq!(of_winsock(theirs), Some(ours), "{theirs}");
        }
    }

    #[test]
    fn none_of_winsocks_numbers_gets_out() {
        for number in 10_000..=12_000 {
            let code = of_winsock(number).expect("one of the C library's");
            assert!(0 < code && code < 10_000, "{number} became {code}");
        }
        // ERROR_FILE_NOT_FOUND and ERROR_IO_PENDING: what `io::Error` says of its kind tells more.
        assert_eq!((of_winsock(2), of_winsock(997)), (None, None));
    }

    #[test]
    fn each_is_listed_once_and_in_words() {
        assert!(WINSOCK.is_sorted_by_key(|(number, _, _)| number));
        for (number, _, text) in WINSOCK {
            assert_eq!(WINSOCK.iter().filter(|(other, _, _)| other == number).count(), 1, "{number}");
            assert!(!text.is_empty());
        }
    }

    #[test]
    fn what_the_system_did_not_say_is_what_the_caller_makes_of_it() {
        assert_eq!(code_of(&io::ErrorKind::Other.into(), EIO), Errno(EIO));
        #[cfg(unix)]
        assert_eq!(code_of(&io::Error::from_raw_os_error(libc::ENOSPC), EIO), Errno(libc::ENOSPC));
        #[cfg(windows)]
        assert_eq!(code_of(&io::Error::from_raw_os_error(10_048), EIO), Errno(libc::EADDRINUSE));
    }
}
