//! From the outboxes to the system: whoever has the writer token writes, without any lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serverlink_driver::{Buffer, Key, Written};
use serverlink_patterns::PipeId;
use slotmap::Key as _;

use super::announce::wake;
use super::core::{Core, SendSide};
use super::send::leave;
use super::side::{Half, HalfGuard};
use crate::pipe::Outlet;
use crate::pipe::outbox::{Outcome, Write};
use crate::reactor::Command;
use crate::sync::later::{drop_later, later};

/// What a watchdog saw.
pub(crate) enum Watched {
    /// It was written to; the count to compare with next time.
    Busy(u64),
    /// Nothing was queued, nothing was written.
    Quiet,
}

/// What several writes in a row leave to be done without the lock.
#[derive(Default)]
pub(super) struct Tally {
    /// Some peer has room.
    credit: bool,
    /// Written by reference; its owner may be foreign code.
    spent: Vec<Buffer>,
}

impl Tally {
    fn give_up_spent(&mut self) {
        if !self.spent.is_empty() {
            drop_later(std::mem::take(&mut self.spent));
        }
    }
}

/// What follows from a write.
pub(super) enum Then {
    Write(Write),
    Rest,
    /// The connection tells when it is writable.
    Rearm,
    WaitForDriver,
    Fail(std::io::Error),
}

impl Core {
    /// Writes what waits in one outbox, unless somebody else does or there is nothing.
    pub(crate) fn write_pipe(self: &Arc<Self>, pipe: PipeId) {
        let mut side = self.send.lock();
        let write = side.outbox(pipe).and_then(|outbox| outbox.begin_write());
        self.run_writes(side, pipe, write);
    }

    /// The I/O thread flushes once. If more was queued meanwhile the connection is streaming: its
    /// callers write full segments, and the I/O thread only sees that no tail is left behind.
    pub(crate) fn flush_for_caller(self: &Arc<Self>, pipe: PipeId) -> Option<u64> {
        if pipe.is_null() {
            return self.flush_publications();
        }
        let mut side = self.send.lock();
        let outbox = side.outbox(pipe)?;
        outbox.streaming = true;
        let write = outbox.begin_write();
        self.run_writes(side, pipe, write);
        let mut side = self.send.lock();
        let SendSide { outlets, dirty, .. } = &mut **side;
        let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else { return None };
        let writes_on = outbox.is_writing() && !outbox.is_waited_for();
        let (streaming, writes) = (outbox.has_output() || writes_on, outbox.writes);
        outbox.streaming = streaming;
        if streaming {
            leave(self, outbox, dirty, pipe);
        }
        streaming.then_some(writes)
    }

    /// The watchdog of a streaming connection: flushes what nobody else did since it saw `writes`.
    /// `None`: nothing can be written now, and whoever
    /// finds that it can will do so.
    pub(crate) fn watch(self: &Arc<Self>, pipe: PipeId, writes: u64) -> Option<Watched> {
        if pipe.is_null() {
            return Some(self.watch_publications());
        }
        let mut side = self.send.lock();
        let outbox = side.outbox(pipe)?;
        if outbox.waits_for_system() || outbox.is_waited_for() || !outbox.is_attached() {
            // The system, or the next connection, says when to go on.
            outbox.streaming = false;
            return None;
        }
        if outbox.writes != writes || outbox.is_writing() {
            return Some(Watched::Busy(outbox.writes));
        }
        if !outbox.has_output() {
            return Some(Watched::Quiet);
        }
        let write = outbox.begin_write();
        self.run_writes(side, pipe, write);
        let mut side = self.send.lock();
        Some(Watched::Busy(side.outbox(pipe)?.writes))
    }

    /// Its watchdog leaves, unless something was queued in this very moment. True if it left.
    pub(crate) fn stop_watching(&self, pipe: PipeId) -> bool {
        if pipe.is_null() {
            return self.stop_watching_publications();
        }
        match self.send.lock().outbox(pipe) {
            Some(outbox) => {
                outbox.streaming = outbox.has_output();
                !outbox.streaming
            }
            None => true,
        }
    }

    /// The connection is writable again.
    pub(crate) fn resume_pipe(self: &Arc<Self>, pipe: PipeId) {
        let mut side = self.send.lock();
        let mut is_waited_for = false;
        let write = side.outbox(pipe).and_then(|outbox| {
            if outbox.is_blocked() && outbox.is_attached() {
                self.blocked.fetch_sub(1, Ordering::Relaxed);
            }
            is_waited_for = outbox.is_waited_for();
            outbox.resume_write()
        });
        self.run_writes(side, pipe, write);
        if is_waited_for {
            self.writers.notify_all();
        }
    }

    /// The driver gives a batch back that it kept. Its connection may be gone, and so may the pipe.
    pub(crate) fn take_back(self: &Arc<Self>, key: Key, pipe: PipeId, written: Written) {
        let mut side = self.send.lock();
        let SendSide { outlets, .. } = &mut **side;
        let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else {
            drop(side);
            return drop_later(written);
        };
        let Some(written) = outbox.take_back(written) else { return };
        if outbox.is_with_driver() {
            self.blocked.fetch_sub(1, Ordering::Relaxed);
        }
        let mut tally = Tally::default();
        let write = match self.conclude(&mut side, pipe, written, &mut tally) {
            Then::Write(write) => Some(write),
            Then::Fail(error) => {
                drop(side);
                self.post_write_failed(key, error);
                side = self.send.lock();
                None
            }
            Then::Rest | Then::Rearm | Then::WaitForDriver => None,
        };
        self.go_on_writing(side, pipe, write, tally);
    }

    fn run_writes<'a>(
        self: &'a Arc<Self>,
        side: HalfGuard<'a, SendSide>,
        pipe: PipeId,
        write: Option<Write>,
    ) {
        self.go_on_writing(side, pipe, write, Tally::default());
    }

    /// Holds the writer token from batch to batch while full ones keep coming.
    pub(super) fn go_on_writing<'a>(
        self: &'a Arc<Self>,
        mut side: HalfGuard<'a, SendSide>,
        pipe: PipeId,
        mut write: Option<Write>,
        mut tally: Tally,
    ) {
        let _later = later();
        while let Some(Write { writer, batch }) = write.take() {
            drop(side);
            tally.give_up_spent();
            let written = writer.write(batch);
            let refused = writer.take_refused();
            side = self.send.lock();
            side.sent.without_receiver += refused;
            match self.conclude(&mut side, pipe, written, &mut tally) {
                Then::Write(next) => write = Some(next),
                Then::Rest => {}
                Then::Rearm => {
                    writer.rearm();
                    self.on_blocked();
                }
                Then::WaitForDriver => self.on_blocked(),
                Then::Fail(error) => {
                    drop(side);
                    self.post_write_failed(writer.key(), error);
                    side = self.send.lock();
                }
            }
        }
        drop(side);
        tally.give_up_spent();
        if tally.credit {
            self.notify_writers();
        }
        if self.is_closing() {
            self.post(Command::Progress);
        }
    }

    /// The writer token is back: what its outbox and its pattern make of that.
    #[inline]
    pub(super) fn conclude(
        &self,
        side: &mut Half<SendSide>,
        pipe: PipeId,
        written: Written,
        tally: &mut Tally,
    ) -> Then {
        let SendSide { outlets, pool, sender, fans_out, fan_out, .. } = &mut **side;
        let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) else {
            drop_later(written);
            return Then::Rest;
        };
        let outcome = outbox.finish_write(written, || self.now(), pool, &mut tally.spent);
        if *fans_out {
            fan_out.last_delivery = fan_out.last_delivery.max(outbox.last_write());
        }
        let has_credit = outbox.has_room() || self.options.conflate;
        sender.set_writable(pipe, has_credit);
        tally.credit |= has_credit;
        match outcome {
            // Whoever appended meanwhile left the writing to us only if a segment was full.
            Outcome::Done if outbox.wants_write() => outbox.begin_write().map_or(Then::Rest, Then::Write),
            Outcome::Done => Then::Rest,
            Outcome::Again => outbox.resume_write().map_or(Then::Rest, Then::Write),
            Outcome::Blocked => Then::Rearm,
            Outcome::WithDriver => Then::WaitForDriver,
            Outcome::Failed(error) => Then::Fail(error),
        }
    }

    /// Somebody has to hear when the system has taken what waits.
    fn on_blocked(self: &Arc<Self>) {
        self.blocked.fetch_add(1, Ordering::Relaxed);
        if let Some(home) = self.home.get() {
            home.depend();
        }
    }

    fn post_write_failed(&self, key: Key, error: std::io::Error) {
        self.post(Command::WriteFailed(key, error));
    }

    pub(crate) fn post(&self, command: Command) {
        if let Some(home) = self.home.get() {
            home.post(command);
        }
    }

    /// A receive writes what waits before it reads or sleeps.
    #[inline]
    pub(crate) fn flush(self: &Arc<Self>) {
        if self.unflushed.load(Ordering::Relaxed) {
            self.flush_dirty();
        }
    }

    #[cold]
    fn flush_dirty(self: &Arc<Self>) {
        let dirty = {
            let mut side = self.send.lock();
            self.unflushed.store(false, Ordering::Relaxed);
            if side.fans_out {
                side.settle_all();
                let (sleepers, pipes) = (side.take_sleepers(), side.begin_flush());
                drop(side);
                wake(&sleepers);
                return pipes.into_iter().for_each(|pipe| self.write_pipe(pipe));
            }
            let dirty = std::mem::take(&mut side.dirty);
            for &pipe in &dirty {
                if let Some(outbox) = side.outbox(pipe) {
                    outbox.listed = false;
                }
            }
            dirty
        };
        for pipe in dirty {
            self.write_pipe(pipe);
        }
    }

    /// Appends control frames to a connection's outbox and writes them.
    pub(crate) fn send_control(self: &Arc<Self>, pipe: PipeId, put: impl FnOnce(&mut Vec<u8>)) {
        let mut side = self.send.lock();
        if let Some(outbox) = side.outbox(pipe)
            && outbox.is_attached()
        {
            put(outbox.control());
            let write = outbox.begin_write();
            self.run_writes(side, pipe, write);
        }
    }
}
