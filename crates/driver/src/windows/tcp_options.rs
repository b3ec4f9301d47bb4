//! What tcp sockets are told: what Windows does not have is refused.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::windows::io::AsRawSocket;
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{
    IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_MAXRT,
};

use super::socket::{self, Family};
use crate::StreamOptions;
use crate::options::{not_here, refused};

/// Whether all of them are options of this system.
pub(crate) fn check(options: &StreamOptions) -> io::Result<()> {
    let absent = [
        ("type_of_service", options.type_of_service.is_some()),
        ("priority", options.priority.is_some()),
        ("device", options.device.is_some()),
        ("busy_poll", options.busy_poll.is_some()),
    ];
    match absent.iter().find(|(_, wanted)| *wanted) {
        Some((option, _)) => Err(not_here(option)),
        None => Ok(()),
    }
}

/// Tells a stream, accepted ones too.
pub(super) fn set(socket: &TcpStream, family: Family, options: &StreamOptions) -> io::Result<()> {
    if family == Family::Unix {
        return Ok(());
    }
    socket.set_nodelay(options.nodelay)?;
    if let Some(keepalive) = options.keepalive {
        socket::set_option(socket, SOL_SOCKET, SO_KEEPALIVE, i32::from(keepalive))
            .map_err(|error| refused("keepalive", error))?;
    }
    let count = options.keepalive_count.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
    for (option, name, value) in [
        ("keepalive_idle", TCP_KEEPIDLE, options.keepalive_idle.map(seconds)),
        ("keepalive_interval", TCP_KEEPINTVL, options.keepalive_interval.map(seconds)),
        ("keepalive_count", TCP_KEEPCNT, count),
        ("user_timeout", TCP_MAXRT, options.user_timeout.map(seconds)),
    ] {
        if let Some(value) = value {
            socket::set_option(socket, IPPROTO_TCP, name, value).map_err(|error| refused(option, error))?;
        }
    }
    Ok(())
}

/// Gives a socket that is to connect to `target` its own end.
pub(super) fn bind_source(
    socket: &impl AsRawSocket,
    target: &SocketAddr,
    options: &StreamOptions,
) -> io::Result<()> {
    let Some(source) = options.source else {
        return socket::bind_to(socket, &socket::any_like(target));
    };
    socket::bind_to(socket, &source).map_err(|error| {
        let message = format!("the source address {source} cannot be used: {error}");
        io::Error::new(error.kind(), message)
    })
}

/// The system counts in seconds: what is less is one.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}
