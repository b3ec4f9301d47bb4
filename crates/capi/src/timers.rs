//! Timers that run when the program lets them.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long, c_void};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::errno::{Answer, EFAULT, EINVAL, EMFILE, Errno, fail};
use crate::table::{Handled, Inside, Table};

/// Called with the timer's number and what the program gave.
pub type TimerFn = unsafe extern "C" fn(c_int, *mut c_void);

static TIMERS: Table<Timers> = Table::new();

impl Handled for Timers {
    fn table() -> &'static Table<Timers> {
        &TIMERS
    }
}

/// A set of timers of C.
#[derive(Default)]
pub struct Timers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_id: BTreeMap<c_int, Timer>,
    last_id: c_int,
}

#[derive(Clone, Copy)]
struct Timer {
    interval: Duration,
    due: Instant,
    handler: TimerFn,
    argument: usize,
}

impl Timers {
    /// A handle for a new set.
    pub fn create() -> Answer<*mut c_void> {
        TIMERS.insert(Timers::default()).map_or(fail(EMFILE), Ok)
    }

    /// Ends a set.
    pub fn destroy(handle: *const c_void) -> Answer<()> {
        TIMERS.close(handle).map_or(fail(EFAULT), |_| Ok(()))
    }

    /// What a handle stands for; `EFAULT` if it is none.
    pub fn enter(handle: *const c_void) -> Answer<Inside<Timers>> {
        crate::guard::enter(handle, EFAULT)
    }

    /// One more, due after each `interval` in milliseconds. Gives its number, from 1.
    pub fn add(&self, interval: usize, handler: Option<TimerFn>, argument: *mut c_void) -> Answer<c_int> {
        let Some(handler) = handler else { return fail(EFAULT) };
        let interval = Duration::from_millis(interval as u64);
        let mut state = self.state.lock();
        state.last_id = state.last_id.checked_add(1).ok_or(Errno(EINVAL))?;
        let id = state.last_id;
        let timer = Timer { interval, due: after(interval), handler, argument: argument.expose_provenance() };
        state.by_id.insert(id, timer);
        Ok(id)
    }

    /// One less.
    pub fn cancel(&self, id: c_int) -> Answer<()> {
        self.state.lock().by_id.remove(&id).map_or(fail(EINVAL), |_| Ok(()))
    }

    /// Starts over, with another interval.
    pub fn set_interval(&self, id: c_int, interval: usize) -> Answer<()> {
        self.change(id, |timer| timer.interval = Duration::from_millis(interval as u64))
    }

    /// Starts over.
    pub fn reset(&self, id: c_int) -> Answer<()> {
        self.change(id, |_| {})
    }

    fn change(&self, id: c_int, change: impl FnOnce(&mut Timer)) -> Answer<()> {
        match self.state.lock().by_id.get_mut(&id) {
            Some(timer) => {
                change(timer);
                timer.due = after(timer.interval);
                Ok(())
            }
            None => fail(EINVAL),
        }
    }

    /// Milliseconds until the next is due; -1 if there is none.
    pub fn timeout(&self) -> c_long {
        let next = self.state.lock().by_id.values().map(|timer| timer.due).min();
        next.map_or(-1, |due| {
            // Rounded up: who waits so long finds it due.
            let left = due.saturating_duration_since(Instant::now()).as_micros().div_ceil(1000);
            c_long::try_from(left).unwrap_or(c_long::MAX)
        })
    }

    /// Runs what is due, on this thread and without locks: the program may add and cancel meanwhile.
    pub fn execute(&self) {
        let now = Instant::now();
        let mut due: Vec<(Instant, c_int)> = self
            .state
            .lock()
            .by_id
            .iter()
            .filter(|(_, timer)| timer.due <= now)
            .map(|(id, timer)| (timer.due, *id))
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            let timer = match self.state.lock().by_id.get_mut(&id) {
                Some(timer) if timer.due <= now => {
                    timer.due = after(timer.interval);
                    *timer
                }
                _ => continue,
            };
            // SAFETY: the program gave this function for exactly this call, with this argument.
            unsafe { (timer.handler)(id, std::ptr::with_exposed_provenance_mut(timer.argument)) };
        }
    }
}

fn after(interval: Duration) -> Instant {
    let now = Instant::now();
    // What lies beyond the clock's end never comes.
    now.checked_add(interval).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into()))
}
