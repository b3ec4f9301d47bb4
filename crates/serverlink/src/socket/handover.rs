//! A routing id goes from one peer to another.
//!
//! What was not read of the old peer is dropped, counted and told, so that none of it comes after the new peer's first
//! message. Messages queued for the old peer go with its connection.

use std::sync::Arc;

use serverlink_driver::Key;
use serverlink_message::Message;
use serverlink_patterns::PipeId;

use super::core::{Core, PeerEnd, RecvSide, Topology};
use crate::monitor::EventKind;
use crate::pipe::{Inlet, Outlet};
use crate::reactor::{Command, Farewell};
use crate::sync::later::drop_later;

/// An old peer that lost its name, to be told without locks.
pub(super) struct Displaced {
    pipe: PipeId,
    way: Way,
    event: EventKind,
    /// Kept until no lock is held: messages may be owned by foreign code.
    _inlets: Vec<Inlet>,
}

enum Way {
    Wire(Option<Key>),
    Inproc(Option<PeerEnd>),
}

impl Core {
    /// Takes from `old` what was not read. The topology is locked, so the new peer's messages come after this.
    pub(super) fn hand_over(&self, topology: &Topology, old: PipeId) -> Option<Displaced> {
        let entry = topology.pipes.get(old)?;
        let way = match self.send.lock().outlets.get(old) {
            Some(Outlet::Ring(outlet)) => Way::Inproc(outlet.peer.clone()),
            _ => Way::Wire(entry.key),
        };
        let mut recv = self.recv.lock();
        let name = recv.receiver.routing_id(old);
        let announced = || entry.peer.as_ref().map(|peer| peer.routing_id.clone()).unwrap_or_default();
        let routing_id = name.map_or_else(announced, |name| name.as_bytes().to_vec());
        let (inlets, discarded) = recv.give_up(old);
        recv.received.at_handover += discarded as u64;
        let event = EventKind::HandedOver { endpoint: entry.endpoint.clone(), routing_id, discarded };
        Some(Displaced { pipe: old, way, event, _inlets: inlets })
    }

    /// Tells the old peer, and whoever listens. Call without locks.
    pub(super) fn finish_hand_over(self: &Arc<Self>, displaced: Displaced) {
        match displaced.way {
            Way::Wire(Some(key)) => self.post(Command::Break(key, Farewell::HandedOver)),
            Way::Wire(None) => {}
            Way::Inproc(peer) => {
                self.lose_inproc_peer(displaced.pipe);
                if let Some(peer) = peer {
                    peer.core.lose_inproc_peer(peer.pipe);
                }
            }
        }
        self.monitor.tell(|| displaced.event);
    }
}

impl RecvSide {
    /// Nothing that came over this pipe is received any more: its inlets and those before it, to be dropped without a lock, and the whole messages in them.
    pub(super) fn give_up(&mut self, pipe: PipeId) -> (Vec<Inlet>, usize) {
        self.receiver.detach(pipe);
        let mut inlets = self.remove_predecessors(pipe);
        inlets.extend(self.remove_inlet(pipe));
        let unread = inlets.iter_mut().map(Inlet::count_unread).sum();
        (inlets, unread)
    }
}

impl Inlet {
    /// Whole messages that nobody took, for an inlet that is given up.
    fn count_unread(&mut self) -> usize {
        match self {
            Inlet::Wire(inbox) => {
                // What is wrong behind them does not matter any more.
                let _ = inbox.scan(drop);
                inbox.whole_messages()
            }
            Inlet::Ring(inlet) => {
                let unread: Vec<Message> = std::iter::from_fn(|| {
                    let mut message = Message::new();
                    inlet.pop(&mut message).then_some(message)
                })
                .collect();
                let count = unread.len();
                drop_later(unread);
                count
            }
        }
    }
}
