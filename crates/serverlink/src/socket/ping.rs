//! A peer asks for a sign of life.

use std::sync::Arc;
use std::time::Duration;

use serverlink_patterns::PipeId;
use serverlink_zmtp::command::Command as WireCommand;

use super::core::Core;
use crate::limits;
use crate::reactor::Command;

/// A PING's ttl has this unit.
const DECISECOND: Duration = Duration::from_millis(100);

/// Faster PINGs than these are answered, and their wishes not heard.
const NOTED_EVERY: Duration = Duration::from_millis(10);

impl Core {
    /// Answers, and tells the connection what the peer asks for.
    pub(super) fn handle_ping(self: &Arc<Self>, pipe: PipeId, ttl_deciseconds: u16, context: &[u8]) {
        self.send_control(pipe, |out| {
            // A peer that reads none of them needs no more.
            if out.len() < limits::WAITING_CONTROL_BYTES {
                WireCommand::Pong { context }.put(out);
            }
        });
        let now = self.now();
        let noted_for = {
            let mut topology = self.topology.lock();
            let Some(entry) = topology.pipes.get_mut(pipe) else { return };
            let is_noted = entry.pinged_at.is_none_or(|at| now.saturating_duration_since(at) >= NOTED_EVERY);
            if is_noted {
                entry.pinged_at = Some(now);
            }
            is_noted.then_some(entry.key).flatten()
        };
        if let Some(key) = noted_for {
            self.post(Command::Pinged(key, u32::from(ttl_deciseconds) * DECISECOND));
        }
    }
}
