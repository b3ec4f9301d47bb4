//! Everything a socket can be told before it is opened.

use std::time::Duration;

use serverlink_message::SocketType;

use crate::error::Error;

/// The settings of one socket. They are fixed when it is opened.
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

    /// Messages from one peer that may wait here for the application before its connection is not read any more.
    /// 0 means no limit. Default 1000. libzmq: `ZMQ_RCVHWM`.
    pub recv_hwm: u32,

    /// How long messages that no peer has taken yet are kept after the socket was dropped. Default 30 s.
    ///
    /// libzmq (`ZMQ_LINGER`) waits for ever, which is how a program with one unreachable peer never ends.
    pub linger: Linger,

    /// How long a blocking send waits; `None`: for ever. Default `None`. libzmq: `ZMQ_SNDTIMEO`.
    pub send_timeout: Option<Duration>,

    /// How long a blocking receive waits; `None`: for ever. Default `None`. libzmq: `ZMQ_RCVTIMEO`.
    pub recv_timeout: Option<Duration>,

    /// Pause before the first attempt to connect again. 1 ms to 1 h, default 100 ms. libzmq: `ZMQ_RECONNECT_IVL`.
    ///
    /// Every pause varies by chance, so that the clients of a restarted server do not all come back at once.
    pub reconnect_interval: Duration,

    /// Where the pause between attempts stops doubling. Zero: every pause is `reconnect_interval`. Up to 1 h, default 10 s.
    ///
    /// libzmq (`ZMQ_RECONNECT_IVL_MAX`) never doubles by default and so calls on a dead server ten times a second for ever.
    pub reconnect_interval_max: Duration,

    /// The name by which ROUTER peers address this socket. At most 255 bytes, not starting with a zero byte (such ids are the
    /// ROUTER's own, for peers without a name). Default empty: no name. libzmq: `ZMQ_ROUTING_ID`.
    pub routing_id: Vec<u8>,

    /// Connections that the system keeps ready before they are accepted. 1 to 65535, default 100. libzmq: `ZMQ_BACKLOG`.
    pub backlog: u32,

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

    /// Pause between the PINGs that a quiet connection gets. Zero: none are sent. Up to 1 h, default 5 s.
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

    /// ROUTER: a send to an unknown routing id fails with [`Error::Unroutable`], and one to a full peer waits. Otherwise both
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

    /// PUB and XPUB: send to the peers that did *not* subscribe; SUB and XSUB: must be set alike. Default false.
    /// libzmq: `ZMQ_INVERT_MATCHING`.
    pub invert_matching: bool,
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
            linger: Linger::For(Duration::from_secs(30)),
            send_timeout: None,
            recv_timeout: None,
            reconnect_interval: Duration::from_millis(100),
            reconnect_interval_max: Duration::from_secs(10),
            routing_id: Vec::new(),
            backlog: 100,
            ipv6: false,
            immediate: false,
            conflate: false,
            max_message_bytes: 64 * 1024 * 1024,
            handshake_timeout: Duration::from_secs(30),
            heartbeat_interval: Duration::from_secs(5),
            heartbeat_timeout: Duration::from_secs(15),
            heartbeat_ttl: Duration::ZERO,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            router_mandatory: false,
            router_handover: false,
            router_notify_connect: false,
            router_notify_disconnect: false,
            probe_router: false,
            req_correlate: false,
            req_relaxed: false,
            invert_matching: false,
        }
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
/// The ttl field of a PING has 16 bits of tenths of a second.
const MAX_TTL: Duration = Duration::from_millis(6_553_500);
const MAX_KERNEL_BUFFER_BYTES: usize = i32::MAX as usize;
const MAX_ROUTING_ID_BYTES: usize = 255;

impl Options {
    /// Checks every range. Opening a socket does this too; call it to check a configuration early.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the first field that is out of its range.
    pub fn validate(&self) -> Result<(), Error> {
        within("reconnect_interval", self.reconnect_interval, MILLISECOND, HOUR)?;
        within("reconnect_interval_max", self.reconnect_interval_max, Duration::ZERO, HOUR)?;
        within("handshake_timeout", self.handshake_timeout, MILLISECOND, HOUR)?;
        within("heartbeat_interval", self.heartbeat_interval, Duration::ZERO, HOUR)?;
        within("heartbeat_timeout", self.heartbeat_timeout, MILLISECOND, HOUR)?;
        within("heartbeat_ttl", self.heartbeat_ttl, Duration::ZERO, MAX_TTL)?;
        within("backlog", self.backlog, 1, 65_535)?;
        within("max_message_bytes", self.max_message_bytes, 1, i64::MAX as u64)?;
        for (option, bytes) in [
            ("send_buffer_bytes", self.send_buffer_bytes),
            ("receive_buffer_bytes", self.receive_buffer_bytes),
        ] {
            within(option, bytes.unwrap_or(1), 1, MAX_KERNEL_BUFFER_BYTES)?;
        }
        check_routing_id(&self.routing_id)
    }

    /// [`validate`](Options::validate), and that no option is set which a socket of this type does not have.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] as above.
    pub fn validate_for(&self, socket_type: SocketType) -> Result<(), Error> {
        use SocketType::{Dealer, Pub, Pull, Push, Req, Router, Sub, Xpub, Xsub};
        self.validate()?;
        let owners: [(&'static str, bool, &[SocketType]); 9] = [
            ("conflate", self.conflate, &[Push, Pull, Pub, Sub, Dealer]),
            ("router_mandatory", self.router_mandatory, &[Router]),
            ("router_handover", self.router_handover, &[Router]),
            ("router_notify_connect", self.router_notify_connect, &[Router]),
            ("router_notify_disconnect", self.router_notify_disconnect, &[Router]),
            ("probe_router", self.probe_router, &[Req, Dealer, Router]),
            ("req_correlate", self.req_correlate, &[Req]),
            ("req_relaxed", self.req_relaxed, &[Req]),
            ("invert_matching", self.invert_matching, &[Pub, Xpub, Sub, Xsub]),
        ];
        for (option, set, types) in owners {
            if set && !types.contains(&socket_type) {
                let names: Vec<_> = types.iter().map(|owner| owner.as_str()).collect();
                let why = format!("a {socket_type} socket does not have it, only {}", names.join(", "));
                return Err(Error::invalid_option(option, set, why));
            }
        }
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Debug>(
    option: &'static str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Error> {
    if value < least || value > most {
        return Err(Error::invalid_option(option, value, format!("it must be from {least:?} to {most:?}")));
    }
    Ok(())
}

pub(crate) fn check_routing_id(id: &[u8]) -> Result<(), Error> {
    if id.len() > MAX_ROUTING_ID_BYTES {
        let size = format!("{} bytes", id.len());
        return Err(Error::InvalidOption {
            option: "routing_id",
            value: size,
            why: "it may have 255".into(),
        });
    }
    if id.first() == Some(&0) {
        return Err(Error::invalid_option(
            "routing_id",
            id,
            "ids that start with a zero byte belong to the ROUTER",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Options)) -> String {
        let mut options = Options::default();
        change(&mut options);
        match options.validate() {
            Ok(()) => panic!("accepted: {options:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_defaults_are_valid_for_every_type() {
        for socket_type in SocketType::ALL {
            Options::default().validate_for(socket_type).expect("defaults fit every type");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_range() {
        let sentence = refused(|options| options.reconnect_interval = Duration::ZERO);
        assert_eq!(sentence, "option reconnect_interval cannot be 0ns: it must be from 1ms to 3600s");
        assert!(refused(|options| options.heartbeat_ttl = Duration::from_secs(6554)).contains("6553.5s"));
        assert!(refused(|options| options.backlog = 0).contains("backlog"));
        assert!(refused(|options| options.max_message_bytes = 0).contains("max_message_bytes"));
        assert!(refused(|options| options.send_buffer_bytes = Some(0)).contains("send_buffer_bytes"));
        assert!(refused(|options| options.routing_id = vec![b'x'; 256]).contains("256 bytes"));
        assert!(refused(|options| options.routing_id = vec![0, 1]).contains("zero byte"));
    }

    #[test]
    fn an_option_of_another_type_is_refused() {
        let options = Options { router_mandatory: true, ..Options::default() };
        options.validate_for(SocketType::Router).expect("it is a ROUTER's option");
        let sentence = options.validate_for(SocketType::Push).unwrap_err().to_string();
        assert_eq!(
            sentence,
            "option router_mandatory cannot be true: a PUSH socket does not have it, only ROUTER"
        );
    }
}
