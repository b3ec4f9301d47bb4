//! Everything the library takes from the machine besides I/O: the clock, chance, threads, and the names of other machines.
//!
//! There is one [`Env`] for each context, so that a simulated context runs on virtual time and a seed.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serverlink_driver::sim::{Host, World};

use crate::resolver::{Resolver, Script};

/// The machine as the library sees it.
#[derive(Clone)]
pub(crate) struct Env(Arc<Inner>);

struct Inner {
    machine: Machine,
    random: Mutex<fastrand::Rng>,
    may_spin: bool,
    resolver: Resolver,
}

enum Machine {
    Real,
    Simulated(World, Host),
}

impl Env {
    pub(crate) fn real(resolver: Resolver, spins: bool) -> Env {
        let has_several =
            || std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        Env::with(Machine::Real, fastrand::Rng::new(), spins && has_several(), resolver)
    }

    /// Virtual time and seeded chance; nothing starts a thread and nothing blocks.
    pub(crate) fn simulated(world: World, host: Host, seed: u64, names: Arc<Script>) -> Env {
        Env::with(
            Machine::Simulated(world, host),
            fastrand::Rng::with_seed(seed),
            false,
            Resolver::Scripted(names),
        )
    }

    fn with(machine: Machine, random: fastrand::Rng, may_spin: bool, resolver: Resolver) -> Env {
        Env(Arc::new(Inner { machine, random: Mutex::new(random), may_spin, resolver }))
    }

    /// Where names are looked up.
    pub(crate) fn resolver(&self) -> &Resolver {
        &self.0.resolver
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.0.machine {
            Machine::Real => Instant::now(),
            Machine::Simulated(world, _) => world.now(),
        }
    }

    pub(crate) fn world(&self) -> Option<&World> {
        match &self.0.machine {
            Machine::Real => None,
            Machine::Simulated(world, _) => Some(world),
        }
    }

    /// Which computer of the simulated world it is.
    pub(crate) fn host(&self) -> Option<Host> {
        match self.0.machine {
            Machine::Real => None,
            Machine::Simulated(_, host) => Some(host),
        }
    }

    pub(crate) fn random_u32(&self) -> u32 {
        self.0.random.lock().expect("the generator's lock is never held over a panic").u32(..)
    }

    /// Octets that nobody can guess, from the system; on a simulated machine from its seed.
    pub(crate) fn fill_with_chance(&self, octets: &mut [u8]) -> std::io::Result<()> {
        match &self.0.machine {
            Machine::Real => getrandom::fill(octets).map_err(std::io::Error::from),
            Machine::Simulated(..) => {
                self.0.random.lock().expect("the generator's lock is never held over a panic").fill(octets);
                Ok(())
            }
        }
    }

    /// A random duration, `least` and `most` included.
    pub(crate) fn random_between(&self, least: Duration, most: Duration) -> Duration {
        let nanos = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
        let mut random = self.0.random.lock().expect("the generator's lock is never held over a panic");
        least + Duration::from_nanos(random.u64(0..=nanos))
    }

    /// Spinning for another thread only helps where that thread can run meanwhile.
    pub(crate) fn may_spin(&self) -> bool {
        self.0.may_spin
    }

    /// Starts a thread, or tells that this machine has none.
    pub(crate) fn spawn<F: FnOnce() + Send + 'static>(
        &self,
        name: &str,
        run: F,
    ) -> std::io::Result<Option<JoinHandle<()>>> {
        match self.0.machine {
            Machine::Real => std::thread::Builder::new().name(name.to_owned()).spawn(run).map(Some),
            Machine::Simulated(..) => Ok(None),
        }
    }
}
