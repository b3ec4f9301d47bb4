//! The raw competitor inside one process, one way: a ring between two threads that look again and again, and let others run where
//! that takes long.

use std::{
    hint::{black_box, spin_loop},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Setup;
use crate::load::Counter;

/// How often an end looks before it lets another thread have its core.
const LOOKS: u32 = 1000;

/// Slots of one body each. Every index is written by one side only; the other keeps a copy and looks again when it has to.
struct Ring {
    words: Box<[AtomicU64]>,
    words_per_slot: usize,
    /// A power of two.
    slots: u64,
    written: Index,
    read: Index,
}

/// On a cache line of its own.
#[repr(align(128))]
struct Index(AtomicU64);

/// One end.
pub(crate) struct RingEnd {
    ring: Arc<Ring>,
    own: u64,
    others: u64,
    owned: bool,
}

impl RingEnd {
    /// Both ends of one ring; each may be either.
    pub(super) fn pair(setup: &Setup, owned: bool) -> (RingEnd, RingEnd) {
        // Inside a process both high-water marks add up to the bound of one queue.
        let slots = (2 * u64::from(setup.high_water_mark)).next_power_of_two();
        let words_per_slot = setup.body_bytes.div_ceil(8);
        let words = (0..words_per_slot * slots as usize).map(|_| AtomicU64::new(0)).collect();
        let index = || Index(AtomicU64::new(0));
        let ring = Arc::new(Ring { words, words_per_slot, slots, written: index(), read: index() });
        let end = || RingEnd { ring: Arc::clone(&ring), own: 0, others: 0, owned };
        (end(), end())
    }

    pub(super) fn send(&mut self, body: &[u8]) -> u64 {
        if self.own - self.others == self.ring.slots {
            self.others = look_until_it_moved(&self.ring.read, self.others);
        }
        for (word, bytes) in self.ring.slot(self.own).iter().zip(body.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        self.own += 1;
        self.ring.written.0.store(self.own, Ordering::Release);
        1
    }

    pub(super) fn recv(&mut self, counter: &mut Counter) {
        if self.own == self.others {
            self.others = look_until_it_moved(&self.ring.written, self.others);
        }
        if self.owned {
            counter.message(&self.taken());
        } else {
            // Looked at where it lies.
            black_box(self.ring.slot(self.own).first().map(|word| word.load(Ordering::Relaxed)));
            counter.batch(1);
        }
        self.own += 1;
        self.ring.read.0.store(self.own, Ordering::Release);
    }

    /// A message of its own.
    fn taken(&self) -> Vec<u8> {
        let words = self.ring.slot(self.own).iter();
        let mut body = Vec::with_capacity(words.len() * 8);
        words.for_each(|word| body.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes()));
        body
    }
}

/// The other end's index, once it is another one.
fn look_until_it_moved(index: &Index, known: u64) -> u64 {
    loop {
        for _ in 0..LOOKS {
            let now = index.0.load(Ordering::Acquire);
            if now != known {
                return now;
            }
            spin_loop();
        }
        std::thread::yield_now();
    }
}

impl Ring {
    fn slot(&self, number: u64) -> &[AtomicU64] {
        let first = (number & (self.slots - 1)) as usize * self.words_per_slot;
        &self.words[first..first + self.words_per_slot]
    }
}
