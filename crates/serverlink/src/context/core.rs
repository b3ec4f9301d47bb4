//! A context as its sockets share it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serverlink_driver::{Kind, Outer, fork};

use super::io_threads::IoThreads;
use super::registry::Registry;
use crate::env::Env;
use crate::error::Error;
use crate::io_thread::{IoShared, IoThread};
use crate::monitor::Audience;
use crate::reactor::Reactor;
use crate::security::SharedAuthenticator;
use crate::socket::Subscription;
use crate::socket::core::Core;
use crate::stats::ContextStats;
use crate::sync::{Lock, Waiters};

/// See the module's page.
pub(crate) struct ContextCore {
    pub(crate) env: Env,
    pub(crate) kind: Kind,
    pub(crate) registry: Lock<Registry>,
    io: Vec<Arc<IoShared>>,
    threads: Lock<Vec<JoinHandle<()>>>,
    next_io: AtomicUsize,
    shut_down: AtomicBool,
    /// The process that made it.
    generation: u32,
    max_sockets: usize,
    sockets: Lock<Vec<Weak<Core>>>,
    next_socket: AtomicU64,
    /// Sockets of the application that are not through with closing.
    live: AtomicUsize,
    /// The same of the library's own.
    internal: AtomicUsize,
    /// Who judges peers for sockets that have nobody of their own.
    pub(crate) authenticator: OnceLock<SharedAuthenticator>,
    /// Who listens to all of its sockets.
    pub(crate) audience: Arc<Audience>,
    pub(crate) observers: Arc<Waiters>,
}

impl ContextCore {
    /// With threads of its own.
    pub(crate) fn start(
        env: Env,
        kind: Kind,
        io_threads: &IoThreads,
        max_sockets: usize,
    ) -> Result<Arc<ContextCore>, Error> {
        fork::watch();
        let mut io = Vec::with_capacity(io_threads.count);
        let mut threads = Vec::with_capacity(io_threads.count);
        for index in 0..io_threads.count {
            let outer = Outer::open(kind).map_err(|source| opening("an I/O thread's driver", source))?;
            let (thread, shared) = IoThread::new(env.clone(), outer, index);
            match io_threads.start(&env, index, thread) {
                Ok(handle) => threads.extend(handle),
                Err(source) => {
                    io.iter().for_each(|shared: &Arc<IoShared>| shared.stop());
                    return Err(opening("an I/O thread", source));
                }
            }
            io.push(shared);
        }
        Ok(ContextCore::with(env, kind, io, threads, max_sockets))
    }

    /// On a simulated machine: its I/O threads, one for each outer poller, are stepped by the simulation.
    pub(crate) fn simulated(
        env: Env,
        outers: Vec<Outer>,
        max_sockets: usize,
    ) -> (Arc<ContextCore>, Vec<IoThread>) {
        let (threads, io) = outers
            .into_iter()
            .enumerate()
            .map(|(index, outer)| IoThread::new(env.clone(), outer, index))
            .unzip();
        (ContextCore::with(env, Kind::Simulated, io, Vec::new(), max_sockets), threads)
    }

    fn with(
        env: Env,
        kind: Kind,
        io: Vec<Arc<IoShared>>,
        threads: Vec<JoinHandle<()>>,
        max_sockets: usize,
    ) -> Arc<ContextCore> {
        Arc::new(ContextCore {
            env,
            kind,
            registry: Lock::default(),
            io,
            threads: Lock::new(threads),
            next_io: AtomicUsize::new(0),
            shut_down: AtomicBool::new(false),
            generation: fork::generation(),
            max_sockets,
            sockets: Lock::default(),
            next_socket: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            internal: AtomicUsize::new(0),
            authenticator: OnceLock::new(),
            audience: Arc::default(),
            observers: Arc::default(),
        })
    }

    #[inline]
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }

    /// Whether this process was forked from the one that made it. Then nothing of it may be touched: its threads are not here, its locks may be
    /// held by them for ever, and its descriptors are those of the parent.
    #[inline]
    pub(crate) fn is_left_behind(&self) -> bool {
        fork::generation() != 0 && self.is_of_another_process()
    }

    #[cold]
    fn is_of_another_process(&self) -> bool {
        fork::generation() != self.generation
    }

    #[inline]
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if self.is_left_behind() { Err(Error::Forked) } else { Ok(()) }
    }

    pub(crate) fn io_threads(&self) -> usize {
        self.io.len()
    }

    /// The I/O thread for whoever needs one and has no reactor.
    pub(crate) fn any_io(&self) -> &Arc<IoShared> {
        &self.io[0]
    }

    /// A reactor for one socket, on the I/O thread whose turn it is among those that the socket may live on; 0: on any.
    pub(crate) fn open_reactor(&self, affinity: u64) -> Result<Arc<Reactor>, Error> {
        let may_live = |index: &usize| affinity == 0 || (*index < 64 && affinity >> index & 1 == 1);
        let allowed: Vec<usize> = (0..self.io.len()).filter(may_live).collect();
        if allowed.is_empty() {
            let why =
                format!("it names none of the context's {} I/O threads; bit 0 is the first", self.io.len());
            let value = format!("{affinity:#x}");
            return Err(Error::InvalidOption { option: "affinity", value, why });
        }
        let index = allowed[self.next_io.fetch_add(1, Ordering::Relaxed) % allowed.len()];
        let opened = Reactor::open(self.env.clone(), Arc::clone(&self.io[index]));
        opened.map_err(|source| opening("opening a driver for the socket's connections", source))
    }

    /// Every reactor that has something, or had and is not retired yet.
    pub(crate) fn reactors(&self) -> Vec<Arc<Reactor>> {
        self.io.iter().flat_map(|io| io.reactors()).collect()
    }

    // ---- its sockets

    /// Room for one more socket.
    pub(crate) fn reserve_socket(&self) -> Result<(), Error> {
        self.check_process()?;
        if self.is_shut_down() {
            return Err(Error::Terminated);
        }
        let max = self.max_sockets;
        let reserved = self
            .live
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |live| (live < max).then_some(live + 1));
        reserved.map(|_| ()).map_err(|_| Error::TooManySockets)
    }

    /// The number of a new socket.
    pub(crate) fn next_socket(&self) -> u64 {
        self.next_socket.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn add_socket(&self, core: &Arc<Core>) {
        if core.is_internal {
            self.internal.fetch_add(1, Ordering::AcqRel);
        }
        let mut sockets = self.sockets.lock();
        sockets.retain(|socket| socket.strong_count() > 0);
        sockets.push(Arc::downgrade(core));
    }

    pub(crate) fn socket_closed(&self, core: &Arc<Core>) {
        self.sockets.lock().retain(|socket| !std::ptr::eq(socket.as_ptr(), Arc::as_ptr(core)));
        let open = if core.is_internal { &self.internal } else { &self.live };
        open.fetch_sub(1, Ordering::AcqRel);
        self.observers.notify_all();
    }

    /// Sockets that are not through with closing, the library's own included.
    pub(crate) fn live_sockets(&self) -> usize {
        self.live.load(Ordering::Acquire) + self.internal.load(Ordering::Acquire)
    }

    /// The application's sockets, in the order in which they were opened.
    pub(crate) fn sockets(&self) -> Vec<Arc<Core>> {
        let sockets = self.sockets.lock();
        sockets.iter().filter_map(Weak::upgrade).filter(|core| !core.is_internal).collect()
    }

    pub(crate) fn stats(&self) -> ContextStats {
        let sockets = if self.is_left_behind() { Vec::new() } else { self.sockets() };
        let sockets = sockets.iter().map(|core| core.socket_stats()).collect();
        ContextStats { at: SystemTime::now(), sockets }
    }

    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        let sockets = if self.is_left_behind() { Vec::new() } else { self.sockets() };
        let mut known = BTreeMap::new();
        for Subscription { subject, is_pattern, peers } in
            sockets.iter().flat_map(|core| core.subscriptions())
        {
            *known.entry((is_pattern, subject)).or_default() += peers;
        }
        let told = |((is_pattern, subject), peers)| Subscription { subject, is_pattern, peers };
        known.into_iter().map(told).collect()
    }

    /// Every call on every socket ends with [`Error::Terminated`] from now on.
    pub(crate) fn shut_down(&self) {
        if self.is_left_behind() {
            return;
        }
        self.shut_down.store(true, Ordering::SeqCst);
        let sockets: Vec<Arc<Core>> = self.sockets.lock().iter().filter_map(Weak::upgrade).collect();
        sockets.iter().for_each(|core| core.wake_everybody());
    }

    /// Ends the I/O threads and waits for them. Only when no socket is left.
    pub(crate) fn join_threads(&self) {
        self.stop_threads();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            if thread.thread().id() != std::thread::current().id() {
                // A thread that panicked has said so on standard error.
                let _ = thread.join();
            }
        }
    }

    fn stop_threads(&self) {
        self.io.iter().for_each(|io| io.stop());
    }
}

impl Drop for ContextCore {
    /// The last socket and the last handle are gone. Never blocks: the threads end by themselves.
    fn drop(&mut self) {
        if !self.is_left_behind() {
            self.stop_threads();
            self.audience.end();
        }
    }
}

fn opening(what: &'static str, source: std::io::Error) -> Error {
    Error::Io { doing: what, endpoint: None, source }
}
