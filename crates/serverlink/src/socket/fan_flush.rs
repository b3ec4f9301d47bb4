//! What a publisher's calls leave unwritten, the I/O thread writes: for all of its peers together, because they are sent to together.

use std::sync::Arc;

use serverlink_patterns::PipeId;

use super::announce::wake;
use super::core::{Core, SendSide};
use super::write::Watched;
use crate::pipe::Outlet;
use crate::pipe::log::CohortId;

impl Core {
    /// The I/O thread flushes once. If more was published meanwhile the publisher is streaming: its calls write what is full, and the
    /// I/O thread only sees that no tail is left behind.
    pub(crate) fn flush_publications(self: &Arc<Self>) -> Option<u64> {
        let (sleepers, pipes) = {
            let mut side = self.send.lock();
            side.fan_out.flush_asked = false;
            side.fan_out.streaming = true;
            side.settle_all();
            (side.take_sleepers(), side.begin_flush())
        };
        wake(&sleepers);
        pipes.into_iter().for_each(|pipe| self.write_pipe(pipe));
        let mut side = self.send.lock();
        side.fan_out.streaming = side.has_publications();
        side.fan_out.streaming.then_some(0)
    }

    /// The watchdog of a streaming publisher: flushes what nobody else did since it looked last.
    pub(crate) fn watch_publications(self: &Arc<Self>) -> Watched {
        let (was_busy, sleepers, pipes) = {
            let mut side = self.send.lock();
            (side.has_publications(), side.take_sleepers(), side.take_what_is_left())
        };
        wake(&sleepers);
        pipes.into_iter().for_each(|pipe| self.write_pipe(pipe));
        if was_busy { Watched::Busy(0) } else { Watched::Quiet }
    }

    /// The watchdog leaves, unless something was published in this very moment. True if it left.
    pub(crate) fn stop_watching_publications(&self) -> bool {
        let mut side = self.send.lock();
        side.fan_out.streaming = side.has_publications();
        !side.fan_out.streaming
    }
}

impl SendSide {
    /// Something was published that nobody has begun to write.
    fn has_publications(&self) -> bool {
        let fan_out = &self.fan_out;
        !self.dirty.is_empty()
            || !fan_out.aged.is_empty()
            || !fan_out.unannounced.is_empty()
            || fan_out.cohorts.values().any(|cohort| !cohort.log.is_empty())
    }

    /// Everything that is listed, to be written.
    pub(super) fn begin_flush(&mut self) -> Vec<PipeId> {
        let SendSide { dirty, fan_out, outlets, .. } = self;
        let aged = fan_out.aged.drain(..).map(|(pipe, _)| pipe);
        let mut pipes = std::mem::take(dirty);
        pipes.extend(aged);
        pipes.retain(|&pipe| match outlets.get_mut(pipe) {
            Some(Outlet::Wire(outbox)) => {
                outbox.begin_flush();
                true
            }
            _ => false,
        });
        pipes
    }

    /// What was there when this was asked last, and has not been written since.
    fn take_what_is_left(&mut self) -> Vec<PipeId> {
        let mut left: Vec<PipeId> = Vec::new();
        let SendSide { fan_out, outlets, dirty, .. } = self;
        fan_out.aged.retain_mut(|(pipe, writes)| match outlets.get_mut(*pipe) {
            Some(Outlet::Wire(outbox)) if outbox.has_output() && !outbox.listed => {
                if outbox.writes == *writes {
                    left.push(*pipe);
                    return false;
                }
                // What ended meanwhile may have begun before this was queued.
                *writes = outbox.writes;
                true
            }
            _ => false,
        });
        for pipe in dirty.drain(..) {
            if let Some(Outlet::Wire(outbox)) = outlets.get_mut(pipe) {
                outbox.listed = false;
                fan_out.aged.push((pipe, outbox.writes));
            }
        }
        let cohorts: Vec<CohortId> =
            fan_out.cohorts.iter_mut().filter_map(|(id, cohort)| cohort.is_left().then_some(id)).collect();
        for id in cohorts {
            left.extend(self.cut(id));
            self.fan_out.cohorts[id].is_left();
        }
        for &pipe in &left {
            if let Some(Outlet::Wire(outbox)) = self.outlets.get_mut(pipe) {
                outbox.begin_flush();
            }
        }
        left
    }
}
