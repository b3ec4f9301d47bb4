//! One end of a virtual connection.

use std::collections::VecDeque;
use std::io;

use super::host::Host;
use super::state::{DriverId, LinkId, SocketId};
use crate::{Address, Credentials, Key, StreamOptions};

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) host: Host,
    pub(super) local: Option<Address>,
    pub(super) remote: Option<Address>,
    /// The other end, once there is one, for as long as it exists.
    pub(super) peer: Option<SocketId>,
    pub(super) link: Option<LinkId>,
    pub(super) phase: Phase,
    pub(super) registration: Option<(DriverId, Key)>,
    /// What it was told, for a test to see.
    pub(super) options: StreamOptions,
    /// Of the process at the other end.
    pub(super) peer_credentials: Option<Credentials>,
    /// Taken from the writer and not delivered.
    pub(super) outgoing: VecDeque<u8>,
    pub(super) send_capacity: usize,
    /// Delivered, and the network does not let the answer through that would say so: they still take room.
    pub(super) unacknowledged: usize,
    /// A delivery of `outgoing` is on its way.
    pub(super) delivering: bool,
    /// Nothing more will be written.
    pub(super) write_shut: bool,
    /// The peer has been told so.
    pub(super) end_sent: bool,
    /// Delivered and not read.
    pub(super) received: VecDeque<u8>,
    pub(super) receive_capacity: usize,
    /// Its kernel knows nothing of it any more, and says so when the peer sends something.
    pub(super) forgotten: bool,
    /// The peer will send nothing more.
    pub(super) ended: bool,
    /// The last write was cut short and the writer waits for room; with completions the driver has the rest instead.
    pub(super) wants_write: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    Open,
    /// The connection broke or never came about; this is what calls say.
    Failed(io::ErrorKind),
    /// The program closed it; it lives until its bytes are delivered.
    Closed,
}

impl Socket {
    pub(super) fn new(host: Host, phase: Phase, send_capacity: usize, receive_capacity: usize) -> Socket {
        Socket {
            host,
            local: None,
            remote: None,
            peer: None,
            link: None,
            phase,
            registration: None,
            options: StreamOptions::default(),
            peer_credentials: None,
            outgoing: VecDeque::new(),
            send_capacity: send_capacity.max(1),
            unacknowledged: 0,
            delivering: false,
            write_shut: false,
            end_sent: false,
            received: VecDeque::new(),
            receive_capacity: receive_capacity.max(1),
            forgotten: false,
            ended: false,
            wants_write: false,
        }
    }

    /// A read would not block.
    pub(super) fn has_input(&self) -> bool {
        !self.received.is_empty() || self.ended || matches!(self.phase, Phase::Failed(_))
    }

    /// A write would not block.
    pub(super) fn has_room(&self) -> bool {
        self.room() > 0 || matches!(self.phase, Phase::Failed(_))
    }

    /// Bytes that the kernel would take.
    pub(super) fn room(&self) -> usize {
        self.send_capacity.saturating_sub(self.outgoing.len() + self.unacknowledged)
    }
}
