//! An outbox as one of many that get the same messages.
//!
//! What its cohort logs counts for its mark and its counters, and is written when the log is cut: neither the writer token nor
//! the send rule looks at the log, because whoever appends to it sees that it is cut in time.

use std::sync::Arc;
use std::time::Instant;

use serverlink_driver::Buffer;
use serverlink_patterns::TargetSet;

use super::{Next, Outbox, Segment, Writing};
use crate::pipe::arena::{ArenaPool, SEGMENT_BYTES};
use crate::pipe::high_water::HighWater;
use crate::pipe::log::{CohortId, Frames, Share, Tail};

/// After so many messages in a row that went to the same peers, the next ones probably do too.
const STEADY: u32 = 8;

/// Where an outbox stands among others.
#[derive(Default)]
pub(crate) struct Company {
    cohort: Option<(CohortId, Arc<Tail>)>,
    /// With whom it got its last messages, and how many in a row.
    with: Option<TargetSet>,
    in_a_row: u32,
}

impl Outbox {
    pub(crate) fn cohort(&self) -> Option<CohortId> {
        self.company.cohort.as_ref().map(|(cohort, _)| *cohort)
    }

    /// One more message went to it together with these. True if that has been so for a while.
    pub(crate) fn note_company(&mut self, set: Option<TargetSet>) -> bool {
        let company = &mut self.company;
        if set.is_none() || company.with != set {
            (company.with, company.in_a_row) = (set, 0);
            return false;
        }
        company.in_a_row = company.in_a_row.saturating_add(1);
        company.in_a_row >= STEADY
    }

    /// Whether it may share a log from now on, with those who get the same: it is steady, and far enough from its mark not to hold the
    /// others up.
    pub(crate) fn may_join(&self, set: TargetSet) -> bool {
        let HighWater { messages, bytes } = self.limit;
        self.company.cohort.is_none()
            && self.company.with == Some(set)
            && self.company.in_a_row >= STEADY
            && self.writer.is_some()
            && self.rewrite.is_none()
            && self.queued <= messages / 2
            && self.queued_bytes_of_its_own() <= bytes / 2
    }

    pub(crate) fn join(&mut self, cohort: CohortId, tail: &Arc<Tail>) {
        self.company.cohort = Some((cohort, Arc::clone(tail)));
    }

    /// It goes its own way. What was logged until now it must have got.
    pub(crate) fn part(&mut self) {
        self.company = Company::default();
    }

    /// How much more it may be given before its mark is reached.
    pub(crate) fn room(&self) -> HighWater {
        HighWater {
            messages: self.limit.messages.saturating_sub(self.queued()),
            bytes: self.limit.bytes.saturating_sub(self.queued_bytes()),
        }
    }

    /// Its share of what its cohort logged.
    pub(crate) fn take_share(&mut self, share: &Share, pool: &mut ArenaPool) {
        self.queued += share.messages;
        match &share.frames {
            Frames::Copied(frames) => {
                self.make_room(pool);
                self.open.arena.extend_from_slice(frames);
                self.open.messages += share.messages;
            }
            Frames::Shared(frames) => {
                self.seal();
                self.closed_bytes += frames.len();
                self.sealed.push_back(Segment::of_shared_frames(Arc::clone(frames), share.messages));
            }
        }
    }

    /// The send rule behind a message that was appended to it alone. A publisher's outboxes are flushed together, so whoever is not
    /// written now is only listed.
    pub(crate) fn after_publication(&mut self, is_quiet: impl FnOnce() -> bool) -> Next {
        if self.writer.is_none() {
            return Next::Nothing;
        }
        let is_free = matches!(self.writing, Writing::Nobody);
        if self.open.bytes() >= SEGMENT_BYTES || !self.has_credit() {
            self.seal();
            return if is_free { Next::WriteNow } else { Next::Nothing };
        }
        if self.open.messages > 1 {
            return Next::Nothing;
        }
        if is_free && self.sealed.is_empty() && is_quiet() { Next::WriteNow } else { Next::AskIoThread }
    }

    /// The cohort was cut because there is enough to write. True if the caller has to.
    pub(crate) fn seal_to_write(&mut self) -> bool {
        self.seal();
        self.writer.is_some() && matches!(self.writing, Writing::Nobody) && self.has_output()
    }

    /// A flush is about to write it. Where somebody else holds the token, or the kernel is full, they take along what is here.
    pub(crate) fn begin_flush(&mut self) {
        self.listed = false;
        self.streaming = self.writer.is_some() && matches!(self.writing, Writing::Nobody);
    }

    /// Whether its peer, counted with all that it is to get, has room for more.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.limit.has_room(self.queued(), self.queued_bytes())
    }

    /// When its last write ended, if nothing was queued behind it.
    pub(crate) fn last_write(&self) -> Option<Instant> {
        self.last_write
    }

    pub(super) fn tail_messages(&self) -> usize {
        self.company.cohort.as_ref().map_or(0, |(_, tail)| tail.messages())
    }

    pub(super) fn tail_bytes(&self) -> usize {
        self.company.cohort.as_ref().map_or(0, |(_, tail)| tail.bytes())
    }
}

impl Segment {
    fn of_shared_frames(frames: Arc<Vec<u8>>, messages: usize) -> Segment {
        Segment {
            chain_bytes: frames.len(),
            chain: vec![Buffer::Shared(frames)],
            shares_frames: true,
            messages,
            ..Segment::default()
        }
    }
}
