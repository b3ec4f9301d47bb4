use std::time::Duration;

/// What a socket wants of its tcp connections, accepted and dialed; see [`Options::tcp`](super::Options::tcp). `None` leaves the
/// system's setting.
///
/// A system that does not have an option refuses it when the socket binds or connects: what is accepted has an effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether the system probes a silent peer (`SO_KEEPALIVE`). Heartbeats find out more and sooner. Default `None`.
    /// libzmq: `ZMQ_TCP_KEEPALIVE`.
    pub keepalive: Option<bool>,
    /// Silence before the first probe. 1 s to 9 h in whole seconds. libzmq: `ZMQ_TCP_KEEPALIVE_IDLE`.
    pub keepalive_idle: Option<Duration>,
    /// Pause between probes. 1 s to 9 h in whole seconds. libzmq: `ZMQ_TCP_KEEPALIVE_INTVL`.
    pub keepalive_interval: Option<Duration>,
    /// Probes without an answer after which the connection ends. 1 to 127. libzmq: `ZMQ_TCP_KEEPALIVE_CNT`.
    pub keepalive_count: Option<u32>,
    /// How long sent bytes may stay without acknowledgement before the connection ends (`TCP_USER_TIMEOUT`; on Windows
    /// `TCP_MAXRT`, in whole seconds). 1 ms to 24 h. libzmq: `ZMQ_TCP_MAXRT`.
    pub user_timeout: Option<Duration>,
    /// The type-of-service octet of the packets (`IP_TOS`, `IPV6_TCLASS`). libzmq: `ZMQ_TOS`.
    pub type_of_service: Option<u8>,
    /// The priority of the packets in the system's queues (`SO_PRIORITY`, Linux). 0 to 6 without privileges. libzmq: `ZMQ_PRIORITY`.
    pub priority: Option<u32>,
    /// The network device through which alone to listen and connect (`SO_BINDTODEVICE`, Linux). 1 to 15 bytes.
    /// libzmq: `ZMQ_BINDTODEVICE`.
    pub device: Option<String>,
    /// How long the system polls the network device for each wait (`SO_BUSY_POLL`, Linux). 1 us to 1 s.
    /// libzmq: `ZMQ_BUSY_POLL`.
    pub busy_poll: Option<Duration>,
}
