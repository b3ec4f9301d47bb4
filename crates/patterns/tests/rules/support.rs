//! What the tests of several patterns need.

use serverlink_message::{Message, Part, SocketType};
use serverlink_patterns::{Dialogue, PatternOptions, PeerInfo, PipeId, Receiver, Reserve, Sender, Subject};
use slotmap::SlotMap;

/// The parts of a message in a test's table.
pub(crate) type Given = &'static [&'static [u8]];

pub(crate) fn pipes<const N: usize>() -> [PipeId; N] {
    let mut keys: SlotMap<PipeId, ()> = SlotMap::with_key();
    [(); N].map(|()| keys.insert(()))
}

/// The halves of one socket.
pub(crate) struct Socket {
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
    pub(crate) dialogue: Dialogue,
}

impl Socket {
    pub(crate) fn new(socket_type: SocketType) -> Socket {
        Socket::with(socket_type, &PatternOptions::default())
    }

    pub(crate) fn with(socket_type: SocketType, options: &PatternOptions) -> Socket {
        Socket {
            sender: Sender::new(socket_type, options),
            receiver: Receiver::new(socket_type, options),
            dialogue: Dialogue::new(socket_type, options, 41),
        }
    }

    pub(crate) fn attach(&mut self, pipe: PipeId) {
        let attached = self.sender.attach(pipe, &PeerInfo::default());
        assert!(!attached.reject && !attached.refused);
        self.receiver.attach(pipe, attached.routing_id);
    }

    pub(crate) fn attach_all(&mut self, pipes: &[PipeId]) {
        pipes.iter().for_each(|&pipe| self.attach(pipe));
    }

    pub(crate) fn detach(&mut self, pipe: PipeId) {
        let _ = self.sender.detach(pipe);
        self.receiver.detach(pipe);
        self.dialogue.on_detach(pipe);
    }

    pub(crate) fn reserve(&mut self, first: &[u8]) -> Reserve {
        self.sender.reserve(first, &mut self.dialogue)
    }

    pub(crate) fn commit(&mut self) {
        self.sender.commit(&mut self.dialogue);
    }

    pub(crate) fn rollback(&mut self) {
        self.sender.rollback(&mut self.dialogue);
    }

    /// The peer subscribes to a topic: what the application is told.
    pub(crate) fn asks(&mut self, pipe: PipeId, topic: &[u8]) -> Option<Message> {
        self.sender.handle_subscribe(pipe, Subject::Topic(topic)).expect("every topic is one")
    }

    /// The peer subscribes to a glob.
    pub(crate) fn asks_for_glob(&mut self, pipe: PipeId, glob: &[u8]) -> Option<Message> {
        self.sender.handle_subscribe(pipe, Subject::Glob(glob)).expect("a pattern")
    }

    pub(crate) fn cancels(&mut self, pipe: PipeId, topic: &[u8]) -> Option<Message> {
        self.sender.handle_cancel(pipe, Subject::Topic(topic))
    }

    pub(crate) fn prefix(&self) -> Vec<Part> {
        self.sender.prefix(&self.dialogue).to_vec()
    }
}

pub(crate) fn message(parts: &[&[u8]]) -> Message {
    Message::from_parts(parts.iter().map(|&part| Part::copy_from(part)))
}

pub(crate) fn parts(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|part| part.as_bytes().to_vec()).collect()
}
