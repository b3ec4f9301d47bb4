//! The ways of small messages between two decisions: memory that an outbox or an inbox lends, and for how long.

use serverlink_message::chunk::Slice;
use serverlink_message::{Message, Part};
use serverlink_patterns::{Passage, PipeId};
use serverlink_zmtp::frame::{self, Header, Parsed};

use super::outbox::BY_REFERENCE_BYTES;

/// The longest body whose frame has a header of two octets.
const SHORT_BODY: usize = u8::MAX as usize;

/// Longer bodies have ways on which they are not copied.
const LONGEST_BODY: usize = BY_REFERENCE_BYTES;

/// Into the open segment of one outbox, up to where it has to be sealed or its peer has no room.
#[derive(Default)]
pub(crate) struct SendLane {
    /// Whose segment this is. A lane that is not open has no memory.
    pub(crate) pipe: PipeId,
    pub(crate) arena: Vec<u8>,
    /// The arena stays shorter than this, which is within its capacity.
    pub(crate) end: usize,
    /// How many messages it may still take.
    pub(crate) left: usize,
    /// How many it took.
    pub(crate) taken: usize,
    /// It leads into a ring, which has all it needs where it is.
    pub(crate) ring: bool,
}

impl SendLane {
    /// Frames a message of one part. False: it has to go the long way, and nothing changed.
    #[inline]
    pub(crate) fn push(&mut self, body: &[u8]) -> bool {
        if body.len() > SHORT_BODY {
            return self.push_longer(body);
        }
        self.push_frame(frame::SHORT_HEADER_LEN, body)
    }

    #[inline(never)]
    fn push_longer(&mut self, body: &[u8]) -> bool {
        body.len() <= LONGEST_BODY && self.push_frame(frame::MAX_HEADER_LEN, body)
    }

    #[inline]
    fn push_frame(&mut self, header_len: usize, body: &[u8]) -> bool {
        let end = self.arena.len() + header_len + body.len();
        if end >= self.end || self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.taken += 1;
        frame::put_frame(&mut self.arena, false, body);
        true
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.end > 0 || self.ring
    }
}

/// Out of the first bytes of one inbox.
#[derive(Default)]
pub(crate) struct RecvLane {
    /// Whose bytes these are.
    pub(crate) pipe: PipeId,
    pub(crate) front: Slice,
    /// What becomes of each message.
    pub(crate) passage: Passage,
    /// How many messages may still be taken.
    pub(crate) left: usize,
    /// How many were.
    pub(crate) taken: usize,
    /// The longest body that the peer may send.
    pub(crate) longest_body: u64,
    /// How long `front` was; 0 for a lane that is not open, or leads out of a ring in which few messages wait.
    pub(crate) lent_bytes: usize,
    /// It leads out of a ring. What does not lie in `front` is taken from there directly.
    pub(crate) ring: bool,
}

impl RecvLane {
    /// Over the bytes in front of one pipe, for its messages as they come.
    #[inline]
    pub(crate) fn over(pipe: PipeId, front: Slice, left: usize, longest_body: u64) -> RecvLane {
        let (lent_bytes, passage) = (front.len(), Passage::AsItCame);
        RecvLane { pipe, front, passage, left, taken: 0, longest_body, lent_bytes, ring: false }
    }

    /// Cuts a message of one part out. `None`: it is to be tried with [`cut_last`](RecvLane::cut_last).
    #[expect(clippy::inline_always, reason = "as `Message::cut_from`")]
    #[inline(always)]
    pub(crate) fn cut(&mut self) -> Option<Message> {
        let (header_len, body_len) = self.next_body()?;
        let message = match &mut self.passage {
            Passage::Behind(address) => Message::cut_behind(address, &mut self.front, header_len, body_len)?,
            _ => Message::cut_from(&mut self.front, header_len, body_len)?,
        };
        self.left -= 1;
        self.taken += 1;
        Some(message)
    }

    /// The same where that has to ask for more. False: what comes next has to go the long way.
    #[inline(never)]
    pub(crate) fn cut_last(&mut self, into: &mut Message) -> bool {
        let Some((header_len, body_len)) = self.next_body() else { return false };
        self.left -= 1;
        self.taken += 1;
        self.front.advance(header_len);
        cut_body(&mut self.front, body_len, into);
        if let Passage::Behind(address) = &mut self.passage {
            address.put_before(into);
        }
        true
    }

    /// Shows the body of the next message of one part, and is past it then. False: it was not shown; what comes next has to go the long way.
    #[expect(clippy::inline_always, reason = "see `cut`")]
    #[inline(always)]
    pub(crate) fn show(&mut self, take: impl FnOnce(&[u8])) -> bool {
        let Some((header_len, body_len)) = self.next_body_alone() else { return false };
        take(&self.front[header_len..header_len + body_len]);
        self.left -= 1;
        self.taken += 1;
        self.front.advance(header_len + body_len);
        true
    }

    /// Cuts a message of one part out, in place of what a part held. False: what comes next has to go the long way, or what the part holds must
    /// not be dropped here. Nothing changed then.
    #[expect(clippy::inline_always, reason = "see `cut`")]
    #[inline(always)]
    pub(crate) fn refill(&mut self, part: &mut Part) -> bool {
        let Some((header_len, body_len)) = self.next_body_alone() else { return false };
        if !part.take_from(&mut self.front, header_len, body_len) {
            return false;
        }
        self.left -= 1;
        self.taken += 1;
        true
    }

    /// The lengths of the next frame's header and body, if it is a message for the application with nothing in front of it.
    #[expect(clippy::inline_always, reason = "see `cut`")]
    #[inline(always)]
    fn next_body_alone(&self) -> Option<(usize, usize)> {
        if matches!(self.passage, Passage::Behind(_)) { None } else { self.next_body() }
    }

    /// The same, whatever is in front of it.
    #[expect(clippy::inline_always, reason = "see `cut`")]
    #[inline(always)]
    fn next_body(&self) -> Option<(usize, usize)> {
        let (header_len, body_len) = match *self.front {
            [0, body_len, ..] => (frame::SHORT_HEADER_LEN, usize::from(body_len)),
            _ => self.next_longer_body()?,
        };
        let is_here = self.front.len() - header_len >= body_len && self.left > 0;
        let passes = is_here
            && match &self.passage {
                Passage::AsItCame | Passage::Behind(_) => true,
                Passage::IfItBegins(topic) => {
                    self.front[header_len..header_len + body_len].starts_with(topic)
                }
            };
        passes.then_some((header_len, body_len))
    }

    #[inline(never)]
    fn next_longer_body(&self) -> Option<(usize, usize)> {
        let Ok(Parsed::Complete { header: Header { more: false, command: false, body_len }, header_len }) =
            frame::parse_header(&self.front)
        else {
            return None;
        };
        let fits = body_len <= self.longest_body;
        usize::try_from(body_len).ok().filter(|_| fits).map(|body_len| (header_len, body_len))
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.lent_bytes > 0 || self.ring
    }
}

/// Puts it where it is wanted. Not `split_to_part`: two kinds of part in one place are copied, one kind is made where it belongs.
#[expect(clippy::inline_always, reason = "a call would be a third of what a message costs here")]
#[inline(always)]
pub(crate) fn cut_body(front: &mut Slice, body_len: usize, into: &mut Message) {
    if body_len > Part::INLINE_MAX {
        *into = Message::from(Part::from(front.split_to(body_len)));
    } else {
        *into = Message::from(front.split_to_part(body_len));
    }
}

// The models of `tests/loom.rs` include this file.
#[cfg(all(test, not(loom)))]
mod tests {
    use serverlink_message::front::Front;

    use super::*;
    use crate::pipe::arena::{ArenaPool, SEGMENT_BYTES};
    use crate::pipe::high_water::HighWater;
    use crate::pipe::outbox::Outbox;

    fn fill(limit: HighWater) -> (usize, Outbox) {
        let (mut outbox, mut pool) = (Outbox::new(limit), ArenaPool::default());
        outbox.streaming = true;
        outbox.append_bytes(&[0; 64], &mut pool);
        let mut lane = outbox.open_lane(PipeId::default()).expect("the first of many");
        let mut taken = 0;
        while lane.push(&[0; 64]) {
            taken += 1;
        }
        outbox.settle(lane);
        (taken, outbox)
    }

    #[test]
    fn it_ends_before_the_message_that_reaches_a_mark() {
        let (taken, outbox) = fill(HighWater { messages: 10, bytes: usize::MAX });
        assert_eq!((taken, outbox.queued()), (8, 9));
        assert!(outbox.has_credit());
        let (taken, outbox) = fill(HighWater { messages: usize::MAX, bytes: 660 });
        assert_eq!((taken, outbox.queued_bytes()), (8, 9 * 66), "660 bytes would be at the mark");
    }

    #[test]
    fn it_ends_before_the_segment_is_full() {
        let (taken, outbox) = fill(HighWater::NONE);
        assert_eq!(taken + 1, (SEGMENT_BYTES - 1) / 66);
        assert!(outbox.queued_bytes() < SEGMENT_BYTES);
    }

    #[test]
    fn what_is_large_or_has_several_parts_goes_the_long_way() {
        let mut lane =
            SendLane { arena: Vec::with_capacity(20_000), end: 20_000, left: 10, ..SendLane::default() };
        assert!(!lane.push(&[0; LONGEST_BODY + 1]));
        assert!(lane.push(&[0; LONGEST_BODY]));
        assert!(lane.push(&[0; 256]));
        assert!(lane.push(&[0; 255]));
        assert_eq!((lane.taken, lane.left, lane.arena.len()), (3, 7, LONGEST_BODY + 9 + 256 + 9 + 257));

        let wires: [&[u8]; 8] = [
            b"\x01\x01a\x00\x01b",
            b"\x04\x01c",
            b"\x00\x05abcd",
            b"\x00",
            b"",
            b"\x02\0\0\0\0\0\0\0\x05abcd",
            b"\x02\0\0\0\0\0\0\0",
            b"\x03\0\0\0\0\0\0\0\x01a\x00\x01b",
        ];
        for wire in wires {
            assert_eq!(cut_all(wire, u64::MAX), (Vec::new(), wire.to_vec()), "{wire:?}");
            let mut lane = lane_over(wire, u64::MAX);
            assert!(
                !lane.show(|_| panic!("it is not whole, or no message")) && !lane.refill(&mut Part::new())
            );
            assert_eq!((&*lane.front, lane.taken), (wire, 0));
        }
    }

    #[test]
    fn shown_put_in_place_and_cut_out_is_the_same() {
        let mut wire = Vec::new();
        for len in 0..300 {
            frame::put_frame(&mut wire, false, &vec![len as u8; len]);
        }
        let (expected, _) = cut_all(&wire, u64::MAX);
        let (mut shows, mut refills) = (lane_over(&wire, u64::MAX), lane_over(&wire, u64::MAX));
        let mut part = Part::new();
        for message in &expected {
            assert!(shows.show(|body| assert_eq!(message.first(), body)));
            assert!(refills.refill(&mut part));
            assert_eq!(message.first(), &part);
        }
        assert!(!shows.show(|_| panic!("nothing is left")) && !refills.refill(&mut part));
        assert_eq!((shows.taken, refills.taken, shows.left), (expected.len(), expected.len(), 1000 - 300));
    }

    fn cut(lane: &mut RecvLane) -> Option<Message> {
        let mut message = Message::new();
        lane.cut().or_else(|| lane.cut_last(&mut message).then_some(message))
    }

    /// The messages in front, and what is left.
    fn cut_all(wire: &[u8], longest_body: u64) -> (Vec<Message>, Vec<u8>) {
        let mut lane = lane_over(wire, longest_body);
        (std::iter::from_fn(|| cut(&mut lane)).collect(), lane.front.to_vec())
    }

    fn lane_over(wire: &[u8], longest_body: u64) -> RecvLane {
        let front = Slice::copy_from(wire);
        RecvLane { lent_bytes: front.len(), front, left: 1000, longest_body, ..RecvLane::default() }
    }

    #[test]
    fn a_long_header_is_cut_as_far_as_the_limit_allows() {
        let wire = b"\x00\x01a\x02\0\0\0\0\0\0\0\x03bcd\x02\0\0\0\0\0\0\0\x02ef";
        let (messages, rest) = cut_all(wire, 3);
        assert_eq!((messages, rest), (vec!["a".into(), "bcd".into(), "ef".into()], Vec::new()));
        let (messages, rest) = cut_all(wire, 2);
        assert_eq!((messages, rest), (vec!["a".into()], wire[3..].to_vec()));
        let (messages, _) = cut_all(b"\x02\xff\xff\xff\xff\xff\xff\xff\xffa", u64::MAX);
        assert!(messages.is_empty(), "that is no size");
    }

    #[test]
    fn an_address_comes_in_front() {
        let front = Slice::copy_from(b"\x00\x04body");
        let passage = Passage::Behind(Front::new(Part::from("id")));
        let mut lane = RecvLane { lent_bytes: front.len(), front, left: 9, passage, ..RecvLane::default() };
        assert!(!lane.show(|_| panic!("it has two parts")) && !lane.refill(&mut Part::new()));
        assert_eq!(cut(&mut lane), Some(Message::from_parts(["id", "body"])));
    }

    #[test]
    fn what_does_not_begin_as_it_should_goes_the_long_way() {
        let front = Slice::copy_from(b"\x00\x02ab\x00\x01a\x00\x01b");
        let passage = Passage::IfItBegins(Part::from("ab"));
        let mut lane = RecvLane { lent_bytes: front.len(), front, left: 9, passage, ..RecvLane::default() };
        assert_eq!(cut(&mut lane), Some(Message::from("ab")));
        assert_eq!(
            cut(&mut lane),
            None,
            "shorter than the topic, though what follows it in memory would fit"
        );
        assert!(!lane.show(|_| panic!("it does not begin so")) && !lane.refill(&mut Part::new()));
        assert_eq!((lane.taken, lane.left, lane.front.len()), (1, 8, 6));
    }
}
