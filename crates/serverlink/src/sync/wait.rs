//! Threads and tasks that wait for something to happen to a socket.
//!
//! The protocol, on both sides: a waiter registers, then looks once more, then sleeps; a notifier
//! publishes, then asks whether anybody is registered. Where both look under the same lock, that
//! lock orders them; where they do not (rings), both put a sequentially consistent fence between, or the waiter one for both.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use serverlink_driver::fork;

use super::primitives::{
    AtomicBool, AtomicUsize, Ordering, Thread, current, fence, park, park_timeout, rare_barrier,
};
use super::{Lock, later};

/// Who waits for one condition of one socket.
#[derive(Default)]
pub(crate) struct Waiters {
    /// How many entries the list has: read without the lock on the hot path.
    count: AtomicUsize,
    /// How many of them do not sleep in their reactor's driver.
    sleepers: AtomicUsize,
    /// Some of those who notify publish behind no fence of their own.
    barrier: AtomicBool,
    list: Lock<Vec<Entry>>,
}

struct Entry {
    token: Arc<Token>,
    who: Who,
}

enum Who {
    Thread(Thread),
    Task(Waker),
    /// A thread that sleeps in its reactor's driver: waking it takes the driver's own means.
    Driver(WakeDriver),
}

/// Wakes who sleeps in a reactor's driver. Made once for each reactor, because one is needed for each sleep.
pub(crate) type WakeDriver = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Token {
    notified: AtomicBool,
}

/// A place in the list; leaving scope takes it off.
pub(crate) struct Registration {
    waiters: Arc<Waiters>,
    token: Arc<Token>,
    /// The process that registered.
    generation: u32,
}

impl Waiters {
    pub(crate) fn register_thread(self: &Arc<Self>) -> Registration {
        self.register(Who::Thread(current()))
    }

    pub(crate) fn register_task(self: &Arc<Self>, waker: &Waker) -> Registration {
        self.register(Who::Task(waker.clone()))
    }

    pub(crate) fn register_driver(self: &Arc<Self>, wake: WakeDriver) -> Registration {
        self.register(Who::Driver(wake))
    }

    fn register(self: &Arc<Self>, who: Who) -> Registration {
        let token = Arc::<Token>::default();
        let mut list = self.list.lock();
        list.push(Entry { token: Arc::clone(&token), who });
        self.publish(&list);
        drop(list);
        // Before the look at the barrier too: of this registration and `expect_frequent_notifiers` one sees the other.
        fence(Ordering::SeqCst);
        if self.barrier.load(Ordering::Relaxed) {
            rare_barrier();
        }
        Registration { waiters: Arc::clone(self), token, generation: fork::generation() }
    }

    /// From now on whoever waits pays for the barrier of both sides: a notifier needs no more than `barrier::frequent` between publishing and
    /// asking. Those who wait already are to be woken.
    pub(crate) fn expect_frequent_notifiers(&self) {
        self.barrier.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Whether anybody waits. Publish before asking.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) != 0
    }

    /// Wakes the one that waits longest. Call without locks: a waker is foreign code.
    pub(crate) fn notify_one(&self) {
        if self.any() {
            let entry = {
                let mut list = self.list.lock();
                let entry = (!list.is_empty()).then(|| list.remove(0));
                self.publish(&list);
                entry
            };
            entry.into_iter().for_each(Entry::wake);
        }
    }

    /// Whether anybody waits who does not drive. A driver finds by itself what it brought in.
    #[inline]
    pub(crate) fn any_sleeper(&self) -> bool {
        self.sleepers.load(Ordering::Relaxed) != 0
    }

    /// Wakes the one that waits longest and does not drive.
    pub(crate) fn notify_one_sleeper(&self) {
        if self.any_sleeper() {
            let entry = {
                let mut list = self.list.lock();
                let index = list.iter().position(Entry::is_sleeper);
                let entry = index.map(|index| list.remove(index));
                self.publish(&list);
                entry
            };
            entry.into_iter().for_each(Entry::wake);
        }
    }

    fn publish(&self, list: &[Entry]) {
        self.count.store(list.len(), Ordering::SeqCst);
        let sleepers = list.iter().filter(|entry| entry.is_sleeper()).count();
        self.sleepers.store(sleepers, Ordering::SeqCst);
    }

    /// Wakes everybody. Call without locks.
    pub(crate) fn notify_all(&self) {
        if self.any() {
            let entries = {
                let mut list = self.list.lock();
                let entries = std::mem::take(&mut *list);
                self.publish(&list);
                entries
            };
            entries.into_iter().for_each(Entry::wake);
        }
    }
}

impl Entry {
    fn is_sleeper(&self) -> bool {
        !matches!(self.who, Who::Driver(_))
    }

    fn wake(self) {
        self.token.notified.store(true, Ordering::Release);
        match self.who {
            Who::Thread(thread) => thread.unpark(),
            Who::Task(waker) => later::wake(waker),
            Who::Driver(wake) => wake(),
        }
    }
}

impl Registration {
    pub(crate) fn is_notified(&self) -> bool {
        self.token.notified.load(Ordering::Acquire)
    }

    /// Sleeps until notified or `deadline`.
    pub(crate) fn park(&self, deadline: Option<Instant>) {
        while !self.is_notified() {
            match deadline {
                None => park(),
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => park_timeout(left),
                    _ => return,
                },
            }
        }
    }

    /// Leaves without having been woken by it. True: a notification was meant for this place, and is lost
    /// unless the caller passes it on through [`Waiters::notify_one`].
    #[must_use]
    pub(crate) fn withdraw(self) -> bool {
        !self.take_off()
    }

    /// False: it was off already, because whoever notifies takes it off first.
    fn take_off(&self) -> bool {
        // The list is the parent's, and its lock may be held for ever.
        if self.generation != fork::generation() {
            return true;
        }
        let mut list = self.waiters.list.lock();
        let index = list.iter().position(|entry| Arc::ptr_eq(&entry.token, &self.token));
        let entry = index.map(|index| list.remove(index));
        self.waiters.publish(&list);
        drop(list);
        // Its waker may be the last to hold a task, whose other futures may belong to this socket too.
        entry.is_some()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if !self.is_notified() {
            self.take_off();
        }
    }
}
