//! A waker that hears of one socket, for loops that wait in a way of their own.

use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use super::event::Interest;
use crate::error::Error;
use crate::socket::core::Core;
use crate::socket::drive::For;
use crate::socket::{Readiness, Socket};
use crate::sync::{Lock, Registration};

/// Wakes a [`Waker`] when a socket may have become ready: the bridge to an event loop that waits for something else, such as a descriptor.
///
/// It takes nothing. After [`arm`](Alert::arm) the waker is woken when a message comes or room comes about, perhaps without need, on whichever
/// thread that happens and without locks of the library. Whoever was woken arms again, and finds out what is there. It does not keep its socket open.
///
/// ```
/// use std::sync::Arc;
/// use std::task::{Wake, Waker};
/// use std::thread::{self, Thread};
/// use serverlink::{Alert, Context, Error, Interest};
///
/// struct Unpark(Thread);
/// impl Wake for Unpark {
///     fn wake(self: Arc<Self>) {
///         self.0.unpark();
///     }
/// }
///
/// let context = Context::new()?;
/// let pull = context.pull().open()?;
/// pull.bind("inproc://jobs")?;
/// let push = context.push().open()?;
/// push.connect("inproc://jobs")?;
///
/// let alert = Alert::new(&pull, Interest::READABLE, Waker::from(Arc::new(Unpark(thread::current()))));
/// let sender = thread::spawn(move || push.send("job 1").map_err(Error::from));
/// while !alert.arm()?.readable {
///     thread::park();
/// }
/// assert_eq!(pull.try_recv()?, "job 1".into());
/// sender.join().expect("it does not panic")?;
/// # Ok::<(), Error>(())
/// ```
pub struct Alert {
    core: Weak<Core>,
    interest: Interest,
    waker: Waker,
    /// Places in the lists of who waits for the socket, until they are used up.
    armed: Lock<Vec<Registration>>,
}

impl Alert {
    /// For one socket. Nothing is woken before [`arm`](Alert::arm).
    pub fn new(socket: &impl AsRef<Socket>, interest: Interest, waker: Waker) -> Alert {
        Alert { core: Arc::downgrade(socket.as_ref().core()), interest, waker, armed: Lock::default() }
    }

    /// Says what can be done now of what was asked for. Whatever changes after this call has begun wakes the waker, once.
    ///
    /// # Errors
    /// When every call on the socket fails from now on: [`Error::Closed`], [`Error::Terminated`], [`Error::Io`], [`Error::Forked`].
    pub fn arm(&self) -> Result<Readiness, Error> {
        let core = self.core.upgrade().ok_or(Error::Closed)?;
        core.check_usable()?;
        if !self.is_armed() {
            self.register(&core);
        }
        let readable = self.interest.readable && core.poll_readable();
        let writable = self.interest.writable && core.poll_writable();
        Ok(Readiness { readable, writable })
    }

    fn is_armed(&self) -> bool {
        let armed = self.armed.lock();
        !armed.is_empty() && !armed.iter().any(Registration::is_notified)
    }

    fn register(&self, core: &Arc<Core>) {
        // Whoever closes the socket tells all lists; one of them has to be there.
        let waits = [
            (self.interest.readable, For::Message),
            (self.interest.writable, For::Credit),
            (self.interest == Interest::NONE, For::Change),
        ];
        let armed = waits.into_iter().filter(|(wanted, _)| *wanted).map(|(_, what)| {
            let signal = Signal { waker: self.waker.clone(), core: Arc::downgrade(core), what };
            core.waiters(what).register_task(&Waker::from(Arc::new(signal)))
        });
        let armed = armed.collect();
        let used_up = std::mem::replace(&mut *self.armed.lock(), armed);
        drop(used_up);
        core.watch_conversation(For::Message);
        core.watch_conversation(For::Credit);
        core.flush();
        if let Some(home) = core.home.get() {
            // Nobody waits in a call of its own, so the I/O thread has to drive.
            home.rely();
        }
    }
}

impl Drop for Alert {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade()
            && core.context.is_left_behind()
        {
            // The lists are the parent's.
            std::mem::forget(std::mem::take(&mut *self.armed.lock()));
        }
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alert").field("interest", &self.interest).finish_non_exhaustive()
    }
}

/// What stands in the lists of its socket.
struct Signal {
    waker: Waker,
    core: Weak<Core>,
    what: For,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.waker.wake_by_ref();
        // It takes nothing, so the next one who waits is told as well.
        if let Some(core) = self.core.upgrade() {
            core.hand_on(self.what);
        }
    }
}
