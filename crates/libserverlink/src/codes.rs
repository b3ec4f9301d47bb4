//! The codes of `slk_errno`: one space, in which no number of the system's appears.

use std::ffi::{CStr, c_int};
use std::io::ErrorKind;

use serverlink::{Cause, SocksFailure, SocksRefusal};
use serverlink_capi::errno;

macro_rules! codes {
    ($($name:ident = $number:literal $text:literal)*) => {
        $(#[allow(dead_code, reason = "the header has them all")] pub(crate) const $name: c_int = $number;)*

        /// A code in words.
        pub(crate) fn describe(code: c_int) -> &'static CStr {
            match code {
                0 => c"No error",
                $($number => $text,)*
                _ => c"Unknown error",
            }
        }
    };
}

codes! {
    EINVAL = 1 c"Invalid argument"
    ENOMEM = 2 c"Out of memory"
    EAGAIN = 3 c"Nothing can be done now; try again later"
    ENOTSOCK = 4 c"Not an open socket"
    EPROTO = 5 c"The peer did not keep to the protocol"
    ETERM = 6 c"The context is being destroyed"
    EMTHREAD = 7 c"No I/O thread available"
    EHOSTUNREACH = 10 c"No peer has this routing id"
    ENOTREADY = 11 c"Not possible at this step of the conversation"
    EPEERUNREACH = 12 c"This peer is not connected"
    EAUTH = 13 c"Authentication failed"
    EADDRINUSE = 21 c"The address is in use"
    EADDRNOTAVAIL = 22 c"The address does not belong to this machine"
    ENOENT = 23 c"There is no such thing"
    EEXIST = 24 c"It exists already"
    EMSGSIZE = 25 c"Larger than the limit"
    ENOTSUP = 26 c"Not supported"
    EFAULT = 27 c"Not a pointer to what was expected"
    EINTR = 28 c"A signal interrupted the call"
    EMFILE = 29 c"Too many sockets or descriptors"
    EPROTONOSUPPORT = 30 c"There is no such transport"
    ENAMETOOLONG = 31 c"The path is too long"
    ENODEV = 32 c"No such device or host name"
    EACCES = 33 c"Not permitted"
    EBADF = 34 c"Not a descriptor"
    EIO = 35 c"The system reported an error"
    EINTERNAL = 36 c"A fault of the library itself"
    ECONNRESET = 37 c"The connection was closed by the peer"
    ECONNREFUSED = 38 c"Nobody listens there"
    ETIMEDOUT = 39 c"The time ran out"
}

/// Of a code as `serverlink-capi` gives it: the system's, or libzmq's own.
#[cold]
pub(crate) fn of(code: c_int) -> c_int {
    match code {
        errno::EINVAL => EINVAL,
        errno::ENOMEM => ENOMEM,
        errno::EAGAIN => EAGAIN,
        errno::ENOTSOCK => ENOTSOCK,
        errno::ETERM => ETERM,
        errno::EMTHREAD => EMTHREAD,
        errno::EHOSTUNREACH => EHOSTUNREACH,
        errno::EFSM => ENOTREADY,
        errno::EADDRINUSE => EADDRINUSE,
        errno::EADDRNOTAVAIL => EADDRNOTAVAIL,
        errno::ENOENT => ENOENT,
        errno::EMSGSIZE => EMSGSIZE,
        errno::ENOTSUP => ENOTSUP,
        errno::EFAULT => EFAULT,
        errno::EINTR => EINTR,
        errno::EMFILE => EMFILE,
        errno::EPROTONOSUPPORT | errno::ENOCOMPATPROTO => EPROTONOSUPPORT,
        errno::ENAMETOOLONG => ENAMETOOLONG,
        errno::ENODEV => ENODEV,
        errno::EBADF => EBADF,
        errno::EEXIST => EEXIST,
        errno::EACCES | errno::EPERM => EACCES,
        libc::ENOSYS => ENOTSUP,
        errno::ETIMEDOUT => ETIMEDOUT,
        errno::ECONNREFUSED => ECONNREFUSED,
        errno::ECONNRESET | errno::ECONNABORTED | errno::EPIPE => ECONNRESET,
        UNREACHABLE_PEER => EPEERUNREACH,
        _ => EIO,
    }
}

/// What `slk_is_connected` and its like answer of a peer that is not there, among the numbers of `serverlink-capi`.
pub(crate) const UNREACHABLE_PEER: c_int = errno::HAUSNUMERO + 90;

fn of_kind(kind: ErrorKind) -> c_int {
    match kind {
        ErrorKind::PermissionDenied => EACCES,
        ErrorKind::AddrInUse => EADDRINUSE,
        ErrorKind::AddrNotAvailable => EADDRNOTAVAIL,
        ErrorKind::NotFound => ENOENT,
        ErrorKind::AlreadyExists => EEXIST,
        ErrorKind::OutOfMemory => ENOMEM,
        ErrorKind::Unsupported => ENOTSUP,
        ErrorKind::Interrupted => EINTR,
        ErrorKind::WouldBlock => EAGAIN,
        ErrorKind::InvalidInput => EINVAL,
        ErrorKind::TimedOut => ETIMEDOUT,
        ErrorKind::ConnectionRefused => ECONNREFUSED,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => ECONNRESET,
        _ => EIO,
    }
}

/// Why a connection ended, in an event; 0: this side wanted it.
pub(crate) fn of_cause(cause: Cause) -> c_int {
    match cause {
        Cause::Closed => 0,
        Cause::PeerClosed => ECONNRESET,
        Cause::Protocol => EPROTO,
        Cause::RefusedByPeer | Cause::Refused => EACCES,
        Cause::DeniedByPeer(_)
        | Cause::Denied(_)
        | Cause::NobodyJudges
        | Cause::Mechanism
        | Cause::Cryptography => EAUTH,
        Cause::ConnectTimeout | Cause::HandshakeTimeout | Cause::HeartbeatTimeout => ETIMEDOUT,
        Cause::HandedOver => EEXIST,
        Cause::Unresolved => ENODEV,
        Cause::Socks(SocksFailure::Refused(SocksRefusal::ConnectionRefused)) => ECONNREFUSED,
        Cause::Socks(SocksFailure::CredentialsRefused(_) | SocksFailure::NoMethod) => EAUTH,
        Cause::Socks(SocksFailure::Refused(SocksRefusal::NotAllowed)) => EACCES,
        Cause::System(kind) => of_kind(kind),
        _ => EIO,
    }
}
