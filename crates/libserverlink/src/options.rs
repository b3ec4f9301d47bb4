//! Options: which there are, what `serverlink-capi` calls them, and until when they have an effect. One that would have none is refused.

use std::ffi::{c_int, c_void};

use serverlink_capi::errno::{Answer, EFAULT, EINVAL, ENOTSUP, Errno, fail};
use serverlink_capi::guard::bytes;
use serverlink_capi::socket::CSocket;
use serverlink_capi::socket::numbers as n;

use crate::border::{give, status};

const PSUBSCRIBE: c_int = 81;
const PUNSUBSCRIBE: c_int = 82;

/// When a value that is set has an effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// At once, or on what is bound and connected from then on.
    Always,
    /// Until the first bind, connect, send, receive or poll.
    Closed,
    /// Then, and later to be turned on.
    ClosedOrOn,
    /// Never: it is only asked for.
    Never,
}

use When::{Always, Closed, ClosedOrOn, Never};

/// The number here, the one in `serverlink-capi`, and when it may be set. Numbers that libzmq uses for something else are ours where the first
/// ServerLink had given them away.
const KNOWN: &[(c_int, c_int, When)] = &[
    (4, n::AFFINITY, Closed),
    (5, n::ROUTING_ID, Always),
    (6, n::SUBSCRIBE, Always),
    (7, n::UNSUBSCRIBE, Always),
    (11, n::SNDBUF, Always),
    (12, n::RCVBUF, Always),
    (13, n::RCVMORE, Never),
    (14, n::FD, Never),
    (15, n::EVENTS, Never),
    (16, n::TYPE, Never),
    (17, n::LINGER, Always),
    (18, n::RECONNECT_IVL, Always),
    (19, n::BACKLOG, Always),
    (21, n::RECONNECT_IVL_MAX, Always),
    (22, n::MAXMSGSIZE, Always),
    (23, n::SNDHWM, Always),
    (24, n::RCVHWM, Always),
    (25, n::MULTICAST_HOPS, Always),
    (27, n::RCVTIMEO, Always),
    (28, n::SNDTIMEO, Always),
    (32, n::LAST_ENDPOINT, Never),
    (33, n::ROUTER_MANDATORY, Always),
    (34, n::TCP_KEEPALIVE, Always),
    (35, n::TCP_KEEPALIVE_CNT, Always),
    (36, n::TCP_KEEPALIVE_IDLE, Always),
    (37, n::TCP_KEEPALIVE_INTVL, Always),
    (38, n::TCP_ACCEPT_FILTER, Always),
    (39, n::IMMEDIATE, Closed),
    (40, n::XPUB_VERBOSE, Always),
    (42, n::IPV6, Always),
    (43, n::MECHANISM, Never),
    (44, n::PLAIN_SERVER, Always),
    (45, n::PLAIN_USERNAME, Always),
    (46, n::PLAIN_PASSWORD, Always),
    (47, n::CURVE_SERVER, Always),
    (48, n::CURVE_PUBLICKEY, Always),
    (49, n::CURVE_SECRETKEY, Always),
    (50, n::CURVE_SERVERKEY, Always),
    (51, n::PROBE_ROUTER, Closed),
    (52, n::REQ_CORRELATE, Always),
    (53, n::REQ_RELAXED, Always),
    (54, n::CONFLATE, Closed),
    (55, n::ZAP_DOMAIN, Always),
    (56, n::ROUTER_HANDOVER, Always),
    (57, n::TOS, Always),
    (58, n::IPC_FILTER_PID, Always),
    (59, n::IPC_FILTER_UID, Always),
    (60, n::INVERT_MATCHING, Always),
    (61, n::CONNECT_ROUTING_ID, Always),
    (66, n::HANDSHAKE_IVL, Always),
    (68, n::SOCKS_PROXY, Always),
    (69, n::XPUB_NODROP, Always),
    (70, n::XPUB_MANUAL_LAST_VALUE, ClosedOrOn),
    (71, n::XPUB_MANUAL, ClosedOrOn),
    (72, n::XPUB_WELCOME_MSG, Always),
    (73, n::XSUB_VERBOSE_UNSUBSCRIBE, Closed),
    (75, n::HEARTBEAT_IVL, Always),
    (76, n::HEARTBEAT_TTL, Always),
    (77, n::HEARTBEAT_TIMEOUT, Always),
    (78, n::XPUB_VERBOSER, Always),
    (79, n::CONNECT_TIMEOUT, Always),
    (80, n::TOPICS_COUNT, Never),
    (92, n::BINDTODEVICE, Always),
    (93, n::ZAP_ENFORCE_DOMAIN, Always),
    (95, n::METADATA, Always),
    (96, n::MULTICAST_LOOP, Always),
    (97, n::ROUTER_NOTIFY, Always),
    (99, n::SOCKS_USERNAME, Always),
    (100, n::SOCKS_PASSWORD, Always),
    (108, n::ONLY_FIRST_SUBSCRIBE, Closed),
    (109, n::RECONNECT_STOP, Always),
    (110, n::HELLO_MSG, Closed),
    (111, n::DISCONNECT_MSG, Closed),
    (112, n::PRIORITY, Always),
    (113, n::BUSY_POLL, Always),
    (114, n::HICCUP_MSG, Closed),
    (210, n::IPC_FILTER_GID, Always),
    (211, n::TCP_MAXRT, Always),
    (PSUBSCRIBE, 0, Always),
    (PUNSUBSCRIBE, 0, Always),
];

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_setsockopt(
    socket: *mut c_void,
    option: c_int,
    value: *const c_void,
    len: usize,
) -> c_int {
    status(|| {
        let socket = CSocket::enter(socket)?;
        // SAFETY: the caller passes `len` bytes, or null.
        let value = unsafe { bytes(value, len) }.map_err(|_| Errno(EINVAL))?;
        set(&socket, option, value)
    })
}

fn set(socket: &CSocket, option: c_int, value: &[u8]) -> Answer<()> {
    let (_, number, when) = find(option)?;
    match option {
        PSUBSCRIBE | PUNSUBSCRIBE => return socket.subscribe_to_pattern(option == PSUBSCRIBE, value),
        _ if number == n::ROUTING_ID && value.is_empty() => return fail(EINVAL),
        _ => {}
    }
    let turns_on = value.iter().any(|octet| *octet != 0);
    match when {
        Never => fail(EINVAL),
        Closed if socket.is_open() => fail(ENOTSUP),
        ClosedOrOn if socket.is_open() && !turns_on => fail(ENOTSUP),
        _ => socket.set_option(number, value),
    }
}

fn find(option: c_int) -> Answer<(c_int, c_int, When)> {
    KNOWN.iter().find(|(known, _, _)| *known == option).copied().ok_or(Errno(EINVAL))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn slk_getsockopt(
    socket: *mut c_void,
    option: c_int,
    value: *mut c_void,
    len: *mut usize,
) -> c_int {
    status(|| {
        let socket = CSocket::enter(socket)?;
        if len.is_null() {
            return fail(EFAULT);
        }
        // SAFETY: the caller passes so much room.
        let room = unsafe { len.read_unaligned() };
        let found = socket.option(find(option)?.1)?.to_bytes(room);
        // SAFETY: the caller passes the room that there is, and so much room.
        unsafe { give(&found, value, len) }
    })
}
