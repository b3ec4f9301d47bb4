//! Options that are set.

use std::ffi::c_int;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serverlink::security::Security;
use serverlink::{AcceptFilter, Options, ReconnectStop, SocketType};

use super::numbers::*;
use super::security::Pieces;
use super::{CSocket, Setup};
use crate::context::Settings;
use crate::errno::{Answer, EINVAL, ENOTSUP, ETERM, Errno, fail};

const HOUR: Duration = Duration::from_secs(3600);
const MOST_PROBES: u32 = 127;

/// What a socket of C has before anything is set: libzmq's defaults.
pub(super) fn defaults(settings: &Settings) -> Options {
    Options {
        announce_extensions: settings.announce_extensions,
        send_hwm_bytes: 0,
        reconnect_interval_max: Duration::ZERO,
        heartbeat_interval: Duration::ZERO,
        max_message_bytes: largest(i64::from(settings.max_message_bytes)),
        ipv6: settings.ipv6,
        max_subscriptions: u32::MAX,
        max_subscription_bytes: i64::MAX as u64,
        ..Options::default()
    }
}

impl Setup {
    /// The options with which a socket of this type opens: libzmq ignores some that mean nothing to it.
    pub(super) fn fitting(&self, kind: SocketType) -> Answer<Options> {
        use SocketType::{Client, Dealer, Peer, Pub, Pull, Push, Req, Router, Server, Sub};
        let mut options = self.options.clone();
        options.security = self.security.whole()?;
        if matches!(kind, SocketType::Stream | SocketType::Dgram) {
            // Their peers have no mechanisms.
            options.security = Security::none();
            options.zap_domain.clear();
            options.zap_enforce_domain = false;
        }
        options.conflate &= matches!(kind, Push | Pull | Pub | Sub | Dealer);
        options.probe_router &= matches!(kind, Req | Dealer | Router);
        if !matches!(kind, Dealer | Router | Client | Server | Peer) {
            options.hello_message.clear();
        }
        if !matches!(kind, Router | Server | Peer) {
            options.disconnect_message.clear();
        }
        if !matches!(kind, Dealer | Client | Peer) {
            options.hiccup_message.clear();
        }
        if options.heartbeat_interval.is_zero() {
            return Ok(options);
        }
        let timeout = self.kept.get(&HEARTBEAT_TIMEOUT).and_then(|value| int(value).ok()).unwrap_or(-1);
        options.heartbeat_timeout = match u64::try_from(timeout) {
            Ok(0) | Err(_) => options.heartbeat_interval,
            Ok(_) => an_hour_at_most(timeout),
        };
        Ok(options)
    }
}

impl CSocket {
    /// Sets an option. Before the socket's first use all have an effect; afterwards subscriptions, time-outs, the linger and the name of the
    /// next peer, and the others are kept to be asked for.
    pub fn set_option(&self, option: c_int, value: &[u8]) -> Answer<()> {
        if self.context.is_terminated() {
            return fail(ETERM);
        }
        match option {
            SUBSCRIBE | UNSUBSCRIBE => self.subscribe(option == SUBSCRIBE, value),
            RCVTIMEO => {
                at_least(-1, value).map(|timeout| self.recv_timeout.store(timeout, Ordering::Relaxed))
            }
            SNDTIMEO => {
                at_least(-1, value).map(|timeout| self.send_timeout.store(timeout, Ordering::Relaxed))
            }
            LINGER => at_least(-1, value).map(|linger| self.linger.store(linger, Ordering::Relaxed)),
            CONNECT_ROUTING_ID => {
                self.has_to_be(&[SocketType::Router, SocketType::Stream])?;
                if value.is_empty() || value.len() > 255 {
                    return fail(EINVAL);
                }
                self.setup.lock().connect_routing_id = Some(value.to_vec());
                Ok(())
            }
            _ if Pieces::has(option) => {
                let mut setup = self.setup.lock();
                let mut security = setup.security.clone();
                security.set(option, value)?;
                setup.security = security;
                // While pieces are missing, what is there goes on as it was.
                match self.opened.get() {
                    Some(socket) if setup.security.whole().is_ok() => {
                        Ok(socket.reconfigure(&setup.fitting(self.kind)?).map_err(|_| Errno(EINVAL))?)
                    }
                    _ => Ok(()),
                }
            }
            _ => {
                let mut setup = self.setup.lock();
                let mut options = setup.options.clone();
                self.apply(&mut options, option, value)?;
                options.validate().map_err(|_| Errno(EINVAL))?;
                if let Some(socket) = self.opened.get() {
                    let fitting = Setup {
                        options: options.clone(),
                        security: setup.security.clone(),
                        kept: setup.kept.clone(),
                        ..Setup::default()
                    };
                    socket.reconfigure(&fitting.fitting(self.kind)?).map_err(|_| Errno(EINVAL))?;
                }
                setup.options = options;
                // A password is where it is overwritten in the end, and nowhere else.
                if option != SOCKS_PASSWORD {
                    setup.kept.insert(option, value.to_vec());
                }
                Ok(())
            }
        }
    }

    fn subscribe(&self, subscribes: bool, topic: &[u8]) -> Answer<()> {
        if self.kind == SocketType::Xpub {
            let socket = self.open()?;
            let _ = match subscribes {
                true => socket.subscribe_last(topic),
                false => socket.unsubscribe_last(topic),
            }
            .map_err(|_| Errno(EINVAL))?;
            return Ok(());
        }
        self.has_to_be(&[SocketType::Sub])?;
        let mut setup = self.setup.lock();
        let Some(socket) = self.opened.get() else {
            setup.subscriptions.push((subscribes, topic.to_vec()));
            return Ok(());
        };
        drop(setup);
        match subscribes {
            true => socket.subscribe(topic)?,
            false => socket.unsubscribe(topic)?,
        }
        // Many programs publish at once what they have just subscribed to. Where processors are short, this lets the thread that reads for the
        // publisher have a turn first.
        std::thread::yield_now();
        Ok(())
    }

    fn has_to_be(&self, kinds: &[SocketType]) -> Answer<()> {
        if kinds.contains(&self.kind) { Ok(()) } else { fail(EINVAL) }
    }

    fn flag_of(&self, kinds: &[SocketType], value: &[u8]) -> Answer<bool> {
        self.has_to_be(kinds)?;
        Ok(at_least(0, value)? != 0)
    }

    fn apply(&self, options: &mut Options, option: c_int, value: &[u8]) -> Answer<()> {
        use SocketType::{Dealer, Pub, Radio, Req, Router, Stream, Sub, Xpub, Xsub};
        match option {
            ROUTER_MANDATORY => options.router_mandatory = self.flag_of(&[Router], value)?,
            ROUTER_HANDOVER => options.router_handover = self.flag_of(&[Router], value)?,
            ROUTER_NOTIFY => {
                self.has_to_be(&[Router])?;
                let mask = at_least(0, value)?;
                if mask > 3 {
                    return fail(EINVAL);
                }
                options.router_notify_connect = mask & 1 != 0;
                options.router_notify_disconnect = mask & 2 != 0;
            }
            ROUTER_RAW => {
                if self.flag_of(&[Router], value)? {
                    return fail(ENOTSUP);
                }
            }
            PROBE_ROUTER => options.probe_router = self.flag_of(&[Router, Dealer, Req], value)?,
            REQ_CORRELATE => options.req_correlate = self.flag_of(&[Req], value)?,
            REQ_RELAXED => options.req_relaxed = self.flag_of(&[Req], value)?,
            XPUB_VERBOSE => {
                options.xpub_verbose = self.flag_of(&[Xpub], value)?;
                options.xpub_verboser = false;
            }
            XPUB_VERBOSER => {
                options.xpub_verboser = self.flag_of(&[Xpub], value)?;
                options.xpub_verbose = options.xpub_verboser;
            }
            XPUB_NODROP => options.xpub_no_drop = self.flag_of(&[Xpub, Pub, Radio], value)?,
            STREAM_NOTIFY => options.stream_notify = self.flag_of(&[Stream], value)?,
            XPUB_MANUAL => options.xpub_manual = self.flag_of(&[Xpub], value)?,
            XPUB_MANUAL_LAST_VALUE => options.xpub_manual_last_value = self.flag_of(&[Xpub], value)?,
            XPUB_WELCOME_MSG => {
                self.has_to_be(&[Xpub, Pub])?;
                options.welcome_message = value.to_vec();
            }
            ONLY_FIRST_SUBSCRIBE => options.only_first_subscribe = self.flag_of(&[Xpub, Xsub], value)?,
            XSUB_VERBOSE_UNSUBSCRIBE => options.xsub_verbose_unsubscribe = self.flag_of(&[Xsub], value)?,
            INVERT_MATCHING => options.invert_matching = self.flag_of(&[Pub, Xpub, Sub, Xsub], value)?,
            _ => return apply_to_any(options, option, value),
        }
        Ok(())
    }
}

fn apply_to_any(options: &mut Options, option: c_int, value: &[u8]) -> Answer<()> {
    match option {
        SNDHWM => options.send_hwm = at_least(0, value)? as u32,
        RCVHWM => options.recv_hwm = at_least(0, value)? as u32,
        AFFINITY => options.affinity = u64::from_ne_bytes(fixed(value)?),
        ROUTING_ID => {
            if value.is_empty() || value.len() > 255 {
                return fail(EINVAL);
            }
            options.routing_id = value.to_vec();
        }
        MAXMSGSIZE => options.max_message_bytes = largest(i64::from_ne_bytes(fixed(value)?)),
        BACKLOG => options.backlog = at_least(0, value)?.clamp(1, 65_535) as u32,
        IMMEDIATE => options.immediate = flag(value)?,
        CONFLATE => options.conflate = flag(value)?,
        IPV6 => options.ipv6 = flag(value)?,
        IPV4ONLY => options.ipv6 = !flag(value)?,
        ZAP_DOMAIN => {
            let domain = std::str::from_utf8(value).map_err(|_| Errno(EINVAL))?;
            options.zap_domain = domain.trim_end_matches('\0').to_owned();
        }
        ZAP_ENFORCE_DOMAIN => options.zap_enforce_domain = flag(value)?,
        HELLO_MSG => options.hello_message = value.to_vec(),
        DISCONNECT_MSG => options.disconnect_message = value.to_vec(),
        HICCUP_MSG => options.hiccup_message = value.to_vec(),
        METADATA => {
            let text = std::str::from_utf8(value).map_err(|_| Errno(EINVAL))?;
            let (name, property) = text.split_once(':').ok_or(Errno(EINVAL))?;
            options.metadata.retain(|(known, _)| known != name);
            options.metadata.push((name.to_owned(), property.as_bytes().to_vec()));
        }
        TCP_ACCEPT_FILTER | IPC_FILTER_PID | IPC_FILTER_UID | IPC_FILTER_GID => {
            filter(options, option, value)?
        }
        RECONNECT_STOP => {
            let mask = at_least(0, value)?;
            options.reconnect_stop = ReconnectStop {
                refused: mask & 1 != 0,
                handshake_failed: mask & 2 != 0,
                disconnected: mask & 4 != 0,
            };
        }
        _ => return apply_times(options, option, value),
    }
    Ok(())
}

fn apply_times(options: &mut Options, option: c_int, value: &[u8]) -> Answer<()> {
    match option {
        RECONNECT_IVL => match at_least(-1, value)? {
            -1 => options.reconnect_stop = ReconnectStop::ALWAYS,
            pause => options.reconnect_interval = an_hour_at_most(pause.max(1)),
        },
        RECONNECT_IVL_MAX => options.reconnect_interval_max = an_hour_at_most(at_least(0, value)?),
        // Zero is no limit there, and the longest here.
        HANDSHAKE_IVL => {
            options.handshake_timeout = match at_least(0, value)? {
                0 => HOUR,
                timeout => an_hour_at_most(timeout),
            };
        }
        HEARTBEAT_IVL => options.heartbeat_interval = an_hour_at_most(at_least(0, value)?),
        HEARTBEAT_TIMEOUT => drop(at_least(0, value)?),
        HEARTBEAT_TTL => {
            let ttl = at_least(0, value)?;
            if ttl > 6_553_599 {
                return fail(EINVAL);
            }
            options.heartbeat_ttl = milliseconds(ttl / 100 * 100);
        }
        CONNECT_TIMEOUT => {
            options.connect_timeout =
                Some(at_least(0, value)?).filter(|timeout| *timeout > 0).map(an_hour_at_most);
        }
        _ => return apply_tcp(options, option, value),
    }
    Ok(())
}

fn apply_tcp(options: &mut Options, option: c_int, value: &[u8]) -> Answer<()> {
    let positive = |value: c_int| (value > 0).then_some(value);
    match option {
        SNDBUF => options.send_buffer_bytes = positive(at_least(-1, value)?).map(|bytes| bytes as usize),
        RCVBUF => options.receive_buffer_bytes = positive(at_least(-1, value)?).map(|bytes| bytes as usize),
        TCP_KEEPALIVE => {
            options.tcp.keepalive = match int(value)? {
                -1 => None,
                0 => Some(false),
                1 => Some(true),
                _ => return fail(EINVAL),
            };
        }
        TCP_KEEPALIVE_CNT => {
            options.tcp.keepalive_count =
                positive(keepalive(value)?).map(|count| (count as u32).min(MOST_PROBES));
        }
        TCP_KEEPALIVE_IDLE => {
            options.tcp.keepalive_idle = positive(keepalive(value)?).map(silence);
        }
        TCP_KEEPALIVE_INTVL => {
            options.tcp.keepalive_interval = positive(keepalive(value)?).map(silence);
        }
        TCP_MAXRT => options.tcp.user_timeout = positive(at_least(0, value)?).map(a_day_at_most),
        TOS => options.tcp.type_of_service = positive(at_least(0, value)?).map(|octet| octet as u8),
        PRIORITY => options.tcp.priority = positive(at_least(0, value)?).map(|priority| priority as u32),
        BINDTODEVICE => {
            let name = text(value)?;
            options.tcp.device = (!name.is_empty()).then(|| name.to_owned());
        }
        MULTICAST_HOPS => {
            let hops = at_least(1, value)?;
            options.udp.multicast_hops = u8::try_from(hops).map_err(|_| Errno(EINVAL))?;
        }
        MULTICAST_LOOP => options.udp.multicast_loop = flag(value)?,
        BUSY_POLL => {
            options.tcp.busy_poll = positive(at_least(0, value)?)
                .map(|microseconds| Duration::from_micros(microseconds.min(1_000_000) as u64));
        }
        SOCKS_PROXY => options.socks_proxy = text(value)?.to_owned(),
        SOCKS_USERNAME => options.socks_username = value.to_vec(),
        SOCKS_PASSWORD => options.socks_password = value.into(),
        _ => return keep(option, value),
    }
    Ok(())
}

/// What is only kept: it has no meaning here, or none without a transport that is not built in.
fn keep(option: c_int, value: &[u8]) -> Answer<()> {
    match option {
        RATE | RECOVERY_IVL | MULTICAST_MAXTPDU | IN_BATCH_SIZE | OUT_BATCH_SIZE => {
            if at_least(1, value).is_ok() { Ok(()) } else { fail(EINVAL) }
        }
        LOOPBACK_FASTPATH | BLOCKY => flag(value).map(drop),
        USE_FD => at_least(-1, value).map(drop),
        _ => fail(EINVAL),
    }
}

fn filter(options: &mut Options, option: c_int, value: &[u8]) -> Answer<()> {
    let number = || fixed(value).map(u32::from_ne_bytes);
    let is_same = |filter: &AcceptFilter| match option {
        TCP_ACCEPT_FILTER => matches!(filter, AcceptFilter::Network { .. }),
        IPC_FILTER_PID => matches!(filter, AcceptFilter::Process(_)),
        IPC_FILTER_UID => matches!(filter, AcceptFilter::User(_)),
        _ => matches!(filter, AcceptFilter::Group(_)),
    };
    if value.is_empty() {
        options.accept_filters.retain(|filter| !is_same(filter));
        return Ok(());
    }
    options.accept_filters.push(match option {
        TCP_ACCEPT_FILTER => text(value)?.parse().map_err(|_| Errno(EINVAL))?,
        IPC_FILTER_PID => AcceptFilter::Process(number()?),
        IPC_FILTER_UID => AcceptFilter::User(number()?),
        _ => AcceptFilter::Group(number()?),
    });
    Ok(())
}

/// With or without the zero that ends a text.
fn text(value: &[u8]) -> Answer<&str> {
    Ok(std::str::from_utf8(value).map_err(|_| Errno(EINVAL))?.trim_end_matches('\0'))
}

fn fixed<const N: usize>(value: &[u8]) -> Answer<[u8; N]> {
    value.try_into().map_err(|_| Errno(EINVAL))
}

pub(super) fn int(value: &[u8]) -> Answer<c_int> {
    fixed(value).map(c_int::from_ne_bytes)
}

fn at_least(least: c_int, value: &[u8]) -> Answer<c_int> {
    let number = int(value)?;
    if number < least { fail(EINVAL) } else { Ok(number) }
}

pub(super) fn flag(value: &[u8]) -> Answer<bool> {
    match int(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => fail(EINVAL),
    }
}

/// -1, or a number above 0.
fn keepalive(value: &[u8]) -> Answer<c_int> {
    match int(value)? {
        number if number == -1 || number >= 0 => Ok(number),
        _ => fail(EINVAL),
    }
}

/// As libzmq counts it: -1 for no limit.
fn largest(bytes: i64) -> u64 {
    match u64::try_from(bytes) {
        Ok(bytes) if bytes != c_int::MAX as u64 => bytes.max(1),
        _ => i64::MAX as u64,
    }
}

/// libzmq takes any number; what is beyond what can be is taken for the most that can.
fn an_hour_at_most(time: c_int) -> Duration {
    milliseconds(time).min(HOUR)
}

fn a_day_at_most(time: c_int) -> Duration {
    milliseconds(time).min(24 * HOUR)
}

/// Without a sign of life from the peer, in seconds. Systems count them in 15 bits.
fn silence(seconds: c_int) -> Duration {
    Duration::from_secs(seconds.max(0) as u64).min(9 * HOUR)
}

fn milliseconds(milliseconds: c_int) -> Duration {
    Duration::from_millis(milliseconds.max(0) as u64)
}
