//! One outbox between senders, the I/O thread that flushes, and the reactor that goes on where the kernel was full and
//! replaces the connection. Whatever the order, the peers read every message once, in order, and none is left behind.
//!
//! The outbox is the library's own; what stands around it does what `Core` does in `socket/send.rs`, in its order. The
//! simulated network uses no loom type and is never held over one, so it takes no part in the interleaving.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use loom::thread;
use serverlink_driver::Writer;

use super::check;
use super::pipe::arena::ArenaPool;
use super::pipe::high_water::HighWater;
use super::pipe::outbox::{Next, Outbox, Outcome, Write};
use super::sync::Lock;
use super::wire::Wire;

/// What one message takes on the wire.
const FRAMED_BYTES: usize = 2 + 2;

struct Side {
    outbox: Outbox,
    pool: ArenaPool,
    /// The I/O thread was asked to flush.
    asked: bool,
}

struct Shared {
    side: Lock<Side>,
    wire: Mutex<Wire>,
    /// It stands still: a model has to go the same way each time.
    now: Instant,
}

impl Shared {
    fn new(connect: impl FnOnce(&mut Wire) -> Writer) -> Arc<Shared> {
        let (mut outbox, mut wire) = (Outbox::new(HighWater::NONE), Wire::new(0));
        outbox.attach(connect(&mut wire));
        let side = Lock::new(Side { outbox, pool: ArenaPool::default(), asked: false });
        Arc::new(Shared { side, wire: Mutex::new(wire), now: Instant::now() })
    }

    fn wire<T>(&self, then: impl FnOnce(&mut Wire) -> T) -> T {
        then(&mut self.wire.lock().unwrap())
    }

    // ---- senders

    fn send(&self, message: [u8; 2]) {
        let next = {
            let Side { outbox, pool, asked } = &mut *self.side.lock();
            outbox.append_bytes(&message, pool);
            let next = outbox.after_append(|| message[1] == 0, || self.now);
            *asked |= next == Next::AskIoThread;
            next
        };
        if next == Next::WriteNow {
            self.write_pipe();
        }
    }

    fn write_pipe(&self) {
        let write = self.side.lock().outbox.begin_write();
        self.run_writes(write);
    }

    fn run_writes(&self, mut write: Option<Write>) {
        while let Some(Write { writer, batch }) = write.take() {
            let written = writer.write(batch);
            let Side { outbox, pool, .. } = &mut *self.side.lock();
            match outbox.finish_write(written, || self.now, pool, &mut Vec::new()) {
                Outcome::Done if outbox.wants_write() => write = outbox.begin_write(),
                Outcome::Again => write = outbox.resume_write(),
                Outcome::Done | Outcome::Blocked | Outcome::WithDriver | Outcome::Failed(_) => {}
            }
        }
    }

    // ---- the I/O thread and the reactor

    fn flush_if_asked(&self) {
        if std::mem::take(&mut self.side.lock().asked) {
            self.write_pipe();
        }
    }

    /// The kernel's bytes arrive. True if that made room for a writer that had none.
    fn go_on_where_it_was_full(&self) -> bool {
        let writable = self.wire(|wire| {
            wire.deliver();
            wire.has_become_writable()
        });
        if writable {
            let write = self.side.lock().outbox.resume_write();
            self.run_writes(write);
        }
        writable
    }

    fn replace_connection(&self, old: &Writer, new: Writer) {
        self.wire(|wire| wire.close(old));
        self.side.lock().outbox.detach();
        self.side.lock().outbox.attach(new);
        self.write_pipe();
    }

    /// After everybody else is gone: nobody comes who was not called.
    fn check_arrivals(&self, senders: u8, from_each: u8) {
        self.flush_if_asked();
        while self.go_on_where_it_was_full() {}
        let outbox = &self.side.lock().outbox;
        assert!(outbox.is_flushed(), "something waits, and nobody comes to write it");
        assert_eq!(outbox.queued(), 0);
        let understood = self.wire(|wire| wire.understood());
        let arrived: Vec<_> = understood.into_iter().flat_map(|peer| peer.messages).flatten().collect();
        for sender in 0..senders {
            let from_it: Vec<u8> =
                arrived.iter().filter(|body| body[0] == sender).map(|body| body[1]).collect();
            assert_eq!(from_it, (0..from_each).collect::<Vec<_>>(), "of sender {sender}");
        }
    }
}

fn spawn(shared: &Arc<Shared>, run: impl FnOnce(&Shared) + 'static) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || run(&shared))
}

#[test]
fn two_senders_and_the_io_thread_leave_nothing_behind() {
    check(|| {
        let shared = Shared::new(Wire::connect);
        let other = spawn(&shared, |shared| {
            shared.send([1, 0]);
            shared.send([1, 1]);
        });
        let io_thread = spawn(&shared, Shared::flush_if_asked);
        shared.send([0, 0]);
        shared.send([0, 1]);
        other.join().unwrap();
        io_thread.join().unwrap();
        shared.check_arrivals(2, 2);
    });
}

/// The connection may become writable before the writer that found it full is back with the token.
#[test]
fn no_edge_is_lost_between_a_full_kernel_and_the_token() {
    for room in 1..=FRAMED_BYTES {
        check(move || {
            let shared = Shared::new(|wire| wire.connect_taking(room));
            let reactor = spawn(&shared, |shared| {
                shared.go_on_where_it_was_full();
                shared.go_on_where_it_was_full();
            });
            shared.send([0, 0]);
            shared.send([0, 1]);
            reactor.join().unwrap();
            shared.check_arrivals(1, 2);
        });
    }
}

#[test]
fn a_new_connection_goes_on_where_the_old_one_was_cut() {
    for room in [1, FRAMED_BYTES + 1, 64] {
        check(move || {
            let mut old = None;
            let shared = Shared::new(|wire| old.insert(wire.connect_taking(room)).clone());
            let old = old.expect("it was just connected");
            let new = shared.wire(Wire::connect);
            let reactor = spawn(&shared, move |shared| shared.replace_connection(&old, new));
            let sender = spawn(&shared, |shared| {
                shared.send([1, 0]);
                shared.send([1, 1]);
            });
            shared.send([0, 0]);
            shared.send([0, 1]);
            sender.join().unwrap();
            reactor.join().unwrap();
            shared.check_arrivals(2, 2);
        });
    }
}
