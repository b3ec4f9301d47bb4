//! What a socket is told before it is used.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Options of one stream. `None` leaves the system's setting.
///
/// What a system does not have is refused with [`io::ErrorKind::Unsupported`] where the socket is made: what is accepted has an effect.
/// All but the buffers concern tcp alone and mean nothing to ipc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Send small segments at once (`TCP_NODELAY`). Default: true, because batching is done above, where the end of a batch is known.
    pub nodelay: bool,
    /// Kernel send buffer in bytes (`SO_SNDBUF`). Default: what the system chooses, which also lets it grow.
    pub send_buffer: Option<usize>,
    /// Kernel receive buffer in bytes (`SO_RCVBUF`). Default: what the system chooses, which also lets it grow.
    pub receive_buffer: Option<usize>,
    /// Our own end of a stream that connects: an address of this machine, and a port or 0. It means nothing to a listener.
    pub source: Option<SocketAddr>,
    /// TCP keep-alive probes (`SO_KEEPALIVE`).
    pub keepalive: Option<bool>,
    /// Silence before the first probe, in whole seconds. Not on OpenBSD.
    pub keepalive_idle: Option<Duration>,
    /// Pause between probes, in whole seconds. Not on OpenBSD.
    pub keepalive_interval: Option<Duration>,
    /// Probes without an answer that end the connection. Not on OpenBSD.
    pub keepalive_count: Option<u32>,
    /// How long sent bytes may stay without acknowledgement (`TCP_USER_TIMEOUT` in milliseconds, on Linux; `TCP_MAXRT` in whole
    /// seconds, on Windows).
    pub user_timeout: Option<Duration>,
    /// The octet in the packets' header by which routers tell them apart (`IP_TOS`, `IPV6_TCLASS`). Not on Windows.
    pub type_of_service: Option<u8>,
    /// The packets' priority in the system's queues (`SO_PRIORITY`). Linux.
    pub priority: Option<u32>,
    /// The one network device to use (`SO_BINDTODEVICE`). Linux; may need a privilege.
    pub device: Option<String>,
    /// How long to poll the network device for input (`SO_BUSY_POLL` in microseconds). Linux; more than the system's own setting needs
    /// a privilege.
    pub busy_poll: Option<Duration>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            nodelay: true,
            send_buffer: None,
            receive_buffer: None,
            source: None,
            keepalive: None,
            keepalive_idle: None,
            keepalive_interval: None,
            keepalive_count: None,
            user_timeout: None,
            type_of_service: None,
            priority: None,
            device: None,
            busy_poll: None,
        }
    }
}

impl StreamOptions {
    /// Whether this system has them all and lets this process set them: tried on a socket that nobody ever sees, unless all are the defaults.
    ///
    /// # Errors
    /// As making a stream with them.
    pub fn check(&self) -> io::Result<()> {
        let plain = StreamOptions {
            send_buffer: self.send_buffer,
            receive_buffer: self.receive_buffer,
            source: self.source,
            ..StreamOptions::default()
        };
        if *self == plain {
            return Ok(());
        }
        #[cfg(unix)]
        return crate::unix::check_options(self);
        #[cfg(windows)]
        return crate::windows::check_options(self);
        #[cfg(not(any(unix, windows)))]
        Ok(())
    }
}

/// Options of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// How many connections may wait to be accepted. Default: 100.
    pub backlog: u32,
    /// Whether a listener on an IPv6 address refuses IPv4 peers (`IPV6_V6ONLY`). Default: false.
    pub v6_only: bool,
    /// What accepted streams get.
    pub stream: StreamOptions,
}

impl Default for ListenOptions {
    fn default() -> Self {
        ListenOptions { backlog: 100, v6_only: false, stream: StreamOptions::default() }
    }
}

/// An option that this system does not have.
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "Linux has all of them"))]
pub(crate) fn not_here(option: &str) -> io::Error {
    let system = std::env::consts::OS;
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{system} has no option {option} for tcp; leave it out"),
    )
}

/// An option that the system refused, with the option's name.
pub(crate) fn refused(option: &str, error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "this process may not set it; give it the privilege or leave it out"
        }
        _ => "choose another value or leave it out",
    };
    io::Error::new(error.kind(), format!("the system refused the option {option}: {error}; {advice}"))
}
