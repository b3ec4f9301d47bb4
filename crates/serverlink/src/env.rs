//! Everything the library takes from the machine besides I/O: the clock, chance, and threads.
//!
//! There is one [`Env`] for each context, so that a simulated context runs on virtual time and a seed.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serverlink_driver::sim::World;

/// The machine as the library sees it.
#[derive(Clone)]
pub(crate) struct Env(Arc<Inner>);

struct Inner {
    machine: Machine,
    random: Mutex<fastrand::Rng>,
    parallelism: usize,
}

enum Machine {
    Real,
    Simulated(World),
}

impl Env {
    pub(crate) fn real() -> Env {
        let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
        Env::with(Machine::Real, fastrand::Rng::new(), parallelism)
    }

    /// Virtual time and seeded chance; nothing starts a thread and nothing blocks.
    pub(crate) fn simulated(world: World, seed: u64) -> Env {
        Env::with(Machine::Simulated(world), fastrand::Rng::with_seed(seed), 1)
    }

    fn with(machine: Machine, random: fastrand::Rng, parallelism: usize) -> Env {
        Env(Arc::new(Inner { machine, random: Mutex::new(random), parallelism }))
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.0.machine {
            Machine::Real => Instant::now(),
            Machine::Simulated(world) => world.now(),
        }
    }

    pub(crate) fn world(&self) -> Option<&World> {
        match &self.0.machine {
            Machine::Real => None,
            Machine::Simulated(world) => Some(world),
        }
    }

    pub(crate) fn random_u32(&self) -> u32 {
        self.0.random.lock().expect("the generator's lock is never held over a panic").u32(..)
    }

    /// A random duration in `0..=longest`.
    pub(crate) fn random_up_to(&self, longest: Duration) -> Duration {
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        let mut random = self.0.random.lock().expect("the generator's lock is never held over a panic");
        Duration::from_nanos(random.u64(0..=nanos))
    }

    /// Spinning for another thread only helps where that thread can run meanwhile.
    pub(crate) fn may_spin(&self) -> bool {
        self.0.parallelism > 1
    }

    /// Starts a thread, or tells that this machine has none.
    pub(crate) fn spawn<F: FnOnce() + Send + 'static>(
        &self,
        name: &str,
        run: F,
    ) -> std::io::Result<Option<JoinHandle<()>>> {
        match self.0.machine {
            Machine::Real => std::thread::Builder::new().name(name.to_owned()).spawn(run).map(Some),
            Machine::Simulated(_) => Ok(None),
        }
    }
}
