//! Contexts: what sockets of one process have in common.

pub(crate) mod core;
mod io_threads;
pub(crate) mod registry;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serverlink_driver::{Kind, why_not_processor};
use serverlink_message::SocketType;

use self::core::ContextCore;
use self::io_threads::IoThreads;
use crate::env::Env;
use crate::error::Error;
use crate::feed::StatsServer;
use crate::monitor::{Callback, Event, Monitor};
use crate::options::Options;
use crate::report::ContextReport;
use crate::resolver::{LookUp, Resolver};
use crate::security::{Authenticator, SharedAuthenticator};
use crate::socket::{Socket, Subscription};
use crate::stats::ContextStats;

/// Most I/O threads of one context.
const MAX_IO_THREADS: usize = 64;

/// Linux shows 15 bytes of a thread's name, and behind the prefix there are up to 6 (`-io-63`).
const MAX_PREFIX_BYTES: usize = 9;

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
#[derive(Clone)]
pub struct ContextBuilder {
    io_threads: IoThreads,
    max_sockets: usize,
    spins: bool,
    driver: Option<Kind>,
    look_up: Option<LookUp>,
    authenticator: Option<SharedAuthenticator>,
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
        let io_threads = IoThreads { count: 1, prefix: "slk".to_owned(), processors: Vec::new() };
        ContextBuilder {
            io_threads,
            max_sockets: 65_535,
            spins: true,
            driver: None,
            look_up: None,
            authenticator: None,
        }
    }

    pub(crate) fn from_core(core: Arc<ContextCore>) -> Context {
        Context { core }
    }

    pub(crate) fn env(&self) -> &Env {
        &self.core.env
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
    /// wait longer. [`Error::Forked`] in the child of a fork.
    pub fn terminate(&self, patience: Duration) -> Result<(), Error> {
        self.core.check_process()?;
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

    /// Tells what happens to the connections of all its sockets from now on, those opened later included.
    pub fn monitor(&self) -> Monitor {
        if self.core.is_left_behind() {
            return Monitor::ended();
        }
        self.core.audience.open()
    }

    /// Calls `callback` for every event of all its sockets from now on, as [`Socket::on_event`] does for one.
    pub fn on_event(&self, callback: impl FnMut(&Event) + Send + 'static) {
        if !self.core.is_left_behind() {
            self.core.audience.call(Callback::new(callback));
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
        let reactors = if self.core.is_left_behind() { Vec::new() } else { self.core.reactors() };
        ContextReport {
            driver: self.driver(),
            io_threads: self.io_threads(),
            reactors: reactors.iter().filter_map(|reactor| reactor.describe(None)).collect(),
        }
    }

    /// What the peers of its publishers asked for: each topic and pattern once, sorted, topics first, with the peers of all PUB and XPUB sockets added
    /// up. See [`Socket::subscriptions`].
    ///
    /// ```
    /// let context = serverlink::Context::new()?;
    /// let publisher = context.publisher().open()?;
    /// publisher.bind("inproc://news")?;
    /// let subscriber = context.subscriber().open()?;
    /// subscriber.subscribe("sports")?;
    /// subscriber.connect("inproc://news")?;
    /// publisher.wait_for_subscribers(1, std::time::Duration::from_secs(10))?;
    /// assert_eq!(context.subscriptions()[0].subject, b"sports");
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.core.subscriptions()
    }

    /// The counters of all its open sockets and their peers at this moment.
    pub fn stats(&self) -> ContextStats {
        self.core.stats()
    }

    /// Opens an endpoint where the counters and events of this context can be followed: `slk top`, `slk monitor` and `slk stats` connect there, and
    /// so can any SUB socket. `docs/stats.md` has the messages.
    ///
    /// It takes a thread, which sleeps while nobody is connected; a snapshot is made each second while somebody asks for them. It is
    /// no socket of the application: it counts nowhere, and ends with the context. Whoever can connect can read, so listen on
    /// loopback or `ipc://` where the network is not yours.
    ///
    /// # Errors
    /// As [`Socket::bind`]; [`Error::Io`] also if the system has no thread, and on a simulated machine, which has none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use serverlink::{Context, Error};
    ///
    /// let context = Context::new()?;
    /// let server = context.serve_stats("tcp://127.0.0.1:*")?;
    ///
    /// let watcher = Context::new()?.subscriber().recv_timeout(Duration::from_secs(10)).open()?;
    /// watcher.subscribe("stats")?;
    /// watcher.connect(&server.endpoint().to_string())?;
    /// let snapshot = watcher.recv()?;
    /// assert_eq!(snapshot.first(), "stats");
    /// assert!(String::from_utf8_lossy(&snapshot[1]).contains("\"version\":1"));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn serve_stats(&self, endpoint: &str) -> Result<StatsServer, Error> {
        self.core.check_process()?;
        StatsServer::open(&self.core, endpoint)
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
        self.io_threads.count = threads;
        self
    }

    /// What the names of the context's threads begin with: 1 to 9 bytes, so that systems with short names show the rest, and no zero byte.
    /// Default `slk`. libzmq: `ZMQ_THREAD_NAME_PREFIX`.
    pub fn thread_name_prefix(mut self, prefix: impl Into<String>) -> ContextBuilder {
        self.io_threads.prefix = prefix.into();
        self
    }

    /// The processors on which the I/O threads may run, counted from 0; none: on all. Linux only, elsewhere [`build`](ContextBuilder::build)
    /// refuses any. Threads of the program that wait in a call drive their sockets themselves, and run where the program lets them.
    /// Default none. libzmq: `ZMQ_THREAD_AFFINITY_CPU_ADD`.
    pub fn io_thread_processors(mut self, processors: impl IntoIterator<Item = usize>) -> ContextBuilder {
        self.io_threads.processors = processors.into_iter().collect();
        self
    }

    /// How names in `tcp://name:port` become addresses, instead of the system's resolver. The addresses are tried in their order; none, or an
    /// error, is a failed attempt, and every attempt asks anew.
    ///
    /// It is called on threads of the context, up to four at a time, and for binding on the thread that binds. It may take its time: only what
    /// asked waits for it. Names of network interfaces are the system's all the same. Default: the system's resolver.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use serverlink::Context;
    ///
    /// let context = Context::builder().resolver(|_name| Ok(vec![IpAddr::from([127, 0, 0, 1])])).build()?;
    /// let pull = context.pull().open()?;
    /// let port = pull.bind("tcp://127.0.0.1:*")?.to_string().rsplit_once(':').expect("it has a port").1.to_owned();
    /// let push = context.push().open()?;
    /// push.connect(&format!("tcp://wherever:{port}"))?;
    /// push.send("found")?;
    /// assert_eq!(pull.recv()?, "found".into());
    /// # Ok::<(), serverlink::Error>(())
    /// ```
    pub fn resolver<F>(mut self, look_up: F) -> ContextBuilder
    where
        F: Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    {
        let with_ports = |ips: Vec<IpAddr>| ips.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
        self.look_up = Some(Arc::new(move |name: &str| look_up(name).map(with_ports)));
        self
    }

    /// Whether a thread that would sleep in a call looks for what it waits for a little longer: up to 20 us, and only while that
    /// was worth it lately; up to 100 us when it tries again, rarely, after it was not. Where peers answer at once that saves both ends a sleep and a wake-up: less latency, and less processor time.
    /// Default true, but never on a single processor.
    ///
    /// Turn it off where threads that wait have to leave the processor at once, whatever it costs: more threads that are always busy than
    /// processors, or a host that bills what a guest does not sleep.
    pub fn spin(mut self, spins: bool) -> ContextBuilder {
        self.spins = spins;
        self
    }

    /// Who judges the peers of sockets that have no [`authenticator`](crate::Options::authenticator) of their own, in place of a handler of ZAP
    /// and by its rules: see [`security`](crate::security). Default: none.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> ContextBuilder {
        self.authenticator = Some(SharedAuthenticator::new(authenticator));
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
    /// [`Error::InvalidOption`] for a value out of its range, or a driver or a processor that this system does not have;
    /// [`Error::Io`] if the system gives no thread or descriptors.
    pub fn build(self) -> Result<Context, Error> {
        let IoThreads { count, prefix, processors } = &self.io_threads;
        if !(1..=MAX_IO_THREADS).contains(count) {
            return Err(Error::invalid_option("io_threads", count, "1 to 64 are possible"));
        }
        if !(1..=MAX_PREFIX_BYTES).contains(&prefix.len()) || prefix.contains('\0') {
            return Err(Error::invalid_option(
                "thread_name_prefix",
                prefix,
                "it has 1 to 9 bytes, none of them 0",
            ));
        }
        if let Some(why) = processors.iter().find_map(|processor| why_not_processor(*processor)) {
            return Err(Error::invalid_option("io_thread_processors", processors, why));
        }
        if self.max_sockets == 0 {
            return Err(Error::invalid_option("max_sockets", 0, "at least 1 is needed"));
        }
        let kind = self.driver.map_or_else(driver_from_environment, Ok)?;
        let resolver = Resolver::threads(format!("{prefix}-resolver"), self.look_up);
        let env = Env::real(resolver, self.spins);
        let core = ContextCore::start(env, kind, &self.io_threads, self.max_sockets)?;
        if let Some(authenticator) = self.authenticator {
            let _ = core.authenticator.set(authenticator);
        }
        Ok(Context::from_core(core))
    }
}

impl std::fmt::Debug for ContextBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextBuilder")
            .field("io_threads", &self.io_threads)
            .field("max_sockets", &self.max_sockets)
            .field("spins", &self.spins)
            .field("driver", &self.driver)
            .finish_non_exhaustive()
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
