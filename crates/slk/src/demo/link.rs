//! What makes a link between two servers lossless: numbered records, cumulative acknowledgements, and going back to the last
//! acknowledged record when none comes. Pure: records and times in, records and answers out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Records that may be on their way. Below the sockets' high-water mark, so that a record hardly ever finds a full queue.
const WINDOW: usize = 512;

/// Records are sent again when no acknowledgement came for so long.
const PATIENCE: Duration = Duration::from_millis(250);

/// What is carried, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Line(Vec<u8>),
    /// No more lines come.
    End,
}

/// How many lines went by, and a digest of them in their order: two ends that agree on both have seen the same lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) digest: u64,
}

/// The sending end of a link.
pub(super) struct Outbound {
    /// Sent or to be sent, and not acknowledged: the record and when it was first given to the link.
    kept: VecDeque<(Record, Instant)>,
    /// The number of the first kept record.
    first: u64,
    /// How many of the kept records are on their way.
    on_the_way: usize,
    /// How many of the kept records were on their way before and are due again.
    due_again: usize,
    last_progress: Instant,
    ended: bool,
    tally: Tally,
    resent: u64,
    /// A new life does not know what its peer has: it asks, and has to be told before it sends.
    asking: Asking,
}

/// What a new life knows of its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    /// Everything.
    No,
    /// It has to ask.
    Due,
    /// It asked, at `last_progress`.
    Asked,
}

/// The receiving end of a link.
#[derive(Default)]
pub(super) struct Inbound {
    arrived: Arrived,
    owes_acknowledgement: bool,
    filtered: u64,
}

/// What has come over a link. This is all that a receiver has to keep to go on in a new life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) records: u64,
    pub(super) tally: Tally,
    pub(super) ended: bool,
}

impl Outbound {
    pub(super) fn new(now: Instant) -> Outbound {
        Outbound {
            kept: VecDeque::new(),
            first: 0,
            on_the_way: 0,
            due_again: 0,
            last_progress: now,
            ended: false,
            tally: Tally::default(),
            resent: 0,
            asking: Asking::No,
        }
    }

    /// The sending end of a server that was killed and lives again.
    pub(super) fn of_new_life(now: Instant) -> Outbound {
        Outbound { asking: Asking::Due, ..Outbound::new(now) }
    }

    pub(super) fn has_room(&self) -> bool {
        !self.ended && self.kept.len() < WINDOW && self.asking == Asking::No
    }

    /// Whether the peer is to be asked what it has.
    pub(super) fn wants_to_ask(&self) -> bool {
        self.asking == Asking::Due
    }

    pub(super) fn on_asked(&mut self, now: Instant) {
        self.asking = Asking::Asked;
        self.last_progress = now;
    }

    /// The peer says that it has everything before the record `next`. If that was to be found out, gives how many records are to be
    /// given to [`skip`](Outbound::skip).
    pub(super) fn handle_answer(&mut self, next: u64, now: Instant) -> Option<u64> {
        if self.asking == Asking::No {
            return None;
        }
        self.asking = Asking::No;
        self.last_progress = now;
        Some(next)
    }

    /// A record that went over the link in an earlier life.
    pub(super) fn skip(&mut self, record: &Record) {
        self.count(record);
        self.first += 1;
    }

    /// Takes a record to be carried. Only while there is room.
    pub(super) fn handle_record(&mut self, record: Record, now: Instant) {
        debug_assert!(self.has_room(), "the caller asks first");
        self.count(&record);
        if self.kept.is_empty() {
            self.last_progress = now;
        }
        self.kept.push_back((record, now));
    }

    fn count(&mut self, record: &Record) {
        match record {
            Record::Line(line) => self.tally.add(line),
            Record::End => self.ended = true,
        }
    }

    /// The next record to be put on the wire, with its number.
    pub(super) fn poll_transmit(&self) -> Option<(u64, &Record)> {
        let (record, _) = self.kept.get(self.on_the_way)?;
        Some((self.first + self.on_the_way as u64, record))
    }

    /// The record that `poll_transmit` gave is on the wire.
    pub(super) fn on_transmitted(&mut self) {
        self.on_the_way += 1;
        if self.due_again > 0 {
            self.due_again -= 1;
            self.resent += 1;
        }
    }

    /// The peer has everything before the record `next`. Returns how long the newest of them took.
    pub(super) fn handle_acknowledgement(&mut self, next: u64, now: Instant) -> Option<Duration> {
        // A peer acknowledges what it was sent; anything else is an old acknowledgement that took the long way.
        let count =
            usize::try_from(next.checked_sub(self.first)?).ok().filter(|&count| count <= self.kept.len())?;
        let (_, given) = self.kept.drain(..count).next_back()?;
        self.first = next;
        self.on_the_way = self.on_the_way.saturating_sub(count);
        self.due_again = self.due_again.min(self.kept.len() - self.on_the_way);
        self.last_progress = now;
        Some(now.saturating_duration_since(given))
    }

    /// Goes back to the first record that was not acknowledged, or asks again, if the peer was silent for too long.
    pub(super) fn handle_time(&mut self, now: Instant) {
        if self.asking == Asking::Asked && now >= self.last_progress + PATIENCE {
            self.asking = Asking::Due;
        }
        if self.on_the_way > 0 && now >= self.last_progress + PATIENCE {
            self.due_again += self.on_the_way;
            self.on_the_way = 0;
            self.last_progress = now;
        }
    }

    /// When `handle_time` has something to do.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        (self.on_the_way > 0 || self.asking == Asking::Asked).then(|| self.last_progress + PATIENCE)
    }

    /// Whether the peer has everything, to the end.
    pub(super) fn is_done(&self) -> bool {
        self.ended && self.kept.is_empty()
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Records that were put on the wire more than once.
    pub(super) fn resent(&self) -> u64 {
        self.resent
    }
}

impl Inbound {
    /// Goes on from what came in an earlier life, or from nothing.
    pub(super) fn after(arrived: Arrived) -> Inbound {
        Inbound { arrived, ..Inbound::default() }
    }

    /// Takes a record off the wire; true if it is the one that was expected. Any other came already or comes again.
    pub(super) fn handle_record(&mut self, number: u64, record: &Record) -> bool {
        self.owes_acknowledgement = true;
        if number != self.arrived.records {
            self.filtered += 1;
            return false;
        }
        self.arrived.records += 1;
        match record {
            Record::Line(line) => self.arrived.tally.add(line),
            Record::End => self.arrived.ended = true,
        }
        true
    }

    /// The peer lives again and asks what came.
    pub(super) fn handle_question(&mut self) {
        self.owes_acknowledgement = true;
    }

    /// The acknowledgement to be sent, if something came since the last one: everything before this record. What arrived is to be
    /// kept first.
    pub(super) fn poll_acknowledgement(&self) -> Option<u64> {
        self.owes_acknowledgement.then_some(self.arrived.records)
    }

    pub(super) fn on_acknowledged(&mut self) {
        self.owes_acknowledgement = false;
    }

    pub(super) fn arrived(&self) -> Arrived {
        self.arrived
    }

    /// Whether everything came, to the end.
    pub(super) fn is_done(&self) -> bool {
        self.arrived.ended
    }

    pub(super) fn tally(&self) -> Tally {
        self.arrived.tally
    }

    /// Records that were not the expected ones.
    pub(super) fn filtered(&self) -> u64 {
        self.filtered
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { lines: 0, digest: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Tally {
    /// FNV-1a over the bytes and an end mark, so that "ab", "c" is not "a", "bc".
    fn add(&mut self, line: &[u8]) {
        const PRIME: u64 = 0x0100_0000_01b3;
        const END: u64 = 0x100;
        self.lines += 1;
        let bytes = line.iter().map(|byte| u64::from(*byte)).chain([END]);
        self.digest = bytes.fold(self.digest, |digest, value| (digest ^ value).wrapping_mul(PRIME));
    }
}

#[cfg(test)]
mod tests;
