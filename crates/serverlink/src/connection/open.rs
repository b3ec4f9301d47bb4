//! An established connection: frames go into the pipe's inbox, and silence is noticed.

use std::time::{Duration, Instant};

use serverlink_message::chunk::Slice;
use serverlink_patterns::PipeId;
use serverlink_zmtp::command::Command;

use super::heartbeat::Beat;
use super::{Connection, Flow, Pace, Phase};
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
        if self.is_special {
            return self.read_specially(pipe, input, attention);
        }
        self.give_to_socket(pipe, input, attention)
    }

    fn give_to_socket(&mut self, pipe: PipeId, input: Slice, attention: Attention) -> Flow {
        match self.core.handle_input(pipe, input, attention) {
            Ok(()) => Flow::Idle,
            Err(error) => Flow::End(Farewell::Wire(error)),
        }
    }

    /// From a connection that can only be read any more, or from a peer whose frames have another form.
    #[cold]
    fn read_specially(&mut self, pipe: PipeId, input: Slice, attention: Attention) -> Flow {
        if self.write_failed && self.core.unread_bytes(pipe) >= self.core.recv_high_water().bytes {
            return Flow::End(Farewell::PeerClosed);
        }
        let Some(incoming) = &mut self.incoming else {
            return self.give_to_socket(pipe, input, attention);
        };
        let mut frames = Vec::new();
        let rewritten = incoming.handle_input(&input, &mut frames);
        // What came before something wrong is as good as ever.
        if !frames.is_empty() {
            match self.give_to_socket(pipe, Slice::from(frames), attention) {
                Flow::Idle => {}
                flow => return flow,
            }
        }
        match rewritten {
            Ok(()) => Flow::Idle,
            Err(error) => Flow::End(Farewell::Wire(error)),
        }
    }

    /// Reading stops. The peer goes on hearing of us.
    pub(super) fn pause(&mut self, now: Instant) -> Flow {
        if std::mem::replace(&mut self.paused, true) || !self.beats() {
            return Flow::Idle;
        }
        let pace = self.pace();
        let before = self.heartbeat.deadline(pace);
        match self.heartbeat.on_pause(now, pace) {
            same if same == before => Flow::Idle,
            sooner => Flow::Deadline(sooner),
        }
    }

    /// A PING came. It is answered already; what it asks for besides is noted.
    pub(crate) fn handle_ping(&mut self, ttl: Duration, now: Instant) -> Flow {
        if !self.beats() {
            return Flow::Idle;
        }
        let pace = self.pace();
        Flow::Deadline(self.heartbeat.handle_ping(now, ttl, pace))
    }

    /// The heartbeat is due.
    pub(super) fn beat(&mut self, now: Instant) -> Flow {
        let pace = self.pace();
        match self.heartbeat.handle_time(now, self.paused, pace) {
            Beat::Over => return Flow::End(Farewell::HeartbeatTimeout),
            Beat::Ping => self.ping(now),
            Beat::Nothing => {}
        }
        Flow::Deadline(self.heartbeat.deadline(pace))
    }

    fn ping(&self, now: Instant) {
        let pipe = self.pipe.expect("an open connection has a pipe");
        let ttl = self.settings.heartbeat_ttl.as_millis() / DECISECOND_MILLIS;
        let ttl_deciseconds = u16::try_from(ttl).unwrap_or(u16::MAX);
        // While we do not read, how long an answer takes says nothing of the peer.
        let context = self.core.note_ping(pipe, (!self.paused).then_some(now));
        self.core.send_control(pipe, |out| {
            // A peer that reads nothing is found out by its silence, not by more of this.
            if out.len() < limits::WAITING_CONTROL_BYTES {
                Command::Ping { ttl_deciseconds, context: &context }.put(out);
            }
        });
    }

    fn beats(&self) -> bool {
        matches!(self.phase, Phase::Open) && self.has_heartbeats
    }

    pub(super) fn pace(&self) -> Pace {
        let options = &self.settings;
        Pace { interval: options.heartbeat_interval, timeout: options.heartbeat_timeout }
    }
}
