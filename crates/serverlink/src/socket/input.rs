//! What the reactor hands to its socket while connections are open.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serverlink_message::chunk::Slice;
use serverlink_patterns::PipeId;
use serverlink_zmtp::WireError;

use super::core::Core;
use crate::limits;
use crate::pipe::Inlet;
use crate::pipe::high_water::HighWater;
use crate::pipe::inbox::Cut;
use crate::reactor::Attention;

impl Core {
    /// Bytes came in. Readers are told once there is a whole message.
    pub(crate) fn handle_input(
        self: &Arc<Self>,
        pipe: PipeId,
        input: Slice,
        attention: Attention,
    ) -> Result<(), WireError> {
        self.fresh.store(true, Ordering::Relaxed);
        let at_once = self.takes_in_at_once();
        {
            let mut recv = self.recv.lock();
            let Some(Inlet::Wire(inbox)) = recv.inlets.get_mut(pipe) else { return Ok(()) };
            let count = input.len() as u64;
            inbox.handle_input(input);
            recv.received.bytes += count;
            // Whoever receives would take commands as well, and one of two threads would deal with the later ones first.
            recv.receiver.set_readable(pipe, !at_once);
        }
        if at_once {
            return self.take_in(pipe);
        }
        // The caller who drives takes by itself; others who wait want whole messages.
        if attention == Attention::Absent || self.readers.any_sleeper() {
            self.scan(pipe)?;
            if self.has_whole_message(pipe) {
                self.readers.notify_one_sleeper();
            }
        }
        Ok(())
    }

    fn has_whole_message(&self, pipe: PipeId) -> bool {
        matches!(self.recv.lock().inlets.get(pipe), Some(Inlet::Wire(inbox)) if inbox.whole_messages() > 0)
    }

    /// Before reading: the large frame that is cut, or `None`: stop. A caller who takes what comes is only held up by a pipe that he
    /// does not take from.
    pub(crate) fn before_read(self: &Arc<Self>, pipe: PipeId, attention: Attention) -> Option<Cut> {
        if attention == Attention::Taking && !self.takes_in_at_once() {
            if let Some(cut) = self.cut_unless_unseen(pipe) {
                return Some(cut);
            }
            // A wrong frame is found again by whoever takes it, and ends the connection there.
            let _ = self.scan(pipe);
        }
        let mut recv = self.recv.lock();
        if self.takes_in_at_once() {
            let full = recv.is_queue_full();
            if full && !recv.paused_upstream.contains(&pipe) {
                recv.paused_upstream.push(pipe);
            }
            return (!full).then(Cut::default);
        }
        match recv.inlets.get_mut(pipe) {
            Some(Inlet::Wire(inbox)) => (!inbox.pause_if_full()).then(|| inbox.cut()),
            _ => Some(Cut::default()),
        }
    }

    fn cut_unless_unseen(&self, pipe: PipeId) -> Option<Cut> {
        match self.recv.lock().inlets.get(pipe) {
            Some(Inlet::Wire(inbox)) => (inbox.unread_bytes() < limits::UNSEEN_BYTES).then(|| inbox.cut()),
            _ => Some(Cut::default()),
        }
    }

    /// Takes what is here of a cut frame out, to be brought back in one piece with room behind it.
    pub(crate) fn take_cut(&self, pipe: PipeId, into: &mut Vec<u8>) {
        if let Some(Inlet::Wire(inbox)) = self.recv.lock().inlets.get_mut(pipe) {
            inbox.take_cut(into);
        }
    }

    /// See [`take_cut`](Core::take_cut).
    pub(crate) fn put_back_cut(&self, pipe: PipeId, cut: Slice) {
        if let Some(Inlet::Wire(inbox)) = self.recv.lock().inlets.get_mut(pipe) {
            inbox.put_back(cut);
        }
    }

    pub(crate) fn unread_bytes(&self, pipe: PipeId) -> usize {
        match self.recv.lock().inlets.get(pipe) {
            Some(Inlet::Wire(inbox)) => inbox.unread_bytes(),
            _ => 0,
        }
    }

    /// How much one read may bring: with a small mark little, so that one worker does not hoard.
    pub(crate) fn read_bytes(&self) -> usize {
        let HighWater { messages, bytes } = self.recv_high_water();
        messages.saturating_mul(limits::READ_BYTES_PER_MESSAGE).min(bytes.max(limits::LEAST_READ_BYTES))
    }

    /// Everything that was sent into this pipe is with the system.
    pub(crate) fn is_pipe_flushed(&self, pipe: PipeId) -> bool {
        self.send.lock().outbox(pipe).is_none_or(|outbox| outbox.is_flushed())
    }
}
