//! One connection: connecting, asking a proxy, handshake, open and draining are states of one byte stream with one registration.
//!
//! The reactor calls `handle_*` and `read` and does what the returned [`Flow`] says.

mod datagrams;
mod describe;
mod greet;
mod hang_up;
mod heartbeat;
mod incoming;
mod judging;
pub(crate) mod landing;
mod open;
mod own;
mod place;
pub(crate) mod socks;
mod verdict;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use serverlink_driver::{Batch, Credentials, Interest, Key, Read, Stream, Written};
use serverlink_message::chunk::Slice;
use serverlink_patterns::PipeId;
use serverlink_zmtp::handshake::Handshake;
use serverlink_zmtp::socks::Negotiation;

use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::options::Options;
use crate::peer::Peer;
use crate::pipe::inbox::Cut;
use crate::pipe::outbox::datagrams::Target;
use crate::reactor::timers::TimerId;
use crate::reactor::{Attention, DialerId, Farewell, number};
use crate::report::Origin;
use crate::socket::core::Core;
use heartbeat::{Heartbeat, Pace};
use incoming::Incoming;
use judging::Judging;
use landing::Landing;
use own::Own;
use place::Place;
pub(crate) use verdict::Verdict;

/// How much one connection may bring in one go while others wait.
const READ_BUDGET_BYTES: usize = 256 * 1024;

/// See the module's page.
pub(crate) struct Connection {
    pub(crate) core: Arc<Core>,
    /// What its listener or dialer was made with.
    pub(crate) settings: Arc<Options>,
    stream: Stream,
    endpoint: Endpoint,
    origin: Origin,
    /// The process at the other end, over ipc and as soon as it is connected: for reports, and for whoever describes the peer.
    credentials: Option<Credentials>,
    /// It counts for its socket's `max_connections` as long as it lives.
    _place: Option<Place>,
    /// Who made it; `None` for one that came to us.
    pub(crate) dialer: Option<DialerId>,
    /// The dialer's pipe, then the pipe that the socket gave.
    pipe: Option<PipeId>,
    phase: Phase,
    /// The mark: there may be something to read.
    pub(crate) readable: bool,
    /// In the reactor's queue of marked sources.
    pub(crate) queued: bool,
    pub(crate) timer: Option<TimerId>,
    registered_at: Instant,
    heartbeat: Heartbeat,
    /// Before ZMTP 3.1 there is no PING.
    has_heartbeats: bool,
    /// From what this peer sends to the frames that everything else understands, where it has another form.
    incoming: Option<Box<Incoming>>,
    /// What is found out of a peer before it is introduced.
    judging: Option<Box<Judging>>,
    /// Who the peer is, since the handshake.
    introduced: Option<Arc<Peer>>,
    /// We do not read, so we do not hear: silence is our own doing.
    paused: bool,
    write_failed: bool,
    /// Something of what is read from it needs a second look. Hardly ever; so it is one look for most.
    is_special: bool,
    /// What a peer sent behind its READY, while ours was not out.
    early: Option<Box<Slice>>,
    /// Where its large frames land.
    own: Option<Box<Own>>,
    /// Its application said goodbye to this peer.
    hanging_up_since: Option<Instant>,
    /// It is for datagrams, which go there.
    datagrams: Option<Box<Target>>,
}

enum Phase {
    Connecting,
    /// The proxy is reached, and asked for the peer. What of the question the system has not taken.
    Asking(Box<Negotiation>, Unwritten),
    /// The machine, and what of its output the system has not taken.
    Greeting(Box<Handshake>, Unwritten),
    Open,
    /// Everything is flushed and our side is shut down: what still comes is discarded up to the peer's end, because
    /// closing with unread input would destroy what was just flushed.
    Draining,
}

/// Output of a handshake that the system has not taken.
#[derive(Default)]
enum Unwritten {
    #[default]
    Nothing,
    /// It waits for the connection to be writable.
    Rest(Box<Batch>),
    /// The driver has it.
    WithDriver,
}

impl Unwritten {
    fn is_nothing(&self) -> bool {
        matches!(self, Unwritten::Nothing)
    }
}

/// What a connection that ended leaves behind, where the driver still has memory of it.
pub(crate) struct Remains {
    pub(crate) core: Arc<Core>,
    /// Where a batch belongs that comes back.
    pub(crate) pipe: Option<PipeId>,
}

/// How far a connection of a closing socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    NotYet,
    /// Everything is written and said: only the peer's end, or the linger's, is awaited.
    Draining,
    /// It can be dropped.
    Done,
}

/// What the reactor has to do after a step.
#[derive(Debug)]
pub(crate) enum Flow {
    Idle,
    /// The mark stays: serve it again when the others had their turn.
    Again,
    /// The next deadline, or none.
    Deadline(Option<Instant>),
    /// The peer is reached: the handshake begins.
    Reached,
    /// The handshake is done; the next deadline.
    Established(Option<Instant>),
    End(Farewell),
}

impl Connection {
    /// A stream that came to us connected: the handshake begins.
    pub(crate) fn connected(
        core: Arc<Core>,
        settings: Arc<Options>,
        stream: Stream,
        endpoint: Endpoint,
        origin: Origin,
        now: Instant,
    ) -> (Connection, Flow) {
        let mut connection = Connection::new(core, settings, stream, endpoint, origin);
        connection.credentials = connection.stream.credentials();
        let flow = connection.begin_greeting(now);
        (connection, flow)
    }

    /// A stream that is being connected.
    pub(crate) fn dialing(
        core: Arc<Core>,
        settings: Arc<Options>,
        stream: Stream,
        endpoint: Endpoint,
        dialer: DialerId,
        pipe: PipeId,
    ) -> Connection {
        let connection = Connection::new(core, settings, stream, endpoint, Origin::Dialed);
        Connection { dialer: Some(dialer), pipe: Some(pipe), ..connection }
    }

    /// It has datagrams and no peer, so there is nobody to shake hands with.
    pub(crate) fn for_datagrams(self, target: Target) -> Connection {
        Connection { datagrams: Some(Box::new(target)), is_special: true, ..self }
    }

    /// Datagrams from anybody.
    pub(crate) fn bound(
        core: Arc<Core>,
        settings: Arc<Options>,
        stream: Stream,
        endpoint: Endpoint,
        now: Instant,
    ) -> (Connection, Flow) {
        let connection = Connection::new(core, settings, stream, endpoint, Origin::Bound);
        let mut connection = connection.for_datagrams(Target::Named);
        let flow = connection.begin_greeting(now);
        (connection, flow)
    }

    fn new(
        core: Arc<Core>,
        settings: Arc<Options>,
        stream: Stream,
        endpoint: Endpoint,
        origin: Origin,
    ) -> Connection {
        let now = core.now();
        Connection {
            _place: (origin == Origin::Accepted).then(|| Place::take(&core)),
            core,
            settings,
            stream,
            endpoint,
            origin,
            credentials: None,
            dialer: None,
            pipe: None,
            phase: Phase::Connecting,
            readable: false,
            queued: false,
            timer: None,
            registered_at: now,
            heartbeat: Heartbeat::new(now),
            has_heartbeats: false,
            incoming: None,
            judging: None,
            introduced: None,
            paused: false,
            write_failed: false,
            is_special: false,
            early: None,
            own: None,
            hanging_up_since: None,
            datagrams: None,
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.stream.key()
    }

    fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining)
    }

    // ---- input

    /// The connection attempt succeeded: the peer is reached, or the proxy that is asked for it.
    pub(crate) fn handle_connected(&mut self) -> Flow {
        if self.goes_through_proxy() { self.begin_asking() } else { Flow::Reached }
    }

    /// There is a way to the peer.
    pub(crate) fn handle_reached(&mut self, now: Instant) -> Flow {
        self.credentials = self.stream.credentials();
        self.core.monitor.tell(|| EventKind::Connected {
            endpoint: self.endpoint.clone(),
            registration: number(self.key()),
            peer_address: self.peer_address(),
        });
        self.begin_greeting(now)
    }

    /// Reads what is there, within a budget.
    pub(crate) fn read(&mut self, landing: &mut Landing, now: Instant, attention: Attention) -> Flow {
        let mut budget = READ_BUDGET_BYTES;
        loop {
            let Some(cut) = self.may_read(attention) else {
                return self.read_otherwise(landing, now, attention);
            };
            self.paused = false;
            if let Some(early) = self.take_early() {
                match self.read_frames(early, attention) {
                    Flow::Idle => continue,
                    flow => return flow,
                }
            }
            let most_bytes = self.core.read_bytes();
            if self.own.is_some() || cut.need > 0 {
                self.make_room(landing, cut);
            }
            let spare = match &mut self.own {
                Some(own) => own.spare(most_bytes, cut),
                None => landing.spare(most_bytes),
            };
            let room = spare.len();
            let count = match self.stream.read(spare) {
                Ok(Read::Bytes(count)) => count,
                Ok(Read::WouldBlock) => return self.read_everything(now),
                Ok(Read::End) => return Flow::End(Farewell::PeerClosed),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Flow::End(farewell_of(error)),
            };
            self.heartbeat.last_heard = now;
            match self.handle_input(landing, count, attention) {
                Flow::Idle => {}
                flow => return flow,
            }
            if self.stream.is_drained_by(count, room) {
                return self.read_everything(now);
            }
            // A caller who takes looks at what came before more is read.
            budget = budget.saturating_sub(count);
            if budget == 0 || attention == Attention::Taking {
                return Flow::Again;
            }
        }
    }

    fn take_early(&mut self) -> Option<Slice> {
        if matches!(self.phase, Phase::Open) { self.early.take().map(|early| *early) } else { None }
    }

    /// The mark is used up: a new edge will come.
    fn read_everything(&mut self, now: Instant) -> Flow {
        self.readable = false;
        self.stream.rearm(Interest::Readable);
        self.greet_unheard(now)
    }

    /// Reading stops, or the peer has not introduced itself, or there is none.
    #[inline(never)]
    fn read_otherwise(&mut self, landing: &mut Landing, now: Instant, attention: Attention) -> Flow {
        match self.phase {
            Phase::Greeting(..) => self.read_handshake(landing, now),
            Phase::Asking(..) => self.read_answer(now),
            _ if self.has_datagrams() => self.read_datagrams(landing, now, attention),
            _ => self.pause(now),
        }
    }

    /// `None`: not this way. Otherwise the large frame that is cut, if there is one.
    fn may_read(&self, attention: Attention) -> Option<Cut> {
        match (&self.phase, self.pipe) {
            _ if self.is_special && self.has_datagrams() => None,
            // Only its end is still awaited, and that lies behind what it sent.
            (Phase::Open, _) if self.write_failed || self.core.is_closing() => Some(Cut::default()),
            (Phase::Open, Some(pipe)) => self.core.before_read(pipe, attention),
            (Phase::Greeting(..) | Phase::Asking(..), _) => None,
            _ => Some(Cut::default()),
        }
    }

    fn handle_input(&mut self, landing: &mut Landing, count: usize, attention: Attention) -> Flow {
        match self.phase {
            Phase::Open => {
                let input = match &mut self.own {
                    Some(own) => own.take(count),
                    None => landing.take(count),
                };
                self.read_frames(input, attention)
            }
            Phase::Draining => Flow::Idle,
            Phase::Connecting | Phase::Asking(..) | Phase::Greeting(..) => Flow::End(Farewell::PeerClosed),
        }
    }

    /// The system takes bytes again.
    pub(crate) fn handle_writable(&mut self, now: Instant) -> Flow {
        match (&mut self.phase, self.pipe) {
            (Phase::Greeting(..), _) => self.write_greeting(now),
            (Phase::Asking(..), _) => self.ask(),
            (Phase::Open, Some(pipe)) => {
                self.core.resume_pipe(pipe);
                Flow::Idle
            }
            _ => Flow::Idle,
        }
    }

    /// The driver gives back what it wrote, or could not.
    pub(crate) fn handle_written(&mut self, written: Written, now: Instant) -> Flow {
        match (&mut self.phase, self.pipe) {
            (Phase::Greeting(_, unwritten), _) => {
                *unwritten = Unwritten::Nothing;
                match written {
                    Written::Failed(_, error) => Flow::End(farewell_of(error)),
                    _ => self.write_greeting(now),
                }
            }
            (Phase::Asking(_, unwritten), _) => {
                *unwritten = Unwritten::Nothing;
                match written {
                    Written::Failed(_, error) => Flow::End(self.farewell_of(error)),
                    _ => self.ask(),
                }
            }
            (Phase::Open | Phase::Draining, Some(pipe)) => {
                self.core.take_back(self.stream.key(), pipe, written);
                Flow::Idle
            }
            _ => Flow::Idle,
        }
    }

    /// Writing failed. Input that is here already must not be lost with it, so reading goes on up to its end.
    pub(crate) fn handle_write_failed(&mut self, _error: io::Error) {
        (self.write_failed, self.is_special) = (true, true);
        self.stream.shutdown_write();
    }

    pub(crate) fn handle_deadline(&mut self, now: Instant) -> Flow {
        match self.phase {
            Phase::Connecting | Phase::Asking(..) if self.goes_through_proxy() => self.give_proxy_up(),
            Phase::Connecting if self.settings.connect_timeout.is_some() => {
                Flow::End(Farewell::ConnectTimeout)
            }
            Phase::Connecting | Phase::Asking(..) | Phase::Greeting(..) => {
                Flow::End(Farewell::HandshakeTimeout)
            }
            Phase::Open => self.beat(now),
            Phase::Draining => Flow::End(Farewell::Closed),
        }
    }

    /// When the handshake has to be done, counted from the attempt that led to it.
    pub(crate) fn handshake_deadline(&self) -> Instant {
        self.registered_at + self.settings.handshake_timeout
    }

    // ---- its end

    /// For a socket that closes, or hangs up: once everything is written, says goodbye and waits for the peer's.
    pub(crate) fn finish_if_flushed(&mut self) -> Finish {
        match (&self.phase, self.pipe) {
            (Phase::Open, Some(pipe)) if self.core.is_pipe_flushed(pipe) => {
                if !self.stream.shutdown_write() {
                    return Finish::Done;
                }
                self.phase = Phase::Draining;
                // It may have been paused, with an edge that was consumed.
                self.readable = true;
                Finish::Draining
            }
            (Phase::Open | Phase::Draining, _) => Finish::NotYet,
            (_, Some(pipe)) if !self.core.is_pipe_flushed(pipe) => Finish::NotYet,
            _ => Finish::Done,
        }
    }

    /// Takes it apart: the stream closes, the socket keeps what is whole, the monitor hears why.
    pub(crate) fn end(self, farewell: Farewell) -> Remains {
        let registration = number(self.key());
        let peer_address = if self.core.monitor.has_listeners() { self.peer_address() } else { None };
        self.stream.close();
        let was_open = matches!(self.phase, Phase::Open | Phase::Draining);
        if was_open && let Some(pipe) = self.pipe {
            self.core.detach_connection(pipe);
        }
        let endpoint = self.endpoint;
        self.core.monitor.tell(|| {
            let (cause, reason) = (farewell.cause(), farewell.to_string());
            match self.introduced {
                Some(peer) => EventKind::Disconnected {
                    endpoint,
                    registration,
                    peer_address,
                    socket_type: peer.socket_type,
                    routing_id: peer.routing_id.clone(),
                    cause,
                    reason,
                },
                None => EventKind::HandshakeFailed { endpoint, registration, peer_address, cause, reason },
            }
        });
        Remains { core: self.core, pipe: self.pipe.filter(|_| was_open) }
    }
}

fn farewell_of(error: io::Error) -> Farewell {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Farewell::PeerClosed,
        _ => Farewell::Io(error),
    }
}

/// Writes without waiting.
fn write(stream: &Stream, batch: Batch) -> io::Result<Unwritten> {
    match stream.write(batch) {
        Written::Done(_) => Ok(Unwritten::Nothing),
        Written::Blocked(rest) => {
            stream.rearm(Interest::Writable);
            Ok(Unwritten::Rest(Box::new(rest)))
        }
        Written::Pending => Ok(Unwritten::WithDriver),
        Written::Failed(_, error) => Err(error),
    }
}
