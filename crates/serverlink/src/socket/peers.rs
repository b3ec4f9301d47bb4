//! Who is at the other ends, and whose a message is.

use std::sync::Arc;

use serverlink_driver::fork;
use serverlink_message::Message;
use serverlink_patterns::PipeId;

use super::core::Core;
use super::recv::{Place, tell};
use super::side::Half;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::peer::Peer;

/// A message and who sent it; nobody, if it is the library's own.
pub(crate) type Sent = (Message, Option<Arc<Peer>>);

impl Core {
    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        let topology = self.topology.lock();
        let present = topology.pipes.values().filter(|entry| entry.has_peer);
        present.filter_map(|entry| entry.peer.clone()).collect()
    }

    pub(crate) fn peer_behind(&self, pipe: PipeId) -> Option<Arc<Peer>> {
        let topology = self.topology.lock();
        topology.pipes.get(pipe).filter(|entry| entry.has_peer)?.peer.clone()
    }

    /// This socket, as another one of the context sees it.
    pub(super) fn introduce_inproc(&self, endpoint: &Endpoint) -> Arc<Peer> {
        let settings = self.settings();
        Arc::new(Peer {
            socket_type: Some(self.kind),
            routing_id: settings.routing_id.clone(),
            version: None,
            address: Some(endpoint.clone()),
            credentials: None,
            properties: settings.metadata.clone(),
            user_id: None,
            granted: Vec::new(),
            public_key: None,
        })
    }

    /// The next message, if nothing has to be decided for it, and it is known already who sends there.
    #[inline]
    pub(crate) fn recv_in_lane_with_peer(&self) -> Option<Sent> {
        if !self.receives_in_lanes || fork::generation() != 0 {
            return None;
        }
        let mut half = self.recv.lock_lane();
        let peer = half.side.lane_peer.clone()?;
        if let Some(message) = half.lane.cut() {
            return Some((message, peer));
        }
        let mut message = Message::new();
        let producer = half.take_otherwise(&mut message)?;
        drop(half);
        tell(producer);
        Some((message, peer))
    }

    /// One attempt. The topology stays locked, so that nobody forgets the pipe of the message in between.
    pub(crate) fn try_recv_with_peer(self: &Arc<Self>) -> Result<Option<Sent>, Error> {
        let (mut message, mut pipe) = (Message::new(), None);
        let topology = self.topology.lock();
        let mut guard = self.recv.lock();
        let Half { lane, silent, side } = &mut *guard;
        let mut conversation = self.dialogue.as_ref().map(|dialogue| dialogue.lock());
        let found =
            side.take(self, conversation.as_deref_mut().unwrap_or(silent), &mut message, |side, place| {
                pipe = match place {
                    Place::Queue => side.found_by_look,
                    Place::Pipe => side.receiver.last_served(),
                };
            });
        drop(conversation);
        let met = std::mem::take(&mut side.met);
        let peer_of = |pipe| topology.pipes.get(pipe)?.peer.clone();
        let peer = pipe.and_then(peer_of);
        if met.is_empty() && self.receives_in_lanes && matches!(found, Ok(true)) {
            side.open_lane(lane);
            if lane.is_open() {
                side.lane_peer =
                    Some(if pipe == Some(lane.pipe) { peer.clone() } else { peer_of(lane.pipe) });
            }
        }
        drop(guard);
        drop(topology);
        if !met.is_empty() {
            self.deal_with(met);
        }
        Ok(found?.then_some((message, peer)))
    }
}
