use proptest::prelude::*;

use super::*;
use crate::pipe::log::{CohortId, Log};
use lend::{LEND_BYTES, News};
use rewrite::Rewrite;
use wire::{Understood, Wire};

#[path = "tests/sealed.rs"]
mod sealed;
#[path = "tests/send_rule.rs"]
mod send_rule;
#[path = "tests/v1.rs"]
mod v1;
#[path = "tests/wire.rs"]
mod wire;

const NO_LIMIT: HighWater = HighWater::NONE;

type Parts = Vec<Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    /// One part, appended as bytes.
    AppendBytes(usize),
    /// Part by part, as messages are; the large ones go by reference.
    AppendParts(Vec<usize>),
    /// Framed before, as a publisher does it.
    AppendEncoded(Vec<usize>),
    /// Through the lane, as far as it goes.
    Lane(Vec<usize>),
    /// A large part behind small ones, lent if it can be. So much of it the kernel takes while it is borrowed, and then it is given away.
    Lend(Vec<usize>, Ending),
    /// What its cohort logged for it; the log is cut at once, or left until something else happens.
    Log(Vec<usize>, bool),
    Streaming(bool),
    Control,
    Begin,
    Resume,
    Finish(Ending),
    /// The driver keeps the batch until it is finished.
    Keep,
    /// The connection goes; `close` says whether its stream is closed before the holder of the token writes.
    Detach {
        close: bool,
    },
    /// `old`: to a peer of ZMTP 1.0.
    Attach {
        old: bool,
    },
    Discard,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Whole,
    /// The kernel is full after any byte.
    Cut,
    /// The connection breaks after any byte.
    Broken,
}

/// The batch that is being written, as the model knows it.
struct InFlight {
    control_bytes: usize,
    /// Framed lengths of its messages.
    lengths: Vec<usize>,
    /// The connection it was made for is gone.
    orphaned: bool,
    /// The connection became writable since the token went out.
    writable: bool,
    /// The driver has it.
    kept: bool,
    /// It has the form of ZMTP 1.0.
    old: bool,
}

impl InFlight {
    /// Messages that the kernel has wholly.
    fn accepted(&self, written: usize) -> usize {
        let mut end = self.control_bytes;
        self.lengths
            .iter()
            .take_while(|&&length| {
                end += length;
                end <= written
            })
            .count()
    }
}

/// An outbox beside a model of it.
struct Bench {
    outbox: Outbox,
    pool: ArenaPool,
    wire: Wire,
    writer: Option<Writer>,
    /// The peer speaks ZMTP 1.0.
    old: bool,
    token: Option<Write>,
    in_flight: Option<InFlight>,
    /// Every message but the discarded, in order.
    appended: Vec<Parts>,
    /// How many of them the kernel has wholly: always the first ones.
    accepted: usize,
    /// Of those, in the batch that is being written.
    accepted_in_flight: usize,
    next_number: u64,
    /// Of the cohort in which it is.
    log: Log,
    control_bytes: usize,
    /// For each connection.
    commands: Vec<Vec<Vec<u8>>>,
    /// A write failed on the connection: it only waits to be detached.
    broken: bool,
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let mut bench = Bench::without_cohort(seed);
        bench.outbox.join(CohortId::default(), bench.log.tail());
        bench
    }

    fn without_cohort(seed: u64) -> Bench {
        Bench {
            outbox: Outbox::new(NO_LIMIT),
            pool: ArenaPool::default(),
            wire: Wire::new(seed),
            writer: None,
            old: false,
            token: None,
            in_flight: None,
            appended: Vec::new(),
            accepted: 0,
            accepted_in_flight: 0,
            next_number: 0,
            log: Log::default(),
            control_bytes: 0,
            commands: Vec::new(),
            broken: false,
        }
    }

    fn follow(&mut self, step: &Step) {
        // A log is cut before anything is appended to one member alone, and before its connection goes.
        if !matches!(step, Step::Log(..)) {
            self.cut();
        }
        match step {
            Step::AppendBytes(len) => {
                let message = self.new_message(&[*len]);
                self.outbox.append_bytes(&message[0], &mut self.pool);
                self.appended_one(message);
            }
            Step::AppendParts(lens) => {
                let message = self.new_message(lens);
                for (index, part) in message.iter().enumerate() {
                    let more = index + 1 < message.len();
                    self.outbox.append_part(Part::from(part.clone()), more, &mut self.pool);
                }
                self.appended_one(message);
            }
            Step::AppendEncoded(lens) => {
                let message = self.new_message(lens);
                self.outbox.append_encoded(&framed(&message), &mut self.pool);
                self.appended_one(message);
            }
            Step::Lane(lens) => self.use_lane(lens),
            Step::Lend(lens, ending) => self.lend(lens, *ending),
            Step::Log(lens, cut) => self.log(lens, *cut),
            Step::Streaming(streaming) => self.outbox.streaming = *streaming,
            Step::Control => self.control(),
            Step::Begin => self.begin(),
            Step::Resume => self.resume(),
            Step::Finish(ending) => self.finish(*ending),
            Step::Keep => self.keep(),
            Step::Detach { close } => self.detach(*close),
            Step::Attach { old } => self.attach(*old),
            Step::Discard => self.discard(),
        }
        self.check_queued();
    }

    // ---- filling

    /// Every message is unlike every other.
    fn new_message(&mut self, lens: &[usize]) -> Parts {
        self.next_number += 1;
        let number = self.next_number.to_be_bytes();
        let part = |&len: &usize| number.iter().cycle().take(len).copied().collect();
        let mut message: Parts = lens.iter().map(part).collect();
        message.push(number.to_vec());
        if lens.len() == 1 {
            message.swap_remove(0);
            message[0].resize(lens[0].max(8), 0xaa);
        }
        message
    }

    fn use_lane(&mut self, lens: &[usize]) {
        let Some(mut lane) = self.outbox.open_lane(PipeId::default()) else { return };
        for &len in lens {
            let message = self.new_message(&[len]);
            if lane.push(&message[0]) {
                self.appended.push(message);
            }
        }
        self.outbox.settle(lane);
    }

    fn lend(&mut self, lens: &[usize], ending: Ending) {
        let mut message = self.new_message(lens);
        message.push(vec![message.len() as u8; LEND_BYTES]);
        let (last, first) = message.split_last().expect("it was just put there");
        for part in first {
            self.outbox.append_part(Part::from(part.clone()), true, &mut self.pool);
        }
        let may = self.writer.is_some() && !self.broken && self.in_flight.is_none() && !self.old;
        assert!(may || !self.outbox.can_lend(last.len()));
        if !self.outbox.can_lend(last.len()) {
            self.outbox.append_part(Part::from(last.clone()), false, &mut self.pool);
            return self.appended_one(message);
        }
        let mut write = self.outbox.lend(last.len(), &mut self.pool);
        assert_eq!(self.outbox.take_news(), News::Nothing);
        let mut rest = &last[..];
        self.wire.cut_writes(ending != Ending::Whole);
        let outcome = write.writer.write_borrowed(&mut write.batch, &mut rest);
        assert!(outcome.is_ok(), "the connection is good, or was closed by the step before");
        self.wire.deliver();
        // Whatever was taken: what follows is a batch like any other.
        write.batch.push(Buffer::Owned(last.clone()));
        write.batch.advance(last.len() - rest.len());
        let written = write.batch.written_bytes();
        self.appended.push(message);
        self.hold_written(write, written);
    }

    fn appended_one(&mut self, message: Parts) {
        self.appended.push(message);
        let now = Instant::now();
        let next = self.outbox.after_append(|| self.next_number.is_multiple_of(2), || now);
        if next == Next::WriteNow {
            self.begin();
            assert!(self.token.is_some(), "there is something to write, and nobody writes it");
        }
    }

    /// Counts at once, and is nobody's to write before the log is cut.
    fn log(&mut self, lens: &[usize], cut: bool) {
        let message = self.new_message(lens);
        let (messages, bytes) = (self.outbox.queued(), self.outbox.queued_bytes());
        let frames = framed(&message);
        self.log.append(&mut self.pool, |log| log.extend_from_slice(&frames));
        assert_eq!(self.outbox.queued(), messages + 1);
        assert_eq!(self.outbox.queued_bytes(), bytes + frames.len());
        assert!(!self.outbox.is_flushed());
        self.appended.push(message);
        if cut {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.log.is_empty() {
            return;
        }
        let (messages, bytes) = (self.outbox.queued(), self.outbox.queued_bytes());
        let share = self.log.cut(&mut self.pool);
        self.outbox.take_share(&share, &mut self.pool);
        share.retire(&mut self.log);
        assert_eq!((self.outbox.queued(), self.outbox.queued_bytes()), (messages, bytes));
    }

    fn control(&mut self) {
        // ZMTP 1.0 has no commands.
        if self.outbox.is_attached() && !self.old {
            self.next_number += 1;
            let body = self.next_number.to_be_bytes().to_vec();
            let before = self.outbox.control().len();
            let header = Header { more: false, command: true, body_len: body.len() as u64 };
            frame::put_header(self.outbox.control(), header);
            self.outbox.control().extend_from_slice(&body);
            self.control_bytes += self.outbox.control().len() - before;
            self.commands.last_mut().expect("it is attached").push(body);
        }
    }

    // ---- writing

    fn waiting(&self) -> usize {
        self.appended.len() - self.accepted
    }

    fn begin(&mut self) {
        let write = self.outbox.begin_write();
        let may = self.writer.is_some() && !self.broken && self.in_flight.is_none();
        assert_eq!(write.is_some(), may && (self.waiting() > 0 || self.control_bytes > 0));
        self.hold(write);
    }

    fn hold(&mut self, write: Option<Write>) {
        let Some(write) = write else { return };
        self.hold_written(write, 0);
    }

    /// Of which so many bytes are written already.
    fn hold_written(&mut self, write: Write, written: usize) {
        assert!(self.token.is_none(), "there is one token");
        let control_bytes = std::mem::take(&mut self.control_bytes);
        let mut left = write.batch.remaining_bytes() + written - control_bytes;
        let mut lengths = Vec::new();
        for message in &self.appended[self.accepted..] {
            if left == 0 {
                break;
            }
            lengths.push(if self.old { v1::framed(message).len() } else { framed(message).len() });
            left = left.checked_sub(lengths[lengths.len() - 1]).expect("a batch ends with a message");
        }
        assert_eq!(left, 0);
        self.in_flight = Some(InFlight {
            control_bytes,
            lengths,
            orphaned: false,
            writable: false,
            kept: false,
            old: self.old,
        });
        self.token = Some(write);
    }

    fn resume(&mut self) {
        let write = self.outbox.resume_write();
        if self.token.is_some() || self.writer.is_none() || self.broken {
            assert!(write.is_none());
            if let Some(in_flight) = &mut self.in_flight {
                in_flight.writable = true;
            }
        } else if let Some(in_flight) = &mut self.in_flight {
            assert!(write.is_some(), "the rest of a batch that the kernel had no room for");
            in_flight.writable = false;
            self.token = write;
        } else {
            self.hold(write);
        }
    }

    fn keep(&mut self) {
        let Some(in_flight) = self.in_flight.as_mut().filter(|_| self.token.is_some()) else { return };
        in_flight.kept = true;
        let outcome =
            self.outbox.finish_write(Written::Pending, Instant::now, &mut self.pool, &mut Vec::new());
        assert!(matches!(outcome, Outcome::WithDriver));
    }

    fn finish(&mut self, ending: Ending) {
        let Some(Write { writer, batch }) = self.token.take() else { return };
        let in_flight = self.in_flight.take().expect("the model saw the token go out");
        self.wire.cut_writes(ending != Ending::Whole);
        let written = match (writer.write(batch), ending) {
            (Written::Blocked(batch), Ending::Broken) => Written::Failed(batch, broken()),
            // A driver does not give half a batch back while the connection is good.
            (Written::Blocked(batch), _) if in_flight.kept => Written::Failed(batch, broken()),
            (written, _) => written,
        };
        self.wire.deliver();
        let (bytes, whole) = match &written {
            Written::Done(batch) => (batch.written_bytes(), true),
            Written::Blocked(batch) | Written::Failed(batch, _) => (batch.written_bytes(), false),
            Written::Pending => unreachable!("a simulated kernel keeps nothing"),
        };
        let failed = matches!(written, Written::Failed(..));
        self.accepted += in_flight.accepted(bytes) - self.accepted_in_flight;
        self.accepted_in_flight = 0;
        let outcome = self.outbox.finish_write(written, Instant::now, &mut self.pool, &mut Vec::new());
        match outcome {
            Outcome::Done => assert!(whole || in_flight.orphaned),
            Outcome::Blocked => assert!(!whole && !failed && !in_flight.orphaned && !in_flight.writable),
            Outcome::Again => assert!(!whole && !failed && !in_flight.orphaned && in_flight.writable),
            Outcome::Failed(_) => assert!(failed && !in_flight.orphaned),
            Outcome::WithDriver => panic!("it was given back"),
        }
        if !whole && !in_flight.orphaned {
            self.accepted_in_flight = in_flight.accepted(bytes);
            self.in_flight = Some(InFlight { kept: false, ..in_flight });
            self.broken = failed;
        }
    }

    // ---- connections come and go

    fn detach(&mut self, close: bool) {
        if let Some(writer) = self.writer.take()
            && close
        {
            self.wire.close(&writer);
            self.wire.deliver();
        }
        self.outbox.detach();
        self.broken = false;
        self.control_bytes = 0;
        match &mut self.in_flight {
            Some(in_flight) if self.token.is_some() => in_flight.orphaned = true,
            _ => {
                self.in_flight = None;
                self.accepted_in_flight = 0;
            }
        }
    }

    fn attach(&mut self, old: bool) {
        if self.writer.is_some() {
            self.detach(true);
        }
        let writer = if old { self.wire.connect_old() } else { self.wire.connect() };
        self.outbox.attach(writer.clone());
        if old {
            self.outbox.rewrite(Rewrite::V1);
        }
        self.old = old;
        self.writer = Some(writer);
        self.commands.push(Vec::new());
    }

    fn discard(&mut self) {
        // What is being written stays, the rest goes.
        let in_flight = self.in_flight.as_ref().map_or(0, |batch| batch.lengths.len());
        let keep = self.accepted - self.accepted_in_flight + in_flight;
        let dropped = self.outbox.discard_queued(&mut Vec::new());
        assert_eq!(dropped, self.appended.len() - keep);
        self.appended.truncate(keep);
    }

    // ---- looking

    /// Exact, but for a batch of which a part is written: its segments are credited when the last byte is.
    fn check_queued(&self) {
        let queued = self.outbox.queued();
        assert!(queued >= self.waiting(), "{queued} queued, {} wait", self.waiting());
        assert!(queued <= self.waiting() + self.accepted_in_flight);
        // In the other form the same messages have another length.
        let bytes = match &self.in_flight {
            Some(InFlight { old: true, .. }) => framed_bytes(&self.appended[self.accepted..]),
            _ => self.outbox.queued_bytes(),
        };
        assert!(bytes >= framed_bytes(&self.appended[self.accepted..]));
        assert!(bytes <= framed_bytes(&self.appended[self.accepted - self.accepted_in_flight..]));
        assert_eq!(self.outbox.is_writing(), self.token.is_some());
        let with_driver = self.in_flight.as_ref().is_some_and(|batch| batch.kept && !batch.orphaned);
        assert_eq!(self.outbox.is_with_driver(), with_driver);
        let nothing = self.waiting() == 0 && self.control_bytes == 0 && self.in_flight.is_none();
        assert_eq!(self.outbox.is_flushed(), nothing);
    }

    /// Over a last connection on which nothing goes wrong.
    fn flush(&mut self) {
        self.finish(Ending::Whole);
        self.attach(false);
        self.follow(&Step::Control);
        while !self.outbox.is_flushed() {
            self.begin();
            self.finish(Ending::Whole);
            self.check_queued();
        }
        assert_eq!(self.outbox.queued(), 0);
    }
}

fn framed_bytes(messages: &[Vec<Vec<u8>>]) -> usize {
    messages.iter().map(|message| framed(message).len()).sum()
}

fn framed(message: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in message.iter().enumerate() {
        frame::put_frame(&mut bytes, index + 1 < message.len(), part);
    }
    bytes
}

fn broken() -> std::io::Error {
    std::io::ErrorKind::ConnectionReset.into()
}

fn len() -> impl Strategy<Value = usize> {
    prop_oneof![
        20 => 0usize..40,
        4 => 200usize..300,
        2 => BY_REFERENCE_BYTES - 2..BY_REFERENCE_BYTES + 2,
        1 => SEGMENT_BYTES - 20..SEGMENT_BYTES + 20,
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let ending = prop::sample::select(vec![Ending::Whole, Ending::Cut, Ending::Broken]);
    prop_oneof![
        6 => len().prop_map(Step::AppendBytes),
        4 => prop::collection::vec(len(), 1..4).prop_map(Step::AppendParts),
        2 => prop::collection::vec(0usize..300, 1..4).prop_map(Step::AppendEncoded),
        4 => prop::collection::vec(0usize..300, 1..8).prop_map(Step::Lane),
        3 => (prop::collection::vec(len(), 0..3), ending.clone()).prop_map(|(lens, ending)| Step::Lend(lens, ending)),
        6 => (prop::collection::vec(0usize..3000, 1..4), prop::bool::weighted(0.3))
            .prop_map(|(lens, cut)| Step::Log(lens, cut)),
        1 => any::<bool>().prop_map(Step::Streaming),
        2 => Just(Step::Control),
        4 => Just(Step::Begin),
        4 => Just(Step::Resume),
        8 => ending.prop_map(Step::Finish),
        2 => Just(Step::Keep),
        2 => any::<bool>().prop_map(|close| Step::Detach { close }),
        3 => any::<bool>().prop_map(|old| Step::Attach { old }),
        1 => Just(Step::Discard),
    ]
}

proptest! {
    #[test]
    fn peers_get_every_message_once_and_in_order(seed: u64, steps in prop::collection::vec(step(), 0..80)) {
        let mut bench = Bench::new(seed);
        bench.attach(false);
        for step in &steps {
            bench.follow(step);
        }
        bench.cut();
        bench.flush();
        let understood = bench.wire.understood();
        let messages: Vec<_> = understood.iter().flat_map(|peer| peer.messages.clone()).collect();
        prop_assert!(messages == bench.appended, "{} came of {}", messages.len(), bench.appended.len());
        prop_assert_eq!(understood.len(), bench.commands.len());
        for (peer, commands) in understood.iter().zip(&bench.commands) {
            prop_assert!(commands.starts_with(&peer.commands), "commands belong to one connection");
        }
        prop_assert_eq!(&understood[understood.len() - 1].commands, &bench.commands[understood.len() - 1]);
    }
}

/// A small message, one of three parts with an empty and a large one, and another small one; a control frame before.
fn fill(outbox: &mut Outbox, pool: &mut ArenaPool) -> (Vec<Parts>, usize) {
    let messages: Vec<Parts> = vec![
        vec![b"one".to_vec()],
        vec![b"two".to_vec(), Vec::new(), vec![2; BY_REFERENCE_BYTES]],
        vec![b"three".to_vec()],
    ];
    for message in &messages {
        for (index, part) in message.iter().enumerate() {
            outbox.append_part(Part::from(part.clone()), index + 1 < message.len(), pool);
        }
    }
    frame::put_header(outbox.control(), Header { more: false, command: true, body_len: 4 });
    outbox.control().extend_from_slice(b"ping");
    let bytes = messages.iter().map(|message| framed(message).len()).sum::<usize>() + 6;
    (messages, bytes)
}

#[test]
fn a_connection_that_breaks_at_any_byte_costs_nothing() {
    let bytes = fill(&mut Outbox::new(NO_LIMIT), &mut ArenaPool::default()).1;
    let near_the_large_part = |cut: &usize| *cut < 40 || *cut + 40 > bytes || cut.is_multiple_of(997);
    for cut in (1..bytes).filter(near_the_large_part) {
        for breaks_while_writing in [true, false] {
            let (mut outbox, mut pool, mut wire) =
                (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
            outbox.attach(wire.connect_taking(cut));
            let (messages, _) = fill(&mut outbox, &mut pool);
            let Write { writer, batch } = outbox.begin_write().expect("there is something to write");
            let Written::Blocked(batch) = writer.write(batch) else { panic!("the kernel takes {cut} bytes") };
            wire.deliver();
            if breaks_while_writing {
                outbox.finish_write(
                    Written::Failed(batch, broken()),
                    Instant::now,
                    &mut pool,
                    &mut Vec::new(),
                );
                assert!(!outbox.is_attached());
            } else {
                outbox.finish_write(Written::Blocked(batch), Instant::now, &mut pool, &mut Vec::new());
            }
            outbox.detach();
            let whole = wire.understood()[0].messages.len();
            assert_eq!(outbox.queued(), messages.len() - whole, "cut at {cut}");

            outbox.attach(wire.connect());
            let Write { writer, batch } = outbox.begin_write().expect("something is left");
            outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
            wire.deliver();
            let understood = wire.understood();
            let left = Understood { messages: messages[whole..].to_vec(), commands: Vec::new() };
            assert!(understood[1] == left, "cut at {cut}");
            assert!(outbox.is_flushed() && outbox.queued() == 0);
        }
    }
}

/// Another thread may hear that the batch is written before the writer has said that the driver keeps it.
#[test]
fn a_batch_may_be_back_before_its_writer_is() {
    for breaks in [false, true] {
        let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
        outbox.attach(wire.connect());
        let (messages, _) = fill(&mut outbox, &mut pool);
        let Write { batch, .. } = outbox.begin_write().expect("there is something to write");
        let returned = if breaks { Written::Failed(batch, broken()) } else { Written::Done(batch) };
        assert!(outbox.take_back(returned).is_none(), "it is the writer's to finish");
        assert!(outbox.is_writing() && !outbox.is_with_driver());
        outbox.append_bytes(b"meanwhile", &mut pool);
        assert!(outbox.begin_write().is_none(), "there is one token");
        let outcome = outbox.finish_write(Written::Pending, Instant::now, &mut pool, &mut Vec::new());
        if breaks {
            assert!(matches!(outcome, Outcome::Failed(_)));
            assert_eq!(outbox.queued(), messages.len() + 1);
        } else {
            assert!(matches!(outcome, Outcome::Done));
            assert_eq!(outbox.queued(), 1);
            let Write { writer, batch } = outbox.begin_write().expect("what came meanwhile");
            outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
            wire.deliver();
            assert_eq!(wire.understood()[0].messages, [vec![b"meanwhile".to_vec()]]);
        }
    }
}

/// Credit comes back when the kernel has the last byte of a segment, for all the messages in it.
#[test]
fn credit_is_given_by_segments() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    outbox.attach(wire.connect_taking(SEGMENT_BYTES + 1000));
    let body = vec![1; 1000];
    let in_a_segment = SEGMENT_BYTES.div_ceil(framed(std::slice::from_ref(&body)).len());
    outbox.control().extend_from_slice(&[0x04, 0]);
    for _ in 0..2 * in_a_segment {
        outbox.append_bytes(&body, &mut pool);
        let _ = outbox.after_append(|| false, Instant::now);
    }
    let Write { writer, batch } = outbox.begin_write().expect("two segments");
    outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
    assert!(outbox.is_blocked());
    assert_eq!(outbox.queued(), in_a_segment);
}

/// A newcomer's empty message, and an empty last part, are messages as any other.
#[test]
fn empty_messages_arrive() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    outbox.append_bytes(b"", &mut pool);
    outbox.append_part(Part::from(&b"head"[..]), true, &mut pool);
    outbox.append_part(Part::new(), false, &mut pool);
    outbox.attach(wire.connect());
    let Write { writer, batch } = outbox.begin_write().expect("two messages");
    outbox.finish_write(writer.write(batch), Instant::now, &mut pool, &mut Vec::new());
    wire.deliver();
    assert_eq!(wire.understood()[0].messages, [vec![vec![]], vec![b"head".to_vec(), vec![]]]);
}

/// Nothing of a lent body is kept when the kernel takes all of it, and it counts all the same.
#[test]
fn a_lent_body_that_went_through_leaves_nothing() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    let body = vec![5; LEND_BYTES];
    assert!(!outbox.can_lend(body.len()), "there is no connection");
    outbox.attach(wire.connect());
    assert!(!outbox.can_lend(LEND_BYTES - 1), "it is small");
    outbox.append_bytes(b"before", &mut pool);
    let Write { writer, mut batch } = outbox.lend(body.len(), &mut pool);
    let framed = framed(&[b"before".to_vec()]).len() + framed(std::slice::from_ref(&body)).len();
    assert_eq!((outbox.queued(), outbox.queued_bytes()), (2, framed));
    assert!(!outbox.can_lend(body.len()), "the token is out");
    let mut rest = &body[..];
    writer.write_borrowed(&mut batch, &mut rest).expect("a connection that takes bytes");
    assert!(rest.is_empty());
    outbox.finish_write(Written::Done(batch), Instant::now, &mut pool, &mut Vec::new());
    assert!(outbox.is_flushed());
    assert_eq!((outbox.queued(), outbox.queued_bytes(), outbox.sent()), (0, 0, 2));
    assert_eq!(outbox.sent_bytes(), framed as u64);
    wire.deliver();
    assert_eq!(wire.understood()[0].messages, [vec![b"before".to_vec()], vec![body]]);
}

/// Whoever waits with the token hears that the connection takes more, and that it is gone.
#[test]
fn the_holder_of_a_lent_body_hears_of_its_connection() {
    let (mut outbox, mut pool, mut wire) = (Outbox::new(NO_LIMIT), ArenaPool::default(), Wire::new(0));
    outbox.attach(wire.connect());
    let _write = outbox.lend(LEND_BYTES, &mut pool);
    outbox.wait_for_kernel(true);
    assert!(outbox.is_waited_for());
    assert_eq!(outbox.take_news(), News::Nothing);
    assert!(outbox.resume_write().is_none(), "the token is out");
    assert_eq!(outbox.take_news(), News::Writable);
    assert_eq!(outbox.take_news(), News::Nothing, "it is told once");
    outbox.detach();
    assert_eq!(outbox.take_news(), News::Gone);
}

/// Each wait that was in vain makes waits rarer, and one that was not makes them regular.
#[test]
fn patience_is_learned() {
    let mut patience = Patience::default();
    let until_next = |patience: &mut Patience| (0..).take_while(|_| !patience.is_there()).count();
    for skipped in [0, 2, 4, 8, 16, 32, 64, 64] {
        assert_eq!(until_next(&mut patience), skipped);
        patience.learn(false);
    }
    patience.learn(true);
    assert_eq!(until_next(&mut patience), 0);
}
