//! ServerLink's end of a case.

use std::time::{Duration, Instant};

use serverlink::{Context, Error, Linger, Message, Options, Part, Socket, SocketType};

use crate::foreign::{GLANCE, PATIENCE, Parts};

pub(crate) struct Ours(pub(crate) Socket);

impl Ours {
    pub(crate) fn open(socket_type: SocketType) -> Ours {
        Ours::with(socket_type, |_| {})
    }

    pub(crate) fn with(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Ours {
        let mut options = Options {
            router_mandatory: socket_type == SocketType::Router,
            // Their timers would repair a lost wake-up before the test notices it.
            heartbeat_interval: Duration::ZERO,
            reconnect_interval: Duration::from_millis(20),
            reconnect_interval_max: Duration::ZERO,
            linger: Linger::For(Duration::ZERO),
            ..Options::default()
        };
        change(&mut options);
        let context = Context::new().expect("a context");
        Ours(context.socket_with(socket_type, options).expect("a socket"))
    }

    pub(crate) fn bind(&self, endpoint: &str) -> String {
        self.0.bind(endpoint).expect("binding").to_string()
    }

    pub(crate) fn connect(&self, endpoint: &str) {
        self.0.connect(endpoint).expect("connecting");
    }

    pub(crate) fn send(&self, parts: &Parts) {
        let message = Message::from_parts(parts.iter().map(|part| Part::copy_from(part)));
        self.0.send_deadline(message, Instant::now() + PATIENCE).expect("sending");
    }

    pub(crate) fn recv(&self) -> Parts {
        self.recv_within(PATIENCE).expect("receiving")
    }

    /// Waits only for a moment.
    pub(crate) fn glance(&self) -> Option<Parts> {
        match self.recv_within(GLANCE) {
            Ok(parts) => Some(parts),
            Err(Error::TimedOut) => None,
            Err(error) => panic!("receiving: {error}"),
        }
    }

    fn recv_within(&self, patience: Duration) -> Result<Parts, Error> {
        let message = self.0.recv_deadline(Instant::now() + patience)?;
        Ok(message.iter().map(|part| part.as_bytes().to_vec()).collect())
    }

    pub(crate) fn wait_for_peer(&self) {
        self.0.wait_for_peers(1, PATIENCE).expect("the peer's handshake");
    }

    /// Waits until the last peer was noticed to be gone.
    pub(crate) fn wait_until_alone(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.0.stats().peers > 0 {
            assert!(Instant::now() < deadline, "the end of the connection was not noticed");
            std::thread::yield_now();
        }
    }

    /// Gives up the socket and its endpoints, and returns when they are free.
    pub(crate) fn close(self) {
        self.0.close(Duration::ZERO);
    }
}
