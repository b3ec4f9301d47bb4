//! How messages get to another socket of the same context: through a ring, or for conflation through a single place.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use serverlink_message::Message;
use serverlink_message::ring::{self, Consumer, Producer};

use crate::socket::core::PeerEnd;
use crate::sync::Lock;
use crate::sync::later::drop_later;

/// Into another socket of this context.
pub(crate) struct RingOutlet {
    link: Into,
    /// Both ends' high-water marks together; `usize::MAX` where either has none.
    pub(crate) limit: usize,
    /// `None` until somebody binds the name.
    pub(crate) peer: Option<PeerEnd>,
}

/// Out of another socket of this context.
pub(crate) struct RingInlet {
    link: OutOf,
    pub(crate) peer: Option<PeerEnd>,
    /// The peer is gone: what is still here is the last there is.
    pub(crate) ended: bool,
    /// Messages taken since a producer that waits for room was told.
    taken: u32,
    /// After how many it is told: half the limit.
    pub(crate) room_batch: u32,
}

enum Into {
    Ring(Producer<Message>),
    Latest(Arc<Lock<Option<Message>>>),
}

enum OutOf {
    Ring(Consumer<Message>),
    Latest(Arc<Lock<Option<Message>>>),
}

/// See [`room_batch`].
const LARGEST_ROOM_BATCH: usize = 256;

/// Both ends of one direction. `conflate`: only the newest message is kept.
pub(crate) fn link(conflate: bool) -> (RingOutlet, RingInlet) {
    let (into, out_of) = if conflate {
        let place = Arc::new(Lock::default());
        (Into::Latest(Arc::clone(&place)), OutOf::Latest(place))
    } else {
        let (producer, consumer) = ring::channel();
        (Into::Ring(producer), OutOf::Ring(consumer))
    };
    let outlet = RingOutlet { link: into, limit: usize::MAX, peer: None };
    (outlet, RingInlet { link: out_of, peer: None, ended: false, taken: 0, room_batch: 1 })
}

/// How much room a full ring gets before its producer goes on, and is woken if it waits: half of the limit, and no more
/// than keeps both sides busy.
pub(crate) fn room_batch(limit: usize) -> u32 {
    u32::try_from(limit.div_ceil(2).clamp(1, LARGEST_ROOM_BATCH)).expect("it was clamped")
}

impl RingOutlet {
    /// Gives the message back if there is no room.
    #[inline]
    pub(crate) fn push(&mut self, message: Message) -> Result<(), Message> {
        match &mut self.link {
            Into::Ring(ring) => ring.try_push(message, self.limit).map(drop),
            Into::Latest(place) => {
                let older = place.lock().replace(message);
                drop_later(older);
                Ok(())
            }
        }
    }

    #[inline]
    pub(crate) fn has_room(&mut self) -> bool {
        match &mut self.link {
            Into::Ring(ring) => ring.has_room(self.limit),
            Into::Latest(_) => true,
        }
    }

    /// A ring that was full counts as full until there is room for several: two threads that meet at each single
    /// message spend their time on passing the cache line.
    pub(crate) fn has_room_again(&mut self) -> bool {
        match &mut self.link {
            Into::Ring(ring) => ring.free_slots(self.limit) >= room_batch(self.limit) as usize,
            Into::Latest(_) => true,
        }
    }

    /// Who has to be woken after a push. Orders the push before the look at who waits; a consumer orders its
    /// registration before its last look.
    #[inline]
    pub(crate) fn sleeper(&self) -> Option<PeerEnd> {
        fence(Ordering::SeqCst);
        self.peer.as_ref().filter(|peer| peer.core.readers.any()).cloned()
    }

    /// Messages for a peer that has not come.
    pub(crate) fn unbound_backlog(&mut self) -> usize {
        match (&self.peer, &mut self.link) {
            (Some(_), _) => 0,
            (None, Into::Ring(ring)) => ring.backlog(),
            (None, Into::Latest(place)) => usize::from(place.lock().is_some()),
        }
    }
}

impl RingInlet {
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Message> {
        match &mut self.link {
            OutOf::Ring(ring) => ring.pop(),
            OutOf::Latest(place) => place.lock().take(),
        }
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        match &mut self.link {
            OutOf::Ring(ring) => ring.is_empty(),
            OutOf::Latest(place) => place.lock().is_none(),
        }
    }

    /// A message was taken: gives the producer if it waits and has room enough to be woken for.
    #[inline]
    pub(crate) fn waiting_producer(&mut self) -> Option<PeerEnd> {
        self.taken += 1;
        if self.taken < self.room_batch {
            return None;
        }
        self.taken = 0;
        // Orders the pops before the look at who waits.
        fence(Ordering::SeqCst);
        self.peer.as_ref().filter(|peer| peer.core.writers.any()).cloned()
    }
}
