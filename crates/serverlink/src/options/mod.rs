//! Everything a socket can be told before it is opened.

mod accept_filter;
mod check;
mod reconnect_stop;
mod socks;
mod tcp;
mod udp;

use std::time::Duration;

pub(crate) use accept_filter::Newcomer;
pub use accept_filter::{AcceptFilter, BadAcceptFilter};
pub use reconnect_stop::ReconnectStop;
pub use tcp::TcpOptions;
pub use udp::UdpOptions;

use crate::security::{Password, Security, SharedAuthenticator};

const MIB: u64 = 1024 * 1024;

/// The settings of one socket. [`Socket::reconfigure`](crate::Socket::reconfigure) says which of them may change while it is open.
///
/// Start from the defaults and change what you need; [`SocketBuilder`](crate::SocketBuilder) does that in one chain. Where a
/// default differs from libzmq's, the field says so and why.
///
/// ```
/// use serverlink::Options;
///
/// let options = Options { send_hwm: 10_000, ..Options::default() };
/// options.validate()?;
/// # Ok::<(), serverlink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Messages that may wait for one peer on the sending side before the socket blocks or drops, as its type does.
    /// 0 means no limit. Default 1000. libzmq: `ZMQ_SNDHWM`.
    pub send_hwm: u32,

    /// Messages from one peer that may wait here for the application before its connection is not read any more. Datagrams of
    /// udp are dropped from then on, and counted ([`Stats::dropped_at_high_water_mark`](crate::Stats::dropped_at_high_water_mark)).
    /// 0 means no limit. Default 1000. libzmq: `ZMQ_RCVHWM`.
    pub recv_hwm: u32,

    /// Bytes that may wait for one peer on the sending side, beside `send_hwm`: at the first of the two marks the socket blocks or
    /// drops, as its type does. A message that finds the queue below the mark is taken whole, so that every message can be sent.
    /// 0 means no limit. Default 256 MiB. Not in libzmq, whose marks count messages alone.
    pub send_hwm_bytes: u64,

    /// Bytes from one peer that may wait here for the application before its connection is not read any more, beside `recv_hwm`.
    /// A message is always taken whole. 0 means no limit. Default 64 MiB. Not in libzmq.
    pub recv_hwm_bytes: u64,

    /// How long messages that no peer has taken yet are kept after the socket was dropped. Default 30 s.
    ///
    /// libzmq (`ZMQ_LINGER`) waits for ever, which is how a program with one unreachable peer never ends.
    pub linger: Linger,

    /// How long a blocking send waits; `None`: for ever. Default `None`. libzmq: `ZMQ_SNDTIMEO`.
    pub send_timeout: Option<Duration>,

    /// How long a blocking receive waits; `None`: for ever. Default `None`. libzmq: `ZMQ_RCVTIMEO`.
    pub recv_timeout: Option<Duration>,

    /// Longest pause before the first attempt to connect again. 1 ms to 1 h, default 100 ms. libzmq: `ZMQ_RECONNECT_IVL`.
    ///
    /// Every pause is drawn by chance, from a tenth of this interval up to the longest that the attempt allows, so that the clients of a
    /// restarted server do not all come back at once. A refusal, a failed handshake and a lost connection lengthen it alike.
    pub reconnect_interval: Duration,

    /// Where the pause between attempts stops doubling. Zero: every pause is `reconnect_interval`. Up to 1 h, default 10 s.
    ///
    /// libzmq (`ZMQ_RECONNECT_IVL_MAX`) never doubles by default and so calls on a dead server ten times a second for ever.
    pub reconnect_interval_max: Duration,

    /// After which ends of a connection a dialer gives up instead of trying again. Default: none. libzmq: `ZMQ_RECONNECT_STOP`, and
    /// [`ReconnectStop::ALWAYS`] is its `ZMQ_RECONNECT_IVL` of -1.
    pub reconnect_stop: ReconnectStop,

    /// How long one attempt to reach one address may take before the next address, or the next attempt, is tried; the handshake is
    /// not part of it. `None`: as long as `handshake_timeout` leaves. 1 ms to 1 h, default `None`. libzmq: `ZMQ_CONNECT_TIMEOUT`.
    pub connect_timeout: Option<Duration>,

    /// The name by which ROUTER peers address this socket. At most 255 bytes, not starting with a zero byte (such ids are the
    /// ROUTER's own, for peers without a name). Default empty: no name. libzmq: `ZMQ_ROUTING_ID`.
    pub routing_id: Vec<u8>,

    /// Connections that the system keeps ready before they are accepted. 1 to 65535, default 100. libzmq: `ZMQ_BACKLOG`.
    pub backlog: u32,

    /// Connections that came to the socket's listeners and may be open at once, handshakes included. At the mark accepting pauses, with
    /// an event, until one ends; who comes meanwhile waits in the system's queue. 0 means no limit. Default 65,536. Not in libzmq.
    pub max_connections: u32,

    /// Who may connect to the socket's listeners. Empty: everybody. With filters of one transport, a peer over that transport is
    /// let in if one of them fits; others are closed before a byte is read. Default empty. libzmq: `ZMQ_TCP_ACCEPT_FILTER`,
    /// `ZMQ_IPC_FILTER_PID`, `ZMQ_IPC_FILTER_UID`, `ZMQ_IPC_FILTER_GID`.
    pub accept_filters: Vec<AcceptFilter>,

    /// Whether `tcp://*` also listens on IPv6 and names may resolve to IPv6 addresses. Literal addresses always work.
    /// Default false. libzmq: `ZMQ_IPV6`.
    pub ipv6: bool,

    /// Queue messages only for peers whose handshake is complete. Otherwise a connecting peer already gets its share, which
    /// waits for it. Default false. libzmq: `ZMQ_IMMEDIATE`.
    pub immediate: bool,

    /// Keep only the newest message for each peer, and only the newest one received. Messages of several parts do not fit.
    /// For PUSH, PULL, PUB, SUB and DEALER. Default false. libzmq: `ZMQ_CONFLATE`.
    pub conflate: bool,

    /// Largest message accepted from a peer, all its parts together, in bytes. A peer that announces more loses its connection
    /// before anything is allocated for it. 1 to 2^63-1, default 64 MiB.
    ///
    /// libzmq (`ZMQ_MAXMSGSIZE`) has no limit by default, so that one peer can take all memory.
    pub max_message_bytes: u64,

    /// How long a new connection may take from connect or accept until both sides are ready. 1 ms to 1 h, default 30 s.
    /// libzmq: `ZMQ_HANDSHAKE_IVL`.
    pub handshake_timeout: Duration,

    /// Pause between the PINGs that a quiet connection gets. Zero: none are sent. Otherwise 1 ms to 1 h, default 5 s.
    ///
    /// libzmq (`ZMQ_HEARTBEAT_IVL`) sends none by default and so never notices that a peer lost its power.
    pub heartbeat_interval: Duration,

    /// How long after a PING some sign of life must have come, else the connection is given up. 1 ms to 1 h, default 15 s.
    /// libzmq: `ZMQ_HEARTBEAT_TIMEOUT`, by default the interval.
    pub heartbeat_timeout: Duration,

    /// What we tell peers in each PING: give us up if you hear nothing for this long. Sent in tenths of a second. Zero: they
    /// decide. Up to 6553.5 s, default zero. libzmq: `ZMQ_HEARTBEAT_TTL`.
    pub heartbeat_ttl: Duration,

    /// The kernel's send buffer for each connection, in bytes; `None`: the system's choice, which tunes itself. 1 to 2^31-1,
    /// default `None`. libzmq: `ZMQ_SNDBUF`.
    pub send_buffer_bytes: Option<usize>,

    /// The kernel's receive buffer for each connection, in bytes; `None`: the system's choice. 1 to 2^31-1, default `None`.
    /// libzmq: `ZMQ_RCVBUF`.
    pub receive_buffer_bytes: Option<usize>,

    /// What only concerns tcp. libzmq: `ZMQ_TCP_KEEPALIVE` and its kin, `ZMQ_TCP_MAXRT`, `ZMQ_TOS`, `ZMQ_BINDTODEVICE`, ...
    pub tcp: TcpOptions,

    /// A SOCKS5 proxy (RFC 1928) through which the socket connects over tcp: `host:port` or `[::1]:port`, with our own end in front where it matters, as
    /// in an endpoint (`source:port;host:port`). Accepted connections, ipc and inproc have nothing to do with it. The proxy resolves the name in an
    /// endpoint; its own name is resolved here. Reaching the proxy and its answer have the time of `connect_timeout`, and a refusal is an attempt that
    /// failed: the monitor tells it with [`Cause::Socks`](crate::Cause::Socks), and the dialer tries again. Peers behind it have no
    /// `peer_address`. Empty: none. Default empty. libzmq: `ZMQ_SOCKS_PROXY`.
    pub socks_proxy: String,

    /// As whom to introduce oneself to `socks_proxy`, if it asks (RFC 1929). Up to 255 bytes. Empty: as nobody. Default empty.
    /// libzmq: `ZMQ_SOCKS_USERNAME`.
    pub socks_username: Vec<u8>,

    /// With which password, which goes to the proxy **in clear**. Up to 255 bytes; it may be empty. Without a `socks_username` it is not sent. Default empty.
    /// libzmq: `ZMQ_SOCKS_PASSWORD`.
    pub socks_password: Password,

    /// What only concerns udp; of [`tcp`](Options::tcp), `type_of_service` and `device` concern it too. libzmq: `ZMQ_MULTICAST_HOPS`,
    /// `ZMQ_MULTICAST_LOOP`.
    pub udp: UdpOptions,

    /// On which I/O threads the socket may live: bit n stands for thread n. 0: on any. A mask without a thread of the context is
    /// refused when the socket binds or connects. Default 0. libzmq: `ZMQ_AFFINITY`.
    pub affinity: u64,

    /// Properties that peers are told in the handshake, beside those of ZMTP. Names begin with `X-`, have up to 255 letters, digits
    /// or `-_.+`, and differ also without regard to case; names that begin with `X-ServerLink-` are the library's. At most 32, and
    /// 16 KiB together. A peer reads them as [`Peer::properties`](crate::Peer::properties); one before ZMTP 3.0 is not told. Default
    /// none. libzmq: `ZMQ_METADATA`.
    pub metadata: Vec<(String, Vec<u8>)>,

    /// Sent as the first message on every new connection, before anything that is queued. On a wire it is not counted towards the
    /// high-water mark; in the ring of an inproc pipe it is one message. Empty: none. Up to 64 KiB. For DEALER, ROUTER, CLIENT,
    /// SERVER and PEER. Default empty. libzmq: `ZMQ_HELLO_MSG`.
    pub hello_message: Vec<u8>,

    /// ROUTER, SERVER and PEER: received from a peer that had connected to us and has left, behind its last message: `[routing id][this]`. A peer that
    /// lost its routing id to another ([`router_handover`](Options::router_handover)) says nothing. Empty: none. Up to 64 KiB, and no longer than
    /// `max_message_bytes`. Default empty. libzmq: `ZMQ_DISCONNECT_MSG`.
    pub disconnect_message: Vec<u8>,

    /// DEALER, CLIENT and PEER: received when a connection that this socket had dialed is lost, behind the last message that came over it and before the
    /// first of the next; not if the application gave it up by `disconnect`, and not over inproc. Empty: none. Up to 64 KiB, and no
    /// longer than `max_message_bytes`. Default empty. libzmq: `ZMQ_HICCUP_MSG`.
    pub hiccup_message: Vec<u8>,

    /// Which mechanism protects the socket's connections, in which role, and with what: [`Security`]. Peers must have the same mechanism in
    /// the other role. Not for `inproc://`, which never leaves the process. Default: none. libzmq: `ZMQ_PLAIN_SERVER`, `ZMQ_PLAIN_USERNAME`,
    /// `ZMQ_PLAIN_PASSWORD`, `ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`, `ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SERVERKEY`.
    pub security: Security,

    /// Who judges the peers of this socket, without security or as the server of a mechanism: nobody is let in over tcp or ipc without its
    /// word. It is not asked about peers over `inproc://`, which are of this process, nor by a client of PLAIN or CURVE: a server of CURVE is who
    /// it says or cannot answer, one of PLAIN can be anybody. Default: none; then the context's, or a handler bound to `inproc://zeromq.zap.01`, is asked as
    /// [`security`](crate::security) tells. Not in libzmq, which has the handler alone.
    pub authenticator: Option<SharedAuthenticator>,

    /// The name of the rules by which this socket's peers are judged, for whoever judges them. Without security, an empty one means that neither
    /// the context's authenticator nor a handler is asked. Up to 255 bytes. Default empty. libzmq: `ZMQ_ZAP_DOMAIN`.
    pub zap_domain: String,

    /// Hold to `zap_domain`: with one, peers are only let in by somebody who judges them. Otherwise a CURVE server, and a socket without security,
    /// let everybody in as long as nobody is there to ask. Name a domain with it: with an empty one, as in libzmq, no handler of ZAP is asked
    /// about the peers of a CURVE server, and without an authenticator of the socket or the context all of them are let in; a PLAIN server is refused.
    /// Default false. libzmq: `ZMQ_ZAP_ENFORCE_DOMAIN`.
    pub zap_enforce_domain: bool,

    /// ROUTER: a send to an unknown routing id fails with [`Error::Unroutable`](crate::Error::Unroutable), and one to a full peer waits. Otherwise both
    /// are dropped and counted. Default false. libzmq: `ZMQ_ROUTER_MANDATORY`.
    pub router_mandatory: bool,

    /// ROUTER: a new peer takes over the routing id of one that is still connected. The old connection is closed; what was not
    /// read of it is dropped and counted ([`Stats::discarded_at_handover`](crate::Stats::discarded_at_handover)), what was queued for it is counted as not delivered, and
    /// [`EventKind::HandedOver`](crate::EventKind::HandedOver) says so. A peer that left before is no matter of handover:
    /// its messages are read first, then the newcomer's.
    ///
    /// Otherwise the newcomer is refused in its handshake, with an ERROR that its dialer reports, and gets in when the name
    /// is free. Both sides' monitors tell. libzmq lets such a peer in and reads nothing from it.
    ///
    /// Default false. libzmq: `ZMQ_ROUTER_HANDOVER`.
    pub router_handover: bool,

    /// ROUTER: receive `[routing id][]` when a peer connects. Default false. libzmq: `ZMQ_ROUTER_NOTIFY`.
    pub router_notify_connect: bool,

    /// ROUTER: receive `[routing id][]` when a peer is gone. Default false. libzmq: `ZMQ_ROUTER_NOTIFY`.
    pub router_notify_disconnect: bool,

    /// REQ, DEALER and ROUTER: send an empty message on every new connection, so that a ROUTER peer learns our routing id at
    /// once. Default false. libzmq: `ZMQ_PROBE_ROUTER`.
    pub probe_router: bool,

    /// REQ: number the requests and ignore replies to others. Only with peers that return the envelope whole. Default false.
    /// libzmq: `ZMQ_REQ_CORRELATE`.
    pub req_correlate: bool,

    /// REQ: a new request may be sent before the reply to the last one came, which is then ignored. Use it together with
    /// `req_correlate`. Default false. libzmq: `ZMQ_REQ_RELAXED`.
    pub req_relaxed: bool,

    /// PUB and XPUB: send to the peers whose topics and patterns do *not* fit; SUB and XSUB: must be set alike. Default false.
    /// libzmq: `ZMQ_INVERT_MATCHING`.
    pub invert_matching: bool,

    /// XPUB: receive every subscription, also to a topic that somebody has already; otherwise the first to a topic and the end of
    /// the last. Default false. libzmq: `ZMQ_XPUB_VERBOSE`.
    pub xpub_verbose: bool,

    /// XPUB: receive every subscription and every cancellation, also of topics that others have. Default false.
    /// libzmq: `ZMQ_XPUB_VERBOSER`.
    pub xpub_verboser: bool,

    /// XPUB: subscriptions have no effect by themselves. The application receives each, and subscribes the peer it came from with
    /// [`XPublisher::subscribe_last`](crate::XPublisher::subscribe_last), or later with [`XPublisher::subscribe_peer`](crate::XPublisher::subscribe_peer).
    /// Default false. libzmq: `ZMQ_XPUB_MANUAL`.
    pub xpub_manual: bool,

    /// XPUB: as `xpub_manual`, and the next message that is sent after a subscription or cancellation was received goes to that
    /// subscriber alone, if it fits: how a last value reaches newcomers. Default false. libzmq: `ZMQ_XPUB_MANUAL_LAST_VALUE`.
    pub xpub_manual_last_value: bool,

    /// PUB, XPUB and RADIO: a subscriber at its high-water mark makes the send wait, or fail if it may not wait, instead of missing the
    /// message. Then nobody gets it before all have room. Default false. libzmq: `ZMQ_XPUB_NODROP`.
    pub xpub_no_drop: bool,

    /// PUB and XPUB: sent to each new peer before anything else, as a message of one part. A SUB receives it if it fits one of its
    /// subscriptions. Empty: none. Up to 64 KiB. Default empty. libzmq: `ZMQ_XPUB_WELCOME_MSG`.
    pub welcome_message: Vec<u8>,

    /// XPUB and XSUB: of a message of several parts only the first can be a subscription; the parts behind it are a message of the
    /// application even if they begin with 0 or 1. Otherwise every part that begins so is a subscription or cancellation, and what is left
    /// is the message. Default false. libzmq: `ZMQ_ONLY_FIRST_SUBSCRIBE`.
    pub only_first_subscribe: bool,

    /// XPUB and XSUB: glob subscriptions are messages of the application. An XPUB receives them as the octet 2 and the pattern, and their
    /// cancellation as 3 and the pattern; an XSUB subscribes by sending such messages. With it on both of its sockets a proxy passes patterns on as they are.
    /// Otherwise an XPUB receives an ordinary subscription to the topic that all of the pattern begins with, which any proxy may pass on, and to an XSUB 2
    /// and 3 mean nothing, as in libzmq. Default false. Not in libzmq.
    pub glob_messages: bool,

    /// Tell peers in the handshake that refusals may name their reason. Without it the handshake is octet for octet libzmq's, but for publishers and
    /// subscribers, who always say that they know globs and count subscriptions. Default true. Not in libzmq.
    pub announce_extensions: bool,

    /// STREAM: receive `[routing id][]` when a connection is made, and when its peer ended it or it is lost. Default true.
    /// libzmq: `ZMQ_STREAM_NOTIFY`.
    pub stream_notify: bool,

    /// XSUB: pass every cancellation on to the publishers, also of topics that were subscribed to more than once. Default false.
    /// libzmq: `ZMQ_XSUB_VERBOSE_UNSUBSCRIBE`.
    pub xsub_verbose_unsubscribe: bool,

    /// PUB, XPUB and RADIO: different topics and globs, or groups, that one peer may subscribe to. More ends its connection. 1 to 2^32-1, default
    /// 1,000,000: more than a fleet's instruments have. libzmq has no limit.
    pub max_subscriptions: u32,

    /// PUB, XPUB and RADIO: bytes of topics or groups that one peer may subscribe to. More ends its connection. 1 to 2^63-1, default 64 MiB.
    /// libzmq has no limit.
    pub max_subscription_bytes: u64,
}

/// How long unsent messages outlive their socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linger {
    /// Until they are sent, or the context ends.
    Forever,
    /// At most this long; zero drops them at once.
    For(Duration),
}

impl Default for Options {
    fn default() -> Options {
        Options {
            send_hwm: 1000,
            recv_hwm: 1000,
            send_hwm_bytes: 256 * MIB,
            recv_hwm_bytes: 64 * MIB,
            linger: Linger::For(Duration::from_secs(30)),
            send_timeout: None,
            recv_timeout: None,
            reconnect_interval: Duration::from_millis(100),
            reconnect_interval_max: Duration::from_secs(10),
            reconnect_stop: ReconnectStop::NEVER,
            connect_timeout: None,
            routing_id: Vec::new(),
            backlog: 100,
            max_connections: 65_536,
            accept_filters: Vec::new(),
            ipv6: false,
            immediate: false,
            conflate: false,
            max_message_bytes: 64 * MIB,
            handshake_timeout: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(5),
            heartbeat_timeout: Duration::from_secs(15),
            heartbeat_ttl: Duration::ZERO,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            tcp: TcpOptions::default(),
            socks_proxy: String::new(),
            socks_username: Vec::new(),
            socks_password: Password::default(),
            udp: UdpOptions::default(),
            affinity: 0,
            metadata: Vec::new(),
            hello_message: Vec::new(),
            disconnect_message: Vec::new(),
            hiccup_message: Vec::new(),
            security: Security::none(),
            authenticator: None,
            zap_domain: String::new(),
            zap_enforce_domain: false,
            router_mandatory: false,
            router_handover: false,
            router_notify_connect: false,
            router_notify_disconnect: false,
            probe_router: false,
            req_correlate: false,
            req_relaxed: false,
            invert_matching: false,
            xpub_verbose: false,
            xpub_verboser: false,
            xpub_manual: false,
            xpub_manual_last_value: false,
            xpub_no_drop: false,
            welcome_message: Vec::new(),
            only_first_subscribe: false,
            glob_messages: false,
            announce_extensions: true,
            stream_notify: true,
            xsub_verbose_unsubscribe: false,
            max_subscriptions: 1_000_000,
            max_subscription_bytes: 64 * MIB,
        }
    }
}
