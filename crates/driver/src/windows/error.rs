//! What the system's answers mean.

use std::io;

use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::Networking::WinSock::*;

/// The error of an operation that came home with this status.
///
/// The general translation has no socket errors, and the one that has them needs the socket, which may be closed by now.
pub(super) fn from_status(status: NTSTATUS) -> io::Error {
    let code = match status {
        STATUS_CONNECTION_REFUSED => WSAECONNREFUSED,
        STATUS_CONNECTION_RESET | STATUS_REMOTE_DISCONNECT => WSAECONNRESET,
        STATUS_CONNECTION_ABORTED | STATUS_CONNECTION_DISCONNECTED | STATUS_LOCAL_DISCONNECT => {
            WSAECONNABORTED
        }
        STATUS_IO_TIMEOUT | STATUS_TIMEOUT => WSAETIMEDOUT,
        STATUS_NETWORK_UNREACHABLE => WSAENETUNREACH,
        STATUS_HOST_UNREACHABLE => WSAEHOSTUNREACH,
        STATUS_ADDRESS_ALREADY_EXISTS => WSAEADDRINUSE,
        STATUS_INSUFFICIENT_RESOURCES
        | STATUS_NO_MEMORY
        | STATUS_QUOTA_EXCEEDED
        | STATUS_WORKING_SET_QUOTA => WSAENOBUFS,
        // SAFETY: a translation of numbers.
        status => unsafe { RtlNtStatusToDosError(status) as i32 },
    };
    io::Error::from_raw_os_error(code)
}

/// Whether the operation was cancelled.
pub(super) fn is_aborted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_OPERATION_ABORTED as i32)
}

/// An operation is over and did not fail, and how much it moved is not known.
pub(super) fn forgotten() -> io::Error {
    io::Error::from_raw_os_error(ERROR_IO_INCOMPLETE as i32)
}

pub(super) fn is_forgotten(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_IO_INCOMPLETE as i32)
}

/// Whether the system lacks memory for an operation: a reason to wait, not a fault of the connection.
pub(super) fn is_out_of_memory(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(code) if code == WSAENOBUFS
        || code == ERROR_NO_SYSTEM_RESOURCES as i32 || code == ERROR_WORKING_SET_QUOTA as i32)
}

/// Whether this tells what became of one datagram: it says nothing of those that come. In the words of the socket calls, and in those of a completion.
pub(super) fn is_about_a_datagram(error: &io::Error) -> bool {
    const COMPLETIONS: [u32; 6] = [
        ERROR_MORE_DATA,
        ERROR_PORT_UNREACHABLE,
        ERROR_PROTOCOL_UNREACHABLE,
        ERROR_HOST_UNREACHABLE,
        ERROR_NETWORK_UNREACHABLE,
        ERROR_CONNECTION_REFUSED,
    ];
    let Some(code) = error.raw_os_error() else { return false };
    matches!(
        code,
        WSAECONNRESET
            | WSAECONNREFUSED
            | WSAENETRESET
            | WSAEMSGSIZE
            | WSAEHOSTUNREACH
            | WSAENETUNREACH
            | WSAEINTR
    ) || COMPLETIONS.contains(&(code as u32))
}

/// The outcome of a call that says zero for failure.
pub(super) fn check(succeeded: i32) -> io::Result<()> {
    if succeeded == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The outcome of a socket call, which says zero for success.
pub(super) fn check_socket(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_the_errors_of_sockets() {
        for (status, kind) in [
            (STATUS_CONNECTION_REFUSED, io::ErrorKind::ConnectionRefused),
            (STATUS_CONNECTION_RESET, io::ErrorKind::ConnectionReset),
            (STATUS_LOCAL_DISCONNECT, io::ErrorKind::ConnectionAborted),
            (STATUS_IO_TIMEOUT, io::ErrorKind::TimedOut),
            (STATUS_PIPE_BROKEN, io::ErrorKind::BrokenPipe),
            (STATUS_OBJECT_NAME_NOT_FOUND, io::ErrorKind::NotFound),
        ] {
            assert_eq!(from_status(status).kind(), kind, "{status:#x}");
        }
        for status in [STATUS_PORT_UNREACHABLE, STATUS_BUFFER_OVERFLOW, STATUS_HOST_UNREACHABLE] {
            assert!(is_about_a_datagram(&from_status(status)), "{status:#x}");
        }
        assert!(!is_about_a_datagram(&from_status(STATUS_CANCELLED)));
        assert!(is_aborted(&from_status(STATUS_CANCELLED)));
        assert!(is_out_of_memory(&from_status(STATUS_INSUFFICIENT_RESOURCES)));
    }
}
