//! The application ends its connection with one peer: ROUTER, SERVER, PEER, STREAM.

use std::sync::Arc;

use serverlink_message::SocketType;
use serverlink_patterns::PipeId;

use super::Socket;
use super::core::{Core, RecvSide};
use super::subscribers::Queued;
use crate::error::Error;
use crate::pipe::Outlet;
use crate::reactor::Command;
use crate::sync::later::{drop_later, later};

/// One peer of those that are sent to by their routing ids.
impl Socket {
    /// ROUTER, SERVER, PEER, STREAM: ends the connection with one peer. Returns at once, and nobody has the routing id then.
    ///
    /// What is queued for the peer is still written, for at most the socket's [linger](crate::Options::linger); what it sent and nobody has received is
    /// dropped and counted as [`discarded`](crate::Stats::discarded). One that this socket dialed is not dialed again; if it is not there yet, what is
    /// queued for it is dropped and counted. One that came to a listener may come back, under its routing id if it announces one. For a SERVER
    /// and a PEER the routing id is the number in four octets, the highest first.
    ///
    /// A ROUTER is told of it if it is told of peers that leave. libzmq: `zmq_disconnect_peer`, of SERVER and PEER.
    ///
    /// # Errors
    /// [`Error::Unroutable`] if nobody has the routing id, [`Error::NotSupported`] for other types.
    pub fn hang_up(&self, routing_id: &[u8]) -> Result<(), Error> {
        self.core.hang_up(routing_id)
    }

    /// ROUTER, SERVER, PEER, STREAM: whether a message to this peer would find room now. Never blocks.
    ///
    /// Nothing is held for the caller: another thread that sends meanwhile, or a peer that leaves, can change the answer. libzmq: `zmq_socket_get_peer_state`,
    /// of ROUTER.
    ///
    /// # Errors
    /// [`Error::Unroutable`] if nobody has the routing id, [`Error::NotSupported`] for other types.
    pub fn has_room_for(&self, routing_id: &[u8]) -> Result<bool, Error> {
        self.core.has_room_for_peer(routing_id)
    }
}

impl Core {
    pub(super) fn hang_up(self: &Arc<Self>, routing_id: &[u8]) -> Result<(), Error> {
        self.check_open()?;
        self.check_knows_its_peers("hang up on one peer")?;
        let _later = later();
        let mut topology = self.topology.lock();
        let pipe = self.pipe_of(routing_id)?;
        let Some(entry) = topology.pipes.get(pipe) else { return Err(unroutable(routing_id)) };
        let (key, was_dialed) = (entry.key, entry.dialed);
        topology.dialed.retain(|dialed| dialed.pipe != pipe);
        let (detached, is_ring) = {
            let mut send = self.send.lock();
            let is_ring = matches!(send.outlets.get(pipe), Some(Outlet::Ring(_)));
            (send.sender.detach(pipe), is_ring)
        };
        {
            let mut recv = self.recv.lock();
            recv.drop_unread(pipe, !self.is_raw());
            let farewells = recv.farewells.remove(pipe).unwrap_or_default();
            farewells.into_iter().chain(detached.notify).for_each(|message| recv.notify(Some(message)));
        }
        if key.is_some() {
            // From here on it ends as one does that came to a listener.
            (topology.pipes[pipe].dialed, topology.pipes[pipe].attached) = (false, false);
        }
        drop(topology);
        match key {
            _ if is_ring => self.disconnect_inproc(pipe),
            Some(key) => {
                self.write_pipe(pipe);
                self.post(Command::HangUp(key));
            }
            None => self.drop_dialed(pipe),
        }
        if was_dialed && !is_ring {
            // Its connection may have been lost in this moment, and its dialer be on the way to the next.
            self.post(Command::StopDialing(pipe));
        }
        self.let_in_nameless();
        self.wake_everybody();
        Ok(())
    }

    fn has_room_for_peer(self: &Arc<Self>, routing_id: &[u8]) -> Result<bool, Error> {
        self.check_knows_its_peers("tell one peer from another")?;
        let look = || {
            self.check_usable()?;
            let pipe = self.pipe_of(routing_id)?;
            let mut send = self.send.lock();
            send.look_at_full_rings();
            let has_room = send.sender.is_writable(pipe) && send.has_room(pipe);
            Ok(has_room.then_some(()))
        };
        // What the system has taken since may not be known yet.
        Ok(look()?.is_some() || self.poll_and(look)?.is_some())
    }

    fn check_knows_its_peers(&self, what: &'static str) -> Result<(), Error> {
        use SocketType::{Peer, Router, Server, Stream};
        match self.kind {
            Router | Server | Peer | Stream => Ok(()),
            socket_type => Err(Error::NotSupported { what, socket_type }),
        }
    }

    fn pipe_of(&self, routing_id: &[u8]) -> Result<PipeId, Error> {
        self.send.lock().sender.pipe_of(routing_id).ok_or_else(|| unroutable(routing_id))
    }
}

fn unroutable(routing_id: &[u8]) -> Error {
    Error::Unroutable { routing_id: routing_id.to_vec() }
}

impl RecvSide {
    /// What came over this pipe and was not received. `counts`: it was messages.
    fn drop_unread(&mut self, pipe: PipeId, counts: bool) {
        let (inlets, mut unread) = self.give_up(pipe);
        drop_later(inlets);
        if self.found_by_look == Some(pipe)
            && let Some(Queued { message, .. }) = self.queued.pop_front()
        {
            self.found_by_look = None;
            self.queued_bytes -= message.len_bytes();
            drop_later(message);
            unread += 1;
        }
        if counts {
            self.received.discarded += unread as u64;
        }
    }
}
