//! Contexts: what sockets of one process have in common.

pub(crate) mod core;
pub(crate) mod registry;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::Kind;
use serverlink_message::SocketType;

use self::core::ContextCore;
use crate::env::Env;
use crate::error::Error;
use crate::options::Options;
use crate::report::ContextReport;
use crate::socket::Socket;

/// Most I/O threads of one context.
const MAX_IO_THREADS: usize = 64;

/// Makes sockets, and gives them I/O threads and a space of `inproc://` names.
///
/// One context for a process is the rule. It is a handle: clones are the same context. Dropping the last handle and the
/// last socket ends the I/O threads; nothing blocks. A process that wants its last messages delivered closes its
/// sockets ([`Socket::close`]) or calls [`terminate`](Context::terminate) before it exits.
///
/// ```
/// use serverlink::{Context, Error};
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// let push = context.push().open()?;
/// push.connect(&endpoint.to_string())?;
/// push.send("hello")?;
/// assert_eq!(pull.recv()?, "hello".into());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Context {
    core: Arc<ContextCore>,
}

/// Settings of a context. Made by [`Context::builder`].
#[derive(Clone, Debug)]
pub struct ContextBuilder {
    io_threads: usize,
    max_sockets: usize,
    driver: Option<Kind>,
}

impl Context {
    /// A context with one I/O thread.
    ///
    /// # Errors
    /// [`Error::Io`] if the system gives no thread or no descriptors; [`Error::InvalidOption`] if the variable
    /// `SERVERLINK_DRIVER` names a driver that this system does not have.
    pub fn new() -> Result<Context, Error> {
        Context::builder().build()
    }

    /// Settings first.
    pub fn builder() -> ContextBuilder {
        ContextBuilder { io_threads: 1, max_sockets: 65_535, driver: None }
    }

    pub(crate) fn from_core(core: Arc<ContextCore>) -> Context {
        Context { core }
    }

    /// Opens a socket with default options.
    ///
    /// # Errors
    /// As [`socket_with`](Context::socket_with).
    pub fn socket(&self, socket_type: SocketType) -> Result<Socket, Error> {
        self.socket_with(socket_type, Options::default())
    }

    /// Opens a socket. The typed ways ([`Context::push`] and so on) are safer; this one is for programs that choose the type
    /// at run time.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for an option that is out of range or means nothing to this type;
    /// [`Error::TooManySockets`]; [`Error::Terminated`]. Nothing was opened then.
    pub fn socket_with(&self, socket_type: SocketType, options: Options) -> Result<Socket, Error> {
        options.validate_for(socket_type)?;
        self.core.reserve_socket()?;
        Ok(Socket::open(socket_type, options, Arc::clone(&self.core)))
    }

    /// Ends every call that waits on a socket of this context, now and later, with [`Error::Terminated`]. Closing
    /// sockets still works, with their linger. Never blocks.
    pub fn shutdown(&self) {
        self.core.shut_down();
    }

    /// Shuts down, then waits until every socket is closed and its unsent messages are written or given up, at most
    /// for `patience`.
    ///
    /// The sockets have to be closed or dropped elsewhere, for which [`shutdown`](Context::shutdown) wakes their users.
    ///
    /// # Errors
    /// [`Error::TimedOut`]: some socket is still open or lingers. The context stays shut down; call again to
    /// wait longer.
    pub fn terminate(&self, patience: Duration) -> Result<(), Error> {
        self.shutdown();
        let deadline = Instant::now().checked_add(patience);
        loop {
            let registration = self.core.observers.register_thread();
            if self.core.live_sockets() == 0 {
                self.core.join_threads();
                return Ok(());
            }
            if deadline.is_some_and(|at| at <= Instant::now()) {
                return Err(Error::TimedOut);
            }
            registration.park(deadline);
        }
    }

    /// How many I/O threads it has.
    pub fn io_threads(&self) -> usize {
        self.core.io_threads()
    }

    /// What is there at this moment: every reactor, listener and connection of this context, closing sockets included.
    ///
    /// Whoever drives a reactor is asked, and answers in between; nothing is kept for this while nobody asks.
    pub fn report(&self) -> ContextReport {
        let reactors = self.core.reactors();
        ContextReport {
            driver: self.driver(),
            io_threads: self.io_threads(),
            reactors: reactors.iter().filter_map(|reactor| reactor.describe(None)).collect(),
        }
    }

    /// Through which interface of the operating system its connections are driven.
    pub fn driver(&self) -> Kind {
        self.core.kind
    }
}

impl ContextBuilder {
    /// I/O threads: 1 to 64, default 1. They serve the sockets whose users do not wait in a call; sockets are
    /// spread over them as they are opened. One is enough for gigabits.
    pub fn io_threads(mut self, threads: usize) -> ContextBuilder {
        self.io_threads = threads;
        self
    }

    /// How many sockets may be open at once: at least 1, default 65,535. Sockets that still linger count.
    pub fn max_sockets(mut self, sockets: usize) -> ContextBuilder {
        self.max_sockets = sockets;
        self
    }

    /// The driver, instead of the best one of this system or the one that `SERVERLINK_DRIVER` names.
    pub fn driver(mut self, kind: Kind) -> ContextBuilder {
        self.driver = Some(kind);
        self
    }

    /// Starts the I/O threads.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a number out of its range, or a driver that this system does not have;
    /// [`Error::Io`] if the system gives no thread or descriptors.
    pub fn build(self) -> Result<Context, Error> {
        if !(1..=MAX_IO_THREADS).contains(&self.io_threads) {
            return Err(Error::invalid_option("io_threads", self.io_threads, "1 to 64 are possible"));
        }
        if self.max_sockets == 0 {
            return Err(Error::invalid_option("max_sockets", 0, "at least 1 is needed"));
        }
        let kind = self.driver.map_or_else(driver_from_environment, Ok)?;
        ContextCore::start(Env::real(), kind, self.io_threads, self.max_sockets).map(Context::from_core)
    }
}

fn driver_from_environment() -> Result<Kind, Error> {
    match std::env::var("SERVERLINK_DRIVER") {
        Ok(name) => {
            name.parse().map_err(|error| Error::invalid_option("SERVERLINK_DRIVER", name, format!("{error}")))
        }
        Err(_) => Ok(Kind::native()),
    }
}
