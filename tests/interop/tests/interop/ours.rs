//! ServerLink's end of a case.

use std::time::{Duration, Instant};

use serverlink::{Context, Error, EventKind, Message, Monitor, Options, Part, Socket, SocketType};

use crate::ends::{End, GLANCE, Library, PATIENCE, Parts};

pub(crate) struct Ours(Socket);

impl Ours {
    pub(crate) fn open(socket_type: SocketType) -> Ours {
        Ours::open_with(socket_type, |_| {})
    }

    pub(crate) fn open_with(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Ours {
        let mut options = Options {
            routing_id: if socket_type == SocketType::Router { b"ours".to_vec() } else { Vec::new() },
            router_mandatory: socket_type == SocketType::Router,
            // Their timers would repair a lost wake-up before the test notices it.
            heartbeat_interval: Duration::ZERO,
            ..Options::default()
        };
        change(&mut options);
        let context = Context::new().expect("a context");
        Ours(context.socket_with(socket_type, options).expect("a socket"))
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.0
    }

    fn recv_within(&self, patience: Duration) -> Result<Parts, Error> {
        let message = self.0.recv_deadline(Instant::now() + patience)?;
        Ok(message.iter().map(|part| part.as_bytes().to_vec()).collect())
    }
}

impl End for Ours {
    fn bind(&self, endpoint: &str) -> String {
        self.0.bind(endpoint).expect("binding").to_string()
    }

    fn connect(&self, endpoint: &str) {
        self.0.connect(endpoint).expect("connecting");
    }

    fn send(&self, parts: &Parts) {
        let message = Message::from_parts(parts.iter().map(|part| Part::copy_from(part)));
        self.0.send_deadline(message, Instant::now() + PATIENCE).expect("sending to libzmq");
    }

    fn recv(&self) -> Parts {
        self.recv_within(PATIENCE).expect("receiving from libzmq")
    }

    fn glance(&self) -> Option<Parts> {
        match self.recv_within(GLANCE) {
            Ok(parts) => Some(parts),
            Err(Error::TimedOut) => None,
            Err(error) => panic!("receiving from libzmq: {error}"),
        }
    }

    fn subscribe(&self, topic: &[u8]) {
        match self.0.socket_type() {
            SocketType::Xsub => self.send(&vec![[&[1], topic].concat()]),
            _ => self.0.subscribe(topic).expect("subscribing"),
        }
    }

    fn unsubscribe(&self, topic: &[u8]) {
        match self.0.socket_type() {
            SocketType::Xsub => self.send(&vec![[&[0], topic].concat()]),
            _ => self.0.unsubscribe(topic).expect("unsubscribing"),
        }
    }

    fn has_subscriptions(&self, wanted: usize) -> Option<bool> {
        match self.0.wait_for_subscribers(wanted, GLANCE) {
            Ok(_) => Some(true),
            Err(Error::TimedOut) => Some(false),
            Err(error) => panic!("waiting for subscribers: {error}"),
        }
    }

    fn nudge(&self) {}

    fn wait_for_peer(&self) {
        self.0.wait_for_peers(1, PATIENCE).expect("libzmq's handshake");
    }

    fn wait_until_alone(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.0.stats().peers > 0 {
            assert!(Instant::now() < deadline, "the end of the connection was not noticed");
            std::thread::yield_now();
        }
    }

    fn close(self: Box<Self>) {
        self.0.close(Duration::ZERO);
    }

    fn library(&self) -> Library {
        Library::Ours
    }
}

/// Until one of its events is as wanted.
pub(crate) fn wait_for(events: &Monitor, wanted: impl Fn(&EventKind) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let event = events.next_deadline(deadline).expect("the event comes in time");
        if wanted(&event.kind) {
            return;
        }
    }
}
