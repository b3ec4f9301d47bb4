use std::collections::HashMap;

use serverlink_message::{Message, Part};
use slotmap::SecondaryMap;

use crate::siphash::SipKey;
use crate::{
    AttachRefusal, Attached, DropReason, Framing, PatternOptions, PeerInfo, PipeId, Refusal, Reserve,
};

/// ROUTER: the first part says who gets the rest.
#[derive(Debug)]
pub(super) struct Router {
    names: HashMap<Box<[u8]>, PipeId, SipKey>,
    peers: SecondaryMap<PipeId, Peer>,
    /// Who was written to last: a conversation with one peer needs no look-up.
    last: Option<PipeId>,
    next_number: u32,
    is_mandatory: bool,
    /// It is a STREAM's, which cannot be otherwise.
    stays_mandatory: bool,
    allows_handover: bool,
    tells_connect: bool,
    tells_disconnect: bool,
    dropped: u64,
}

#[derive(Debug)]
struct Peer {
    id: Part,
    is_writable: bool,
    is_connected: bool,
    /// Our own side chose the name: nobody may take it over.
    is_named_by_us: bool,
    /// Messages that it had no room for.
    missed: u64,
}

impl Router {
    pub(super) fn new(options: &PatternOptions) -> Router {
        Router {
            names: HashMap::with_hasher(SipKey::new(options.seed)),
            peers: SecondaryMap::new(),
            last: None,
            next_number: (options.seed >> 32) as u32,
            is_mandatory: options.router_mandatory,
            stays_mandatory: false,
            allows_handover: options.router_handover,
            tells_connect: options.router_notify_connect,
            tells_disconnect: options.router_notify_disconnect,
            dropped: 0,
        }
    }

    /// STREAM: who is not there is told, who is full is waited for.
    pub(super) fn of_streams(options: &PatternOptions) -> Router {
        Router { is_mandatory: true, stays_mandatory: true, ..Router::new(options) }
    }

    /// From now on. Names and peers stay as they are.
    pub(super) fn reconfigure(&mut self, options: &PatternOptions) {
        self.is_mandatory = options.router_mandatory || self.stays_mandatory;
        self.allows_handover = options.router_handover;
        self.tells_connect = options.router_notify_connect;
        self.tells_disconnect = options.router_notify_disconnect;
    }

    pub(super) fn attach(&mut self, pipe: PipeId, peer: &PeerInfo) -> Attached {
        if let Some(known) = self.peers.get(pipe) {
            // A dialer's pipe keeps its first name over all its connections.
            return Attached { routing_id: Some(known.id.clone()), ..Attached::default() };
        }
        let (id, is_named_by_us) = match &peer.connect_routing_id {
            Some(id) if !id.is_empty() => (Part::copy_from(id), true),
            _ if peer.routing_id.is_empty() => (self.anonymous_id(), false),
            _ if peer.routing_id[0] == 0 => {
                return Attached { reject: true, ..refused(AttachRefusal::ReservedRoutingId) };
            }
            _ => (Part::copy_from(&peer.routing_id), false),
        };
        let displaced = match self.names.get(id.as_bytes()) {
            Some(&holder) if is_named_by_us || !self.may_displace(holder) => {
                return refused(AttachRefusal::DuplicateRoutingId);
            }
            other => other.copied(),
        };
        if let Some(older) = displaced {
            self.remove(older);
        }
        self.names.insert(id.as_bytes().into(), pipe);
        self.peers.insert(
            pipe,
            Peer { id: id.clone(), is_writable: true, is_connected: false, is_named_by_us, missed: 0 },
        );
        let notify = if peer.socket_type.is_some() { self.on_connected(pipe) } else { None };
        Attached { routing_id: Some(id), displaced, notify, ..Attached::default() }
    }

    /// For a peer that names itself.
    pub(super) fn judge(&self, peer: &PeerInfo) -> Result<(), AttachRefusal> {
        match (&peer.routing_id[..], self.names.get(&peer.routing_id[..])) {
            ([0, ..], _) => Err(AttachRefusal::ReservedRoutingId),
            (_, Some(&holder)) if !self.may_displace(holder) => Err(AttachRefusal::DuplicateRoutingId),
            _ => Ok(()),
        }
    }

    pub(super) fn detach(&mut self, pipe: PipeId) -> Option<Message> {
        let notify = self.on_disconnected(pipe);
        self.remove(pipe);
        notify
    }

    pub(super) fn on_connected(&mut self, pipe: PipeId) -> Option<Message> {
        let peer = self.peers.get_mut(pipe)?;
        let is_new = !std::mem::replace(&mut peer.is_connected, true);
        (is_new && self.tells_connect).then(|| notification(&peer.id))
    }

    pub(super) fn on_disconnected(&mut self, pipe: PipeId) -> Option<Message> {
        let peer = self.peers.get_mut(pipe)?;
        let was_connected = std::mem::replace(&mut peer.is_connected, false);
        (was_connected && self.tells_disconnect).then(|| notification(&peer.id))
    }

    #[inline]
    pub(super) fn set_writable(&mut self, pipe: PipeId, writable: bool) {
        if let Some(peer) = self.peers.get_mut(pipe) {
            peer.is_writable = writable;
        }
    }

    #[inline]
    pub(super) fn reserve(&mut self, id: &[u8]) -> Reserve {
        let Some((pipe, is_writable)) = self.look_up(id) else {
            return self.fail(Reserve::Refused(Refusal::Unroutable), DropReason::Unroutable);
        };
        if !is_writable {
            self.peers[pipe].missed += 1;
            return self.fail(Reserve::WouldBlock, DropReason::HighWaterMark);
        }
        self.last = Some(pipe);
        Reserve::One { pipe, framing: Framing::SkipFirst }
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.is_mandatory || self.peers.values().any(|peer| peer.is_writable)
    }

    pub(super) fn routing_id(&self, pipe: PipeId) -> Option<&Part> {
        self.peers.get(pipe).map(|peer| &peer.id)
    }

    pub(super) fn pipe_of(&self, id: &[u8]) -> Option<PipeId> {
        self.names.get(id).copied()
    }

    pub(super) fn is_writable(&self, pipe: PipeId) -> bool {
        self.peers.get(pipe).is_some_and(|peer| peer.is_writable)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A mandatory ROUTER drops nothing.
    pub(super) fn missed(&self, pipe: PipeId) -> u64 {
        if self.is_mandatory { 0 } else { self.peers.get(pipe).map_or(0, |peer| peer.missed) }
    }

    #[inline]
    fn look_up(&self, id: &[u8]) -> Option<(PipeId, bool)> {
        if let Some(pipe) = self.last
            && let Some(peer) = self.peers.get(pipe)
            && peer.id.as_bytes() == id
        {
            return Some((pipe, peer.is_writable));
        }
        let &pipe = self.names.get(id)?;
        Some((pipe, self.named(pipe).is_writable))
    }

    /// A mandatory ROUTER tells the caller; any other accepts the message and drops it.
    fn fail(&mut self, told: Reserve, dropped: DropReason) -> Reserve {
        if self.is_mandatory {
            return told;
        }
        self.dropped += 1;
        Reserve::Nobody(dropped)
    }

    /// A name that our side gave stays where it is: the peer that announces it as well could otherwise cut off the
    /// one that the application meant, and the dialer would come back for its name for ever.
    fn may_displace(&self, holder: PipeId) -> bool {
        self.allows_handover && !self.named(holder).is_named_by_us
    }

    fn named(&self, pipe: PipeId) -> &Peer {
        self.peers.get(pipe).expect("a name is filed and removed together with its peer")
    }

    fn remove(&mut self, pipe: PipeId) {
        if let Some(peer) = self.peers.remove(pipe) {
            self.names.remove(peer.id.as_bytes());
        }
    }

    /// A zero octet, which no peer may announce, and a number.
    fn anonymous_id(&mut self) -> Part {
        loop {
            let [a, b, c, d] = self.next_number.to_be_bytes();
            let id = [0, a, b, c, d];
            self.next_number = self.next_number.wrapping_add(1);
            // Taken if the number went round, or if our own side named a connection so.
            if !self.names.contains_key(&id[..]) {
                return Part::copy_from(&id);
            }
        }
    }
}

fn refused(why: AttachRefusal) -> Attached {
    Attached { refused: true, why: Some(why), ..Attached::default() }
}

fn notification(id: &Part) -> Message {
    Message::from_parts([id.clone(), Part::new()])
}
