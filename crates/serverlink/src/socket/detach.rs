//! A peer goes: what stays of its pipe, what is given up with it, and what the pattern is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serverlink_message::{Message, SocketType};
use serverlink_patterns::{Detached, PipeId};

use super::core::{Core, RecvSide, Topology};
use crate::limits;
use crate::pipe::{Inlet, Outlet};
use crate::stats::Sent;
use crate::sync::later::drop_later;

impl Core {
    /// A connection is lost. What it brought stays to be read; a dialer's pipe stays for the next one.
    pub(crate) fn detach_connection(self: &Arc<Self>, pipe: PipeId) {
        self.detach(pipe, true);
    }

    /// `lost`: it was not the application that gave it up.
    fn detach(self: &Arc<Self>, pipe: PipeId, lost: bool) {
        let mut topology = self.topology.lock();
        let Some(entry) = topology.pipes.get_mut(pipe) else { return };
        let (dialed, attached, had_peer) =
            (entry.dialed, entry.attached, std::mem::take(&mut entry.has_peer));
        entry.key = None;
        entry.record.on_disconnected();
        topology.peers -= usize::from(had_peer);
        self.cut_off_inlet(pipe);
        if had_peer && lost {
            self.add_last_word(pipe, dialed, topology.pipes.len() - topology.peers);
        }
        let (mut spent, mut lost) = (Vec::new(), 0);
        let detached = {
            let mut send = self.send.lock();
            send.leave_cohort(pipe);
            if let Some(outbox) = send.outbox(pipe) {
                if outbox.waits_for_system() {
                    self.blocked.fetch_sub(1, Ordering::Relaxed);
                }
                outbox.detach();
                if self.is_raw() {
                    // The next stream is another conversation.
                    lost = outbox.discard_queued(&mut spent) as u64;
                }
            }
            send.sent.with_peer += lost;
            if attached {
                let credit = send.outbox(pipe).is_none_or(|outbox| outbox.has_room());
                send.sender.set_writable(pipe, credit || self.options.conflate);
                Detached { notify: send.sender.on_disconnected(pipe), upstream: Vec::new() }
            } else {
                send.sender.detach(pipe)
            }
        };
        if !dialed {
            self.drop_accepted(&mut topology, pipe);
        }
        // A request that waits for its next connection is still asked, and one whose answer is here is answered.
        if !attached && !self.has_unread_reply(pipe) {
            self.end_dialogue(pipe);
        }
        {
            let mut recv = self.recv.lock();
            self.queue_departure(&mut recv, detached.upstream);
            recv.say_last(pipe, detached.notify.into_iter().collect());
        }
        drop(topology);
        drop_later(spent);
        self.let_in_nameless();
        self.wake_everybody();
    }

    /// Keeps the whole messages of what came, and nothing of a cut one.
    fn cut_off_inlet(self: &Arc<Self>, pipe: PipeId) {
        let mut recv = self.recv.lock();
        if let Some(Inlet::Wire(inbox)) = recv.inlets.get_mut(pipe) {
            // Nobody is there to answer a command, and a wrong frame ends what can be read.
            let _ = inbox.scan(drop);
            inbox.cut_off();
        }
    }

    /// What was queued for an accepted connection goes with it, and is counted. What it brought stays.
    fn drop_accepted(&self, topology: &mut Topology, pipe: PipeId) {
        {
            let mut send = self.send.lock();
            if let Some(outlet) = send.outlets.remove(pipe) {
                send.sent.retire(&outlet);
                send.dirty.retain(|&listed| listed != pipe);
                drop_later(outlet);
            }
        }
        if self.recv.lock().end_inlet(pipe) {
            topology.pipes.remove(pipe);
        }
    }

    /// `disconnect`: the pipe goes with what is queued in it, which is counted.
    pub(crate) fn drop_dialed(self: &Arc<Self>, pipe: PipeId) {
        // Tells the pattern and the application of a peer that is lost by this.
        self.detach(pipe, false);
        let mut topology = self.topology.lock();
        let Some(entry) = topology.pipes.remove(pipe) else { return };
        topology.peers -= usize::from(entry.has_peer);
        {
            let mut send = self.send.lock();
            let _ = send.sender.detach(pipe);
            if let Some(outlet) = send.outlets.remove(pipe) {
                if matches!(&outlet, Outlet::Wire(outbox) if outbox.waits_for_system()) {
                    self.blocked.fetch_sub(1, Ordering::Relaxed);
                }
                send.sent.retire(&outlet);
                send.dirty.retain(|&listed| listed != pipe);
                drop_later(outlet);
            }
        }
        self.end_dialogue(pipe);
        let _inlet = {
            let mut recv = self.recv.lock();
            recv.receiver.detach(pipe);
            recv.remove_inlet(pipe)
        };
        drop(topology);
        self.wake_everybody();
    }

    /// REQ: the dialogue with a peer that answered and left goes on until the answer is taken.
    pub(super) fn has_unread_reply(&self, pipe: PipeId) -> bool {
        self.kind == SocketType::Req && self.recv.lock().inlets.contains_key(pipe)
    }

    /// REQ and REP: nobody is at the other end of this pipe any more.
    pub(super) fn end_dialogue(&self, pipe: PipeId) {
        if let Some(dialogue) = &self.dialogue {
            dialogue.lock().on_detach(pipe);
        }
    }

    /// The last message of a pipe without connection was taken.
    pub(crate) fn forget_pipe(&self, pipe: PipeId) {
        self.topology.lock().pipes.remove(pipe);
    }
}

impl Sent {
    /// An outlet goes, with what waits in it.
    pub(super) fn retire(&mut self, outlet: &Outlet) {
        self.with_peer += outlet.queued() as u64;
        self.bytes += outlet.sent_bytes();
    }
}

impl RecvSide {
    /// An inlet goes.
    pub(super) fn remove_inlet(&mut self, pipe: PipeId) -> Option<Inlet> {
        let inlet = self.inlets.remove(pipe)?;
        if let Inlet::Ring(inlet) = &inlet {
            let (_, bytes) = inlet.taken_in_all();
            self.received.bytes += bytes;
        }
        Some(inlet)
    }

    /// Nothing more comes through this inlet. True if nothing of it is left to read either.
    pub(crate) fn end_inlet(&mut self, pipe: PipeId) -> bool {
        let empty = match self.inlets.get_mut(pipe) {
            Some(Inlet::Wire(inbox)) => {
                inbox.end();
                self.ended_bytes += inbox.unread_bytes();
                if self.ended_bytes > limits::ENDED_BYTES {
                    // Peers that come, fill their inbox and leave must not fill the memory.
                    self.received.discarded += inbox.whole_messages() as u64;
                    self.ended_bytes -= inbox.unread_bytes();
                    true
                } else {
                    inbox.is_empty()
                }
            }
            Some(Inlet::Ring(inlet)) => {
                drop_later(inlet.end());
                inlet.is_empty()
            }
            None => true,
        };
        if empty {
            self.receiver.detach(pipe);
            self.remove_inlet(pipe);
        } else {
            self.receiver.set_readable(pipe, true);
        }
        empty
    }

    /// Messages of the library's that come behind the last one of this pipe.
    pub(crate) fn say_last(&mut self, pipe: PipeId, messages: Vec<Message>) {
        if messages.is_empty() {
            return;
        }
        let is_empty = match self.inlets.get_mut(pipe) {
            Some(Inlet::Wire(inbox)) => inbox.is_empty(),
            Some(Inlet::Ring(inlet)) => inlet.is_empty(),
            None => true,
        };
        if is_empty {
            messages.into_iter().for_each(|message| self.notify(Some(message)));
        } else {
            self.farewells.insert(pipe, messages);
        }
    }

    /// ROUTER: tells the application of a peer. Peers that come and go without end are told of as long as there is room.
    pub(crate) fn notify(&mut self, message: Option<Message>) {
        let Some(message) = message else { return };
        if self.is_queue_full() {
            self.received.discarded += 1;
        } else {
            self.queue(message);
        }
    }
}
