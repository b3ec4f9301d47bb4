//! Options that are asked for.

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use serverlink::security::PublicKey;
use serverlink::{Interest, Readiness, SocketType};

use super::CSocket;
use super::numbers::*;
use super::security::Pieces;
use super::shape::Shape;
use super::signal::Signal;
use crate::bell::RawFd;
use crate::errno::{Answer, EINVAL, fail};

/// What an option is.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of C.
    Int(c_int),
    /// A descriptor.
    Fd(RawFd),
    /// A number of 64 bits.
    Long(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text, which ends with a zero byte.
    Text(String),
    /// A key: octets, or characters of Z85 where there is room for them.
    Key([u8; 32]),
}

impl Value {
    /// As it lies in the memory of a program that has so much room.
    pub fn to_bytes(self, room: usize) -> Vec<u8> {
        match self {
            Value::Int(number) => number.to_ne_bytes().to_vec(),
            Value::Fd(number) => number.to_ne_bytes().to_vec(),
            Value::Long(number) => number.to_ne_bytes().to_vec(),
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => [text.as_bytes(), b"\0"].concat(),
            Value::Key(octets) if room == octets.len() => octets.to_vec(),
            Value::Key(octets) => [PublicKey::from_bytes(octets).to_z85().as_bytes(), b"\0"].concat(),
        }
    }
}

/// A receive would give a part.
pub const POLLIN: c_int = 1;
/// A send would find room.
pub const POLLOUT: c_int = 2;
/// A descriptor has an error.
pub const POLLERR: c_int = 4;

impl CSocket {
    /// The value of an option.
    pub fn option(&self, option: c_int) -> Answer<Value> {
        self.check_context()?;
        Ok(match option {
            RCVMORE => Value::Int(self.has_more().into()),
            EVENTS => Value::Int(self.events()?),
            FD => Value::Fd(self.signal()?.descriptor()),
            TYPE => Value::Int(self.number()),
            LINGER => Value::Int(self.linger.load(Ordering::Relaxed)),
            RCVTIMEO => Value::Int(self.recv_timeout.load(Ordering::Relaxed)),
            SNDTIMEO => Value::Int(self.send_timeout.load(Ordering::Relaxed)),
            LAST_ENDPOINT => Value::Text(self.setup.lock().last_endpoint.clone()),
            THREAD_SAFE => Value::Int(self.is_shareable().into()),
            TOPICS_COUNT => {
                let counted = self.open()?.topics_count();
                Value::Int(counted.map(|count| c_int::try_from(count).unwrap_or(c_int::MAX))?)
            }
            _ => self.setting(option)?,
        })
    }

    /// Whether it is of a type that libzmq lets threads share. Here they may share all.
    pub(crate) const fn is_shareable(&self) -> bool {
        !matches!(self.shape, Shape::Parts | Shape::Octets | Shape::Datagram)
    }

    /// What could be done now. With a descriptor in use its ringing ends.
    pub fn events(&self) -> Answer<c_int> {
        let socket = self.open()?;
        let ready = match self.signal.get() {
            Some(signal) => signal.look()?,
            None => {
                let readable = socket.check_ready(Interest::READABLE)?.readable;
                Readiness { readable, writable: socket.check_ready(Interest::WRITABLE)?.writable }
            }
        };
        Ok(self.events_of(ready))
    }

    /// In numbers, parts included that are received or sent in part.
    pub(crate) fn events_of(&self, ready: Readiness) -> c_int {
        let readable = ready.readable || self.has_rest();
        let writable = ready.writable || self.is_sending.load(Ordering::Relaxed);
        (if readable { POLLIN } else { 0 }) | (if writable { POLLOUT } else { 0 })
    }

    fn signal(&self) -> Answer<&Signal> {
        if self.signal.get().is_none() {
            let signal = Signal::new(self.open()?)?;
            let _ = self.signal.set(signal);
        }
        Ok(self.signal.get().expect("it was just set"))
    }

    fn number(&self) -> c_int {
        super::TYPES.iter().position(|kind| *kind == self.kind).map_or(-1, |number| number as c_int)
    }

    fn setting(&self, option: c_int) -> Answer<Value> {
        let setup = self.setup.lock();
        let options = &setup.options;
        let kept = setup.kept.get(&option);
        Ok(match option {
            MECHANISM => setup.security.get(option)?,
            _ if Pieces::has(option) => setup.security.get(option)?,
            ZAP_DOMAIN => Value::Text(options.zap_domain.clone()),
            ROUTING_ID if !setup.stream_id.is_empty() => Value::Bytes(setup.stream_id.clone()),
            ROUTING_ID => Value::Bytes(options.routing_id.clone()),
            BINDTODEVICE => Value::Text(options.tcp.device.clone().unwrap_or_default()),
            AFFINITY => Value::Long(options.affinity.cast_signed()),
            MAXMSGSIZE => Value::Long(match options.max_message_bytes.cast_signed() {
                i64::MAX => -1,
                bytes => bytes,
            }),
            IPV6 => Value::Int(options.ipv6.into()),
            IPV4ONLY => Value::Int((!options.ipv6).into()),
            SOCKS_PROXY => Value::Text(options.socks_proxy.clone()),
            SOCKS_USERNAME => Value::Text(String::from_utf8_lossy(&options.socks_username).into_owned()),
            SOCKS_PASSWORD => {
                Value::Text(String::from_utf8_lossy(options.socks_password.as_bytes()).into_owned())
            }
            HELLO_MSG | DISCONNECT_MSG | HICCUP_MSG | XPUB_WELCOME_MSG => fail(EINVAL)?,
            _ => match (kept, default_of(option, self.kind)) {
                // The wire has tenths of a second.
                (Some(value), Some(_)) if option == HEARTBEAT_TTL => {
                    Value::Int(super::set::int(value)? / 100 * 100)
                }
                (Some(value), Some(_)) => Value::Int(super::set::int(value)?),
                (None, Some(value)) => Value::Int(value),
                (_, None) => fail(EINVAL)?,
            },
        })
    }
}

/// What an option of one number is as long as nobody sets it.
fn default_of(option: c_int, kind: SocketType) -> Option<c_int> {
    use SocketType::{Pub, Radio, Req, Router, Stream, Xpub, Xsub};
    let of = |kinds: &[SocketType]| kinds.contains(&kind).then_some(0);
    match option {
        SNDHWM | RCVHWM => Some(1000),
        SNDBUF | RCVBUF => Some(-1),
        RECONNECT_IVL | BACKLOG | RATE => Some(100),
        HANDSHAKE_IVL => Some(30_000),
        RECOVERY_IVL => Some(10_000),
        MULTICAST_HOPS | MULTICAST_LOOP => Some(1),
        MULTICAST_MAXTPDU => Some(1500),
        IN_BATCH_SIZE | OUT_BATCH_SIZE => Some(8192),
        TCP_KEEPALIVE | TCP_KEEPALIVE_CNT | TCP_KEEPALIVE_IDLE | TCP_KEEPALIVE_INTVL | HEARTBEAT_TIMEOUT
        | USE_FD => Some(-1),
        RECONNECT_IVL_MAX | IMMEDIATE | CONFLATE | PLAIN_SERVER | TOS | PRIORITY | INVERT_MATCHING
        | HEARTBEAT_IVL | HEARTBEAT_TTL | CONNECT_TIMEOUT | TCP_MAXRT | PROBE_ROUTER | LOOPBACK_FASTPATH
        | ZAP_ENFORCE_DOMAIN | RECONNECT_STOP | BUSY_POLL => Some(0),
        ROUTER_MANDATORY | ROUTER_HANDOVER | ROUTER_NOTIFY => of(&[Router]),
        REQ_CORRELATE | REQ_RELAXED => of(&[Req]),
        XPUB_VERBOSE | XPUB_VERBOSER | XPUB_MANUAL | XPUB_MANUAL_LAST_VALUE => of(&[Xpub]),
        XPUB_NODROP => of(&[Xpub, Pub, Radio]),
        STREAM_NOTIFY if kind == Stream => Some(1),
        ONLY_FIRST_SUBSCRIBE => of(&[Xpub, Xsub]),
        XSUB_VERBOSE_UNSUBSCRIBE => of(&[Xsub]),
        _ => None,
    }
}
