//! Messages that a socket sends and receives of its own accord: hello, disconnect, hiccup.
//!
//! A hello goes with its connection, as control frames do: it is not counted, comes first on each, and no break makes two of it. What
//! is said at the end of a connection lies behind the last message in its inbox, as if it had come from the peer.

use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part, SocketType};
use serverlink_patterns::{PipeId, Sender};
use serverlink_zmtp::frame;

use super::core::{Core, RecvSide};
use crate::limits;
use crate::pipe::{Inlet, RingOutlet};

impl Core {
    /// Into a ring that nobody else knows yet.
    pub(super) fn greet_ring(&self, outlet: &mut RingOutlet) {
        if !self.options.hello_message.is_empty() {
            // A ring that was just made has room.
            let _ = outlet.push(Message::from(&self.options.hello_message[..]));
        }
    }

    /// The connection of this pipe was lost, and its inbox was cut off. `unread`: pipes without a peer.
    pub(super) fn add_last_word(&self, pipe: PipeId, dialed: bool, unread: usize) {
        let Some(word) = self.last_word(dialed) else { return };
        // A peer that got no name, or lost it to another, is nobody whom the application knows.
        if self.kind == SocketType::Router && self.send.lock().sender.routing_id(pipe).is_none() {
            return;
        }
        let mut recv = self.recv.lock();
        // Peers that come and go without end are told of as long as there is room.
        if unread > limits::WAITING_NOTIFICATIONS {
            recv.received.discarded += 1;
            return;
        }
        recv.put_message(pipe, word);
    }

    /// The same over inproc, where nothing can be put behind what the peer left in the ring. `sender` still knows the peer.
    pub(super) fn last_word_of_ring(&self, sender: &Sender, pipe: PipeId, dialed: bool) -> Option<Message> {
        // Nothing that was lost comes back over inproc.
        let word = if dialed { None } else { self.last_word(dialed) }?;
        let routing_id = sender.routing_id(pipe)?;
        Some(Message::from_parts([routing_id.clone(), Part::copy_from(word)]))
    }

    fn last_word(&self, dialed: bool) -> Option<&[u8]> {
        let word = match (self.kind, dialed) {
            (SocketType::Stream, _) => return self.options.stream_notify.then_some(&[][..]),
            (SocketType::Router | SocketType::Server | SocketType::Peer, false) => {
                &self.options.disconnect_message
            }
            (SocketType::Dealer | SocketType::Client | SocketType::Peer, true) => {
                &self.options.hiccup_message
            }
            _ => return None,
        };
        (!word.is_empty()).then_some(&word[..])
    }
}

impl RecvSide {
    /// A message that is received as if the peer had sent it behind all it did send.
    pub(super) fn put_message(&mut self, pipe: PipeId, body: &[u8]) {
        if let Some(Inlet::Wire(inbox)) = self.inlets.get_mut(pipe) {
            let mut frames = Vec::new();
            frame::put_frame(&mut frames, false, body);
            inbox.handle_input(Slice::from(frames));
            self.receiver.set_readable(pipe, true);
        }
    }
}
