//! Events of a socket as messages, on a socket that the program connects to.

use std::collections::HashSet;
use std::ffi::c_int;
use std::io::ErrorKind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use serverlink::{
    Cause, Endpoint, Event, EventKind, Linger, Message, Options, Part, PeerStats, Socket, SocketType,
};

use super::{CSocket, type_of};
use crate::errno::{Answer, EADDRINUSE, EAGAIN, EINVAL, EPROTONOSUPPORT, ETERM, Errno, fail};
use crate::system_error;

const CONNECTED: u64 = 1;
const CONNECT_DELAYED: u64 = 2;
const CONNECT_RETRIED: u64 = 4;
const LISTENING: u64 = 8;
const ACCEPTED: u64 = 0x20;
const ACCEPT_FAILED: u64 = 0x40;
const CLOSED: u64 = 0x80;
const DISCONNECTED: u64 = 0x200;
const MONITOR_STOPPED: u64 = 0x400;
const FAILED_NO_DETAIL: u64 = 0x800;
const SUCCEEDED: u64 = 0x1000;
const FAILED_PROTOCOL: u64 = 0x2000;
const FAILED_AUTH: u64 = 0x4000;
const PIPES_STATS: u64 = 0x1_0000;
const ZMTP_UNSPECIFIED: u64 = 0x1000_0000;
const ZMTP_CRYPTOGRAPHIC: u64 = 0x1100_0001;
const ZMTP_MECHANISM_MISMATCH: u64 = 0x1100_0002;

/// How a program wants to be told.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// One bit for each event.
    pub events: u64,
    /// 1 or 2: the form of the messages.
    pub version: c_int,
    /// PAIR, PUB or PUSH, by its number.
    pub socket_type: c_int,
}

/// Tells, on a thread of its own, so that no connection waits for the program.
pub(super) struct Reporter {
    tell: Arc<Mutex<Sender<Told>>>,
    socket: Arc<Socket>,
    /// One bit for each event.
    events: u64,
}

impl Reporter {
    /// Tells of this socket, as long as the reporter is there.
    pub(super) fn observe(&self, observed: &Socket) {
        let weak: Weak<Mutex<Sender<Told>>> = Arc::downgrade(&self.tell);
        observed.on_event(move |event| {
            if let Some(tell) = weak.upgrade() {
                let _ = tell.lock().send(Told::Event(Box::new(event.clone())));
            }
        });
    }
}

enum Told {
    Event(Box<Event>),
    Delayed(String),
    Pipes(Vec<PeerStats>),
    Stop,
}

impl CSocket {
    /// Tells of this socket's events from now on, in place of whoever was told before.
    pub fn monitor(&self, endpoint: &str, wanted: Wanted) -> Answer<()> {
        self.check_context()?;
        if !(1..=2).contains(&wanted.version) || (wanted.version == 1 && wanted.events >> 16 != 0) {
            return fail(EINVAL);
        }
        match endpoint.split_once("://") {
            Some(("inproc", _)) => {}
            Some(_) => return fail(EPROTONOSUPPORT),
            None => return fail(EINVAL),
        }
        let kinds = [SocketType::Pair, SocketType::Pub, SocketType::Push];
        let Some(kind) = type_of(wanted.socket_type).filter(|kind| kinds.contains(kind)) else {
            return fail(EINVAL);
        };
        self.stop_monitor();
        let options = Options { linger: Linger::For(Duration::ZERO), send_hwm: 0, ..Options::default() };
        let socket = Arc::new(self.library.socket_with(kind, options)?);
        if let Err(error) = socket.bind(endpoint) {
            let Errno(code) = error.into();
            return fail(if code == EADDRINUSE || code == ETERM { code } else { EINVAL });
        }
        let (tell, told) = mpsc::channel();
        let tell = Arc::new(Mutex::new(tell));
        let to = Arc::clone(&socket);
        let thread = thread::Builder::new().name("slk-monitor".into());
        let spawned = thread.spawn(move || {
            Report { to: &to, wanted, alive: HashSet::new(), delayed: HashSet::new() }.run(&told)
        });
        spawned.map_err(|error| system_error::code_of(&error, EAGAIN))?;
        let reporter = Reporter { tell, socket, events: wanted.events };
        // Its options can be set until it is opened, which no monitor needs.
        let _setup = self.setup.lock();
        if let Some(observed) = self.opened.get() {
            reporter.observe(observed);
        }
        *self.reporter.lock() = Some(reporter);
        Ok(())
    }

    /// Tells nobody any more.
    pub fn stop_monitor(&self) {
        let Some(reporter) = self.reporter.lock().take() else { return };
        let _ = reporter.tell.lock().send(Told::Stop);
        if reporter.socket.peers().is_empty() {
            // Nobody listens, and the thread may wait for somebody.
            reporter.socket.close_in_background(Linger::For(Duration::ZERO));
        }
    }

    /// Tells, for each peer that is there or dialed, how many messages wait in each direction. `EINVAL` if nobody wants to be told of it, `EAGAIN`
    /// without peers.
    pub fn tell_pipes(&self) -> Answer<()> {
        self.check_context()?;
        let reporter = self.reporter.lock();
        let Some(reporter) = reporter.as_ref().filter(|reporter| reporter.events & PIPES_STATS != 0) else {
            return fail(EINVAL);
        };
        let pipes = self.opened.get().map(Socket::peer_stats).unwrap_or_default();
        if pipes.is_empty() {
            return fail(EAGAIN);
        }
        let _ = reporter.tell.lock().send(Told::Pipes(pipes));
        Ok(())
    }

    /// A connection over the network does not stand at once.
    pub(super) fn tell_delayed(&self, endpoint: &str) {
        if let Some(reporter) = &*self.reporter.lock() {
            let _ = reporter.tell.lock().send(Told::Delayed(endpoint.to_owned()));
        }
    }
}

struct Report<'a> {
    to: &'a Socket,
    wanted: Wanted,
    /// Connections that were told of.
    alive: HashSet<u64>,
    /// Dialers whose attempt was told of.
    delayed: HashSet<String>,
}

impl Report<'_> {
    fn run(mut self, told: &Receiver<Told>) {
        for told in told {
            let sent = match told {
                Told::Event(event) => self.tell(&event),
                Told::Delayed(endpoint) => self.tell_delayed(endpoint),
                Told::Pipes(pipes) => pipes.iter().try_for_each(|pipe| self.tell_pipe(pipe)),
                Told::Stop => {
                    let _ = self.send(MONITOR_STOPPED, &[0], "", None);
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn tell_delayed(&mut self, endpoint: String) -> Result<(), serverlink::Error> {
        let sent = self.send(CONNECT_DELAYED, &[libc::EINPROGRESS as u64], &endpoint, None);
        self.delayed.insert(endpoint);
        sent
    }

    fn tell_pipe(&self, pipe: &PeerStats) -> Result<(), serverlink::Error> {
        let waiting = [pipe.send_queue, pipe.receive_queue];
        self.send(PIPES_STATS, &waiting, &pipe.endpoint.to_string(), pipe.peer_address.as_ref())
    }

    fn tell(&mut self, event: &Event) -> Result<(), serverlink::Error> {
        let kind = &event.kind;
        let known = kind.registration().is_some_and(|number| self.alive.contains(&number));
        let (number, value) = match kind {
            EventKind::Listening { .. } => (LISTENING, 0),
            EventKind::ListenerClosed { .. } => (CLOSED, 0),
            EventKind::Accepted { registration, .. } => {
                self.alive.insert(*registration);
                (ACCEPTED, 0)
            }
            EventKind::Connected { registration, endpoint, .. } => {
                self.alive.insert(*registration);
                let endpoint = endpoint.to_string();
                // The library tells of no attempt before it succeeded. The first was told by the call.
                if !self.delayed.remove(&endpoint) {
                    self.tell_delayed(endpoint.clone())?;
                    self.delayed.remove(&endpoint);
                }
                (CONNECTED, 0)
            }
            EventKind::AcceptFailed { .. } => (ACCEPT_FAILED, libc::EIO as u64),
            EventKind::AcceptPaused { .. } => (ACCEPT_FAILED, libc::EMFILE as u64),
            EventKind::Established { .. } => (SUCCEEDED, 0),
            EventKind::HandshakeFailed { .. } if !known => (CLOSED, 0),
            EventKind::HandshakeFailed { cause, .. } => match cause {
                Cause::Denied(status) | Cause::DeniedByPeer(status) => (FAILED_AUTH, u64::from(*status)),
                Cause::Mechanism => (FAILED_PROTOCOL, ZMTP_MECHANISM_MISMATCH),
                Cause::Cryptography => (FAILED_PROTOCOL, ZMTP_CRYPTOGRAPHIC),
                Cause::NobodyJudges => (FAILED_NO_DETAIL, libc::EFAULT as u64),
                Cause::Protocol | Cause::Refused | Cause::RefusedByPeer => {
                    (FAILED_PROTOCOL, ZMTP_UNSPECIFIED)
                }
                cause => (FAILED_NO_DETAIL, code_of(*cause)),
            },
            EventKind::Disconnected { .. } => (DISCONNECTED, 0),
            EventKind::Retrying { delay, .. } => (CONNECT_RETRIED, delay.as_millis() as u64),
            _ => return Ok(()),
        };
        if let EventKind::HandshakeFailed { registration, .. }
        | EventKind::Disconnected { registration, .. } = kind
        {
            self.alive.remove(registration);
        }
        let endpoint = kind.endpoint().map(Endpoint::to_string).unwrap_or_default();
        self.send(number, &[value], &endpoint, kind.peer_address())?;
        if known && matches!(kind, EventKind::HandshakeFailed { .. }) {
            self.send(DISCONNECTED, &[0], &endpoint, kind.peer_address())?;
        }
        Ok(())
    }

    fn send(
        &self,
        number: u64,
        values: &[u64],
        endpoint: &str,
        peer: Option<&Endpoint>,
    ) -> Result<(), serverlink::Error> {
        if self.wanted.events & number == 0 {
            return Ok(());
        }
        let message = match self.wanted.version {
            1 => {
                let mut event = [0; 6];
                event[..2].copy_from_slice(&(number as u16).to_ne_bytes());
                // Only events of version 2 have more than one.
                event[2..].copy_from_slice(&(values[0] as u32).to_ne_bytes());
                Message::from_parts([Part::from(&event), Part::from(endpoint)])
            }
            _ => {
                let numbers = [number, values.len() as u64].into_iter().chain(values.iter().copied());
                let mut message: Message = numbers.map(|number| Part::from(&number.to_ne_bytes())).collect();
                message.push_back(endpoint);
                message.push_back(peer.map(Endpoint::to_string).unwrap_or_default());
                message
            }
        };
        Ok(self.to.send(message)?)
    }
}

fn code_of(cause: Cause) -> u64 {
    let code = match cause {
        Cause::PeerClosed | Cause::System(ErrorKind::ConnectionReset) => libc::ECONNRESET,
        Cause::System(ErrorKind::ConnectionRefused) => libc::ECONNREFUSED,
        Cause::ConnectTimeout | Cause::HandshakeTimeout | Cause::HeartbeatTimeout => libc::ETIMEDOUT,
        Cause::System(ErrorKind::BrokenPipe) => libc::EPIPE,
        _ => libc::ECONNABORTED,
    };
    code as u64
}
