//! All clients of the process, in one epoll loop.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
};

use super::{
    Purpose,
    client::{Client, Heard},
};
use crate::{
    Error,
    load::{Counter, Worker, say_reached},
    wire,
};

/// How many clients connect at the same time: fewer than any backlog.
const CONNECTING: usize = 64;
/// How many answers an idle client wants once it is told to go.
const ACTIVE_ANSWERS: u32 = 10;
/// Source addresses take turns: 127.1.0.1 and so on.
const ADDRESSES: u32 = 200;
/// How often the loop looks whether it was told something.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

pub(super) struct Crowd {
    purpose: Purpose,
    to: SocketAddrV4,
    wanted: usize,
    question: Vec<u8>,
    worker: Arc<Worker>,
    counter: Counter,
    go: Arc<AtomicBool>,
    poller: OwnedFd,
    clients: Vec<Option<Client>>,
    connected: u32,
    connecting: usize,
    open: usize,
    satisfied: usize,
    is_started: bool,
}

impl Crowd {
    pub(super) fn new(
        purpose: Purpose,
        endpoint: &str,
        wanted: usize,
        body_bytes: usize,
        worker: Arc<Worker>,
        go: Arc<AtomicBool>,
    ) -> Result<Crowd, Error> {
        let to =
            endpoint.strip_prefix("tcp://").and_then(|address| address.parse().ok()).ok_or_else(|| {
                Error::NotMeasurable(format!("the clients do not know how to connect to {endpoint:?}"))
            })?;
        Ok(Crowd {
            purpose,
            to,
            wanted,
            question: wire::message(&vec![b'q'; body_bytes]),
            counter: Counter::new(Arc::clone(&worker)),
            worker,
            go,
            poller: epoll::create(CreateFlags::CLOEXEC).map_err(waiting)?,
            clients: Vec::new(),
            connected: 0,
            connecting: 0,
            open: 0,
            satisfied: 0,
            is_started: false,
        })
    }

    /// Runs until the process ends or a connection is lost.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut buffer = vec![0; 64 * 1024];
        let mut events = Vec::with_capacity(256);
        loop {
            while self.connecting < CONNECTING && self.connecting + self.open < self.wanted {
                self.connect()?;
            }
            epoll::wait(&self.poller, spare_capacity(&mut events), Some(&LOOK)).map_err(waiting)?;
            for event in events.drain(..) {
                let index = event.data.u64() as usize;
                let Some(client) = self.clients[index].as_mut() else {
                    continue;
                };
                match client.hear(&mut buffer)? {
                    Heard::Nothing => {}
                    Heard::Open => self.on_open(index)?,
                    Heard::Answer(latency) => self.on_answer(index, latency)?,
                }
            }
            if self.purpose == Purpose::Idle && !self.is_started && self.go.load(Ordering::Relaxed) {
                self.start()?;
            }
        }
    }

    fn connect(&mut self) -> Result<(), Error> {
        let [_, _, high, low] = (self.connected % ADDRESSES + 1).to_be_bytes();
        self.connected += 1;
        let client = Client::connect(SocketAddrV4::new(Ipv4Addr::new(127, 1, high, low), 0), self.to)?;
        let index =
            match self.clients.iter().position(Option::is_none).filter(|_| self.purpose == Purpose::Churn) {
                Some(free) => free,
                None => {
                    self.clients.push(None);
                    self.clients.len() - 1
                }
            };
        epoll::add(&self.poller, &client.stream, EventData::new_u64(index as u64), EventFlags::IN)
            .map_err(waiting)?;
        self.clients[index] = Some(client);
        self.connecting += 1;
        Ok(())
    }

    fn on_open(&mut self, index: usize) -> Result<(), Error> {
        self.connecting -= 1;
        if self.purpose == Purpose::Churn {
            self.counter.batch(1);
            // Closing takes it out of the poller.
            self.clients[index] = None;
            return Ok(());
        }
        self.open += 1;
        if self.open < self.wanted {
            return Ok(());
        }
        say_reached();
        if self.purpose == Purpose::Echo { self.start() } else { Ok(()) }
    }

    /// The first question of everybody.
    fn start(&mut self) -> Result<(), Error> {
        self.is_started = true;
        self.clients.iter_mut().flatten().try_for_each(|client| client.ask(&self.question))
    }

    fn on_answer(&mut self, index: usize, latency: Duration) -> Result<(), Error> {
        self.worker.record(latency);
        self.counter.batch(1);
        let Some(client) = &mut self.clients[index] else {
            return Ok(());
        };
        if self.purpose == Purpose::Echo || client.answers < ACTIVE_ANSWERS {
            return client.ask(&self.question);
        }
        self.satisfied += 1;
        if self.satisfied == self.wanted {
            say_reached();
        }
        Ok(())
    }
}

fn waiting(error: rustix::io::Errno) -> Error {
    Error::io("waiting for the server")(error.into())
}
