//! The handshake of a connection.

use std::time::Instant;

use serverlink_driver::Batch;
use serverlink_message::chunk::Slice;
use serverlink_zmtp::handshake::{Config, Handshake};

use super::landing::Landing;
use super::{Connection, Flow, Phase, Unwritten, after, write};
use crate::monitor::EventKind;
use crate::reactor::Farewell;
use crate::socket::attach::Arrival;

impl Connection {
    /// Our greeting goes out at once: a peer that waits for it must not wait for its own.
    pub(super) fn begin_greeting(&mut self, now: Instant) -> Flow {
        let core = &self.core;
        let config = Config {
            identity: core.options.routing_id.clone(),
            limits: core.limits(),
            ..Config::new(core.kind)
        };
        self.phase = Phase::Greeting(Box::new(Handshake::new(config)), Unwritten::Nothing);
        self.readable = true;
        match self.write_greeting(now) {
            // Something may have come before we were ready for it.
            Flow::Idle => Flow::Again,
            flow => flow,
        }
    }

    pub(super) fn read_greeting(&mut self, landing: &mut Landing, count: usize) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        let input = landing.peek(count);
        let consumed = match handshake.handle_input(input) {
            Ok(consumed) => consumed,
            Err(error) => {
                // Tells the peer why, if it still listens.
                self.write_greeting(self.last_heard);
                return Flow::End(Farewell::Wire(error));
            }
        };
        if consumed < count {
            self.early = Some(Slice::copy_from(&input[consumed..]));
        }
        self.write_greeting(self.last_heard)
    }

    /// Writes what the handshake has to say; once it is done and said, the socket takes the peer in.
    pub(super) fn write_greeting(&mut self, now: Instant) -> Flow {
        let Phase::Greeting(handshake, unwritten) = &mut self.phase else { return Flow::Idle };
        loop {
            let batch = match std::mem::take(unwritten) {
                Unwritten::Rest(batch) => batch,
                Unwritten::WithDriver => {
                    *unwritten = Unwritten::WithDriver;
                    return Flow::Idle;
                }
                Unwritten::Nothing => {
                    let mut output = Vec::new();
                    handshake.poll_output(&mut output);
                    if output.is_empty() {
                        break;
                    }
                    Batch::from(output)
                }
            };
            match write(&self.stream, batch) {
                Ok(rest) => *unwritten = rest,
                Err(error) => return Flow::End(super::farewell_of(error)),
            }
            if !unwritten.is_nothing() {
                return Flow::Idle;
            }
        }
        if handshake.is_done() { self.establish(now) } else { Flow::Idle }
    }

    fn establish(&mut self, now: Instant) -> Flow {
        let Phase::Greeting(handshake, _) = &mut self.phase else { return Flow::Idle };
        let Some(peer) = handshake.poll_peer() else { return Flow::Idle };
        let routing_id = peer.identity.clone();
        let socket_type = peer.socket_type;
        self.peer_minor = peer.minor;
        let arrival = Arrival {
            key: self.stream.key(),
            writer: self.stream.writer(),
            peer,
            endpoint: self.endpoint.clone(),
            pipe: self.pipe,
        };
        match self.core.attach_connection(arrival) {
            Ok(pipe) => {
                self.pipe = Some(pipe);
                self.phase = Phase::Open;
                let endpoint = self.endpoint.clone();
                self.core.monitor.tell(|| EventKind::Established { endpoint, socket_type, routing_id });
                let beats = self.peer_minor >= 1;
                let next = if beats { after(now, self.core.options.heartbeat_interval) } else { None };
                // What came behind the handshake waits to be read, and so may more.
                self.readable = true;
                Flow::Established(next)
            }
            Err(why) => Flow::End(Farewell::TurnedAway(why.to_string())),
        }
    }
}
