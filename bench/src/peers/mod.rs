//! The competitors behind one small interface, so that every role is written once.

pub(crate) mod libzmq;
mod libzmq_api;
pub(crate) mod nng;
mod nng_api;
mod outside;
pub(crate) mod raw;
mod raw_batches;
#[cfg(target_os = "linux")]
mod raw_echo;
mod raw_ping_pong;
mod raw_ring;
mod raw_turns;
pub(crate) mod serverlink;
pub(crate) mod serverlink_batch;
mod setup;

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use outside::program as outside_program;
pub use setup::Setup;

use crate::{
    Error, Transport,
    load::{Asker, Counter, Source, spawn_worker},
};

/// What a measured socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the patterns' own names")]
pub enum Kind {
    Push,
    Pull,
    Dealer,
    Router,
    Req,
    Rep,
    Pub,
    Sub,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] =
        [Kind::Push, Kind::Pull, Kind::Dealer, Kind::Router, Kind::Req, Kind::Rep, Kind::Pub, Kind::Sub];

    /// The name in a role's arguments.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Push => "push",
            Kind::Pull => "pull",
            Kind::Dealer => "dealer",
            Kind::Router => "router",
            Kind::Req => "req",
            Kind::Rep => "rep",
            Kind::Pub => "pub",
            Kind::Sub => "sub",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| Error::UnknownName {
            what: "kind of socket",
            name: name.to_owned(),
            known: Kind::ALL.map(Kind::as_str).join(" "),
        })
    }
}

/// A competitor: makes sockets.
///
/// What it cannot do is [`Error::Absent`] with the reason in one sentence; the table shows that sentence.
pub trait Library: Sized + 'static {
    /// One socket, used by one thread at a time.
    type Socket: Socket;
    /// How many callers one answering socket can serve.
    const CALLERS_PER_SERVER: usize = usize::MAX;

    /// Starts the library: one I/O thread, the high-water marks of the setup, the system's buffers.
    ///
    /// # Errors
    /// [`Error::Absent`] if it is not installed.
    fn open(setup: &Setup) -> Result<Self, Error>;

    /// A bound socket, and the endpoint that peers connect to (see [`fresh_endpoint`]). Does not wait for a peer.
    ///
    /// # Errors
    /// [`Error::Absent`] if it has no such socket or transport.
    fn bind(&self, kind: Kind, transport: Transport) -> Result<(Self::Socket, String), Error>;

    /// A socket that connects. A sender or a caller may use it at once; what it sends waits for the connection.
    ///
    /// # Errors
    /// [`Error::Absent`] if it has no such socket or transport.
    fn connect(&self, kind: Kind, endpoint: &str) -> Result<Self::Socket, Error>;

    /// A bound and a connected socket of one process.
    ///
    /// # Errors
    /// As `bind` and `connect`.
    fn inproc_pair(&self, bound: Kind, connected: Kind) -> Result<(Self::Socket, Self::Socket), Error> {
        let (bound, endpoint) = self.bind(bound, Transport::Inproc)?;
        Ok((bound, self.connect(connected, &endpoint)?))
    }

    /// Keeps every socket receiving, each on a thread of its own, for the rest of the process. A library of tasks overrides it
    /// with a task for each.
    ///
    /// # Errors
    /// If the receivers cannot be started.
    fn drain_all(&self, ends: Vec<(Self::Socket, Counter)>) -> Result<(), Error> {
        for (mut socket, mut counter) in ends {
            spawn_worker(move || socket.drain(&mut counter));
        }
        Ok(())
    }
}

/// One socket of a competitor.
///
/// The first methods move single messages; the others are whole loops over them, which run until the process ends or their load
/// is done. An asynchronous library overrides the loops, so that its runtime is entered once and not for each message, and may
/// then leave the first methods unreachable.
pub trait Socket: Send + Sized + 'static {
    /// Sends the body, blocking at the high-water mark. Returns how many messages that were: one, except where the kernel
    /// itself is measured with batches.
    ///
    /// # Errors
    /// What the library said.
    fn send(&mut self, body: &[u8]) -> Result<u64, Error>;

    /// Blocks for at least one message and passes each body to the counter.
    ///
    /// # Errors
    /// What the library said.
    fn recv(&mut self, counter: &mut Counter) -> Result<(), Error>;

    /// ROUTER: receives one message and sends it back to where it came from.
    ///
    /// # Errors
    /// [`Error::Absent`] if the library has no such socket.
    fn echo(&mut self, counter: &mut Counter) -> Result<(), Error> {
        let _ = counter;
        Err(Error::Absent("it has no ROUTER that answers".into()))
    }

    /// SUB: asks for the messages that begin with the topic.
    ///
    /// # Errors
    /// [`Error::Absent`] if the library has no such socket.
    fn subscribe(&mut self, topic: &[u8]) -> Result<(), Error> {
        let _ = topic;
        Err(Error::Absent("it has no subscriptions".into()))
    }

    /// The same socket for one more thread.
    ///
    /// # Errors
    /// [`Error::Absent`] if the library does not allow that.
    fn share(&self) -> Result<Self, Error> {
        Err(Error::Absent("its sockets are for one thread each".into()))
    }

    /// Sends all that the source gives.
    ///
    /// # Errors
    /// As `send`.
    fn flood(&mut self, source: &mut Source) -> Result<(), Error> {
        while let Some(body) = source.next_body() {
            let sent = self.send(body)?;
            source.sent(sent);
        }
        Ok(())
    }

    /// Receives without end.
    ///
    /// # Errors
    /// As `recv`.
    fn drain(&mut self, counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.recv(counter)?;
        }
    }

    /// REP: answers every question with `body`, without end.
    ///
    /// # Errors
    /// As `recv` and `send`.
    fn answer(&mut self, body: &[u8], counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.recv(counter)?;
            self.send(std::hint::black_box(body))?;
        }
    }

    /// REQ: asks what the asker wants asked, one question at a time.
    ///
    /// # Errors
    /// As `send` and `recv`.
    fn ask(&mut self, asker: &mut Asker) -> Result<(), Error> {
        loop {
            std::thread::sleep(asker.wait());
            let Some(body) = asker.next_body() else {
                return Ok(());
            };
            self.send(body)?;
            self.recv(asker.counter())?;
            asker.answered();
        }
    }

    /// ROUTER: echoes without end.
    ///
    /// # Errors
    /// As `echo`.
    fn echo_all(&mut self, counter: &mut Counter) -> Result<(), Error> {
        loop {
            self.echo(counter)?;
        }
    }
}

/// A fresh endpoint to bind: a wildcard port, a path nobody has, a name nobody has.
pub fn fresh_endpoint(transport: Transport) -> String {
    match transport {
        Transport::Tcp => "tcp://127.0.0.1:0".to_owned(),
        Transport::Ipc => format!("ipc://{}", fresh_path().display()),
        Transport::Inproc => format!("inproc://bench-{}", next_number()),
    }
}

pub(crate) fn fresh_path() -> std::path::PathBuf {
    let name = format!("serverlink-bench-{}-{}", std::process::id(), next_number());
    std::env::temp_dir().join(name)
}

fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
