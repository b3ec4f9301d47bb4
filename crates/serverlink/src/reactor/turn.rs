//! What the holder of the role works on: the driver, the connections, and what is due.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::{Batch, Driver, Event, Events, Key, Written};
use slotmap::{SecondaryMap, SlotMap};

use super::accept::Acceptor;
use super::closing::Closing;
use super::dial::Dialer;
use super::failure::Failure;
use super::leaving::Leaving;
use super::timers::{TimerId, Timers};
use super::{Command, DialerId, Farewell, Reactor};
use crate::connection::landing::Landing;
use crate::connection::{Connection, Flow};
use crate::monitor::Trouble;
use crate::security::Verdict;
use crate::socket::core::Core;

/// How often a caller who finds enough in what is marked already may go on without asking the system.
const ROUNDS_WITHOUT_WAIT: u32 = 16;

/// How long memory that large frames landed in is kept for more of them.
const KEEP_MEMORY: Duration = Duration::from_millis(200);

/// For whom the reactor is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attention {
    /// The caller takes what comes: messages are cut when they are taken.
    Taking,
    /// Nobody takes: whoever drives looks ahead for commands, and stops at the high-water mark.
    Absent,
}

/// Something with a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// A connection's handshake, heartbeat or farewell.
    Connection(Key),
    /// The next attempt.
    Dial(DialerId),
    /// Accepting, after the system had no descriptors left.
    Accept(Key),
    /// The end of a closing socket's linger.
    Linger,
    /// Giving back memory that large frames landed in.
    Memory,
}

/// What a key of the driver stands for.
pub(crate) enum Source {
    Connection(Box<Connection>),
    Acceptor(Box<Acceptor>),
}

/// See the module's page.
pub(crate) struct Turn {
    driver: Driver,
    events: Events,
    pub(super) sources: SecondaryMap<Key, Source>,
    pub(super) dialers: SlotMap<DialerId, Dialer>,
    pub(super) timers: Timers<Due>,
    /// Marked sources that were stopped early: no new edge will come for them.
    ready: VecDeque<Key>,
    landing: Landing,
    /// A timer looks whether its memory is still used.
    memory_is_due: bool,
    rounds_without_wait: u32,
    /// The clock, as it was read last: after each wait, and before reading without one.
    now: Instant,
    interrupted: bool,
    /// The driver reports nothing any more.
    pub(super) failed: bool,
    pub(super) closing: Vec<Closing>,
    /// Closed sources whose last operation the system has not finished, and what waits for that.
    pub(super) leaving: SecondaryMap<Key, Leaving>,
    /// Its socket is closed: with its last source the reactor retires.
    pub(super) over: bool,
    /// Listeners that wait for one of their socket's connections to end.
    pub(super) full: Vec<Key>,
}

impl Turn {
    pub(super) fn new(driver: Driver, now: Instant) -> Turn {
        Turn {
            driver,
            events: Events::new(),
            sources: SecondaryMap::new(),
            dialers: SlotMap::with_key(),
            timers: Timers::new(),
            ready: VecDeque::new(),
            landing: Landing::new(),
            memory_is_due: false,
            rounds_without_wait: 0,
            now,
            interrupted: false,
            failed: false,
            closing: Vec::new(),
            leaving: SecondaryMap::new(),
            over: false,
            full: Vec::new(),
        }
    }

    /// One round: what was asked for, what is marked, what the system reports within `wait`, what is due. True if any
    /// of it happened.
    pub(crate) fn run(&mut self, reactor: &Reactor, wait: Option<Duration>, attention: Attention) -> bool {
        let mut busy = self.handle_commands(reactor);
        if !self.ready.is_empty() {
            self.now = reactor.env.now();
            busy |= self.serve_ready(reactor, attention);
        }
        self.interrupted = false;
        self.rounds_without_wait += 1;
        if busy && attention == Attention::Taking && self.rounds_without_wait < ROUNDS_WITHOUT_WAIT {
            return true;
        }
        self.rounds_without_wait = 0;
        let wait = if busy || self.has_ready() { Some(Duration::ZERO) } else { wait };
        if !self.failed {
            match self.driver.wait(&mut self.events, wait) {
                Ok(()) => self.interrupted = self.events.interrupted(),
                Err(error) => self.fail(reactor, Failure::of(&error)),
            }
            self.now = reactor.env.now();
            busy |= self.handle_events(reactor);
            busy |= self.handle_commands(reactor);
            busy |= self.serve_ready(reactor, attention);
        } else {
            // Nothing else reads the clock now, and timers go on.
            self.now = reactor.env.now();
        }
        busy |= self.serve_timers(reactor);
        busy
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.earliest()
    }

    /// Whether a round would do something at once.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() || !self.events.is_empty()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Everything that holds a socket.
    pub(super) fn take_apart(&mut self) -> impl Sized + use<> {
        let Turn { sources, dialers, closing, leaving, .. } = self;
        (std::mem::take(sources), std::mem::take(dialers), std::mem::take(closing), std::mem::take(leaving))
    }

    // ---- the four parts of a round

    fn handle_commands(&mut self, reactor: &Reactor) -> bool {
        let mut any = false;
        while let Some(command) = reactor.take_command() {
            any = true;
            self.handle_command(reactor, command);
        }
        any
    }

    fn handle_command(&mut self, reactor: &Reactor, command: Command) {
        match command {
            Command::Listen(listener) => self.listen(reactor, *listener),
            Command::TakeIn(stream) => self.take_in(reactor, *stream),
            Command::Unlisten(key) => self.unbind(reactor, key),
            Command::Dial(dialer) => self.dial(reactor, *dialer),
            Command::StopDialing(pipe) => self.stop_dialing(reactor, pipe),
            Command::Resolved(dialer, addresses) => self.on_resolved(reactor, dialer, addresses),
            Command::WriteFailed(key, error) => self.on_write_failed(key, error),
            Command::Break(key, farewell) => self.end_connection(reactor, key, farewell),
            Command::HangUp(key) => self.hang_up(reactor, key),
            Command::Pinged(key, ttl) => self.on_pinged(reactor, key, ttl),
            Command::Judged(key, verdict) => self.on_judged(reactor, key, *verdict),
            Command::Resume(key) => self.mark_ready(key),
            Command::CloseSocket { core, deadline } => self.close_socket(reactor, core, deadline),
            Command::Fail(failure) => self.fail(reactor, failure),
            Command::Progress => self.check_closing(reactor),
            Command::Describe(inquiry) => self.answer(reactor, inquiry),
        }
    }

    fn handle_events(&mut self, reactor: &Reactor) -> bool {
        let mut any = false;
        while let Some(event) = self.events.next() {
            any = true;
            match event {
                Event::Readable(key) | Event::Acceptable(key) => {
                    self.mark(key);
                    self.mark_ready(key);
                }
                Event::Writable(key) => self.on_writable(reactor, key),
                Event::Connected(key, outcome) => self.on_connected(reactor, key, outcome),
                Event::Error(key, error) => self.on_error(reactor, key, error),
                Event::Written(key, batch, outcome) => self.on_written(reactor, key, *batch, outcome),
                Event::Closed(key) => self.on_closed(reactor, key),
                Event::Woken => {}
            }
        }
        any
    }

    fn serve_ready(&mut self, reactor: &Reactor, attention: Attention) -> bool {
        let count = self.ready.len();
        for _ in 0..count {
            let Some(key) = self.ready.pop_front() else { break };
            self.serve(reactor, key, attention);
        }
        count > 0
    }

    fn serve(&mut self, reactor: &Reactor, key: Key, attention: Attention) {
        let Turn { sources, landing, .. } = self;
        match sources.get_mut(key) {
            Some(Source::Connection(connection)) => {
                connection.queued = false;
                let flow = connection.read(landing, self.now, attention);
                if landing.keeps_any() && !self.memory_is_due {
                    self.forget_memory_later(reactor);
                }
                self.follow(reactor, key, flow);
            }
            Some(Source::Acceptor(_)) => self.accept(reactor, key),
            None => {}
        }
    }

    fn serve_timers(&mut self, reactor: &Reactor) -> bool {
        let (now, mut any) = (self.now, false);
        while let Some(due) = self.timers.pop_due(now) {
            any = true;
            match due {
                Due::Connection(key) => self.on_connection_due(reactor, key, now),
                Due::Dial(dialer) => self.on_dialer_due(reactor, dialer),
                Due::Accept(key) => self.mark_ready(key),
                Due::Linger => self.check_closing(reactor),
                Due::Memory => self.forget_memory(reactor),
            }
        }
        any
    }

    /// Memory for large frames is kept while they come, and given back soon after.
    #[cold]
    fn forget_memory_later(&mut self, reactor: &Reactor) {
        self.memory_is_due = true;
        self.timers.set(reactor.env.now() + KEEP_MEMORY, Due::Memory);
    }

    fn forget_memory(&mut self, reactor: &Reactor) {
        self.memory_is_due = false;
        if !self.landing.forget_unused() {
            self.forget_memory_later(reactor);
        }
    }

    // ---- connections

    /// An edge is consumed into a mark.
    fn mark(&mut self, key: Key) {
        match self.sources.get_mut(key) {
            Some(Source::Connection(connection)) => connection.readable = true,
            Some(Source::Acceptor(acceptor)) => acceptor.acceptable = true,
            None => {}
        }
    }

    /// Queues a marked source, once.
    pub(super) fn mark_ready(&mut self, key: Key) {
        let queued = match self.sources.get_mut(key) {
            Some(Source::Connection(connection)) if connection.readable => &mut connection.queued,
            Some(Source::Acceptor(acceptor)) if acceptor.acceptable => &mut acceptor.queued,
            _ => return,
        };
        if !std::mem::replace(queued, true) {
            self.ready.push_back(key);
        }
    }

    pub(super) fn connection(&mut self, key: Key) -> Option<&mut Connection> {
        match self.sources.get_mut(key) {
            Some(Source::Connection(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Takes a connection in whose stream is registered.
    pub(super) fn add_connection(&mut self, connection: Connection, deadline: Instant) -> Key {
        let key = connection.key();
        let timer = self.timers.set(deadline, Due::Connection(key));
        self.sources.insert(key, Source::Connection(Box::new(connection)));
        self.set_timer(key, Some(timer));
        key
    }

    fn set_timer(&mut self, key: Key, timer: Option<TimerId>) {
        let Some(connection) = self.connection(key) else { return };
        if let Some(old) = std::mem::replace(&mut connection.timer, timer) {
            self.timers.cancel(old);
        }
    }

    pub(super) fn set_deadline(&mut self, key: Key, at: Option<Instant>) {
        let timer = at.map(|at| self.timers.set(at, Due::Connection(key)));
        self.set_timer(key, timer);
    }

    /// The system gave a stream up.
    pub(super) fn on_error(&mut self, reactor: &Reactor, key: Key, error: std::io::Error) {
        if let Some(connection) = self.connection(key) {
            let farewell = connection.farewell_of(error);
            self.end_connection(reactor, key, farewell);
        }
    }

    fn on_writable(&mut self, reactor: &Reactor, key: Key) {
        if let Some(connection) = self.connection(key) {
            let flow = connection.handle_writable(reactor.env.now());
            self.follow(reactor, key, flow);
        }
    }

    /// A batch that the driver kept is back.
    fn on_written(&mut self, reactor: &Reactor, key: Key, batch: Batch, outcome: std::io::Result<()>) {
        let written = match outcome {
            Ok(()) => Written::Done(batch),
            Err(error) => Written::Failed(batch, error),
        };
        if let Some(connection) = self.connection(key) {
            let flow = connection.handle_written(written, reactor.env.now());
            return self.follow(reactor, key, flow);
        }
        self.take_back(key, written);
    }

    fn on_write_failed(&mut self, key: Key, error: std::io::Error) {
        if let Some(connection) = self.connection(key) {
            connection.handle_write_failed(error);
            // What came in before is still read, up to the end that follows a failed write.
            connection.readable = true;
            self.mark_ready(key);
        }
    }

    fn on_pinged(&mut self, reactor: &Reactor, key: Key, ttl: Duration) {
        if let Some(connection) = self.connection(key) {
            let flow = connection.handle_ping(ttl, reactor.env.now());
            self.follow(reactor, key, flow);
        }
    }

    fn on_judged(&mut self, reactor: &Reactor, key: Key, verdict: Verdict) {
        if let Some(connection) = self.connection(key) {
            let flow = connection.handle_verdict(verdict, reactor.env.now());
            self.follow(reactor, key, flow);
        }
    }

    fn on_connection_due(&mut self, reactor: &Reactor, key: Key, now: Instant) {
        if let Some(connection) = self.connection(key) {
            connection.timer = None;
            if connection.is_hanging_up() {
                return self.hang_up(reactor, key);
            }
            let flow = connection.handle_deadline(now);
            self.follow(reactor, key, flow);
        }
    }

    /// Does what a connection's step led to.
    pub(super) fn follow(&mut self, reactor: &Reactor, key: Key, flow: Flow) {
        match flow {
            Flow::Idle => {}
            Flow::Again => self.mark_ready(key),
            Flow::Deadline(at) => self.set_deadline(key, at),
            Flow::Reached => self.on_reached(reactor, key),
            Flow::Established(at) => {
                self.set_deadline(key, at);
                self.on_established(key, reactor.env.now());
                self.mark_ready(key);
                self.check_closing(reactor);
            }
            Flow::End(farewell) => self.end_connection(reactor, key, farewell),
        }
    }

    /// The one place where connections end.
    pub(super) fn end_connection(&mut self, reactor: &Reactor, key: Key, farewell: Farewell) {
        if !matches!(self.sources.get(key), Some(Source::Connection(_))) {
            return;
        }
        self.set_timer(key, None);
        let Some(Source::Connection(connection)) = self.sources.remove(key) else { return };
        let (dialer, trouble) = (connection.dialer, Trouble::from(&farewell));
        let verdict = connection.verdict(&farewell);
        let remains = connection.end(farewell);
        self.wait_for_closed(reactor, key, Leaving::Connection(remains));
        match dialer {
            Some(dialer) => self.on_attempt_over(reactor, dialer, verdict, trouble),
            None => self.let_in_more(),
        }
        self.check_closing(reactor);
    }

    /// Whether anything of this socket is still here.
    pub(super) fn has_any_of(&self, core: &Arc<Core>) -> bool {
        self.sources.values().any(|source| match source {
            Source::Connection(connection) => Arc::ptr_eq(&connection.core, core),
            Source::Acceptor(acceptor) => Arc::ptr_eq(&acceptor.core, core),
        }) || self.dialers.values().any(|dialer| Arc::ptr_eq(&dialer.core, core))
            || self.has_leaving_listeners(core)
            || core.has_unbound_messages()
    }
}
