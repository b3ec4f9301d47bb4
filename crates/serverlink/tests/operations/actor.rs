//! A socket of the play, and what is remembered of it.

use serverlink::{EventKind, Monitor, Options, Socket, SocketType};

use crate::choices::Choices;
use crate::mail::Serial;
use crate::setting::NAMES;
use crate::topics::Wish;

/// An open socket.
pub(crate) struct Actor {
    pub(crate) serial: Serial,
    pub(crate) socket: Socket,
    /// Sent and received by the application; the socket's own counters have to say the same.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) subscribed: Vec<Wish>,
    /// Routing ids that messages came from.
    pub(crate) heard: Vec<Vec<u8>>,
}

/// What is remembered of a socket when it is gone.
pub(crate) struct Record {
    pub(crate) kind: SocketType,
    pub(crate) options: Options,
    pub(crate) sent: u32,
    pub(crate) binds: usize,
    pub(crate) connects: usize,
    pub(crate) monitor: Monitor,
}

impl Actor {
    pub(crate) fn new(serial: Serial, socket: Socket) -> Actor {
        Actor { serial, socket, sent: 0, received: 0, subscribed: Vec::new(), heard: Vec::new() }
    }

    pub(crate) fn addressee(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        match choices.once_in(3) || self.heard.is_empty() {
            true => choices.of(&NAMES).into(),
            false => self.heard[choices.index(self.heard.len())].clone(),
        }
    }

    pub(crate) fn assert_counted(&self) {
        let stats = self.socket.stats();
        let kind = self.socket.socket_type();
        assert_eq!(stats.received, self.received, "received by a {kind}: {stats:?}");
        assert_eq!(stats.sent, self.sent, "sent by a {kind}: {stats:?}");
    }
}

impl Record {
    pub(crate) fn had_one_connection(&self) -> bool {
        let established = std::iter::from_fn(|| self.monitor.try_next())
            .filter(|event| matches!(event.kind, EventKind::Established { .. }));
        self.binds == 0 && self.connects == 1 && established.count() <= 1
    }
}
