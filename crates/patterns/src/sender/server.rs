use std::collections::HashMap;

use serverlink_message::Part;
use slotmap::SecondaryMap;

use crate::siphash::SipKey;
use crate::{Attached, Framing, PatternOptions, PipeId, Refusal, Reserve};

/// SERVER and PEER: the first part is the number of the peer that gets the second (RFC 41 and RFC 51).
///
/// Numbers are given when a pipe comes and are its own for good: one that is gone is nobody's for four thousand million peers.
/// Nothing is dropped: who is not there is told, who is full is waited for.
#[derive(Debug)]
pub(super) struct Server {
    pipes: HashMap<u32, PipeId, SipKey>,
    peers: SecondaryMap<PipeId, Peer>,
    next_number: u32,
}

#[derive(Debug)]
struct Peer {
    number: u32,
    /// The same as a part.
    id: Part,
    is_writable: bool,
}

impl Server {
    pub(super) fn new(options: &PatternOptions) -> Server {
        Server {
            pipes: HashMap::with_hasher(SipKey::new(options.seed)),
            peers: SecondaryMap::new(),
            next_number: (options.seed >> 32) as u32,
        }
    }

    pub(super) fn attach(&mut self, pipe: PipeId) -> Attached {
        if !self.peers.contains_key(pipe) {
            let number = self.free_number();
            let id = Part::copy_from(&number.to_be_bytes());
            self.pipes.insert(number, pipe);
            self.peers.insert(pipe, Peer { number, id, is_writable: true });
        }
        Attached { routing_id: self.routing_id(pipe).cloned(), ..Attached::default() }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) {
        if let Some(peer) = self.peers.remove(pipe) {
            self.pipes.remove(&peer.number);
        }
    }

    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        if let Some(peer) = self.peers.get_mut(pipe) {
            peer.is_writable = writable;
        }
    }

    pub(super) fn reserve(&self, id: &[u8]) -> Reserve {
        match self.pipe_of(id) {
            None => Reserve::Refused(Refusal::Unroutable),
            Some(pipe) if !self.peers[pipe].is_writable => Reserve::WouldBlock,
            Some(pipe) => Reserve::One { pipe, framing: Framing::SkipFirst },
        }
    }

    /// As far as can be told without a message.
    pub(super) fn is_ready(&self) -> bool {
        self.peers.is_empty() || self.peers.values().any(|peer| peer.is_writable)
    }

    pub(super) fn routing_id(&self, pipe: PipeId) -> Option<&Part> {
        self.peers.get(pipe).map(|peer| &peer.id)
    }

    pub(super) fn pipe_of(&self, id: &[u8]) -> Option<PipeId> {
        let number = u32::from_be_bytes(id.try_into().ok()?);
        self.pipes.get(&number).copied()
    }

    pub(super) fn is_writable(&self, pipe: PipeId) -> bool {
        self.peers.get(pipe).is_some_and(|peer| peer.is_writable)
    }

    /// Never zero, which libzmq's messages have where none was set.
    fn free_number(&mut self) -> u32 {
        loop {
            let number = self.next_number;
            self.next_number = number.wrapping_add(1);
            if number != 0 && !self.pipes.contains_key(&number) {
                return number;
            }
        }
    }
}
