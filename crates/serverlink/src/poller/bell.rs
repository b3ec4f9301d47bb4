//! How a thread that waits in a poller sleeps, and what ends its sleep.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use serverlink_driver::Watch;

/// Rung by sockets and by other threads; heard by the one thread whose turn it is.
#[derive(Default)]
pub(super) struct Bell(Arc<Inside>);

#[derive(Default)]
struct Inside {
    state: Mutex<State>,
    watch: PerhapsWatch,
    ring: Condvar,
    turns: Condvar,
}

#[derive(Default)]
struct State {
    rung: bool,
    woken: bool,
    /// Registrations that may be ready.
    suspects: BTreeSet<usize>,
    /// A thread waits; others wait for it.
    taken: bool,
    /// It sleeps with the system.
    in_watch: bool,
}

/// Made with the first foreign descriptor: without one a poller costs the system nothing.
type PerhapsWatch = OnceLock<Watch>;

/// The right to ring, which does not keep the poller alive.
pub(super) struct Ringer(Weak<Inside>);

/// The right to wait. Dropping it lets the next thread in.
pub(super) struct Turn<'a>(&'a Inside);

/// What happened since the last look.
pub(super) struct Rung {
    pub(super) woken: bool,
    suspects: BTreeSet<usize>,
}

impl Rung {
    pub(super) fn has(&self, key: usize) -> bool {
        self.suspects.contains(&key)
    }
}

impl Bell {
    pub(super) fn watch(&self) -> &PerhapsWatch {
        &self.0.watch
    }

    pub(super) fn ringer(&self) -> Ringer {
        Ringer(Arc::downgrade(&self.0))
    }

    pub(super) fn suspect(&self, key: usize) {
        self.0.suspect(key);
    }

    pub(super) fn wake(&self) {
        let mut state = self.0.lock();
        state.woken = true;
        self.0.ring(state);
    }

    /// Waits until no other thread does. `None`: the deadline passed first.
    pub(super) fn take_turn(&self, deadline: Option<Instant>) -> Option<Turn<'_>> {
        let mut state = self.0.lock();
        while state.taken {
            if deadline.is_some_and(|at| at <= Instant::now()) {
                return None;
            }
            state = wait(&self.0.turns, state, deadline);
        }
        state.taken = true;
        Some(Turn(&self.0))
    }
}

impl Ringer {
    pub(super) fn suspect(&self, key: usize) {
        if let Some(inside) = self.0.upgrade() {
            inside.suspect(key);
        }
    }
}

impl Turn<'_> {
    /// What rang since the last look; from here on it rings again.
    pub(super) fn rung(&self) -> Rung {
        let mut state = self.0.lock();
        state.rung = false;
        Rung { woken: std::mem::take(&mut state.woken), suspects: std::mem::take(&mut state.suspects) }
    }

    /// Until something rings, a watched descriptor is ready, or the deadline passes; perhaps earlier.
    pub(super) fn sleep(&self, deadline: Option<Instant>) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.rung {
            return Ok(());
        }
        let Some(watch) = self.0.watch.get() else {
            drop(wait(&self.0.ring, state, deadline));
            return Ok(());
        };
        state.in_watch = true;
        drop(state);
        let timeout = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        // What is ready is asked for again by the look that follows, with the sockets.
        let slept = watch.wait(&mut Vec::new(), timeout);
        self.0.lock().in_watch = false;
        slept
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().taken = false;
        self.0.turns.notify_one();
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspect(&self, key: usize) {
        let mut state = self.lock();
        // Every wait begins with a look at all.
        if state.taken {
            state.suspects.insert(key);
            self.ring(state);
        }
    }

    fn ring(&self, mut state: MutexGuard<'_, State>) {
        state.rung = true;
        let in_watch = state.in_watch;
        drop(state);
        match (in_watch, self.watch.get()) {
            // It fails only where the wait fails too.
            (true, Some(watch)) => drop(watch.wake()),
            _ => self.ring.notify_one(),
        }
    }
}

/// Until `condition` is notified or the deadline passes; perhaps earlier.
fn wait<'a>(
    condition: &Condvar,
    state: MutexGuard<'a, State>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, State> {
    match deadline {
        None => condition.wait(state).unwrap_or_else(PoisonError::into_inner),
        Some(at) => {
            let left = at.saturating_duration_since(Instant::now());
            condition.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
        }
    }
}
