//! Large bodies, written from the memory of whoever sends them.
//!
//! What the kernel does not take at once is copied, unless the caller may wait: then he stays for a moment, with the writer token
//! in hand, and goes on when the connection is writable. A queue of large copies is slower than that by far: it falls out of every cache.

use std::sync::Arc;
use std::time::Duration;

use serverlink_driver::Written;
use serverlink_patterns::PipeId;

use super::core::Core;
use super::drive::For;
use super::write::{Tally, Then};
use crate::payload::Outgoing;
use crate::pipe::outbox::lend::News;
use crate::pipe::outbox::{Outbox, Write};

/// How long a caller stays at most. A peer that reads takes a megabyte in less, one that does not is not worth more.
const PATIENCE: Duration = Duration::from_millis(5);

/// So much in that time is a peer that keeps up.
const FAST_BYTES: u64 = 2 * 1024 * 1024;

/// How long of that he looks at nothing but this connection.
const CLOSE_WATCH: Duration = Duration::from_millis(1);

/// A message of which the header is in a batch that is out, and the body is not.
pub(super) struct Large {
    pub(super) pipe: PipeId,
    pub(super) write: Write,
}

/// How far a body came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Through,
    /// The kernel has no room for the rest.
    Part,
    /// The connection takes nothing more.
    Nowhere,
}

impl Core {
    /// Writes it, or queues what the kernel does not take.
    pub(super) fn finish_large(self: &Arc<Self>, large: Large, outgoing: &Outgoing<'_>, may_wait: bool) {
        let Large { pipe, mut write } = large;
        let body = outgoing.last();
        let mut rest = body;
        let mut came = write_some(&mut write, &mut rest);
        if came == Came::Part && may_wait && self.has_patience(pipe) {
            came = self.wait_for_kernel(pipe, &mut write, &mut rest);
        }
        if came == Came::Through {
            return self.conclude_large(pipe, write);
        }
        // Whole, because a connection that breaks goes back to the message's start.
        write.batch.push(outgoing.keep_last());
        write.batch.advance(body.len() - rest.len());
        let side = self.send.lock();
        self.go_on_writing(side, pipe, Some(write), Tally::default());
    }

    fn conclude_large(self: &Arc<Self>, pipe: PipeId, write: Write) {
        let mut side = self.send.lock();
        let mut tally = Tally::default();
        let next = match self.conclude(&mut side, pipe, Written::Done(write.batch), &mut tally) {
            Then::Write(next) => Some(next),
            _ => None,
        };
        self.go_on_writing(side, pipe, next, tally);
    }

    /// Only where the caller keeps nobody else waiting: with several peers another one may have room. On a simulated machine no time
    /// passes while somebody waits in a call.
    fn has_patience(&self, pipe: PipeId) -> bool {
        if self.env.world().is_some() {
            return false;
        }
        let mut side = self.send.lock();
        let is_only_one = side.outlets.len() == 1;
        side.outbox(pipe)
            .is_some_and(|outbox| is_only_one && outbox.hears_of_kernel() && outbox.patience.is_there())
    }

    fn wait_for_kernel(self: &Arc<Self>, pipe: PipeId, write: &mut Write, rest: &mut &[u8]) -> Came {
        let patience = self.patience();
        let deadline = self.now() + patience;
        match self.write_on(write, rest, patience.min(CLOSE_WATCH)) {
            Came::Part => {}
            came => {
                self.with_outbox(pipe, |outbox| outbox.patience.learn(came == Came::Through));
                return came;
            }
        }
        self.with_outbox(pipe, |outbox| outbox.wait_for_kernel(true));
        write.writer.rearm();
        let came = self.wait_until(For::Credit, Some(deadline), || {
            // Without an outbox nobody will hear of it either.
            match self.with_outbox(pipe, |outbox| outbox.take_news()).unwrap_or(News::Gone) {
                News::Nothing => Ok(None),
                News::Gone => Ok(Some(Came::Nowhere)),
                News::Writable => match write_some(write, rest) {
                    Came::Part => {
                        write.writer.rearm();
                        Ok(None)
                    }
                    came => Ok(Some(came)),
                },
            }
        });
        // Too late, or the socket closes, or a signal came: none of it is this message's failure, because it is queued.
        let came = came.unwrap_or(Came::Part);
        self.with_outbox(pipe, |outbox| {
            outbox.wait_for_kernel(false);
            outbox.patience.learn(came == Came::Through);
        });
        came
    }

    /// After a wait for room: large messages that lie in the queue are out of every cache, so a caller who may wait stays until the kernel
    /// has them, if it takes them soon.
    #[cold]
    pub(super) fn wait_behind_large(self: &Arc<Self>) {
        let pipe = self.send.lock().outlets.keys().next();
        let Some(pipe) = pipe.filter(|&pipe| self.has_patience(pipe)) else { return };
        let mut taken = false;
        let mut goes_on = true;
        while goes_on && !taken {
            let before = self.with_outbox(pipe, |outbox| outbox.sent_bytes());
            taken = self
                .wait_until(For::Credit, Some(self.now() + self.patience()), || {
                    let flushed = self.with_outbox(pipe, |outbox| outbox.is_flushed());
                    Ok(flushed.unwrap_or(true).then_some(()))
                })
                .is_ok();
            let after = self.with_outbox(pipe, |outbox| outbox.sent_bytes());
            let step = after.zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
            goes_on = step >= FAST_BYTES && self.options.send_timeout.is_none();
        }
        self.with_outbox(pipe, |outbox| outbox.patience.learn(taken));
    }

    fn patience(&self) -> Duration {
        self.options.send_timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE))
    }

    /// Writes while the kernel goes on taking. The role is in hand, so that nobody else wakes up for it; without it somebody drives who would.
    fn write_on(&self, write: &mut Write, rest: &mut &[u8], at_most: Duration) -> Came {
        // Who waits for messages needs the driver to be looked at.
        if self.readers.any() {
            return Came::Part;
        }
        let Some(hold) = self.home.get().and_then(|home| home.take_role()) else { return Came::Part };
        let deadline = self.now() + at_most;
        let mut came = Came::Part;
        while came == Came::Part && write.writer.wait_writable(deadline.saturating_duration_since(self.now()))
        {
            came = write_some(write, rest);
        }
        hold.leave(self.is_depended_on());
        came
    }

    fn with_outbox<T>(&self, pipe: PipeId, f: impl FnOnce(&mut Outbox) -> T) -> Option<T> {
        self.send.lock().outbox(pipe).map(f)
    }
}

fn write_some(write: &mut Write, rest: &mut &[u8]) -> Came {
    match write.writer.write_borrowed(&mut write.batch, rest) {
        Ok(()) if write.batch.remaining_bytes() == 0 && rest.is_empty() => Came::Through,
        Ok(()) => Came::Part,
        Err(_) => Came::Nowhere,
    }
}
