//! The end of a socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::drive::For;
use crate::error::Error;
use crate::options::Linger;
use crate::pipe::Outlet;
use crate::reactor::Command;
use crate::sync::later::{drop_later, later};

/// What became of a socket's unsent messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Messages that were accepted by a send and not by the system before the linger was over. A message the
    /// system accepted may still be lost with the peer or the network.
    pub undelivered: u64,
}

impl Core {
    /// Begins to close. Everybody who waits in a call is told; nothing blocks.
    pub(crate) fn begin_closing(self: &Arc<Self>, linger: Linger) {
        if !self.set_closing() {
            return;
        }
        let deadline = match linger {
            Linger::Forever => None,
            Linger::For(linger) => self.now().checked_add(linger),
        };
        // Who connects at this moment looks under this lock whether the socket closes, and otherwise is done now.
        drop(self.topology.lock());
        self.close_inproc();
        // Somebody has to watch the linger of messages for a name that nobody has bound yet.
        if self.has_unbound_messages() {
            let _ = self.home_reactor();
        }
        match self.home.get() {
            Some(home) => home.post(Command::CloseSocket { core: Arc::clone(self), deadline }),
            None => self.finish_closing(),
        }
        self.wake_everybody();
    }

    /// The reactor has nothing of this socket any more.
    pub(crate) fn finish_closing(self: &Arc<Self>) {
        let _later = later();
        let undelivered = {
            let mut send = self.send.lock();
            let mut outlets = std::mem::take(&mut send.outlets);
            let queued: usize = outlets.values_mut().map(Outlet::undelivered).sum();
            drop_later(outlets);
            queued as u64 + send.sent.with_peer
        };
        drop_later(self.context.registry.lock().stop_waiting(self, None));
        drop_later(std::mem::take(&mut self.recv.lock().inlets));
        let mut topology = self.topology.lock();
        if topology.closed.is_none() {
            topology.closed = Some(CloseReport { undelivered });
            topology.pipes.clear();
            drop(topology);
            self.monitor.end();
            self.context.socket_closed(self);
        }
        self.wake_everybody();
    }

    /// Closes and waits for it, at most a little longer than the linger.
    pub(crate) fn close_and_wait(self: &Arc<Self>, linger: Duration) -> CloseReport {
        if self.context.is_left_behind() {
            return CloseReport::default();
        }
        self.send.lock().sent.with_peer = 0;
        self.begin_closing(Linger::For(linger));
        let report = || Ok::<_, Error>(self.topology.lock().closed);
        loop {
            // The reactor ends closing by itself when the linger is over, so there is no second deadline here.
            match self.wait_until(For::Change, None, report) {
                Ok(report) => return report,
                Err(Error::Interrupted) => continue,
                Err(_) => return CloseReport::default(),
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.topology.lock().closed.is_some()
    }
}

impl Outlet {
    /// Messages nobody will get. What lies in a ring whose other end is there is that socket's already.
    fn undelivered(&mut self) -> usize {
        match self {
            Outlet::Wire(outbox) => outbox.queued(),
            Outlet::Ring(outlet) => outlet.unbound_backlog(),
        }
    }
}

/// For a deadline that is given as a duration.
pub(crate) fn deadline_of(now: Instant, timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| now.checked_add(timeout))
}
