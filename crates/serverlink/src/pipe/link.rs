//! How messages get to another socket of the same context: through a ring, or for conflation through a single place.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use serverlink_driver::barrier;
use serverlink_message::Message;
use serverlink_message::ring::{self, Consumer, Producer};
use serverlink_patterns::PipeId;
use serverlink_zmtp::frame;

use super::high_water::HighWater;
use super::lane::RecvLane;
use crate::socket::core::PeerEnd;
use crate::sync::later::drop_later;
use crate::sync::{Lock, Waiters};

/// Into another socket of this context.
pub(crate) struct RingOutlet {
    link: Into,
    /// Both ends' high-water marks together.
    pub(crate) limit: HighWater,
    /// `None` until somebody binds the name.
    pub(crate) peer: Option<PeerEnd>,
    /// Who sleeps at its other end, to be asked for each message.
    readers: Option<Arc<Waiters>>,
    /// Those who sleep there see to it that asking needs no fence.
    is_frequent: bool,
    /// A message of several parts has to be looked at before it may come here.
    pub(crate) one_part_only: bool,
    /// Messages that it had no room for.
    pub(crate) missed: u64,
    /// Messages behind which nobody looked who sleeps: see [`FanOut`](crate::socket::fan_out::FanOut).
    pub(crate) unannounced: usize,
    /// Somebody is going to look.
    pub(crate) listed: bool,
}

/// Out of another socket of this context.
pub(crate) struct RingInlet {
    link: OutOf,
    pub(crate) peer: Option<PeerEnd>,
    /// The peer is gone: what is still here is the last there is.
    pub(crate) ended: bool,
    /// What was taken since a producer that waits for room was told.
    taken: Room,
    /// Messages and bytes taken before that.
    taken_before: (u64, u64),
    /// After how much it is told.
    room_batch: Room,
    /// How much may be taken before its producer can see it.
    longest_lane: Room,
}

enum Into {
    Ring(Producer<Message>),
    /// And how many messages were put there.
    Latest(Arc<Lock<Option<Message>>>, u64),
}

enum OutOf {
    Ring(Consumer<Message>),
    Latest(Arc<Lock<Option<Message>>>),
}

/// The longest body that is copied into a ring.
pub(crate) const LONGEST_COPIED: usize = Producer::<Message>::LONGEST_BYTES;

/// Fewer messages are not worth a lane.
const SHORTEST_LANE: usize = 8;

/// What is taken through a lane counts as waiting for a while. That is to be little of what may wait.
const LANES_IN_LIMIT: usize = 32;

/// See [`Room::batch`].
const LARGEST_ROOM_BATCH: usize = 256;

/// So many messages for a peer that sleeps are worth waking it for, however fast more of them come.
const LARGEST_UNANNOUNCED: usize = 256;

/// Messages and bytes.
#[derive(Clone, Copy)]
struct Room {
    messages: usize,
    bytes: usize,
}

/// Both ends of one direction. `conflate`: only the newest message is kept.
pub(crate) fn link(conflate: bool) -> (RingOutlet, RingInlet) {
    let (into, out_of) = if conflate {
        let place = Arc::new(Lock::default());
        (Into::Latest(Arc::clone(&place), 0), OutOf::Latest(place))
    } else {
        let (producer, consumer) = ring::channel();
        (Into::Ring(producer), OutOf::Ring(consumer))
    };
    let outlet = RingOutlet {
        link: into,
        limit: HighWater::NONE,
        peer: None,
        readers: None,
        is_frequent: false,
        one_part_only: false,
        missed: 0,
        unannounced: 0,
        listed: false,
    };
    let (taken, room_batch) = (Room::NOTHING, Room::batch(HighWater { messages: 1, bytes: 1 }));
    let inlet = RingInlet {
        link: out_of,
        peer: None,
        ended: false,
        taken,
        taken_before: (0, 0),
        room_batch,
        longest_lane: Room::NOTHING,
    };
    (outlet, inlet)
}

impl Room {
    const NOTHING: Room = Room { messages: 0, bytes: 0 };

    /// How much room a full ring gets before its producer goes on, and is woken if it waits: half of the limit, and no
    /// more messages than keep both sides busy.
    fn batch(limit: HighWater) -> Room {
        Room {
            messages: limit.messages.div_ceil(2).clamp(1, LARGEST_ROOM_BATCH),
            bytes: limit.bytes.div_ceil(2),
        }
    }
}

impl RingOutlet {
    /// Who reads it. `is_frequent`: the sender looks for sleepers behind each message.
    pub(crate) fn meet(&mut self, peer: PeerEnd, is_frequent: bool) {
        let readers = Arc::clone(&peer.core.readers);
        if is_frequent {
            readers.expect_frequent_notifiers();
        }
        (self.readers, self.is_frequent) = (Some(readers), is_frequent);
        self.peer = Some(peer);
    }

    /// Copies a message of one part. False: there is no room, or it is too long for that.
    #[inline]
    pub(crate) fn push_bytes(&mut self, body: &[u8]) -> bool {
        match &mut self.link {
            Into::Ring(ring) => {
                if body.len() > LONGEST_COPIED
                    || ring.waiting_weight_reaches(self.limit.bytes)
                    || ring.try_push_bytes(body, self.limit.messages).is_err()
                {
                    return false;
                }
                ring.add_weight(body.len());
                true
            }
            Into::Latest(..) => self.push(Message::from(body)).is_ok(),
        }
    }

    /// Gives the message back if there is no room.
    #[inline]
    pub(crate) fn push(&mut self, message: Message) -> Result<(), Message> {
        match &mut self.link {
            Into::Ring(ring) => {
                let bytes = message.len_bytes();
                if ring.waiting_weight_reaches(self.limit.bytes) {
                    return Err(message);
                }
                ring.try_push(message, self.limit.messages)?;
                ring.add_weight(bytes);
                Ok(())
            }
            Into::Latest(place, count) => {
                *count += 1;
                let older = place.lock().replace(message);
                drop_later(older);
                Ok(())
            }
        }
    }

    #[inline]
    pub(crate) fn has_room(&mut self) -> bool {
        match &mut self.link {
            Into::Ring(ring) => {
                ring.has_room(self.limit.messages) && !ring.waiting_weight_reaches(self.limit.bytes)
            }
            Into::Latest(..) => true,
        }
    }

    /// A ring that was full counts as full until there is room for several: two threads that meet at each single
    /// message spend their time on passing the cache line.
    pub(crate) fn has_room_again(&mut self) -> bool {
        match &mut self.link {
            Into::Ring(ring) => {
                let batch = Room::batch(self.limit);
                let free_bytes = self.limit.bytes.saturating_sub(ring.waiting_weight());
                ring.free_slots(self.limit.messages) >= batch.messages && free_bytes >= batch.bytes
            }
            Into::Latest(..) => true,
        }
    }

    /// Who has to be woken after a push. Orders the push before the look at who waits; a consumer orders its
    /// registration before its last look.
    #[inline]
    pub(crate) fn sleeper(&self) -> Option<PeerEnd> {
        match self.is_frequent {
            true => barrier::frequent(),
            false => fence(Ordering::SeqCst),
        }
        self.sleeper_behind_fence()
    }

    /// The same, where one sequentially consistent fence stands behind the pushes to several rings.
    #[inline]
    pub(crate) fn sleeper_behind_fence(&self) -> Option<PeerEnd> {
        if self.readers.as_ref().is_some_and(|readers| readers.any()) { self.peer.clone() } else { None }
    }

    /// So much was pushed that nobody was told of that it is worth telling now.
    #[inline]
    pub(crate) fn is_worth_announcing(&mut self) -> bool {
        if self.unannounced >= (self.limit.messages / 4).clamp(1, LARGEST_UNANNOUNCED) {
            return true;
        }
        let quarter = self.limit.bytes / 4;
        match &mut self.link {
            Into::Ring(ring) => self.unannounced > 0 && ring.waiting_weight_reaches(quarter),
            Into::Latest(..) => false,
        }
    }

    /// Messages that were ever pushed, and their bytes; those of conflation are not counted.
    pub(crate) fn sent(&self) -> (u64, u64) {
        match &self.link {
            Into::Ring(ring) => (ring.pushed() as u64, ring.added_weight() as u64),
            Into::Latest(_, count) => (*count, 0),
        }
    }

    /// Bytes that wait in it.
    pub(crate) fn waiting_bytes(&mut self) -> usize {
        match &mut self.link {
            Into::Ring(ring) => ring.waiting_weight(),
            Into::Latest(..) => 0,
        }
    }

    /// Messages for a peer that has not come.
    pub(crate) fn unbound_backlog(&mut self) -> usize {
        match (&self.peer, &mut self.link) {
            (Some(_), _) => 0,
            (None, Into::Ring(ring)) => ring.backlog(),
            (None, Into::Latest(place, _)) => usize::from(place.lock().is_some()),
        }
    }
}

impl RingInlet {
    /// The peer is gone. Nobody waits for room any more; and what nobody reads must not keep a closed socket with all that it has.
    #[must_use = "it may be the last that holds the peer: drop it without locks"]
    pub(crate) fn end(&mut self) -> Option<PeerEnd> {
        self.ended = true;
        self.peer.take()
    }

    pub(crate) fn set_limit(&mut self, limit: HighWater) {
        self.room_batch = Room::batch(limit);
        self.longest_lane =
            Room { messages: limit.messages / LANES_IN_LIMIT, bytes: limit.bytes / LANES_IN_LIMIT };
    }

    /// False: there is nothing, and `into` is as it was. Apart, so that wires do not pay for its length.
    #[inline(never)]
    pub(crate) fn pop(&mut self, into: &mut Message) -> bool {
        match &mut self.link {
            OutOf::Ring(ring) => {
                let Some(bytes) = ring.pop_into(into) else { return false };
                ring.release_weight(bytes);
                self.taken.bytes += bytes;
                true
            }
            OutOf::Latest(place) => match place.lock().take() {
                Some(message) => {
                    *into = message;
                    true
                }
                None => false,
            },
        }
    }

    /// Lends its first bytes out, if so many messages are known to wait that it pays. The producer hears of what is taken when the lane is settled:
    /// soon compared with its limit, and never later than it would be woken.
    #[inline]
    pub(crate) fn open_lane(&mut self, pipe: PipeId) -> Option<RecvLane> {
        let OutOf::Ring(ring) = &mut self.link else { return None };
        let room = Room {
            messages: self.room_batch.messages - self.taken.messages,
            bytes: self.room_batch.bytes.saturating_sub(self.taken.bytes),
        };
        let left = ring.known().min(self.longest_lane.messages).min(room.messages.saturating_sub(1));
        if left < SHORTEST_LANE {
            return None;
        }
        let front = ring.lend(self.longest_lane.bytes.min(room.bytes));
        Some(RecvLane { ring: true, ..RecvLane::over(pipe, front, left, u64::from(u8::MAX)) })
    }

    /// Takes back what it lent.
    pub(crate) fn settle(&mut self, lane: &RecvLane) {
        let OutOf::Ring(ring) = &mut self.link else { return };
        let rest = lane.front.len();
        let messages = ring.take_back(rest);
        let bytes = lane.lent_bytes - rest - messages * frame::SHORT_HEADER_LEN;
        ring.release_weight(bytes);
        self.taken.messages += messages;
        self.taken.bytes += bytes;
    }

    /// Messages that wait.
    pub(crate) fn backlog(&self) -> usize {
        match &self.link {
            OutOf::Ring(ring) => ring.backlog(),
            OutOf::Latest(place) => usize::from(place.lock().is_some()),
        }
    }

    /// Messages that were ever taken, and their bytes.
    pub(crate) fn taken_in_all(&self) -> (u64, u64) {
        let (messages, bytes) = self.taken_before;
        (messages + self.taken.messages as u64, bytes + self.taken.bytes as u64)
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
        self.taken.messages += 1;
        if self.taken.messages < self.room_batch.messages && self.taken.bytes < self.room_batch.bytes {
            return None;
        }
        self.taken_before = self.taken_in_all();
        self.taken = Room::NOTHING;
        // Orders the pops before the look at who waits.
        fence(Ordering::SeqCst);
        self.peer.as_ref().filter(|peer| peer.core.writers.any()).cloned()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// How many messages of that size go to a reader who sleeps until he is worth waking.
    fn announced_after(limit: HighWater, size: usize) -> usize {
        let (mut outlet, _inlet) = link(false);
        outlet.limit = limit;
        while !outlet.is_worth_announcing() {
            assert!(outlet.push_bytes(&vec![7; size]), "it is full, and nobody was told");
            outlet.unannounced += 1;
        }
        outlet.unannounced
    }

    #[test]
    fn a_reader_is_told_when_a_quarter_of_either_mark_waits() {
        assert_eq!(announced_after(HighWater { messages: 32, bytes: usize::MAX }, 10), 8);
        assert_eq!(announced_after(HighWater { messages: 1000, bytes: 8000 }, 500), 4);
        assert_eq!(announced_after(HighWater::NONE, 10), LARGEST_UNANNOUNCED);
    }
}
