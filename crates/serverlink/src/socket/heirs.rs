//! A ROUTER's peer that comes back before all that it left was read.
//!
//! Its new connection is its *heir*: it is read when the old one's inlet is empty, so that what one peer sends
//! arrives in its order over all its connections. Until then the pattern does not know of the new inlet. It fills and
//! pauses at its high-water mark like any other.

use serverlink_message::{Message, Part};
use serverlink_patterns::PipeId;

use super::core::{Met, RecvSide};
use crate::pipe::Inlet;

/// Who is read next under a name.
pub(crate) struct Heir {
    pipe: PipeId,
    routing_id: Part,
    /// What the application is told of its arrival, in front of its first message.
    notify: Option<Message>,
}

impl RecvSide {
    /// The pattern hears of a pipe, now or when its name's older messages are taken.
    pub(super) fn admit(&mut self, pipe: PipeId, routing_id: Option<Part>, notify: Option<Message>) {
        if let Some(routing_id) = &routing_id
            && let Some(predecessor) = self.last_of_the_line(pipe, routing_id)
        {
            self.heirs.insert(predecessor, Heir { pipe, routing_id: routing_id.clone(), notify });
        } else {
            self.receiver.attach(pipe, routing_id);
            self.notify(notify);
        }
    }

    /// The inlet of this name that will be read last, if the connection of the first is gone.
    fn last_of_the_line(&self, newcomer: PipeId, id: &Part) -> Option<PipeId> {
        // Of ten thousand peers nobody is looked at, as long as none left something.
        if self.ended_bytes == 0 && self.rings.is_empty() {
            return None;
        }
        let is_ended = |(pipe, inlet): &(PipeId, &Inlet)| {
            *pipe != newcomer && inlet.has_ended() && self.receiver.routing_id(*pipe) == Some(id)
        };
        let (mut last, _) = self.inlets.iter().find(is_ended)?;
        while let Some(heir) = self.heirs.get(last)
            && self.inlets.contains_key(heir.pipe)
        {
            last = heir.pipe;
        }
        Some(last)
    }

    /// The last message of an ended inlet was taken: its heir is read from now on.
    pub(super) fn inherit(&mut self, from: PipeId) {
        if let Some(Heir { pipe, routing_id, notify }) = self.heirs.remove(from)
            && self.inlets.contains_key(pipe)
        {
            self.notify(notify);
            self.receiver.attach(pipe, Some(routing_id));
            self.receiver.set_readable(pipe, true);
        }
    }

    /// Takes the inlets out before whose end this one would not be read.
    pub(super) fn remove_predecessors(&mut self, of: PipeId) -> Vec<Inlet> {
        let mut removed = Vec::new();
        let mut pipe = of;
        while let Some((predecessor, _)) = self.heirs.iter().find(|(_, heir)| heir.pipe == pipe) {
            self.heirs.remove(predecessor);
            self.receiver.detach(predecessor);
            if let Some(inlet) = self.remove_inlet(predecessor) {
                if let Inlet::Wire(inbox) = &inlet {
                    self.ended_bytes -= inbox.ended_with();
                }
                removed.push(inlet);
            }
            self.met.push(Met::Retired(predecessor));
            pipe = predecessor;
        }
        removed
    }
}

impl Inlet {
    /// Its connection is gone; what is in it may be read.
    fn has_ended(&self) -> bool {
        match self {
            Inlet::Wire(inbox) => inbox.has_ended(),
            Inlet::Ring(inlet) => inlet.ended,
        }
    }
}
