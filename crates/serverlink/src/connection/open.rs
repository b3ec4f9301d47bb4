//! An established connection: frames go into the pipe's inbox, and silence is noticed.

use std::time::Instant;

use serverlink_message::chunk::Slice;
use serverlink_zmtp::command::Command;

use super::{Connection, Flow};
use crate::limits;
use crate::reactor::{Attention, Farewell};

/// A PING's ttl has this unit.
const DECISECOND_MILLIS: u128 = 100;

impl Connection {
    pub(super) fn read_frames(&mut self, input: Slice, attention: Attention) -> Flow {
        let pipe = self.pipe.expect("an open connection has a pipe");
        // Nobody will take it; but its end lies behind it.
        if self.core.is_closing() {
            return Flow::Idle;
        }
        if self.write_failed && self.core.unread_bytes(pipe) >= self.core.recv_high_water().bytes {
            return Flow::End(Farewell::PeerClosed);
        }
        match self.core.handle_input(pipe, input, attention) {
            Ok(()) => Flow::Idle,
            Err(error) => Flow::End(Farewell::Wire(error)),
        }
    }

    /// The heartbeat is due.
    pub(super) fn beat(&mut self, now: Instant) -> Flow {
        let options = &self.core.options;
        let (interval, timeout) = (options.heartbeat_interval, options.heartbeat_timeout);
        let pipe = self.pipe.expect("an open connection has a pipe");
        if self.paused {
            self.last_heard = now;
        }
        let silent = now.saturating_duration_since(self.last_heard);
        if silent >= interval + timeout {
            return Flow::End(Farewell::HeartbeatTimeout);
        }
        let ttl_deciseconds =
            u16::try_from(options.heartbeat_ttl.as_millis() / DECISECOND_MILLIS).unwrap_or(u16::MAX);
        self.core.send_control(pipe, |out| {
            // A peer that reads nothing is found out by its silence, not by more of this.
            if out.len() < limits::WAITING_CONTROL_BYTES {
                Command::Ping { ttl_deciseconds, context: b"" }.put(out);
            }
        });
        let expiry = self.last_heard + interval + timeout;
        Flow::Deadline(Some(expiry.min(now + interval)))
    }
}
