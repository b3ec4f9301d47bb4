//! What a socket is told before it is used.

/// Options of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Send small segments at once (`TCP_NODELAY`). Default: true, because batching is done above, where the end of a batch is known.
    pub nodelay: bool,
    /// Kernel send buffer in bytes (`SO_SNDBUF`). Default: what the system chooses, which also lets it grow.
    pub send_buffer: Option<usize>,
    /// Kernel receive buffer in bytes (`SO_RCVBUF`). Default: what the system chooses, which also lets it grow.
    pub receive_buffer: Option<usize>,
    /// TCP keep-alive probes (`SO_KEEPALIVE`). Default: `None`, the system's setting.
    pub keepalive: Option<bool>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions { nodelay: true, send_buffer: None, receive_buffer: None, keepalive: None }
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
