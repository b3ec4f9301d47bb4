//! Dialers: one connection at a time, again and again, with longer and longer pauses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::{Address, Key, StreamOptions};
use serverlink_patterns::PipeId;

use super::command::NewDialer;
use super::timers::TimerId;
use super::turn::{Due, Turn};
use super::{DialerId, Farewell, Reactor};
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::monitor::EventKind;
use crate::resolve::{self, Resolved};
use crate::socket::core::Core;

/// A connection that lived this long ends the back-off.
const LASTING: Duration = Duration::from_secs(1);

/// Connects, and connects again.
pub(crate) struct Dialer {
    pub(crate) core: Arc<Core>,
    pub(super) endpoint: Endpoint,
    pub(crate) pipe: PipeId,
    /// Attempts since the last connection that lasted.
    pub(super) attempts: u32,
    established_at: Option<Instant>,
    /// Addresses of this round that were not tried yet.
    untried: Vec<Address>,
    pub(super) state: DialState,
    /// Since when it has been without a connection.
    pub(super) idle_since: Instant,
    /// Its socket closes: no pause is worth starting for an empty queue.
    pub(crate) stopping: bool,
}

pub(super) enum DialState {
    Waiting(Option<TimerId>),
    Resolving,
    /// What happens to the connection is reported under its key.
    Connected(Key),
}

impl Turn {
    pub(super) fn dial(&mut self, reactor: &Reactor, new: NewDialer) {
        let NewDialer { core, endpoint, pipe } = new;
        if self.failed {
            return;
        }
        let dialer = self.dialers.insert(Dialer {
            core,
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

    /// The next address, or a new round.
    pub(super) fn attempt(&mut self, reactor: &Reactor, id: DialerId) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        if let Some(address) = dialer.untried.pop() {
            return self.connect(reactor, id, &address);
        }
        dialer.attempts = dialer.attempts.saturating_add(1);
        match resolve::addresses(&dialer.endpoint) {
            Resolved::Now(address) => self.connect(reactor, id, &address),
            Resolved::ByResolver(host, port) => {
                dialer.state = DialState::Resolving;
                let reactor = reactor.myself.clone();
                let ipv6 = dialer.core.options.ipv6;
                resolve::in_background(&dialer.core.env, host, port, ipv6, move |outcome| {
                    if let Some(reactor) = reactor.upgrade() {
                        reactor.post(super::Command::Resolved(id, outcome));
                    }
                });
            }
        }
    }

    pub(super) fn on_resolved(
        &mut self,
        reactor: &Reactor,
        id: DialerId,
        addresses: Result<Vec<Address>, String>,
    ) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        match addresses {
            Ok(mut addresses) => {
                addresses.reverse();
                dialer.untried = addresses;
                match dialer.untried.pop() {
                    Some(first) => self.connect(reactor, id, &first),
                    None => self.pause(reactor, id, "the name has no address".into()),
                }
            }
            Err(error) => self.pause(reactor, id, error),
        }
    }

    fn connect(&mut self, reactor: &Reactor, id: DialerId, address: &Address) {
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        let options = stream_options(&dialer.core);
        match reactor.remote().connect(address, &options) {
            Ok(stream) => {
                let core = Arc::clone(&dialer.core);
                let deadline = reactor.env.now() + core.options.handshake_timeout;
                let connection = Connection::dialing(core, stream, dialer.endpoint.clone(), id, dialer.pipe);
                dialer.state = DialState::Connected(connection.key());
                self.add_connection(connection, deadline);
            }
            Err(error) => self.pause(reactor, id, error.to_string()),
        }
    }

    pub(super) fn on_connected(&mut self, reactor: &Reactor, key: Key, outcome: std::io::Result<()>) {
        let Some(connection) = self.connection(key) else { return };
        match outcome {
            Ok(()) => {
                let flow = connection.handle_connected(reactor.env.now());
                self.follow(reactor, key, flow);
            }
            Err(error) => self.end_connection(reactor, key, Farewell::Io(error)),
        }
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
    pub(super) fn on_attempt_over(&mut self, reactor: &Reactor, id: DialerId, trouble: String) {
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
        self.pause(reactor, id, trouble);
    }

    fn pause(&mut self, reactor: &Reactor, id: DialerId, trouble: String) {
        let now = reactor.env.now();
        let Some(dialer) = self.dialers.get_mut(id) else { return };
        if dialer.stopping && dialer.has_nothing_to_send() {
            return self.drop_dialer(id);
        }
        let options = &dialer.core.options;
        let longest = back_off(options.reconnect_interval, options.reconnect_interval_max, dialer.attempts);
        let delay = longest / 2 + reactor.env.random_up_to(longest / 2);
        let timer = self.timers.set(now + delay, Due::Dial(id));
        dialer.state = DialState::Waiting(Some(timer));
        let (endpoint, attempt) = (dialer.endpoint.clone(), dialer.attempts);
        dialer.core.monitor.tell(|| EventKind::Retrying { endpoint, attempt, delay, trouble });
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
        if let DialState::Waiting(Some(timer)) = dialer.state {
            self.timers.cancel(timer);
        }
    }
}

impl Dialer {
    pub(crate) fn has_nothing_to_send(&self) -> bool {
        self.core.is_pipe_flushed(self.pipe)
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.state, DialState::Connected(_))
    }
}

fn stream_options(core: &Core) -> StreamOptions {
    StreamOptions {
        send_buffer: core.options.send_buffer_bytes,
        receive_buffer: core.options.receive_buffer_bytes,
        ..StreamOptions::default()
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
