//! omq-tokio's end of a case.

use std::time::{Duration, Instant};

use bytes::Bytes;
use omq_tokio::{Context, Message, Options, blocking::Socket, options::ReconnectPolicy};
use serverlink::SocketType;

use crate::foreign::{Foreign, GLANCE, PATIENCE, Parts};

pub(crate) struct Omq {
    /// `None` only while it is dropped.
    socket: Option<Socket>,
    _context: Context,
}

impl Omq {
    pub(crate) fn open(socket_type: SocketType) -> Omq {
        Omq::with(socket_type, |_| {})
    }

    /// One that sends a PING after so much silence, and gives up whoever does not answer.
    pub(crate) fn with_heartbeats(socket_type: SocketType, pause: Duration) -> Omq {
        Omq::with(socket_type, |options| {
            options.heartbeat_interval = Some(pause);
            options.heartbeat_timeout = Some(pause * 2);
        })
    }

    fn with(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Omq {
        let mut options = Options {
            reconnect: ReconnectPolicy::Fixed(Duration::from_millis(20)),
            router_mandatory: socket_type == SocketType::Router,
            ..Options::default()
        };
        change(&mut options);
        let context = Context::new();
        Omq { socket: Some(context.blocking_socket(raw_type(socket_type), options)), _context: context }
    }

    fn socket(&self) -> &Socket {
        self.socket.as_ref().expect("it is dropped last")
    }

    fn recv_within(&self, patience: Duration) -> Result<Parts, omq_tokio::Error> {
        let message = self.socket().recv_timeout(patience)?;
        Ok((0..message.len()).map(|index| message.part_bytes(index).expect("a part").to_vec()).collect())
    }
}

impl Foreign for Omq {
    /// It closes in the background: an address that was just given up may take a moment.
    fn bind(&mut self, endpoint: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.socket().bind(endpoint) {
                Ok(bound) => return bound.to_string(),
                Err(error) if Instant::now() > deadline => panic!("omq binding {endpoint}: {error}"),
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    fn connect(&mut self, endpoint: &str) {
        self.socket().connect(endpoint).expect("omq connecting");
    }

    fn send(&mut self, parts: &Parts) {
        let message = Message::multipart(parts.iter().map(|part| Bytes::copy_from_slice(part)));
        self.socket().send_timeout(message, PATIENCE).expect("omq sending");
    }

    fn recv(&mut self) -> Parts {
        self.recv_within(PATIENCE).expect("omq receiving")
    }

    fn glance(&mut self) -> Option<Parts> {
        self.recv_within(GLANCE).ok()
    }

    fn subscribe(&mut self, topic: &[u8]) {
        self.socket().subscribe(topic.to_vec()).expect("omq subscribing");
    }

    fn unsubscribe(&mut self, topic: &[u8]) {
        self.socket().unsubscribe(topic.to_vec()).expect("omq unsubscribing");
    }
}

impl Drop for Omq {
    fn drop(&mut self) {
        let socket = self.socket.take().expect("it is dropped once");
        // What it could not deliver is not to be delivered.
        let _ = socket.close_with_linger(Some(Duration::ZERO));
    }
}

fn raw_type(socket_type: SocketType) -> omq_tokio::SocketType {
    match socket_type {
        SocketType::Pair => omq_tokio::SocketType::Pair,
        SocketType::Pub => omq_tokio::SocketType::Pub,
        SocketType::Sub => omq_tokio::SocketType::Sub,
        SocketType::Req => omq_tokio::SocketType::Req,
        SocketType::Rep => omq_tokio::SocketType::Rep,
        SocketType::Dealer => omq_tokio::SocketType::Dealer,
        SocketType::Router => omq_tokio::SocketType::Router,
        SocketType::Pull => omq_tokio::SocketType::Pull,
        SocketType::Push => omq_tokio::SocketType::Push,
        SocketType::Xpub => omq_tokio::SocketType::XPub,
        SocketType::Xsub => omq_tokio::SocketType::XSub,
        other => panic!("nobody here talks to {other}"),
    }
}
