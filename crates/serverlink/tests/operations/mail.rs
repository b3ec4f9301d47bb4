//! Messages that say who sent them, and what must be true of those that arrive.

use std::collections::{BTreeMap, BTreeSet};

use serverlink::{Message, Part, SocketType};

/// What a SUB can ask for, and what publishers put in front.
pub(crate) const TOPICS: [&str; 5] = ["", "a", "ab", "b", "news"];

/// A socket's number in the order of opening.
pub(crate) type Serial = u32;

/// One message of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) sender: Serial,
    pub(crate) number: u32,
}

const MAGIC: &[u8; 4] = b"slfz";

impl Letter {
    /// What a socket of this type can send of it: of those with one part, and what is in front as an address, the last.
    pub(crate) fn parts_for(self, kind: SocketType) -> Vec<Vec<u8>> {
        let mut parts = self.parts();
        if kind.has_single_part() {
            parts.drain(..parts.len() - 1);
        }
        if kind == SocketType::Radio {
            parts.insert(0, self.group().as_bytes().to_vec());
        }
        parts
    }

    pub(crate) fn group(self) -> &'static str {
        TOPICS[self.seal() as usize % TOPICS.len()]
    }

    /// A topic, some parts, and last the part that tells whose it is. All of it follows from the two numbers.
    fn parts(self) -> Vec<Vec<u8>> {
        let draw = self.seal();
        let mut parts = vec![self.group().as_bytes().to_vec()];
        if draw >> 8 & 7 == 0 {
            parts.extend(
                (b'a'..)
                    .take((draw >> 16 & 7) as usize)
                    .map(|octet| vec![octet; (draw >> 24) as usize % 300]),
            );
        }
        let size = match draw >> 32 & 31 {
            0 => 9_000,
            1 => 70_000,
            2..8 => (draw >> 40) as usize % 2000,
            _ => (draw >> 40) as usize % 60,
        };
        let mut last = MAGIC.to_vec();
        last.extend(self.sender.to_be_bytes());
        last.extend(self.number.to_be_bytes());
        last.extend(draw.to_be_bytes());
        last.resize(last.len() + size, draw as u8);
        parts.push(last);
        parts
    }

    /// Scatters its bits, so that nobody makes a letter by chance.
    fn seal(self) -> u64 {
        let word = u64::from(self.sender) << 32 | u64::from(self.number);
        let mixed = (word ^ 0x5bd1_e995_9e37_79b9).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    /// `None`: no letter, but something that a peer of bytes or the library itself said.
    pub(crate) fn read(message: &Message) -> Option<Letter> {
        let last: &[u8] = message.iter().next_back()?.as_bytes();
        let number = |at: usize| Some(u32::from_be_bytes(last.get(at..at + 4)?.try_into().ok()?));
        let letter = Letter { sender: number(4)?, number: number(8)? };
        let sealed = last.get(12..20)? == letter.seal().to_be_bytes();
        (last.starts_with(MAGIC) && sealed).then_some(letter)
    }

    /// Every part is as it was sent; in front there may be what the pattern puts there. REQ and REP take parts up to an empty one for the
    /// envelope (`is_stripped`).
    pub(crate) fn assert_whole(self, message: &Message, from: SocketType, is_stripped: bool) {
        let (sent, came): (Vec<Vec<u8>>, Vec<&Part>) = (self.parts_for(from), message.iter().collect());
        assert!(
            is_stripped || came.len() >= sent.len(),
            "{self:?} lost parts: {} of {} came",
            came.len(),
            sent.len()
        );
        let same = came.iter().rev().zip(sent.iter().rev()).all(|(came, sent)| came.as_bytes() == &sent[..]);
        assert!(same, "{self:?} came with other parts than it was sent with");
    }
}

/// Who sent what, and what came where.
#[derive(Default)]
pub(crate) struct Post {
    /// Letters that a send accepted, and that go to one peer at most.
    accepted: BTreeSet<Letter>,
    delivered: BTreeSet<Letter>,
    /// From whom, to whom.
    last: BTreeMap<(Serial, Serial), u32>,
    /// Pairs between which a letter overtook another. Over one connection there is none.
    overtaken: BTreeSet<(Serial, Serial)>,
}

impl Post {
    pub(crate) fn accept(&mut self, letter: Letter) {
        self.accepted.insert(letter);
    }

    /// `to_one`: its sender gives each message to one peer.
    pub(crate) fn deliver(&mut self, letter: Letter, to: Serial, to_one: bool) {
        assert!(self.accepted.contains(&letter), "{letter:?} came and was never accepted");
        if to_one {
            assert!(self.delivered.insert(letter), "{letter:?} came twice, at last to {to}");
        }
        let last = self.last.insert((letter.sender, to), letter.number);
        if last.is_some_and(|last| last >= letter.number) {
            self.overtaken.insert((letter.sender, to));
        }
    }

    pub(crate) fn overtaken(&self) -> impl Iterator<Item = (Serial, Serial)> {
        self.overtaken.iter().copied()
    }
}
