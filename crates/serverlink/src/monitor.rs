//! What happens to a socket's connections, told to whoever wants to know.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serverlink_message::SocketType;

use crate::endpoint::Endpoint;
use crate::reactor::Farewell;
use crate::sync::{Lock, Waiters};

/// Events a monitor keeps for a reader who is behind; older ones are dropped and counted.
const QUEUE_EVENTS: usize = 4096;

/// Something that happened to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The socket listens. `endpoint` has the port that the system chose.
    Listening {
        /// Where.
        endpoint: Endpoint,
    },
    /// The socket does not listen there any more.
    ListenerClosed {
        /// Where it did.
        endpoint: Endpoint,
    },
    /// A peer connected to a listener, or a connection that the application made was adopted; the handshake begins.
    Accepted {
        /// The listener's endpoint, or the adopted stream's own.
        endpoint: Endpoint,
    },
    /// A connection that came was lost before it began: the driver did not take it.
    AcceptFailed {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// The system's words.
        error: String,
    },
    /// A listener accepts nobody for now: the system has no descriptors or memory left, or
    /// [`max_connections`](crate::Options::max_connections) are open. Who comes waits in the system's queue. Told once;
    /// [`AcceptResumed`](EventKind::AcceptResumed) follows.
    AcceptPaused {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// Why, as a sentence or in the system's words.
        reason: String,
    },
    /// A listener that had paused accepts again.
    AcceptResumed {
        /// The listener's endpoint.
        endpoint: Endpoint,
    },
    /// A peer came that none of the [`accept_filters`](crate::Options::accept_filters) lets in. Its connection is closed, and nothing was read
    /// from it. Counted in [`Stats::filtered`](crate::Stats::filtered).
    AcceptFiltered {
        /// The listener's endpoint.
        endpoint: Endpoint,
        /// Who it was, as a sentence.
        reason: String,
    },
    /// A dialer reached its peer; the handshake begins.
    Connected {
        /// The dialer's endpoint.
        endpoint: Endpoint,
    },
    /// The handshake is done and messages can flow.
    Established {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// What the peer is.
        socket_type: SocketType,
        /// The routing id it announced; empty if none.
        routing_id: Vec<u8>,
    },
    /// A ROUTER gave the peer no name. A peer that came to a listener was refused in its handshake, and comes back if it is a dialer; one over
    /// inproc waits, and is let in when the name is free. One that the ROUTER itself dialed stays connected, and is neither written nor read.
    RoutingIdRefused {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// The routing id that it announced.
        routing_id: Vec<u8>,
        /// Why not.
        why: String,
    },
    /// A ROUTER's peer lost its routing id to a newer connection, and is closed.
    HandedOver {
        /// The old connection's endpoint.
        endpoint: Endpoint,
        /// Messages of it that were not read, and are dropped.
        discarded: usize,
    },
    /// A connection attempt or handshake came to nothing.
    HandshakeFailed {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// Why, as a sentence.
        reason: String,
    },
    /// An established connection has ended.
    Disconnected {
        /// The listener's or dialer's endpoint.
        endpoint: Endpoint,
        /// Why, as a sentence.
        reason: String,
    },
    /// The system reports no more events for this socket: its connections are closed, its listeners and dialers are gone, and calls that would
    /// wait fail with [`Error::Io`](crate::Error::Io). Close the socket and open another.
    DriverFailed {
        /// The system's words.
        error: String,
    },
    /// A dialer tries again after `delay`.
    Retrying {
        /// The dialer's endpoint.
        endpoint: Endpoint,
        /// Attempts since the last established connection.
        attempt: u32,
        /// The pause, chance included.
        delay: Duration,
        /// Why, as a sentence.
        trouble: String,
    },
    /// A dialer tries no more, because of [`reconnect_stop`](crate::Options::reconnect_stop). What was queued for its peer is dropped and
    /// counted ([`Stats::dropped_with_peer`](crate::Stats::dropped_with_peer)), and the socket is as if it had disconnected. Connect again to
    /// start anew.
    GaveUp {
        /// The dialer's endpoint.
        endpoint: Endpoint,
        /// How the last attempt, or connection, ended, as a sentence.
        trouble: String,
    },
}

impl EventKind {
    pub(crate) fn ended(endpoint: Endpoint, was_open: bool, farewell: &Farewell) -> EventKind {
        let reason = farewell.to_string();
        match was_open {
            true => EventKind::Disconnected { endpoint, reason },
            false => EventKind::HandshakeFailed { endpoint, reason },
        }
    }
}

impl std::fmt::Display for Farewell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Farewell::PeerClosed => f.write_str("the peer closed the connection"),
            Farewell::Wire(error) => write!(f, "{error}"),
            Farewell::TurnedAway(why) => write!(f, "turned away: {why}"),
            Farewell::ConnectTimeout => f.write_str("nobody answered within the connect_timeout"),
            Farewell::HandshakeTimeout => f.write_str("the handshake took too long"),
            Farewell::HeartbeatTimeout => f.write_str("nothing was heard from the peer for too long"),
            Farewell::Io(error) => write!(f, "the system reported: {error}"),
            Farewell::HandedOver => f.write_str("its routing id went to a newer connection"),
            Farewell::Closed => f.write_str("closed by this side"),
        }
    }
}

/// Where a socket tells its events. Costs one load while nobody listens.
#[derive(Default)]
pub(crate) struct MonitorHub {
    used: AtomicBool,
    queues: Lock<Vec<Weak<Queue>>>,
}

struct Queue {
    events: Lock<Backlog>,
    waiters: Arc<Waiters>,
}

#[derive(Default)]
struct Backlog {
    events: VecDeque<EventKind>,
    dropped: u64,
}

impl MonitorHub {
    /// Call without locks but the topology's; a monitor's reader runs no code here.
    pub(crate) fn tell(&self, event: impl FnOnce() -> EventKind) {
        if !self.used.load(Ordering::Acquire) {
            return;
        }
        let event = event();
        self.queues.lock().retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(event.clone());
                true
            }
            None => false,
        });
    }

    pub(crate) fn open(&self) -> Monitor {
        let queue = Arc::new(Queue { events: Lock::default(), waiters: Arc::default() });
        self.queues.lock().push(Arc::downgrade(&queue));
        self.used.store(true, Ordering::Release);
        Monitor { queue }
    }
}

impl Queue {
    fn push(&self, event: EventKind) {
        {
            let mut backlog = self.events.lock();
            if backlog.events.len() == QUEUE_EVENTS {
                backlog.events.pop_front();
                backlog.dropped += 1;
            }
            backlog.events.push_back(event);
        }
        self.waiters.notify_all();
    }
}

/// The events of one socket from the moment it was opened, in order.
///
/// It keeps up to 4096 events for a reader who is behind; then the oldest are dropped and counted.
pub struct Monitor {
    queue: Arc<Queue>,
}

impl Monitor {
    /// The next event, if one is there.
    pub fn try_next(&self) -> Option<EventKind> {
        self.queue.events.lock().events.pop_front()
    }

    /// The next event; waits for it up to `deadline`. `None`: none came.
    pub fn next_deadline(&self, deadline: Instant) -> Option<EventKind> {
        loop {
            let registration = self.queue.waiters.register_thread();
            if let Some(event) = self.try_next() {
                return Some(event);
            }
            if Instant::now() >= deadline {
                return None;
            }
            registration.park(Some(deadline));
        }
    }

    /// How many events were dropped because nobody read them in time.
    pub fn dropped(&self) -> u64 {
        self.queue.events.lock().dropped
    }
}
