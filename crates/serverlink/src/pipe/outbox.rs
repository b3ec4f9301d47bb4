//! The output of one connection: framed where it is sent, written in batches.
//!
//! Messages are framed straight into the *open* segment. A full one is *sealed*. Whoever holds the
//! *writer token* (the batch that [`Outbox::begin_write`] hands out) writes sealed and open segments
//! without any lock, and brings the token back through [`Outbox::finish_write`]. Control frames wait
//! beside the segments and enter between two of them, so they are behind at most one batch.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serverlink_driver::{Batch, Buffer, Writer, Written};
use serverlink_message::Part;
use serverlink_patterns::PipeId;
use serverlink_zmtp::frame::{self, Header};

use super::arena::{ArenaPool, SEGMENT_BYTES, SHORT_SEGMENT_BYTES};
use super::high_water::HighWater;
use super::lane::SendLane;
use super::rewind;
use crate::sync::later::drop_later;
use layout::Layout;
use lend::Patience;
use publication::Company;
use rewrite::Rewrite;
use segment::Segment;

/// Parts from this size on are written by reference instead of copied.
pub(crate) const BY_REFERENCE_BYTES: usize = 8 * 1024;

/// After a pause this long in its writes, a connection counts as quiet and is written at once.
const QUIET: Duration = Duration::from_micros(20);

/// Segments in one write: 16 of them are nearly 2 MiB, as much as a kernel buffer takes.
const SEGMENTS_PER_WRITE: usize = 16;

/// See the module's page.
pub(crate) struct Outbox {
    open: Segment,
    sealed: VecDeque<Segment>,
    control: Vec<u8>,
    writing: Writing,
    /// Messages the kernel has not accepted yet, those being written included.
    queued: usize,
    /// Bytes of sealed segments, and of what was taken out to be written and has not come back as written. What the
    /// open segment holds is counted by itself.
    closed_bytes: usize,
    /// Messages that the kernel has accepted.
    sent: u64,
    /// Bytes of batches that are through; one that is not yet counts on top.
    sent_bytes: u64,
    limit: HighWater,
    writer: Option<Writer>,
    idle_arena: Vec<u8>,
    last_write: Option<Instant>,
    /// Messages that gave way to newer ones.
    pub(crate) missed: u64,
    /// Messages that went with the stream that they were part of, and are not counted yet.
    cut: usize,
    /// Completed writes, for a watchdog that flushes only what nobody else did.
    pub(crate) writes: u64,
    /// In its socket's list of outboxes that a receive flushes.
    pub(crate) listed: bool,
    /// The I/O thread was asked to flush and has not begun.
    pub(crate) flush_asked: bool,
    /// The I/O thread watches this outbox: callers write only full segments.
    pub(crate) streaming: bool,
    /// What is written is rewritten right before, and what waits stays as it is.
    rewrite: Option<Box<Rewrite>>,
    /// How a batch that is out was rewritten, if its connection is gone.
    orphaned_rewrite: Option<Box<Rewrite>>,
    /// Whether callers wait a moment for the kernel to take large bodies.
    pub(crate) patience: Patience,
    /// With whom it shares what it is sent.
    company: Company,
}

enum Writing {
    Nobody,
    /// The token is out.
    Taken(Token),
    /// The kernel was full: the rest, until the connection is writable.
    Blocked(Box<(Batch, Layout)>),
}

/// What is known of a batch that is out.
#[derive(Default)]
struct Token {
    layout: Layout,
    /// Its connection went away meanwhile.
    orphaned: bool,
    /// The connection became writable again, before the writer said that it was not.
    writable: bool,
    /// The driver keeps the batch until the system has taken all of it.
    with_driver: bool,
    /// The driver gave the batch back before the writer could say that the driver keeps it.
    returned: Option<Box<Written>>,
    /// A body that its caller lent is written with it, and the caller waits for the kernel to take it.
    waited_for: bool,
}

/// The writer token: what to write, and where.
pub(crate) struct Write {
    pub(crate) writer: Writer,
    pub(crate) batch: Batch,
}

/// How a write ended.
pub(crate) enum Outcome {
    /// All of it is with the kernel.
    Done,
    /// The rest waits for the connection to be writable.
    Blocked,
    /// The driver keeps the rest, and brings the token back when it is written.
    WithDriver,
    /// As blocked, but the connection became writable while the writer was on its way back.
    Again,
    /// The connection is broken for writing.
    Failed(std::io::Error),
}

/// What follows from a message that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Nothing,
    /// The first message of a segment that its watchdog or a receive will flush.
    Leave,
    WriteNow,
    AskIoThread,
}

impl Outbox {
    pub(crate) fn set_limit(&mut self, limit: HighWater) {
        self.limit = limit;
    }

    pub(crate) fn new(limit: HighWater) -> Outbox {
        Outbox {
            open: Segment::default(),
            sealed: VecDeque::new(),
            control: Vec::new(),
            writing: Writing::Nobody,
            queued: 0,
            closed_bytes: 0,
            sent: 0,
            sent_bytes: 0,
            limit,
            writer: None,
            idle_arena: Vec::new(),
            last_write: None,
            missed: 0,
            cut: 0,
            writes: 0,
            listed: false,
            flush_asked: false,
            streaming: false,
            rewrite: None,
            orphaned_rewrite: None,
            patience: Patience::default(),
            company: Company::default(),
        }
    }

    // ---- filling

    /// Frames one message of one part.
    #[inline]
    pub(crate) fn append_bytes(&mut self, body: &[u8], pool: &mut ArenaPool) {
        self.make_room(pool);
        frame::put_frame(&mut self.open.arena, false, body);
        self.open.messages += 1;
        self.queued += 1;
    }

    /// Frames one part of a message; the last one ends the message.
    pub(crate) fn append_part(&mut self, part: Part, more: bool, pool: &mut ArenaPool) {
        self.make_room(pool);
        if part.len() < BY_REFERENCE_BYTES {
            frame::put_frame(&mut self.open.arena, more, &part);
            if part.is_lent() {
                self.open.keep(part);
            }
        } else {
            let body_len = part.len() as u64;
            frame::put_header(&mut self.open.arena, Header { more, command: false, body_len });
            self.open.push_shared(part);
        }
        if !more {
            self.open.messages += 1;
            self.queued += 1;
        }
    }

    /// Appends frames that were encoded once for many connections.
    #[inline]
    pub(crate) fn append_encoded(&mut self, frames: &[u8], pool: &mut ArenaPool) {
        self.make_room(pool);
        self.open.arena.extend_from_slice(frames);
        self.open.messages += 1;
        self.queued += 1;
    }

    /// Control frames of this connection. Nothing of them survives it.
    pub(crate) fn control(&mut self) -> &mut Vec<u8> {
        &mut self.control
    }

    #[inline]
    fn make_room(&mut self, pool: &mut ArenaPool) {
        if self.open.arena.capacity() == 0 {
            self.open.arena = match self.sealed.is_empty() && self.idle_arena.capacity() != 0 {
                true => std::mem::take(&mut self.idle_arena),
                false if self.streaming || !self.sealed.is_empty() => pool.take_large(),
                false => Vec::new(),
            };
        }
    }

    /// The send rule: a quiet connection is written at once, a busy one is filled up.
    ///
    /// `fresh` tells, and forgets, whether something was received since the last send; the clock is
    /// only read for a connection with nothing queued, so a stream hardly ever reads it.
    #[inline]
    pub(crate) fn after_append(
        &mut self,
        fresh: impl FnOnce() -> bool,
        now: impl FnOnce() -> Instant,
    ) -> Next {
        if self.writer.is_none() {
            return Next::Nothing;
        }
        if self.is_segment_full() || !self.has_credit() {
            self.seal();
            return match self.writing {
                Writing::Nobody => Next::WriteNow,
                Writing::Taken(_) | Writing::Blocked(..) => Next::Nothing,
            };
        }
        if self.flush_asked || !matches!(self.writing, Writing::Nobody) {
            return Next::Nothing;
        }
        if self.streaming {
            return if self.open.messages == 1 { Next::Leave } else { Next::Nothing };
        }
        if self.open.messages == 1
            && self.sealed.is_empty()
            && (fresh() || self.last_write.is_none_or(|at| now().saturating_duration_since(at) > QUIET))
        {
            return Next::WriteNow;
        }
        self.flush_asked = true;
        Next::AskIoThread
    }

    /// Lends the open segment's memory out, up to where [`after_append`](Outbox::after_append) would have something to decide.
    /// For whoever has just appended and was not told to write.
    #[inline]
    pub(crate) fn open_lane(&mut self, pipe: PipeId) -> Option<SendLane> {
        let segment_bytes = if self.ends_at_mark() { SHORT_SEGMENT_BYTES } else { SEGMENT_BYTES };
        let room_bytes = segment_bytes.min(self.limit.bytes - self.closed_bytes.min(self.limit.bytes));
        let end = room_bytes.saturating_sub(self.open.chain_bytes).min(self.open.arena.capacity());
        // The one that takes the last room has to seal.
        let left = self.limit.messages.saturating_sub(self.queued + 1);
        if self.open.arena.len() >= end || left == 0 {
            return None;
        }
        Some(SendLane { pipe, arena: std::mem::take(&mut self.open.arena), end, left, taken: 0, ring: false })
    }

    /// Takes back what it lent.
    pub(crate) fn settle(&mut self, lane: SendLane) {
        self.open.arena = lane.arena;
        self.open.messages += lane.taken;
        self.queued += lane.taken;
    }

    /// Whether the open segment is to be written.
    #[inline]
    fn is_segment_full(&self) -> bool {
        let bytes = self.open.bytes();
        bytes >= SHORT_SEGMENT_BYTES && (bytes >= SEGMENT_BYTES || self.ends_at_mark())
    }

    /// Whether messages like those in the open segment reach the mark before it holds all it may: anywhere, if nobody ends it before.
    fn ends_at_mark(&self) -> bool {
        let Segment { messages, .. } = self.open;
        self.limit.messages.saturating_mul(self.open.bytes()) < SEGMENT_BYTES.saturating_mul(messages)
    }

    fn seal(&mut self) {
        if self.open.messages > 0 {
            self.closed_bytes += self.open.bytes();
            self.sealed.push_back(std::mem::take(&mut self.open));
        }
    }

    // ---- writing

    /// Hands out the writer token with everything that may be written now. `None`: nothing to write,
    /// somebody else writes, the kernel is full, or there is no connection.
    pub(crate) fn begin_write(&mut self) -> Option<Write> {
        let writer = self.writer.as_ref()?;
        if !matches!(self.writing, Writing::Nobody) || !self.has_output() {
            return None;
        }
        if self.rewrite.is_some() {
            return self.begin_rewritten_write();
        }
        self.flush_asked = false;
        let mut batch = Batch::new();
        let control_bytes = self.control.len();
        let mut layout = Layout::new(false, control_bytes);
        if !self.control.is_empty() {
            batch.push(Buffer::Owned(std::mem::take(&mut self.control)));
        }
        for _ in 0..SEGMENTS_PER_WRITE {
            let segment = match self.sealed.pop_front() {
                Some(segment) => segment,
                None if self.open.messages > 0 => {
                    self.closed_bytes += self.open.bytes();
                    std::mem::take(&mut self.open)
                }
                None => break,
            };
            layout.push(segment.bytes(), segment.messages);
            segment.push_into(&mut batch);
        }
        self.writing = Writing::Taken(Token { layout, ..Token::default() });
        Some(Write { writer: writer.clone(), batch })
    }

    /// Brings the writer token back. What was written by reference goes to `spent`, to be dropped without a lock:
    /// its owner may be foreign code.
    #[inline]
    pub(crate) fn finish_write(
        &mut self,
        written: Written,
        now: impl FnOnce() -> Instant,
        pool: &mut ArenaPool,
        spent: &mut Vec<Buffer>,
    ) -> Outcome {
        let Writing::Taken(mut token) = std::mem::replace(&mut self.writing, Writing::Nobody) else {
            panic!("only the holder of the writer token brings it back");
        };
        let written = match (written, token.returned.take()) {
            (Written::Pending, None) => {
                self.writing = Writing::Taken(Token { with_driver: true, ..token });
                return Outcome::WithDriver;
            }
            (Written::Pending, Some(returned)) => *returned,
            (written, _) => written,
        };
        let Token { mut layout, orphaned, writable, .. } = token;
        self.writes += 1;
        match written {
            Written::Done(batch) => {
                self.accept(layout.messages());
                self.closed_bytes -= layout.bytes();
                self.sent_bytes += layout.end() as u64;
                for buffer in batch.into_buffers() {
                    match buffer {
                        Buffer::Owned(arena) => pool.give_back(arena, &mut self.idle_arena),
                        shared @ Buffer::Shared(_) => spent.push(shared),
                    }
                }
                // Queued again already: a stream, whose clock nobody needs.
                if !self.has_output() {
                    self.last_write = Some(now());
                }
                Outcome::Done
            }
            Written::Blocked(batch) | Written::Failed(batch, _) if orphaned => {
                let rewrite = self.orphaned_rewrite.take();
                self.keep_unwritten(batch, &layout, rewrite.as_deref());
                Outcome::Done
            }
            Written::Blocked(batch) => {
                while let Some((bytes, messages)) = layout.pop_written(batch.written_bytes()) {
                    self.accept(messages);
                    self.closed_bytes -= bytes;
                }
                self.writing = Writing::Blocked(Box::new((batch, layout)));
                if writable { Outcome::Again } else { Outcome::Blocked }
            }
            Written::Failed(batch, error) => {
                self.writing = Writing::Blocked(Box::new((batch, layout)));
                self.writer = None;
                Outcome::Failed(error)
            }
            Written::Pending => unreachable!("it was looked at first"),
        }
    }

    /// The driver gives back a batch that it kept. If the writer is still on the way with the answer that it is kept, it is
    /// left for him, and `None`.
    pub(crate) fn take_back(&mut self, returned: Written) -> Option<Written> {
        match &mut self.writing {
            Writing::Taken(token) if !token.with_driver => {
                token.returned = Some(Box::new(returned));
                None
            }
            _ => Some(returned),
        }
    }

    /// The connection is writable again: hands the rest out.
    pub(crate) fn resume_write(&mut self) -> Option<Write> {
        let writer = self.writer.as_ref()?;
        match std::mem::replace(&mut self.writing, Writing::Nobody) {
            Writing::Blocked(blocked) => {
                let (batch, layout) = *blocked;
                self.writing = Writing::Taken(Token { layout, ..Token::default() });
                Some(Write { writer: writer.clone(), batch })
            }
            Writing::Taken(token) => {
                // Its writer may be on the way back with a batch that was blocked.
                self.writing = Writing::Taken(Token { writable: true, ..token });
                None
            }
            Writing::Nobody => self.begin_write(),
        }
    }

    // ---- connections come and go

    /// A connection is established: what was queued may be written.
    pub(crate) fn attach(&mut self, writer: Writer) {
        self.writer = Some(writer);
        self.rewrite = None;
    }

    /// What goes to the peer of the connection that was just attached has another form.
    pub(crate) fn rewrite(&mut self, rewrite: Rewrite) {
        self.rewrite = Some(Box::new(rewrite));
    }

    /// The connection is gone. What the kernel did not accept stays, from the start of the message
    /// that was partly written; control frames go with the connection. A writer that still holds
    /// the token gives back its share later, through [`Outbox::finish_write`] and this once more.
    pub(crate) fn detach(&mut self) {
        self.writer = None;
        self.control.clear();
        self.flush_asked = false;
        self.streaming = false;
        match std::mem::replace(&mut self.writing, Writing::Nobody) {
            // The keys of a connection go with it.
            Writing::Nobody => (self.rewrite, self.orphaned_rewrite) = (None, None),
            Writing::Taken(token) => {
                // Another connection may have come and gone since that of the batch.
                let rewrite = self.rewrite.take();
                if !token.orphaned {
                    self.orphaned_rewrite = rewrite;
                }
                self.writing = Writing::Taken(Token { orphaned: true, writable: false, ..token });
            }
            Writing::Blocked(blocked) => {
                let (batch, layout) = *blocked;
                let rewrite = self.rewrite.take();
                self.keep_unwritten(batch, &layout, rewrite.as_deref());
            }
        }
    }

    /// The kernel has so many more messages.
    fn accept(&mut self, messages: usize) {
        self.queued -= messages;
        self.sent += messages as u64;
    }

    #[cold]
    fn keep_unwritten(&mut self, batch: Batch, layout: &Layout, rewrite: Option<&Rewrite>) {
        let rewrite = rewrite.filter(|_| layout.rewritten);
        self.sent_bytes += batch.written_bytes() as u64;
        if matches!(rewrite, Some(Rewrite::Octets | Rewrite::Datagrams(_))) {
            // What was not written of a stream has no place in the next one, and datagrams that did not get out are lost as others are.
            drop_later(batch);
            self.queued -= layout.messages();
            self.cut += layout.messages();
            self.closed_bytes -= layout.bytes();
            return;
        }
        let left = rewind::unwritten_messages(batch, layout.control_bytes, rewrite);
        self.accept(layout.messages() - left.messages);
        self.closed_bytes = self.closed_bytes - layout.bytes() + left.frames.len();
        if left.messages > 0 {
            let segment = Segment { arena: left.frames, messages: left.messages, ..Segment::default() };
            self.sealed.push_front(segment);
        }
    }

    // ---- looking

    pub(crate) fn is_attached(&self) -> bool {
        self.writer.is_some()
    }

    pub(crate) fn is_writing(&self) -> bool {
        matches!(self.writing, Writing::Taken(_))
    }

    /// The rest of a batch waits for its connection to be writable.
    pub(crate) fn is_blocked(&self) -> bool {
        matches!(self.writing, Writing::Blocked(..))
    }

    /// Its connection's driver has the rest of a batch.
    pub(crate) fn is_with_driver(&self) -> bool {
        matches!(&self.writing, Writing::Taken(token) if token.with_driver && !token.orphaned)
    }

    /// Nothing goes on before the system says so.
    pub(crate) fn waits_for_system(&self) -> bool {
        (self.is_blocked() && self.is_attached()) || self.is_with_driver()
    }

    /// Something waits that nobody writes at the moment.
    pub(crate) fn has_output(&self) -> bool {
        self.open.messages > 0 || !self.sealed.is_empty() || !self.control.is_empty()
    }

    /// A full segment waits, or a control frame, or a message that nobody else was asked to flush.
    pub(crate) fn wants_write(&self) -> bool {
        !self.sealed.is_empty() || !self.control.is_empty() || (self.has_output() && !self.streaming)
    }

    /// Nothing waits and nothing is being written.
    pub(crate) fn is_flushed(&self) -> bool {
        !self.has_output() && matches!(self.writing, Writing::Nobody) && self.tail_messages() == 0
    }

    /// Whether there is room for more behind what was appended here; see [`Outbox::has_room`] for an outbox in a cohort.
    #[inline]
    pub(crate) fn has_credit(&self) -> bool {
        self.limit.has_room(self.queued, self.queued_bytes_of_its_own())
    }

    /// Messages the kernel has not accepted.
    pub(crate) fn queued(&self) -> usize {
        self.queued + self.tail_messages()
    }

    /// The same in bytes, as they are on the wire.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes_of_its_own() + self.tail_bytes()
    }

    #[inline]
    fn queued_bytes_of_its_own(&self) -> usize {
        self.closed_bytes + self.open.bytes()
    }

    /// Messages that the kernel has accepted.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that the kernel has accepted, control frames included.
    pub(crate) fn sent_bytes(&self) -> u64 {
        let underway = match &self.writing {
            Writing::Blocked(blocked) => blocked.0.written_bytes(),
            Writing::Nobody | Writing::Taken(_) => 0,
        };
        self.sent_bytes + underway as u64
    }

    /// Drops every message that nobody is writing, and counts them: conflation, and giving up.
    pub(crate) fn discard_queued(&mut self, spent: &mut Vec<Buffer>) -> usize {
        self.closed_bytes += self.open.bytes();
        let open = std::mem::take(&mut self.open);
        let mut dropped = 0;
        let cut = std::mem::take(&mut self.cut);
        for segment in self.sealed.drain(..).chain([open]) {
            dropped += segment.messages;
            self.closed_bytes -= segment.bytes();
            segment.spend(spent);
        }
        self.queued -= dropped;
        dropped + cut
    }
}

#[path = "outbox/datagrams.rs"]
pub(crate) mod datagrams;
#[path = "outbox/layout.rs"]
mod layout;
#[path = "outbox/lend.rs"]
pub(crate) mod lend;
#[path = "outbox/publication.rs"]
mod publication;
#[path = "outbox/rewrite.rs"]
pub(crate) mod rewrite;
#[path = "outbox/segment.rs"]
mod segment;

// The models of `tests/loom.rs` include this file, and are tests of their own.
#[cfg(all(test, not(loom)))]
#[path = "outbox/tests.rs"]
mod tests;
