//! One server's link to one other: which lines go there, what came from there, and what is kept of it.

use std::time::{Duration, Instant};

use serverlink::{Error, Message, Router};

use super::super::journal::Journal;
use super::super::lines::Lines;
use super::super::link::{Inbound, Outbound, Record};
use super::super::wire::Packet;
use super::super::{SERVERS, ServerArgs, server_name};
use crate::exit::Failure;

pub(super) struct PeerLink {
    pub(super) peer: usize,
    pub(super) routing_id: Vec<u8>,
    pub(super) outbound: Outbound,
    pub(super) inbound: Inbound,
    journal: Journal,
    /// Always the same for this pair, so that a new life finds out by their number which have gone.
    lines: Lines,
}

impl PeerLink {
    pub(super) fn open(args: &ServerArgs, peer: usize, now: Instant) -> Result<PeerLink, Failure> {
        let path = args.state.join(format!("{}-from-{}", server_name(args.index), server_name(peer)));
        let journal = Journal::open(&path)
            .map_err(|why| Failure::of(format_args!("opening the journal {}", path.display()), why))?;
        let share = args.index * (SERVERS - 1) + (peer + SERVERS - args.index) % SERVERS - 1;
        let lines = Lines::open(&args.text, share, SERVERS * (SERVERS - 1))
            .map_err(|why| Failure::of("opening the text", why))?;
        Ok(PeerLink {
            peer,
            routing_id: server_name(peer).into_bytes(),
            outbound: if args.life == 0 { Outbound::new(now) } else { Outbound::of_new_life(now) },
            inbound: Inbound::after(journal.kept()),
            journal,
            lines,
        })
    }

    pub(super) fn handle_message(
        &mut self,
        message: &Message,
        now: Instant,
    ) -> Result<Option<Duration>, Failure> {
        match Packet::parse(message.first()) {
            Some(Packet::Acknowledgement(next)) => match self.outbound.handle_answer(next, now) {
                Some(count) => self.skip(count).map(|()| None),
                None => Ok(self.outbound.handle_acknowledgement(next, now)),
            },
            Some(Packet::Record(number, record)) => {
                self.inbound.handle_record(number, &record);
                Ok(None)
            }
            Some(Packet::Question) => {
                self.inbound.handle_question();
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// What an earlier life had sent and the peer has.
    fn skip(&mut self, count: u64) -> Result<(), Failure> {
        for _ in 0..count {
            let record = self.next_record()?;
            self.outbound.skip(&record);
        }
        Ok(())
    }

    pub(super) fn fill(&mut self, now: Instant) -> Result<(), Failure> {
        while self.outbound.has_room() {
            let record = self.next_record()?;
            self.outbound.handle_record(record, now);
        }
        Ok(())
    }

    fn next_record(&mut self) -> Result<Record, Failure> {
        let line = self.lines.next_line().map_err(|why| Failure::of("reading the text", why))?;
        Ok(line.map_or(Record::End, Record::Line))
    }

    /// Puts on the wire what is due; how many messages that were.
    pub(super) fn transmit(&mut self, router: &Router, now: Instant) -> Result<usize, Failure> {
        let mut count = 0;
        if self.outbound.wants_to_ask() {
            if !put(router, &self.routing_id, Packet::question())? {
                return Ok(count);
            }
            self.outbound.on_asked(now);
            count += 1;
        }
        if let Some(next) = self.inbound.poll_acknowledgement() {
            self.journal
                .keep(self.inbound.arrived())
                .map_err(|why| Failure::of("keeping what came, in the journal", why))?;
            if !put(router, &self.routing_id, Packet::acknowledgement(next))? {
                return Ok(count);
            }
            self.inbound.on_acknowledged();
            count += 1;
        }
        while let Some((number, record)) = self.outbound.poll_transmit() {
            if !put(router, &self.routing_id, Packet::record(number, record))? {
                break;
            }
            self.outbound.on_transmitted();
            count += 1;
        }
        Ok(count)
    }
}

/// False if the peer cannot take it now: its queue is full, or its connection is just being replaced.
fn put(router: &Router, routing_id: &[u8], packet: Vec<u8>) -> Result<bool, Failure> {
    match router.try_send_to(routing_id, packet) {
        Ok(()) => Ok(true),
        Err(failed) if matches!(failed.error, Error::WouldBlock | Error::Unroutable { .. }) => Ok(false),
        Err(failed) => Err(failed.error.into()),
    }
}
