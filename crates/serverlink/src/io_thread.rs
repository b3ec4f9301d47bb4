//! The I/O thread: serves the reactors that nobody drives, and flushes what callers leave behind.
//!
//! It sleeps in an outer driver over its reactors. A caller that drives one masks it there, so two threads with two
//! sockets never meet. A quiet process has it asleep without a deadline.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serverlink_driver::sim::Host;
use serverlink_driver::{Outer, OuterWaker, Remote};
use serverlink_patterns::PipeId;

use crate::env::Env;
use crate::reactor::failure::Failure;
use crate::reactor::{Command, Reactor};
use crate::socket::core::Core;
use crate::socket::write::Watched;
use crate::sync::{Lock, Parked};

/// How often a streaming connection is checked for a tail that nobody flushed.
const WATCH: Duration = Duration::from_micros(100);

/// How long a stopped I/O thread waits for the last operations of what was closed.
const GRACE: Duration = Duration::from_secs(1);

/// How long an I/O thread sleeps that nothing can wake.
const LIMP: Duration = Duration::from_millis(10);

/// After this many checks without anything to do a connection is not streaming any more.
const QUIET_CHECKS: u8 = 4;

/// What an I/O thread shares with everybody who asks it for something.
pub(crate) struct IoShared {
    /// Which of the context's I/O threads it is.
    index: usize,
    outer: OuterWaker,
    reactors: Lock<BTreeMap<u64, Arc<Reactor>>>,
    next_token: AtomicU64,
    requests: Lock<Requests>,
    /// The thread sleeps, or is about to: a request has to wake it.
    parked: Parked,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Requests {
    flush: Vec<(Weak<Core>, PipeId)>,
    /// When the leases of reactors end whose role lies.
    looks: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Reactors that were given back.
    serve: Vec<u64>,
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// The earliest entry of each reactor in `deadlines`.
    armed: BTreeMap<u64, Instant>,
}

impl Requests {
    fn next_look(&self) -> Option<Instant> {
        self.looks.peek().map(|Reverse((at, _))| *at)
    }

    /// A deadline that a sooner one replaced, or whose reactor is gone, need not wake anybody.
    fn drop_outdated(&mut self) {
        while let Some(&Reverse((at, token))) = self.deadlines.peek()
            && self.armed.get(&token) != Some(&at)
        {
            self.deadlines.pop();
        }
    }
}

impl IoShared {
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn reactors(&self) -> Vec<Arc<Reactor>> {
        self.reactors.lock().values().cloned().collect()
    }

    /// Whether it still serves this reactor.
    pub(crate) fn knows(&self, token: u64) -> bool {
        self.reactors.lock().contains_key(&token)
    }

    pub(crate) fn outer(&self) -> &OuterWaker {
        &self.outer
    }

    pub(crate) fn new_token(&self) -> u64 {
        self.next_token.fetch_add(1, Ordering::Relaxed)
    }

    /// Watches a new reactor.
    pub(crate) fn adopt(&self, reactor: &Arc<Reactor>, token: u64, remote: &Remote) -> io::Result<()> {
        self.reactors.lock().insert(token, Arc::clone(reactor));
        self.outer.add(remote, token).inspect_err(|_| {
            self.reactors.lock().remove(&token);
        })
    }

    pub(crate) fn forget(&self, token: u64) {
        // It fails only for a token that is gone already.
        let _ = self.outer.remove(token);
        let reactor = self.reactors.lock().remove(&token);
        self.requests.lock().armed.remove(&token);
        drop(reactor);
        if self.stopping.load(Ordering::SeqCst) {
            let _ = self.outer.wake();
        }
    }

    // ---- requests

    pub(crate) fn ask_to_flush(&self, core: &Arc<Core>, pipe: PipeId) {
        self.requests.lock().flush.push((Arc::downgrade(core), pipe));
        self.wake_if_parked();
    }

    /// A role lies from now on: look when its lease is over. Does not wake the thread now.
    pub(crate) fn look_at(&self, token: u64, at: Instant, now: Instant) {
        let mut requests = self.requests.lock();
        let is_first = requests.next_look().is_none_or(|first| at < first);
        requests.looks.push(Reverse((at, token)));
        if is_first {
            // Under the lock: who comes later with a later look must not put the timer off.
            let _ = self.outer.arm(at.saturating_duration_since(now));
        }
    }

    /// A reactor was given back: its timers are this thread's from now on.
    pub(crate) fn serve_now(&self, token: u64) {
        self.requests.lock().serve.push(token);
        self.wake_if_parked();
    }

    pub(crate) fn serve_at(&self, token: u64, at: Instant) {
        let mut requests = self.requests.lock();
        if requests.armed.get(&token).is_none_or(|&armed| at < armed) {
            requests.armed.insert(token, at);
            requests.deadlines.push(Reverse((at, token)));
        }
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = self.outer.wake();
    }

    fn wake_if_parked(&self) {
        if self.parked.must_be_woken() {
            let _ = self.outer.wake();
        }
    }
}

/// The thread's own part.
pub(crate) struct IoThread {
    env: Env,
    shared: Arc<IoShared>,
    outer: Outer,
    ready: Vec<u64>,
    watched: Vec<WatchedPipe>,
    next_watch: Option<Instant>,
    /// It is stopping, and ends then at the latest.
    until: Option<Instant>,
    /// Its outer driver reports nothing any more.
    failed: bool,
    /// Reactors in which a panic was caught.
    broken: BTreeSet<u64>,
}

struct WatchedPipe {
    core: Weak<Core>,
    pipe: PipeId,
    writes: u64,
    quiet_checks: u8,
}

impl IoThread {
    pub(crate) fn new(env: Env, outer: Outer, index: usize) -> (IoThread, Arc<IoShared>) {
        let shared = Arc::new(IoShared {
            index,
            outer: outer.waker(),
            reactors: Lock::default(),
            next_token: AtomicU64::new(0),
            requests: Lock::default(),
            parked: Parked::default(),
            stopping: AtomicBool::new(false),
        });
        let thread = IoThread {
            env,
            shared: Arc::clone(&shared),
            outer,
            ready: Vec::new(),
            watched: Vec::new(),
            next_watch: None,
            until: None,
            failed: false,
            broken: BTreeSet::new(),
        };
        (thread, shared)
    }

    /// Until the context stops it.
    pub(crate) fn run_until_stopped(mut self) {
        while !self.is_over() {
            self.work();
            let timeout = self.prepare_to_sleep();
            self.sleep(timeout);
        }
    }

    /// Stopped, and the last operations of what was closed came home, or did not for a long time.
    fn is_over(&mut self) -> bool {
        if !self.shared.stopping.load(Ordering::SeqCst) {
            return false;
        }
        let now = self.env.now();
        let until = *self.until.get_or_insert(now + GRACE);
        self.shared.reactors.lock().is_empty() || until <= now
    }

    pub(crate) fn host(&self) -> Option<Host> {
        self.env.host()
    }

    /// One round without sleeping, for a simulated machine. Gives the instant at which it wants to run again.
    pub(crate) fn step(&mut self) -> Option<Instant> {
        self.work();
        self.sleep(Some(Duration::ZERO));
        self.work();
        if self.has_work() { Some(self.env.now()) } else { self.next_deadline() }
    }

    fn work(&mut self) {
        self.flush();
        self.look();
        self.watch();
        self.serve();
    }

    /// Announces the sleep, then looks for requests once more: whoever comes later wakes us.
    fn prepare_to_sleep(&mut self) -> Option<Duration> {
        self.shared.parked.announce();
        if self.has_work() {
            return Some(Duration::ZERO);
        }
        let now = self.env.now();
        self.next_deadline().map(|at| at.saturating_duration_since(now))
    }

    fn has_work(&self) -> bool {
        let requests = self.shared.requests.lock();
        !self.ready.is_empty() || !requests.flush.is_empty() || !requests.serve.is_empty()
    }

    fn sleep(&mut self, timeout: Option<Duration>) {
        if self.failed {
            // Nothing wakes it any more, and sockets still have to be closed.
            std::thread::sleep(timeout.map_or(LIMP, |timeout| timeout.min(LIMP)));
        } else if let Err(error) = self.outer.wait(&mut self.ready, timeout) {
            self.fail(&Failure::of(&error));
        }
        self.shared.parked.retract();
    }

    /// The system does not let it wait any more: the sockets of its reactors are told.
    fn fail(&mut self, failure: &Failure) {
        self.failed = true;
        for reactor in self.shared.reactors() {
            reactor.post(Command::Fail(failure.clone()));
            reactor.tell_failure(failure);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let mut requests = self.shared.requests.lock();
        requests.drop_outdated();
        let timer = requests.deadlines.peek().map(|Reverse((at, _))| *at);
        let look = requests.next_look();
        timer.into_iter().chain(self.next_watch).chain(look).chain(self.until).min()
    }

    // ---- reactors

    fn serve(&mut self) {
        let mut tokens = std::mem::take(&mut self.ready);
        {
            let now = self.env.now();
            let mut requests = self.shared.requests.lock();
            tokens.append(&mut requests.serve);
            while let Some(&Reverse((at, token))) = requests.deadlines.peek()
                && at <= now
            {
                requests.deadlines.pop();
                if requests.armed.get(&token) == Some(&at) {
                    requests.armed.remove(&token);
                    tokens.push(token);
                }
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        for &token in &tokens {
            if let Some(reactor) = self.reactor(token)
                && self.run(&reactor, token)
            {
                self.ready.push(token);
            }
        }
    }

    /// A reactor that panics takes only its own sockets along.
    fn run(&mut self, reactor: &Arc<Reactor>, token: u64) -> bool {
        if let Ok(again) = catch_unwind(AssertUnwindSafe(|| reactor.run_for_io_thread())) {
            return again;
        }
        let failure = Failure::of_a_panic();
        reactor.tell_failure(&failure);
        if self.broken.insert(token) {
            reactor.post(Command::Fail(failure));
        } else {
            // It cannot even be taken down.
            self.shared.forget(token);
        }
        false
    }

    fn reactor(&self, token: u64) -> Option<Arc<Reactor>> {
        self.shared.reactors.lock().get(&token).cloned()
    }

    /// Leases end. The timer that wakes us for it needs no wake-up by the one who left.
    fn look(&mut self) {
        let mut due = Vec::new();
        {
            let mut requests = self.shared.requests.lock();
            if requests.looks.is_empty() {
                return;
            }
            let now = self.env.now();
            while let Some(&Reverse((at, token))) = requests.looks.peek()
                && at <= now
            {
                requests.looks.pop();
                due.push(token);
            }
        }
        for token in due {
            if let Some(reactor) = self.reactor(token) {
                reactor.look();
            }
        }
    }

    // ---- outboxes

    fn flush(&mut self) {
        let requests = std::mem::take(&mut self.shared.requests.lock().flush);
        for (core, pipe) in requests {
            let writes = core.upgrade().and_then(|core| core.flush_for_caller(pipe));
            if let Some(writes) = writes {
                self.watched.push(WatchedPipe { core, pipe, writes, quiet_checks: 0 });
            }
        }
        if self.next_watch.is_none() && !self.watched.is_empty() {
            self.next_watch = Some(self.env.now() + WATCH);
        }
    }

    fn watch(&mut self) {
        let Some(at) = self.next_watch else { return };
        let now = self.env.now();
        if now < at {
            return;
        }
        self.watched.retain_mut(WatchedPipe::check);
        self.next_watch = (!self.watched.is_empty()).then_some(now + WATCH);
    }
}

impl Drop for IoThread {
    /// Its reactors hold its shared half, which holds them.
    fn drop(&mut self) {
        let abandoned = std::mem::take(&mut *self.shared.reactors.lock());
        abandoned.values().for_each(|reactor| reactor.abandon());
    }
}

impl WatchedPipe {
    /// False: it needs no watching any more.
    fn check(&mut self) -> bool {
        let Some(core) = self.core.upgrade() else { return false };
        match core.watch(self.pipe, self.writes) {
            Some(Watched::Busy(writes)) => {
                self.writes = writes;
                self.quiet_checks = 0;
                true
            }
            Some(Watched::Quiet) if self.quiet_checks < QUIET_CHECKS => {
                self.quiet_checks += 1;
                true
            }
            Some(Watched::Quiet) => !core.stop_watching(self.pipe),
            None => false,
        }
    }
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use serverlink_driver::Kind;

    use super::*;
    use crate::resolver::Resolver;

    const ROUNDS: usize = 20_000;

    /// What is left of the one timer of this process that runs, as the system tells.
    fn left_of_the_timer() -> Option<Duration> {
        std::fs::read_dir("/proc/self/fdinfo").expect("Linux has it").find_map(|entry| {
            let info = std::fs::read_to_string(entry.ok()?.path()).ok()?;
            let value = info.lines().find_map(|line| line.strip_prefix("it_value: ("))?.trim_end_matches(')');
            let (seconds, nanos) = value.split_once(", ")?;
            let left = Duration::new(seconds.trim().parse().ok()?, nanos.trim().parse().ok()?);
            (!left.is_zero()).then_some(left)
        })
    }

    /// Both are through here at nearly the same moment, as they would not be where one has to be woken.
    fn meet(arrived: &AtomicUsize, round: usize) {
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < 2 * round {
            std::thread::yield_now();
        }
    }

    /// One leaves with a timer that is due in a minute, the other with a lease of an hour.
    #[test]
    fn of_two_who_leave_at_once_the_sooner_look_sets_the_timer() {
        const MINUTE: Duration = Duration::from_secs(60);
        let env = Env::real(Resolver::threads("test".to_owned(), None), false);
        let (_thread, shared) = IoThread::new(env, Outer::open(Kind::Epoll).expect("an epoll"), 0);
        let (before, behind, now) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
        let late = std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    meet(&before, round);
                    shared.look_at(1, now + 60 * MINUTE, now);
                    meet(&behind, round);
                }
            });
            let is_late = |&round: &usize| {
                shared.requests.lock().looks.clear();
                meet(&before, round);
                shared.look_at(2, now + MINUTE, now);
                meet(&behind, round);
                left_of_the_timer().is_none_or(|left| left > MINUTE)
            };
            (1..=ROUNDS).filter(is_late).count()
        });
        assert_eq!(late, 0, "so many of {ROUNDS} times the timer was put off");
    }
}
