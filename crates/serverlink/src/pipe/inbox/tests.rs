use proptest::prelude::*;
use serverlink_message::chunk::Chunk;
use serverlink_zmtp::frame::{put_frame, put_header};

use super::*;

const NO_MARK: HighWater = HighWater::NONE;

/// What taking found, message included.
#[derive(Debug)]
enum Found {
    Message(Message),
    Command(Part),
    Nothing,
}

fn take(inbox: &mut Inbox) -> Result<Found, WireError> {
    let mut message = Message::new();
    Ok(match inbox.take(&mut message)? {
        Taken::Message => Found::Message(message),
        Taken::Command(body) => Found::Command(body),
        Taken::Nothing => Found::Nothing,
    })
}

/// What a peer sends.
#[derive(Clone, Debug)]
enum Sent {
    /// A message, and the commands that some peers send between its parts: so many before each part but the first.
    Message(Vec<Vec<u8>>, usize),
    Command(Vec<u8>),
}

/// What the inbox has to give for it.
#[derive(Default)]
struct Expected {
    wire: Vec<u8>,
    messages: Vec<Message>,
    /// Where each message ends on the wire.
    ends: Vec<usize>,
    commands: Vec<(usize, Vec<u8>)>,
}

impl Expected {
    fn of(sent: &[Sent]) -> Expected {
        let mut expected = Expected::default();
        for item in sent {
            match item {
                Sent::Command(body) => expected.put_command(body),
                Sent::Message(parts, commands_between) => expected.put_message(parts, *commands_between),
            }
        }
        expected
    }

    fn put_command(&mut self, body: &[u8]) {
        put_command(&mut self.wire, body);
        self.commands.push((self.wire.len(), body.to_vec()));
    }

    fn put_message(&mut self, parts: &[Vec<u8>], commands_between: usize) {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                (0..commands_between).for_each(|_| self.put_command(b"\x04PINGxx"));
            }
            put_frame(&mut self.wire, index + 1 < parts.len(), part);
        }
        self.ends.push(self.wire.len());
        self.messages.push(Message::from_parts(parts.iter().cloned()));
    }

    fn whole_in(&self, received: usize) -> usize {
        self.ends.iter().filter(|&&end| end <= received).count()
    }

    /// Commands that lie before the end of the last of so many messages.
    fn commands_before(&self, messages: usize) -> usize {
        let end = self.ends.get(messages.wrapping_sub(1)).copied().unwrap_or(0);
        self.commands.iter().filter(|(at, _)| *at <= end).count()
    }
}

fn put_command(wire: &mut Vec<u8>, body: &[u8]) {
    put_header(wire, Header { more: false, command: true, body_len: body.len() as u64 });
    wire.extend_from_slice(body);
}

/// How received bytes lie in memory.
enum Landing {
    /// Directly behind each other, where they fit.
    Chunks(Chunk),
    Apart,
}

impl Landing {
    fn land(&mut self, mut bytes: &[u8], inbox: &mut Inbox) {
        match self {
            Landing::Apart => inbox.handle_input(Slice::from(bytes.to_vec())),
            Landing::Chunks(chunk) => {
                while !bytes.is_empty() {
                    if chunk.remaining() == 0 {
                        *chunk = Chunk::with_capacity(512);
                    }
                    let count = bytes.len().min(chunk.remaining());
                    chunk.spare()[..count].copy_from_slice(&bytes[..count]);
                    inbox.handle_input(chunk.commit(count));
                    bytes = &bytes[count..];
                }
            }
        }
    }
}

/// An inbox beside what it has to give.
struct Bench {
    inbox: Inbox,
    expected: Expected,
    landing: Landing,
    received: usize,
    taken: usize,
    commands: Vec<Vec<u8>>,
}

impl Bench {
    fn new(sent: &[Sent], in_chunks: bool) -> Bench {
        Bench {
            inbox: Inbox::new(Limits::default(), NO_MARK),
            expected: Expected::of(sent),
            landing: if in_chunks { Landing::Chunks(Chunk::with_capacity(512)) } else { Landing::Apart },
            received: 0,
            taken: 0,
            commands: Vec::new(),
        }
    }

    fn receive(&mut self, count: usize) {
        let to = self.expected.wire.len().min(self.received + count);
        self.landing.land(&self.expected.wire[self.received..to], &mut self.inbox);
        self.received = to;
    }

    /// As a connection does that gives a large frame a piece of memory of its own.
    fn move_cut(&mut self, room: usize) {
        let mut cut = Vec::new();
        self.inbox.take_cut(&mut cut);
        let mut chunk = Chunk::with_capacity(cut.len() + room);
        chunk.spare()[..cut.len()].copy_from_slice(&cut);
        self.inbox.put_back(chunk.commit(cut.len()));
        if let Landing::Chunks(own) = &mut self.landing {
            *own = chunk;
        }
    }

    fn scan(&mut self) {
        let commands = &mut self.commands;
        self.inbox.scan(|body| commands.push(body.to_vec())).expect("a peer that keeps the rules");
        assert_eq!(self.inbox.whole_messages(), self.expected.whole_in(self.received) - self.taken);
        let arrived = self.expected.commands.iter().filter(|(end, _)| *end <= self.received).count();
        assert_eq!(self.commands.len(), arrived, "scan hands out every command that is here");
        self.check_commands();
    }

    /// True if there was anything.
    fn take(&mut self) -> bool {
        match take(&mut self.inbox).expect("a peer that keeps the rules") {
            Found::Message(message) => {
                assert_eq!(message, self.expected.messages[self.taken]);
                self.taken += 1;
                assert!(
                    self.commands.len() >= self.expected.commands_before(self.taken),
                    "a command stays behind the message that follows it"
                );
            }
            Found::Command(body) => self.commands.push(body.to_vec()),
            Found::Nothing => {
                assert_eq!(self.taken, self.expected.whole_in(self.received), "a whole message is here");
                return false;
            }
        }
        self.check_commands();
        true
    }

    /// As far as the lane goes.
    fn take_in_lane(&mut self, at_most: usize) {
        let Some(mut lane) = self.inbox.open_lane(PipeId::default()) else { return };
        for _ in 0..at_most {
            let mut last = Message::new();
            let Some(message) = lane.cut().or_else(|| lane.cut_last(&mut last).then_some(last)) else {
                break;
            };
            assert_eq!(message, self.expected.messages[self.taken]);
            self.taken += 1;
            assert!(self.commands.len() >= self.expected.commands_before(self.taken));
        }
        self.inbox.settle(lane);
    }

    /// In order and once each, whichever cursor met them.
    fn check_commands(&self) {
        let expected = self.expected.commands.iter().map(|(_, body)| body);
        assert!(self.commands.iter().eq(expected.take(self.commands.len())));
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..60),
        2 => prop::collection::vec(any::<u8>(), 240..300),
        1 => (500usize..6000, any::<u8>()).prop_map(|(len, fill)| vec![fill; len]),
    ]
}

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let single = body().prop_map(|body| Sent::Message(vec![body], 0));
    let multipart = (prop::collection::vec(body(), 2..5), 0usize..3)
        .prop_map(|(parts, between)| Sent::Message(parts, between));
    let command = prop::collection::vec(any::<u8>(), 0..40).prop_map(Sent::Command);
    prop::collection::vec(prop_oneof![3 => single, 2 => multipart, 2 => command], 0..10)
}

#[derive(Clone, Debug)]
enum Step {
    Receive(usize),
    Scan,
    Take,
    TakeInLane(usize),
    /// What is cut at the end moves, with so much room behind it.
    MoveCut(usize),
    /// As an application that keeps taking.
    TakeAll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop_oneof![1usize..12, 1usize..3000].prop_map(Step::Receive),
        2 => Just(Step::Scan),
        2 => Just(Step::Take),
        2 => (0usize..5).prop_map(Step::TakeInLane),
        2 => (0usize..4000).prop_map(Step::MoveCut),
        1 => Just(Step::TakeAll),
    ];
    prop::collection::vec(step, 0..60)
}

fn follow(bench: &mut Bench, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Receive(count) => bench.receive(*count),
            Step::Scan => bench.scan(),
            Step::MoveCut(room) => bench.move_cut(*room),
            Step::Take => {
                bench.take();
            }
            Step::TakeInLane(at_most) => bench.take_in_lane(*at_most),
            Step::TakeAll => while bench.take() {},
        }
    }
}

proptest! {
    #[test]
    fn everything_sent_comes_out_once_and_in_order(sent in sent(), steps in steps(), in_chunks: bool) {
        let mut bench = Bench::new(&sent, in_chunks);
        follow(&mut bench, &steps);
        bench.receive(usize::MAX / 2);
        while bench.take() {}
        prop_assert_eq!(bench.taken, bench.expected.messages.len());
        prop_assert_eq!(bench.commands.len(), bench.expected.commands.len());
        prop_assert!(bench.inbox.is_empty());
    }

    /// A connection that breaks leaves its whole messages, and nothing that the next one could stumble over.
    #[test]
    fn a_connection_cut_off_anywhere_leaves_whole_messages(
        sent_first in sent(),
        steps_first in steps(),
        sent_next in sent(),
        steps_next in steps(),
        in_chunks: bool,
    ) {
        let mut bench = Bench::new(&sent_first, in_chunks);
        follow(&mut bench, &steps_first);
        bench.scan();
        bench.inbox.cut_off();
        let left = bench.inbox.whole_messages();
        prop_assert_eq!(left, bench.expected.whole_in(bench.received) - bench.taken);

        // What is left stands before everything that the next connection brings.
        let mut next = Bench { inbox: bench.inbox, ..Bench::new(&sent_next, in_chunks) };
        let first_new = bench.taken + left;
        let mut messages = bench.expected.messages;
        messages.truncate(first_new);
        messages.drain(..bench.taken);
        messages.append(&mut next.expected.messages);
        next.expected.messages = messages;
        next.expected.ends.splice(0..0, std::iter::repeat_n(0, left));
        follow(&mut next, &steps_next);
        next.receive(usize::MAX / 2);
        while next.take() {}
        prop_assert_eq!(next.taken, next.expected.messages.len());
        prop_assert_eq!(next.commands.len(), next.expected.commands.len());
        prop_assert!(next.inbox.is_empty());
    }

    /// Where the rules are broken the split of the input makes no difference: all before that comes out, nothing after.
    #[test]
    fn a_broken_rule_ends_the_stream_where_it_stands(
        sent in sent(),
        broken in broken_frame(),
        steps in steps(),
        in_chunks: bool,
    ) {
        let mut expected = Expected::of(&sent);
        expected.wire.extend_from_slice(&broken);
        put_frame(&mut expected.wire, false, b"never seen");
        let mut bench = Bench { expected, ..Bench::new(&[], in_chunks) };
        bench.inbox = Inbox::new(TIGHT, NO_MARK);
        for step in steps.iter().chain([&Step::Receive(usize::MAX / 2), &Step::TakeAll]) {
            match step {
                Step::Receive(count) => bench.receive(*count),
                Step::MoveCut(room) => bench.move_cut(*room),
                Step::Scan => {
                    let commands = &mut bench.commands;
                    // Once all is here it fails for ever, which is looked at in the end.
                    let _ = bench.inbox.scan(|body| commands.push(body.to_vec()));
                }
                Step::Take | Step::TakeInLane(_) | Step::TakeAll => while take_until_broken(&mut bench) {},
            }
            bench.check_commands();
        }
        prop_assert_eq!(bench.taken, bench.expected.messages.len());
        prop_assert_eq!(bench.commands.len(), bench.expected.commands.len());
        prop_assert!(take(&mut bench.inbox).is_err());
        prop_assert!(bench.inbox.scan(drop).is_err());
    }
}

/// Above all that [`sent`] makes, and easy to go past.
const TIGHT: Limits = Limits {
    max_frame_bytes: 40_000,
    max_message_bytes: 30_000,
    max_message_parts: 8,
    max_command_bytes: 100,
    max_subscription_bytes: 50,
    max_handshake_bytes: 1000,
    max_metadata_properties: 8,
};

fn take_until_broken(bench: &mut Bench) -> bool {
    match take(&mut bench.inbox) {
        Ok(Found::Message(message)) => {
            assert_eq!(message, bench.expected.messages[bench.taken]);
            bench.taken += 1;
            true
        }
        Ok(Found::Command(body)) => {
            bench.commands.push(body.to_vec());
            true
        }
        Ok(Found::Nothing) | Err(_) => false,
    }
}

/// Frames that go past one limit of [`TIGHT`], or are none.
fn broken_frame() -> impl Strategy<Value = Vec<u8>> {
    let frame = |more, command, len: usize| {
        let mut wire = Vec::new();
        put_header(&mut wire, Header { more, command, body_len: len as u64 });
        wire.resize(wire.len() + len, 0);
        wire
    };
    let split = [frame(true, false, 20_000), frame(false, false, 10_001)].concat();
    prop::sample::select(vec![
        frame(false, false, 40_001),
        frame(false, false, 30_001),
        frame(true, false, 30_001),
        split,
        frame(true, false, 0).repeat(9),
        frame(false, true, 101),
        vec![0x08, 0],
        vec![0x05, 0],
        vec![0x02, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ])
}

#[test]
fn a_header_is_judged_before_its_body_comes() {
    let cases = [(30_001, false), (101, true), (u64::from(u32::MAX), false)];
    for (body_len, command) in cases {
        let mut wire = Vec::new();
        put_header(&mut wire, Header { more: false, command, body_len });
        let mut inbox = Inbox::new(TIGHT, NO_MARK);
        inbox.handle_input(Slice::from(wire));
        assert!(inbox.scan(drop).is_err(), "scan waits for {body_len} bytes");
        assert!(take(&mut inbox).is_err(), "take waits for {body_len} bytes");
    }
}

/// Parts of a message that lost its end count for nothing on the next connection.
#[test]
fn a_cut_message_does_not_count_against_the_next_one() {
    let parts = usize::try_from(TIGHT.max_message_parts).expect("a few");
    let mut inbox = Inbox::new(TIGHT, NO_MARK);
    let mut wire = Vec::new();
    (0..parts).for_each(|_| put_frame(&mut wire, true, b""));
    inbox.handle_input(Slice::from(wire.clone()));
    inbox.scan(drop).expect("as many parts as are allowed");
    inbox.cut_off();

    wire.truncate(wire.len() - 2);
    put_frame(&mut wire, false, b"");
    inbox.handle_input(Slice::from(wire));
    assert!(matches!(take(&mut inbox), Ok(Found::Message(message)) if message.part_count() == parts));
}

fn inbox_holding(count: usize, high_water_mark: usize) -> Inbox {
    let high_water = HighWater { messages: high_water_mark, ..HighWater::NONE };
    let mut inbox = Inbox::new(Limits::default(), high_water);
    let mut wire = Vec::new();
    (0..count).for_each(|_| put_frame(&mut wire, false, b"message"));
    inbox.handle_input(Slice::from(wire));
    inbox.scan(drop).expect("good frames");
    inbox
}

#[test]
fn a_reader_pauses_at_the_mark_and_goes_on_at_half() {
    for (high_water_mark, resumes_at) in [(1, 0), (2, 1), (3, 1), (10, 5)] {
        let mut inbox = inbox_holding(high_water_mark - 1, high_water_mark);
        assert!(!inbox.pause_if_full(), "{high_water_mark}: one fits");
        let mut inbox = inbox_holding(high_water_mark + 1, high_water_mark);
        assert!(inbox.pause_if_full() && inbox.is_paused());
        let mut told_at = Vec::new();
        while let Ok(Found::Message(_)) = take(&mut inbox) {
            if inbox.resume_if_drained() {
                told_at.push(inbox.whole_messages());
            }
        }
        assert_eq!(told_at, [resumes_at], "{high_water_mark}: told once");
        assert!(!inbox.is_paused());
    }
}

#[test]
fn a_reader_pauses_at_the_mark_in_bytes_and_takes_one_message_of_any_size() {
    let mut inbox = Inbox::new(Limits::default(), HighWater { bytes: 100, ..HighWater::NONE });
    let mut wire = Vec::new();
    put_frame(&mut wire, false, &[7; 500]);
    let rest = wire.split_off(200);
    inbox.handle_input(Slice::from(wire));
    inbox.scan(drop).expect("good frames");
    assert!(!inbox.pause_if_full(), "half a message is nothing that could be taken");
    inbox.handle_input(Slice::from(rest));
    inbox.scan(drop).expect("good frames");
    assert!(inbox.pause_if_full());
    assert!(matches!(take(&mut inbox), Ok(Found::Message(_))));
    assert!(inbox.resume_if_drained());
}

#[test]
fn a_reader_that_was_not_paused_is_not_told() {
    let mut inbox = inbox_holding(3, 10);
    assert!(!inbox.pause_if_full());
    while let Ok(Found::Message(_)) = take(&mut inbox) {
        assert!(!inbox.resume_if_drained());
    }
}

/// A connection that falls silent in the middle of a little message must not keep a whole chunk.
#[test]
fn a_cut_frame_does_not_pin_its_chunk() {
    let mut wire = Vec::new();
    put_frame(&mut wire, false, b"whole");
    put_frame(&mut wire, false, &[7; 1000]);
    wire.truncate(500);
    let mut chunk = Chunk::with_capacity(1000);
    chunk.spare()[..500].copy_from_slice(&wire);
    let mut inbox = Inbox::new(Limits::default(), NO_MARK);
    inbox.handle_input(chunk.commit(500));
    assert!(
        matches!(take(&mut inbox), Ok(Found::Message(message)) if message == Message::from(&b"whole"[..]))
    );
    assert!(!chunk.try_reset());
    assert!(matches!(take(&mut inbox), Ok(Found::Nothing)));
    assert!(chunk.try_reset());
}

#[test]
fn a_large_frame_that_is_cut_is_known_by_its_header() {
    let mut inbox = Inbox::new(Limits::default(), NO_MARK);
    assert_eq!(inbox.cut(), Cut::default());
    let mut wire = Vec::new();
    put_frame(&mut wire, false, b"small");
    let small = wire.len();
    put_frame(&mut wire, false, &vec![1; LARGE_BYTES as usize]);
    let need = wire.len() - small;

    inbox.handle_input(Slice::from(wire[..small + 8].to_vec()));
    assert_eq!(inbox.cut(), Cut::default(), "a message is whole, and nobody came to the next");
    assert!(matches!(take(&mut inbox), Ok(Found::Message(_))));
    assert!(matches!(take(&mut inbox), Ok(Found::Nothing)));
    assert_eq!(inbox.cut(), Cut::default(), "a header of nine octets of which eight are here");
    inbox.handle_input(Slice::from(wire[small + 8..small + 1000].to_vec()));
    assert_eq!(inbox.cut(), Cut { have: 1000, need, earned: small + 1000 });
    inbox.handle_input(Slice::from(wire[small + 1000..].to_vec()));
    assert_eq!(inbox.cut(), Cut::default(), "it is whole");
    assert!(matches!(take(&mut inbox), Ok(Found::Message(_))));

    put_frame(&mut wire, false, &vec![1; LARGE_BYTES as usize - 1]);
    inbox.handle_input(Slice::from(wire[small + need..small + need + 5000].to_vec()));
    assert_eq!(inbox.cut(), Cut::default(), "it is not large");
}

/// A slice of what was read, wherever it began.
#[test]
fn a_frame_that_moved_lies_in_one_piece() {
    let mut wire = Vec::new();
    put_frame(&mut wire, false, &vec![9; 100_000]);
    let mut inbox = Inbox::new(Limits::default(), NO_MARK);
    wire[..70_000].chunks(9000).for_each(|bytes| inbox.handle_input(Slice::from(bytes.to_vec())));
    assert!(matches!(take(&mut inbox), Ok(Found::Nothing)));
    let mut scratch = Vec::new();
    inbox.take_cut(&mut scratch);
    let mut own = Chunk::with_capacity(wire.len());
    own.spare()[..scratch.len()].copy_from_slice(&scratch);
    let start = own.spare().as_ptr() as usize;
    inbox.put_back(own.commit(scratch.len()));
    own.spare().copy_from_slice(&wire[70_000..]);
    inbox.handle_input(own.commit(30_009));
    let Ok(Found::Message(message)) = take(&mut inbox) else { panic!("a whole message is here") };
    assert_eq!(message.first().as_bytes(), &wire[9..]);
    assert_eq!(message.first().as_ptr() as usize, start + 9);
}
