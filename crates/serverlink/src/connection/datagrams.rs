//! A connection that is none: datagrams from anybody, or to wherever they shall go.

use serverlink_driver::Read;
use serverlink_driver::datagram::split_address;
use serverlink_message::SocketType;

use super::landing::Landing;
use super::{Connection, Flow};
use crate::reactor::Attention;
use crate::socket::core::Core;

/// How many come in one go while others wait.
const READ_BUDGET: usize = 64;

impl Connection {
    pub(super) fn has_datagrams(&self) -> bool {
        self.datagrams.is_some()
    }

    /// Reads what is there, within a budget. What goes wrong with one says nothing of the next.
    pub(super) fn read_datagrams(
        &mut self,
        landing: &mut Landing,
        now: std::time::Instant,
        attention: Attention,
    ) -> Flow {
        let Some(pipe) = self.pipe.filter(|_| receives(&self.core)) else {
            self.readable = false;
            return Flow::Idle;
        };
        for _ in 0..READ_BUDGET {
            // Who takes has room for it in a moment.
            if attention == Attention::Taking && !self.core.has_room_for_datagram(pipe) {
                return Flow::Again;
            }
            let Ok(Read::Bytes(count)) = self.stream.read(landing.datagram()) else {
                return self.read_everything(now);
            };
            if let Some((from, datagram)) = split_address(landing.peek(count)) {
                self.core.take_datagram(pipe, from, datagram, attention);
            }
        }
        Flow::Again
    }
}

/// A RADIO that connects has a port too, to which anybody may send.
fn receives(core: &Core) -> bool {
    core.kind != SocketType::Radio && !core.is_closing()
}
