//! The whole library on a simulated machine: virtual network, virtual time, one thread, one seed.
//!
//! For tests, of this library and of programs on it. Use the `try_` calls and the futures of sockets whose context comes from
//! [`Simulation::context`]; a call that would block cannot, because nobody else runs, and must not be used.
//!
//! ```
//! use std::time::Duration;
//! use serverlink::sim::{Faults, Simulation};
//!
//! let mut machine = Simulation::new(42, Faults::NONE);
//! let context = machine.context();
//! let pull = context.pull().open()?;
//! pull.bind("tcp://10.0.0.1:5555")?;
//! let push = context.push().open()?;
//! push.connect("tcp://10.0.0.1:5555")?;
//! push.try_send("over a network that is not there")?;
//! let received = machine.run(pull.recv_async(), Duration::from_secs(1)).expect("within a virtual second")?;
//! assert_eq!(received, "over a network that is not there".into());
//! # Ok::<(), serverlink::Error>(())
//! ```
//!
//! # What can happen to processes
//! Each context is a process on a computer of its own. The network between two of them can be cut ([`Simulation::partition`]), a process can be
//! suspended ([`Simulation::suspend`]), killed ([`Simulation::kill`]) or lose its power ([`Simulation::lose_power`]) and start again in
//! the same place, run out of descriptors ([`Simulation::limit_descriptors`]), and the whole machine can sleep ([`Simulation::jump`]).
//! There is no wall clock: the library reads none.
//!
//! ```
//! use std::time::Duration;
//! use serverlink::sim::{Faults, Simulation};
//!
//! let mut machine = Simulation::new(42, Faults::NONE);
//! let (here, there) = (machine.context(), machine.context());
//! let pull = there.pull().open()?;
//! pull.bind("tcp://10.0.0.1:5555")?;
//! let push = here.push().open()?;
//! push.connect("tcp://10.0.0.1:5555")?;
//!
//! machine.partition(&here, &there);
//! push.try_send("through thick and thin")?;
//! assert!(machine.run(pull.recv_async(), Duration::from_secs(10)).is_none(), "nothing gets through");
//! machine.heal(&here, &there);
//! let received = machine.run(pull.recv_async(), Duration::from_secs(60)).expect("the path heals by itself")?;
//! assert_eq!(received, "through thick and thin".into());
//! # Ok::<(), serverlink::Error>(())
//! ```

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

pub use serverlink_driver::sim::{Association, Faults, Host, World};

use crate::context::Context;
use crate::context::core::ContextCore;
use crate::env::Env;
use crate::io_thread::IoThread;
use crate::resolver::{Known, Script};

/// Sockets a simulated context may have.
const MAX_SOCKETS: usize = 65_535;

/// So many steps without the clock going on are no work any more. Large tests need some hundreds.
const MAX_STEPS_AT_ONCE: u32 = 100_000;

/// A machine in which everything that happens follows from its seed.
pub struct Simulation {
    world: World,
    io_threads: Vec<IoThread>,
    /// Of processes that died. They do nothing more, and give back at the end what their sockets left with them.
    dead: Vec<IoThread>,
    random: fastrand::Rng,
    names: Arc<Script>,
    steps_at_once: u32,
}

impl Simulation {
    /// A machine whose network has these faults, and which keeps epoll's laws or a completion port's ([`Faults::completions`]).
    pub fn new(seed: u64, faults: Faults) -> Simulation {
        let world = World::with_faults(seed, faults);
        let random = fastrand::Rng::with_seed(seed);
        Simulation {
            world,
            io_threads: Vec::new(),
            dead: Vec::new(),
            random,
            names: Arc::default(),
            steps_at_once: 0,
        }
    }

    /// The machine itself: its clock, what goes wrong on it, what is open there, and the ledger of registrations.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// From the next look-up on, `name` has these addresses, in this order, and the answer takes no time. It may also be the name of a
    /// network interface, for binding. Every context of this machine knows it; a name that nobody told of has no address.
    ///
    /// ```
    /// use std::time::Duration;
    /// use serverlink::sim::{Faults, Simulation};
    ///
    /// let mut machine = Simulation::new(7, Faults::NONE);
    /// machine.name("feed", &["10.0.0.1".parse()?, "10.0.0.2".parse()?]);
    /// let context = machine.context();
    /// let (pull, push) = (context.pull().open()?, context.push().open()?);
    /// pull.bind("tcp://10.0.0.2:5555")?; // nobody is at the first address
    /// push.connect("tcp://feed:5555")?;
    /// push.try_send("found")?;
    /// assert_eq!(machine.run(pull.recv_async(), Duration::from_secs(1)).expect("in time")?, "found".into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name(&mut self, name: &str, addresses: &[IpAddr]) {
        self.slow_name(name, addresses, Duration::ZERO);
    }

    /// The same, and each answer takes so long.
    pub fn slow_name(&mut self, name: &str, addresses: &[IpAddr], delay: Duration) {
        let addresses = addresses.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
        self.names.know(name, Known { addresses: Ok(addresses), delay });
    }

    /// From the next look-up on, `name` cannot be resolved, for this reason; the answer takes so long.
    pub fn name_fails(&mut self, name: &str, reason: &str, delay: Duration) {
        self.names.know(name, Known { addresses: Err(reason.to_owned()), delay });
    }

    /// One more process on this machine, so to speak: `inproc://` names are its own.
    pub fn context(&mut self) -> Context {
        self.context_with(1)
    }

    /// One more process with so many I/O threads, over which its sockets are spread. They run in an order that the seed draws anew for
    /// each step.
    pub fn context_with(&mut self, io_threads: usize) -> Context {
        let host = self.world.host();
        self.start(host, io_threads)
    }

    fn start(&mut self, host: Host, io_threads: usize) -> Context {
        let env = Env::simulated(self.world.clone(), host, self.random.u64(..), Arc::clone(&self.names));
        let outers = (0..io_threads.max(1)).map(|_| self.world.outer_on(host)).collect();
        let (core, io_threads) = ContextCore::simulated(env, outers, MAX_SOCKETS);
        self.io_threads.extend(io_threads);
        Context::from_core(core)
    }

    // ---- what happens to processes

    /// From now on nothing gets from one process to the other, in both directions: bytes, ends and attempts to connect are neither
    /// delivered nor refused. They wait, and go on when it is [healed](Simulation::heal).
    ///
    /// # Panics
    /// As all that takes a context: if the context is not of this machine.
    pub fn partition(&mut self, one: &Context, other: &Context) {
        self.partition_one_way(one, other);
        self.partition_one_way(other, one);
    }

    /// The same in one direction. No attempt to connect succeeds, and connections that stand carry bytes in the other direction, until
    /// the sender's buffer is full of what nobody can acknowledge.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn partition_one_way(&mut self, from: &Context, to: &Context) {
        self.world.cut(self.host_of(from), self.host_of(to));
    }

    /// Both directions are open again, and what waited arrives. If nobody gave the connections up meanwhile (heartbeats do), they go on
    /// as if nothing had been.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn heal(&mut self, one: &Context, other: &Context) {
        self.world.heal(self.host_of(one), self.host_of(other));
    }

    /// A process stands still (SIGSTOP) until it is [resumed](Simulation::resume). Its kernel goes on: it accepts connections and bytes,
    /// up to its buffers. Do not call its sockets meanwhile: a process that stands still calls nothing.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn suspend(&mut self, context: &Context) {
        self.world.set_suspended(self.host_of(context), true);
    }

    /// It goes on, and finds all that came and all that became due.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn resume(&mut self, context: &Context) {
        self.world.set_suspended(self.host_of(context), false);
    }

    /// A process dies without a word (SIGKILL). What its kernel had taken from it is still delivered, then peers see the end of its
    /// connections. Its sockets do nothing any more and can only be dropped. The context that is returned is the next process in its
    /// place, with as many I/O threads: the same computer, the same cuts, the same limits, free addresses.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn kill(&mut self, context: &Context) -> Context {
        self.world.kill(self.host_of(context));
        self.start_again(context)
    }

    /// A computer loses its power and starts again. As [`kill`](Simulation::kill), but what its kernel had is gone too, and no peer is
    /// told: one that sends learns from the answer that its connection is gone, one that is silent never does.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn lose_power(&mut self, context: &Context) -> Context {
        self.world.lose_power(self.host_of(context));
        self.start_again(context)
    }

    fn start_again(&mut self, context: &Context) -> Context {
        let host = self.host_of(context);
        let died = |io_thread: &mut IoThread| io_thread.host() == Some(host);
        self.dead.extend(self.io_threads.extract_if(.., died));
        self.start(host, context.io_threads())
    }

    /// How many sockets of the system a process may hold from now on: connections, listeners. Beyond, `bind` fails, and accepting and
    /// connecting are tried again later. `None` lifts the limit.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn limit_descriptors(&mut self, context: &Context, limit: Option<usize>) {
        self.world.set_descriptor_limit_of(self.host_of(context), limit);
    }

    /// The clock goes on by so much in one step, as when a computer sleeps: the network delivers what was under way, and no process runs before
    /// it is over.
    pub fn jump(&mut self, time: Duration) {
        self.world.advance_to(self.world.now() + time);
    }

    /// The computer on which a context is, for what [`World`] can do to it.
    ///
    /// # Panics
    /// As [`partition`](Simulation::partition).
    pub fn host_of(&self, context: &Context) -> Host {
        let host = context.env().host();
        host.expect("a context that Simulation::context made")
    }

    // ---- time

    /// Runs the machine until `future` is ready. `None`: it was not within `patience` of virtual time, or nothing would
    /// ever happen again.
    pub fn run<F: Future>(&mut self, future: F, patience: Duration) -> Option<F::Output> {
        let deadline = self.world.now() + patience;
        let mut future = pin!(future);
        let mut context = TaskContext::from_waker(Waker::noop());
        let mut more = true;
        loop {
            // Also after the last step, which may have been the one that made it ready.
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            if !more {
                return None;
            }
            more = self.step(deadline);
        }
    }

    /// Lets the machine run for so long.
    pub fn run_for(&mut self, time: Duration) {
        let deadline = self.world.now() + time;
        while self.step(deadline) {}
    }

    /// Everything that can happen now, then time up to the next thing. False: that lies behind `deadline`.
    ///
    /// # Panics
    /// If there is always something more to do at the same instant, and so nobody ever comes to rest.
    fn step(&mut self, deadline: Instant) -> bool {
        let before = self.world.now();
        let more = self.step_once(deadline);
        self.steps_at_once = if self.world.now() > before { 0 } else { self.steps_at_once + 1 };
        assert!(
            self.steps_at_once < MAX_STEPS_AT_ONCE || !more,
            "the machine goes round and round: {MAX_STEPS_AT_ONCE} steps, and no time has passed"
        );
        more
    }

    fn step_once(&mut self, deadline: Instant) -> bool {
        self.random.shuffle(&mut self.io_threads);
        let mut next: Option<Instant> = None;
        let world = &self.world;
        let runs = |io_thread: &&mut IoThread| io_thread.host().is_none_or(|host| !world.is_suspended(host));
        for io_thread in self.io_threads.iter_mut().filter(runs) {
            next = next.into_iter().chain(io_thread.step()).min();
        }
        if !self.world.is_quiet() {
            return true;
        }
        let due = next.into_iter().chain(self.world.next_due()).min();
        match due {
            Some(due) if due <= deadline => {
                self.world.advance_to(due);
                true
            }
            _ => {
                self.world.advance_to(deadline);
                false
            }
        }
    }
}
