//! Dialers: one connection at a time, again and again, with longer and longer pauses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::Key;
use serverlink_patterns::PipeId;

use super::command::NewDialer;
use super::timers::TimerId;
use super::turn::{Due, Turn};
use super::{Command, DialerId, Farewell, Reactor};
use crate::connection::socks::{no_way, proxy_unreached};
use crate::connection::{Connection, Verdict};
use crate::endpoint::Endpoint;
use crate::monitor::{Cause, EventKind, Trouble};
use crate::options::{Options, ReconnectStop};
use crate::pipe::outbox::datagrams::Target;
use crate::resolve::{self, Route};
use crate::resolver::{Answer, Answered, Asker, Reply};
use crate::socket::core::Core;
use crate::socket::datagrams;
use crate::socket::endpoints::stream_options;

/// A connection that lived this long ends the back-off.
const LASTING: Duration = Duration::from_secs(1);

/// Chance alone could make every pause short: each has at least this part of the interval.
const LEAST_PAUSE: u32 = 10;

/// Connects, and connects again.
pub(crate) struct Dialer {
    pub(crate) core: Arc<Core>,
    /// What it was made with.
    settings: Arc<Options>,
    pub(super) endpoint: Endpoint,
    /// Through which it is reached, if not straight on.
    proxy: Option<Endpoint>,
    pub(crate) pipe: PipeId,
    /// Attempts since the last connection that lasted.
    pub(super) attempts: u32,
    established_at: Option<Instant>,
    /// Ways of this round that were not tried yet, the next one last.
    untried: Vec<Route>,
    pub(super) state: DialState,
    /// Since when it has been without a connection.
    pub(super) idle_since: Instant,
    /// Its socket closes: no pause is worth starting for an empty queue.
    pub(crate) stopping: bool,
}

pub(super) enum DialState {
    Waiting(Option<TimerId>),
    /// On a simulated machine the answer is known, and comes when the timer is due.
    Resolving(Option<(TimerId, Answered)>),
    /// What happens to the connection is reported under its key.
    Connected(Key),
}

impl Turn {
    pub(super) fn dial(&mut self, reactor: &Reactor, new: NewDialer) {
        let NewDialer { core, settings, endpoint, pipe } = new;
        if self.failed {
            return;
        }
        let dialer = self.dialers.insert(Dialer {
            core,
            proxy: settings.proxy_to(&endpoint),
            settings,
            endpoint,
            pipe,
            attempts: 0,
            established_at: None,
            untried: Vec::new(),
            state: DialState::Waiting(None),
            idle_since: reactor.env.now(),
            stopping: false,
        });
        self.attempt(reactor, dialer);
    }

    /// Its time has come: the answer to a question, or a new round.
    pub(super) fn on_dialer_due(&mut self, reactor: &Reactor, id: DialerId) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        match std::mem::replace(&mut dialer.state, DialState::Waiting(None)) {
            DialState::Resolving(Some((_, answered))) => self.on_resolved(reactor, id, answered),
            _ => self.attempt(reactor, id),
        }
    }

    /// The next way of this round, or a new round. Each asks anew what is behind a name.
    fn attempt(&mut self, reactor: &Reactor, id: DialerId) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        if let Some(route) = dialer.untried.pop() {
            return self.connect(reactor, id, &route);
        }
        dialer.attempts = dialer.attempts.saturating_add(1);
        let Some(question) = resolve::question(dialer.first_hop()) else {
            return self.on_resolved(reactor, id, Ok(Answer::default()));
        };
        let (myself, target) = (reactor.myself.clone(), reactor.myself.clone());
        let asker = Asker {
            cares: Box::new(move || myself.strong_count() > 0),
            tell: Box::new(move |answered| {
                if let Some(reactor) = target.upgrade() {
                    reactor.post(Command::Resolved(id, answered));
                }
            }),
        };
        dialer.state = DialState::Resolving(match reactor.env.resolver().ask(&question, asker) {
            Reply::Later => None,
            Reply::After(delay, answered) => {
                Some((self.timers.set(reactor.env.now() + delay, Due::Dial(id)), answered))
            }
        });
    }

    pub(super) fn on_resolved(&mut self, reactor: &Reactor, id: DialerId, answered: Answered) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        let ipv6 = dialer.settings.ipv6;
        match answered.and_then(|answer| resolve::routes(dialer.first_hop(), ipv6, &answer)) {
            Ok(mut routes) => {
                routes.reverse();
                dialer.untried = routes;
                if let Some(first) = dialer.untried.pop() {
                    self.connect(reactor, id, &first);
                }
            }
            Err(why) => {
                let trouble = dialer.unresolved(why);
                self.pause(reactor, id, Verdict::Unreachable, trouble);
            }
        }
    }

    fn connect(&mut self, reactor: &Reactor, id: DialerId, route: &Route) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        dialer.core.note_attempt(dialer.pipe);
        let (attempt, target) = match route {
            Route::Stream { to, from } => {
                let mut options = stream_options(&dialer.settings);
                options.source = *from;
                (reactor.remote().connect(to, &options), None)
            }
            Route::Datagrams { to, interface } => {
                let options = datagrams::sending_to(*to, interface.as_ref(), &dialer.settings);
                (datagrams::open_for_sending(reactor.remote(), &options), Some(Target::Fixed(*to)))
            }
        };
        match attempt {
            Ok(stream) => {
                let core = Arc::clone(&dialer.core);
                let settings = Arc::clone(&dialer.settings);
                let all = settings.handshake_timeout;
                let deadline = reactor.env.now() + settings.connect_timeout.map_or(all, |some| some.min(all));
                let connection =
                    Connection::dialing(core, settings, stream, dialer.endpoint.clone(), id, dialer.pipe);
                dialer.state = DialState::Connected(connection.key());
                let Some(target) = target else {
                    self.add_connection(connection, deadline);
                    return;
                };
                // Nobody has to answer.
                let key = self.add_connection(connection.for_datagrams(target), deadline);
                self.on_connected(reactor, key, Ok(()));
            }
            // What is wrong with one address need not be wrong with the next.
            Err(_) if !dialer.untried.is_empty() => self.attempt(reactor, id),
            Err(error) => {
                let trouble = dialer.unreached(&error);
                self.pause(reactor, id, Verdict::Unreachable, trouble);
            }
        }
    }

    pub(super) fn on_connected(&mut self, reactor: &Reactor, key: Key, outcome: std::io::Result<()>) {
        let Some(connection) = self.connection(key) else { return };
        match outcome {
            Ok(()) => {
                let flow = connection.handle_connected();
                self.follow(reactor, key, flow);
            }
            Err(error) => self.on_error(reactor, key, error),
        }
    }

    /// There is a way to the peer: the time for finding one is over.
    pub(super) fn on_reached(&mut self, reactor: &Reactor, key: Key) {
        let Some(connection) = self.connection(key) else { return };
        let deadline = connection.handshake_deadline();
        let bounded = connection.settings.connect_timeout.is_some();
        let flow = connection.handle_reached(reactor.env.now());
        if bounded {
            self.set_deadline(key, Some(deadline));
        }
        self.follow(reactor, key, flow);
    }

    pub(super) fn on_established(&mut self, key: Key, now: Instant) {
        if let Some(id) = self.connection(key).and_then(|connection| connection.dialer)
            && let Some(dialer) = self.dialers.get_mut(id)
        {
            dialer.established_at = Some(now);
            dialer.untried.clear();
        }
    }

    /// A dialer's connection, or attempt, has ended and was consumed.
    pub(super) fn on_attempt_over(
        &mut self,
        reactor: &Reactor,
        id: DialerId,
        verdict: Verdict,
        trouble: Trouble,
    ) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        dialer.state = DialState::Waiting(None);
        dialer.idle_since = reactor.env.now();
        // A peer that takes the handshake and then closes is no better than one that refuses.
        let established_at = dialer.established_at.take();
        if established_at.is_some_and(|at| reactor.env.now().saturating_duration_since(at) >= LASTING) {
            dialer.attempts = 1;
        }
        if !dialer.untried.is_empty() {
            return self.attempt(reactor, id);
        }
        self.pause(reactor, id, verdict, trouble);
    }

    /// A round is over without a connection that stayed.
    fn pause(&mut self, reactor: &Reactor, id: DialerId, verdict: Verdict, trouble: Trouble) {
        let now = reactor.env.now();
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        if dialer.stopping && dialer.has_nothing_to_send() {
            return self.drop_dialer(id);
        }
        if stops(dialer.settings.reconnect_stop, verdict) {
            return self.give_up_dialing(reactor, id, trouble);
        }
        let options = &dialer.settings;
        let interval = options.reconnect_interval;
        let longest = back_off(interval, options.reconnect_interval_max, dialer.attempts);
        let delay = reactor.env.random_between(interval / LEAST_PAUSE, longest);
        let timer = self.timers.set(now + delay, Due::Dial(id));
        dialer.state = DialState::Waiting(Some(timer));
        let (endpoint, attempt) = (dialer.endpoint.clone(), dialer.attempts);
        let Trouble { cause, sentence: trouble } = trouble;
        dialer.core.monitor.tell(|| EventKind::Retrying { endpoint, attempt, delay, cause, trouble });
    }

    /// As the options ask: what was queued for the peer goes, and is counted.
    fn give_up_dialing(&mut self, reactor: &Reactor, id: DialerId, trouble: Trouble) {
        let Some(dialer) = self.dialers.get(id) else { return };
        let (core, pipe, endpoint) = (Arc::clone(&dialer.core), dialer.pipe, dialer.endpoint.clone());
        self.drop_dialer(id);
        core.drop_dialed(pipe);
        let Trouble { cause, sentence: trouble } = trouble;
        core.monitor.tell(|| EventKind::GaveUp { endpoint, cause, trouble });
        self.check_closing(reactor);
    }

    /// `disconnect`: the connection closes, and what was queued for it is given up.
    pub(super) fn stop_dialing(&mut self, reactor: &Reactor, pipe: PipeId) {
        let Some((id, dialer)) = self.dialers.iter().find(|(_, dialer)| dialer.pipe == pipe) else { return };
        let key = match dialer.state {
            DialState::Connected(key) => Some(key),
            _ => None,
        };
        let core = Arc::clone(&dialer.core);
        self.drop_dialer(id);
        if let Some(key) = key {
            self.end_connection(reactor, key, Farewell::Closed);
        }
        core.drop_dialed(pipe);
    }

    pub(super) fn drop_dialer(&mut self, id: DialerId) {
        let Some(dialer) = self.dialers.remove(id) else { return };
        match dialer.state {
            DialState::Waiting(Some(timer)) | DialState::Resolving(Some((timer, _))) => {
                self.timers.cancel(timer)
            }
            _ => {}
        }
    }
}

impl Dialer {
    /// Where its connections lead at first.
    fn first_hop(&self) -> &Endpoint {
        self.proxy.as_ref().unwrap_or(&self.endpoint)
    }

    fn unresolved(&self, why: String) -> Trouble {
        match self.proxy {
            Some(_) => no_way(&self.settings, &self.endpoint, Cause::Unresolved, why),
            None => Trouble::unresolved(why),
        }
    }

    fn unreached(&self, error: &std::io::Error) -> Trouble {
        match self.proxy {
            Some(_) => proxy_unreached(&self.settings, &self.endpoint, error),
            None => Trouble::from(error),
        }
    }

    pub(crate) fn has_nothing_to_send(&self) -> bool {
        self.core.is_pipe_flushed(self.pipe)
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.state, DialState::Connected(_))
    }
}

/// Whether this end of an attempt is one after which there is no other. Who wants none at all wants none whatever happened.
fn stops(stop: ReconnectStop, verdict: Verdict) -> bool {
    stop == ReconnectStop::ALWAYS
        || match verdict {
            Verdict::Refused => stop.refused,
            Verdict::HandshakeFailed => stop.handshake_failed,
            Verdict::Disconnected => stop.disconnected,
            Verdict::Unreachable => false,
        }
}

/// Doubles from attempt to attempt. A maximum below the interval means that the interval stays as it is.
fn back_off(interval: Duration, longest: Duration, attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    interval.saturating_mul(1 << doublings).min(longest.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backs_off_up_to_the_maximum() {
        let (interval, longest) = (Duration::from_millis(100), Duration::from_secs(1));
        let pauses: Vec<_> =
            (1..=6).map(|attempt| back_off(interval, longest, attempt).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(back_off(interval, Duration::ZERO, 9), interval, "no maximum: the interval stays");
        assert_eq!(back_off(interval, longest, u32::MAX), longest);
    }
}
