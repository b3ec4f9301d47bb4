//! The send rule, row by row.

use super::*;

/// An outbox with a connection, as a socket has it after `steps`.
struct Row {
    outbox: Outbox,
    pool: ArenaPool,
    wire: Wire,
    now: Instant,
}

impl Row {
    fn attached(limit: HighWater) -> Row {
        let (mut outbox, mut wire) = (Outbox::new(limit), Wire::new(0));
        outbox.attach(wire.connect());
        Row { outbox, pool: ArenaPool::default(), wire, now: Instant::now() }
    }

    /// One that wrote a moment ago.
    fn busy() -> Row {
        let mut row = Row::attached(NO_LIMIT);
        assert_eq!(row.append(10, false), Next::WriteNow);
        row.write();
        row
    }

    fn append(&mut self, len: usize, fresh: bool) -> Next {
        let now = self.now;
        self.outbox.append_bytes(&vec![0; len], &mut self.pool);
        self.outbox.after_append(|| fresh, || now)
    }

    fn write(&mut self) {
        let Write { writer, batch } = self.outbox.begin_write().expect("there is something to write");
        let now = self.now;
        self.outbox.finish_write(writer.write(batch), || now, &mut self.pool, &mut Vec::new());
        self.wire.deliver();
    }
}

#[test]
fn the_first_message_is_written_at_once() {
    assert_eq!(Row::attached(NO_LIMIT).append(10, false), Next::WriteNow);
}

#[test]
fn a_quiet_connection_is_written_at_once() {
    let mut row = Row::busy();
    row.now += 2 * QUIET;
    assert_eq!(row.append(10, false), Next::WriteNow);
}

#[test]
fn an_answer_is_written_at_once() {
    assert_eq!(Row::busy().append(10, true), Next::WriteNow);
}

#[test]
fn a_busy_connection_asks_the_io_thread_once() {
    let mut row = Row::busy();
    assert_eq!(row.append(10, false), Next::AskIoThread);
    assert_eq!(row.append(10, false), Next::Nothing);
    assert_eq!(row.append(10, true), Next::Nothing, "the one who was asked is on his way");
    row.write();
    assert_eq!(row.append(10, false), Next::AskIoThread);
}

#[test]
fn in_a_stream_only_full_segments_are_written() {
    let mut row = Row::busy();
    row.outbox.streaming = true;
    assert_eq!(row.append(10, true), Next::Leave);
    assert_eq!(row.append(10, true), Next::Nothing);
    assert!(!row.outbox.wants_write());
    assert_eq!(row.append(SEGMENT_BYTES, false), Next::WriteNow);
    assert!(row.outbox.wants_write());
}

#[test]
fn a_full_segment_is_written_by_whoever_filled_it() {
    let mut row = Row::busy();
    assert_eq!(row.append(10, false), Next::AskIoThread);
    assert_eq!(row.append(SEGMENT_BYTES, false), Next::WriteNow);
}

/// Before a sender blocks, what it waits for is flushed.
#[test]
fn at_the_high_water_mark_everything_is_flushed() {
    let mut row = Row::attached(HighWater { messages: 3, ..HighWater::NONE });
    assert_eq!(row.append(10, false), Next::WriteNow);
    row.write();
    assert_eq!(row.append(10, false), Next::AskIoThread);
    assert_eq!(row.append(10, false), Next::Nothing);
    assert!(row.outbox.has_credit());
    assert_eq!(row.append(10, false), Next::WriteNow);
    assert!(!row.outbox.has_credit());
    row.write();
    assert!(row.outbox.has_credit());
}

#[test]
fn while_somebody_writes_nobody_else_does() {
    let mut row = Row::attached(NO_LIMIT);
    assert_eq!(row.append(10, false), Next::WriteNow);
    let token = row.outbox.begin_write().expect("there is something to write");
    assert_eq!(row.append(10, true), Next::Nothing);
    assert_eq!(row.append(SEGMENT_BYTES, true), Next::Nothing);
    assert!(row.outbox.begin_write().is_none());
    row.outbox.finish_write(token.writer.write(token.batch), Instant::now, &mut row.pool, &mut Vec::new());
    assert!(row.outbox.wants_write(), "whoever comes back with the token goes on");
}

#[test]
fn without_a_connection_nothing_is_to_be_done() {
    let (mut outbox, mut pool) =
        (Outbox::new(HighWater { messages: 1, ..HighWater::NONE }), ArenaPool::default());
    outbox.append_bytes(b"early", &mut pool);
    assert_eq!(outbox.after_append(|| true, Instant::now), Next::Nothing);
    assert!(outbox.begin_write().is_none());
    assert!(!outbox.has_credit());
}

/// A message finds room or none; it is never too large for what is left.
#[test]
fn the_mark_in_bytes_is_asked_before_a_message_and_not_about_it() {
    let mut row = Row::attached(HighWater { bytes: 100, ..HighWater::NONE });
    let token = {
        row.append(10, false);
        row.outbox.begin_write().expect("there is something to write")
    };
    row.append(85, false);
    assert!(row.outbox.has_credit(), "12 and 87 bytes of 100 wait, those being written too");
    row.append(1000, false);
    assert!(!row.outbox.has_credit());
    row.outbox.finish_write(token.writer.write(token.batch), Instant::now, &mut row.pool, &mut Vec::new());
    assert!(!row.outbox.has_credit(), "1096 wait still");
    row.write();
    assert!(row.outbox.has_credit());
    assert_eq!(row.outbox.queued_bytes(), 0);
}
