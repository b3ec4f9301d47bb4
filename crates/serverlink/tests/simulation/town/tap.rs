//! A socket as a program of the town uses it, and bugs that can be planted there.

use serverlink::sim::World;
use serverlink::{Context, Error, EventKind, Message, Monitor, Options, Socket, SocketType, Stats};

/// Bugs that the oracle must find. Each is one that a messaging library could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// After a reconnect the last message comes once more.
    DuplicateAfterReconnect,
    /// After a reconnect one subscription is missing.
    SubscriptionNotRestored,
    /// Two messages change places.
    Swapped,
    /// One message more than the mark says is queued.
    MarkOffByOne,
    /// An event is told twice.
    EventToldTwice,
    /// A socket of the system stays registered when its connection has ended.
    LeakedRegistration,
    /// The last message of a burst is lost.
    LostTail,
}

pub(crate) struct Tap {
    socket: Socket,
    monitor: Monitor,
    world: World,
    planted: Option<Planted>,
    established: u32,
    taken: u32,
    /// Messages that a planted bug took and did not give.
    hidden: u64,
    last: Option<Message>,
    /// Comes before anything else.
    held: Option<Message>,
    topics: Vec<&'static str>,
}

impl Tap {
    pub(crate) fn open(
        context: &Context,
        socket_type: SocketType,
        mut options: Options,
        world: &World,
        planted: Option<Planted>,
    ) -> Result<Tap, Error> {
        options.send_hwm += u32::from(planted == Some(Planted::MarkOffByOne));
        let socket = context.socket_with(socket_type, options)?;
        let monitor = socket.monitor();
        let world = world.clone();
        let (last, held, topics) = (None, None, Vec::new());
        Ok(Tap { socket, monitor, world, planted, established: 0, taken: 0, hidden: 0, last, held, topics })
    }

    pub(crate) fn bind(&self, endpoint: &str) -> Result<(), Error> {
        self.socket.bind(endpoint).map(drop)
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Result<(), Error> {
        self.socket.connect(endpoint)
    }

    pub(crate) fn subscribe(&mut self, topic: &'static str) {
        self.socket.subscribe(topic).expect("a short topic");
        self.topics.push(topic);
    }

    pub(crate) fn unsubscribe(&mut self, topic: &'static str) {
        self.socket.unsubscribe(topic).expect("the context lives");
        self.topics.retain(|known| *known != topic);
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.socket.stats();
        stats.received -= self.hidden;
        stats
    }

    pub(crate) fn try_send(&self, message: Message) -> Result<(), Error> {
        self.socket.try_send(message).map_err(Error::from)
    }

    pub(crate) fn try_recv(&mut self) -> Option<Message> {
        if let Some(message) = self.held.take() {
            self.hidden = self.hidden.saturating_sub(1);
            return Some(message);
        }
        let message = self.socket.try_recv().ok()?;
        self.taken += 1;
        match self.planted {
            Some(Planted::DuplicateAfterReconnect) => self.last = Some(message.clone()),
            Some(Planted::Swapped) if self.taken == 5 => {
                let Ok(next) = self.socket.try_recv() else { return Some(message) };
                self.held = Some(message);
                self.hidden += 1;
                return Some(next);
            }
            Some(Planted::LostTail) if self.taken > 5 && !self.socket.readiness().readable => {
                (self.taken, self.hidden) = (0, self.hidden + 1);
                return None;
            }
            _ => {}
        }
        Some(message)
    }

    pub(crate) fn next_event(&mut self) -> Option<EventKind> {
        let event = self.monitor.try_next()?.kind;
        let established = matches!(event, EventKind::Established { .. });
        self.established += u32::from(established);
        if established && self.established > 1 {
            self.on_reconnected();
        }
        Some(event)
    }

    fn on_reconnected(&mut self) {
        match self.planted {
            Some(Planted::DuplicateAfterReconnect) => self.held = self.last.take(),
            Some(Planted::SubscriptionNotRestored) => {
                if let Some(topic) = self.topics.pop() {
                    // It may be closed by now.
                    let _ = self.socket.unsubscribe(topic);
                }
            }
            Some(Planted::LeakedRegistration) => {
                let socket = self.world.raw_socket().expect("descriptors enough");
                let port = self.world.raw_port();
                socket.associate(&port).expect("its first registration");
                std::mem::forget(port);
            }
            _ => {}
        }
    }

    /// Whether the monitor tells this event once more.
    pub(crate) fn tells_twice(&self, event: &EventKind) -> bool {
        self.planted == Some(Planted::EventToldTwice)
            && self.established > 0
            && matches!(event, EventKind::Established { .. } | EventKind::Disconnected { .. })
    }

    /// Closes the socket. What its monitor still tells comes from what is returned.
    pub(crate) fn close(self) -> Monitor {
        self.monitor
    }

    pub(crate) fn monitor_dropped(&self) -> u64 {
        self.monitor.dropped()
    }
}
