//! The server on io_uring with one receive for a connection's life, into buffers that all connections share.

use std::{
    alloc::{Layout, alloc_zeroed, handle_alloc_error},
    net::TcpStream,
    sync::atomic::{AtomicU16, Ordering},
};

use io_uring::{
    cqueue,
    opcode::{RecvMulti, Send},
    squeue::Entry,
    types::BufRingEntry,
};

use super::{
    Fallible, MESSAGE_BYTES, failed_to,
    meter::{Meter, Sample},
    ring::{self, Ring, SILENT},
};

const GROUP: u16 = 0;
/// Far more than one turn fills.
const BUFFERS: u16 = 4096;
const BUFFER_BYTES: usize = 2 * MESSAGE_BYTES;
const PAGE_BYTES: usize = 64 * 1024;

pub(super) fn serve(connections: &[TcpStream], mut meter: Meter) -> Fallible<Sample> {
    let mut ring = Ring::new(connections)?;
    let mut buffers = Buffers::new(&ring)?;
    for index in 0..connections.len() {
        // SAFETY: the entry names no memory.
        unsafe { ring.push(&[receive(index)])? };
    }
    let mut completed = Vec::new();
    let mut sent = Vec::new();
    loop {
        ring.turn(&mut completed)?;
        // The sends of the turn before are over: the system executes a send when it is submitted, and one message always fits.
        sent.drain(..).for_each(|buffer| buffers.give_back(buffer));
        buffers.publish();
        for completion in &completed {
            let index = completion.user_data() as usize;
            if let Some(buffer) = cqueue::buffer_select(completion.flags()) {
                // SAFETY: the buffers are for ever, and this one is in nobody's hands until it is given back.
                unsafe { ring.push(&[send_back(index, buffers.at(buffer), completion.result() as u32)])? };
                sent.push(buffer);
            } else if completion.result() != -libc::ENOBUFS {
                return Err(format!("An echo failed with {}.", completion.result()));
            }
            if !cqueue::more(completion.flags()) {
                // SAFETY: the entry names no memory.
                unsafe { ring.push(&[receive(index)])? };
            }
        }
        if let Some(sample) = meter.add(sent.len()) {
            return Ok(sample);
        }
    }
}

fn receive(index: usize) -> Entry {
    RecvMulti::new(ring::socket(index), GROUP).build().user_data(index as u64)
}

fn send_back(index: usize, buffer: *const u8, bytes: u32) -> Entry {
    Send::new(ring::socket(index), buffer, bytes)
        .flags(libc::MSG_NOSIGNAL)
        .build()
        .flags(SILENT)
        .user_data(index as u64)
}

/// The buffers, and the ring through which the system gets them. Both live as long as the process.
struct Buffers {
    memory: *mut u8,
    /// `BUFFERS` entries; the system reads them up to the tail.
    entries: *mut BufRingEntry,
    tail: u16,
}

impl Buffers {
    fn new(ring: &Ring) -> Fallible<Self> {
        let layout = Layout::array::<BufRingEntry>(BUFFERS.into())
            .and_then(|array| array.align_to(PAGE_BYTES))
            .map_err(failed_to("lay out the ring of buffers"))?;
        // SAFETY: the layout is not empty.
        let entries = unsafe { alloc_zeroed(layout) }.cast::<BufRingEntry>();
        if entries.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the entries are never freed, there are so many of them, and they begin a page.
        unsafe { ring.system().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0) }
            .map_err(failed_to("register shared buffers"))?;
        let memory = ring::memory_for_ever(usize::from(BUFFERS) * BUFFER_BYTES);
        let mut buffers = Self { memory, entries, tail: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give_back(buffer));
        buffers.publish();
        Ok(buffers)
    }

    fn at(&self, buffer: u16) -> *mut u8 {
        self.memory.wrapping_add(usize::from(buffer) * BUFFER_BYTES)
    }

    /// The system may fill it again from the next [`Buffers::publish`] on.
    fn give_back(&mut self, buffer: u16) {
        let address = self.at(buffer) as u64;
        // SAFETY: the entry is one of the ring's, zeroed at first, and beyond the tail: the system does not look at it.
        // The tail itself lies in a field of the first entry that is not written here.
        let entry = unsafe { &mut *self.entries.add(usize::from(self.tail % BUFFERS)) };
        entry.set_addr(address);
        entry.set_len(BUFFER_BYTES as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&mut self) {
        // SAFETY: the ring's first entry is where the tail is; all other accesses to it are the system's.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}
