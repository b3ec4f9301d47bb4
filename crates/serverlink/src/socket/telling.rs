//! What a socket tells of itself: what it could do, who its peers are, what happened and how much went through.

use std::sync::Arc;
use std::time::Duration;

use serverlink_message::SocketType;

use super::Socket;
use super::close::deadline_of;
use super::core::Core;
use super::drive::For;
use crate::error::Error;
use crate::monitor::{Callback, Event, Monitor};
use crate::options::Options;
use crate::peer::Peer;
use crate::report::ConnectionReport;
use crate::stats::{PeerStats, Stats};

/// What a socket could do without waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A receive would give a message.
    pub readable: bool,
    /// A send would find a peer with room.
    pub writable: bool,
}

impl Socket {
    /// What could be done now without waiting.
    pub fn readiness(&self) -> Readiness {
        self.core.readiness()
    }

    /// Waits until at least `count` peers are connected and through the handshake; gives how many are.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after `patience`.
    pub fn wait_for_peers(&self, count: usize, patience: Duration) -> Result<usize, Error> {
        self.wait_for_count(count, patience, || self.core.topology.lock().peers)
    }

    /// PUB, XPUB: waits until at least `count` peers have a subscription in force, which ends the slow joiner's
    /// guesswork; gives how many have.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after `patience`.
    pub fn wait_for_subscribers(&self, count: usize, patience: Duration) -> Result<usize, Error> {
        self.wait_for_count(count, patience, || self.core.send.lock().sender.subscriber_count())
    }

    fn wait_for_count(
        &self,
        count: usize,
        patience: Duration,
        now: impl Fn() -> usize,
    ) -> Result<usize, Error> {
        let deadline = deadline_of(self.core.now(), Some(patience));
        self.core.wait_until(For::Change, deadline, || {
            self.core.check_open()?;
            let found = now();
            Ok((found >= count).then_some(found))
        })
    }

    /// Tells what happens to this socket's connections from now on, each event once. Costs nothing while no monitor is open.
    pub fn monitor(&self) -> Monitor {
        if self.core.context.is_left_behind() {
            // Nothing is told there any more.
            return Monitor::ended();
        }
        self.core.monitor.open()
    }

    /// Calls `callback` for every event from now on, until the socket is closed.
    ///
    /// It is called by whichever thread the event happens on, an I/O thread perhaps: it should be quick, because what is left to that thread waits meanwhile, such as waking
    /// subscribers of busy publishers. It runs without locks of the
    /// library and may call it, closing excepted; calls come one at a time and in the order of the events. A panic of it is caught. It must not
    /// own this socket, which would then never be closed.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let pull = context.pull().open()?;
    /// let (tell, told) = mpsc::channel();
    /// pull.on_event(move |event| tell.send(event.to_string()).expect("somebody listens"));
    /// pull.bind("inproc://here")?;
    /// assert_eq!(told.recv().expect("an event"), format!("PULL {}: listens on inproc://here", pull.as_socket().id()));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn on_event(&self, callback: impl FnMut(&Event) + Send + 'static) {
        if self.core.context.is_left_behind() {
            return;
        }
        self.core.monitor.add(Callback::new(callback));
    }

    /// Its number in its context, counted from 1: what events, counters and the stats endpoint call it. No other socket of the
    /// context ever has it.
    pub fn id(&self) -> u64 {
        self.core.id
    }

    /// The state of its connections at this moment, and of the dialers that have none. What goes over inproc has no connection.
    ///
    /// Whoever drives them is asked, and answers in between; nothing is kept for this while nobody asks.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        if self.core.context.is_left_behind() {
            return Vec::new();
        }
        self.core.connections()
    }

    /// Who is connected and through the handshake at this moment, over all transports, in no particular order.
    pub fn peers(&self) -> Vec<Arc<Peer>> {
        self.core.peers()
    }

    /// Counters since the socket was opened.
    pub fn stats(&self) -> Stats {
        if self.core.context.is_left_behind() {
            return Stats::default();
        }
        self.core.stats()
    }

    /// Counters of each peer: those that are connected, and those that it connects to.
    pub fn peer_stats(&self) -> Vec<PeerStats> {
        if self.core.context.is_left_behind() {
            return Vec::new();
        }
        self.core.peer_stats()
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.core.options
    }

    /// Its type.
    pub fn socket_type(&self) -> SocketType {
        self.core.kind
    }
}

impl Core {
    pub(crate) fn readiness(self: &Arc<Self>) -> Readiness {
        if self.context.is_left_behind() {
            return Readiness::default();
        }
        let readable = self.poll_readable();
        Readiness { readable, writable: self.poll_writable() }
    }

    pub(crate) fn is_writable(&self) -> bool {
        let mut send = self.send.lock();
        send.look_at_full_rings();
        match &self.dialogue {
            Some(dialogue) => send.sender.is_ready(&dialogue.lock()),
            None => send.sender.is_ready(&send.silent),
        }
    }
}
